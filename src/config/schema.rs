//! The configuration's JSON Schema: its types, and what of the tables they can't know.

use schemars::transform::{RecursiveTransform, Transform};
use schemars::{Schema, schema_for};
use serde_json::{Value, json};

use super::Config;
use super::codes::MAX_DECIMALS;
use minergate::endpoints::{self, ENDPOINTS, Scope};

/// The schema.
pub fn schema() -> Schema {
    let mut schema = schema_for!(Config);
    let metrics: Vec<String> = endpoints::optional_metrics().collect();
    let endpoints = ENDPOINTS.iter().filter(|endpoint| endpoint.scope == Scope::Account).map(|endpoint| endpoint.name);
    let endpoints: Vec<&str> = endpoints.collect();
    let tables: [(&str, Value); 3] = [
        ("/properties/optional_metrics/items", json!({ "enum": metrics })),
        ("/properties/decimals/additionalProperties", json!({ "type": "integer", "minimum": 0, "maximum": MAX_DECIMALS })),
        ("/$defs/account/properties/endpoints/items", json!({ "enum": endpoints })),
    ];
    for (place, table) in tables {
        if let Some(value) = schema.pointer_mut(place) {
            *value = table;
        }
    }
    // Formats that are Rust's and no editor's.
    RecursiveTransform(|schema: &mut Schema| {
        if schema.get("format").is_some_and(|format| format != "uri") {
            schema.remove("format");
        }
    })
    .transform(&mut schema);
    schema
}
