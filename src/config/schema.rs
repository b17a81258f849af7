//! The configuration's JSON Schema. `config/schema.json` is generated from the types, and the program reads that file, because the code that
//! generates the schema takes 200 kB.

use std::sync::LazyLock;

use minergate::endpoints::{self, ENDPOINTS, Scope};
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{Schema, schema_for};
use serde_json::{Value, json};

use super::codes::MAX_DECIMALS;
use super::poll;
use super::raw::Raw;

/// The schema's keyword for the flag of a key, as `NAME VALUE`. Editors ignore it.
pub(super) const FLAG: &str = "x-flag";

/// The schema, in JSON.
pub const TEXT: &str = include_str!("../../config/schema.json");

/// A pattern of addresses, for editors. [`minergate_pools::address::parse`] decides what is valid.
const ADDRESS: &str = "^[A-Za-z0-9][A-Za-z0-9.+_:-]*$";

/// The schema. A test checks that it can be read.
pub(super) static SCHEMA: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

/// The schema generated from the types, for `scripts/generate` and tests.
pub fn of_types() -> Schema {
    let mut schema = schema_for!(Raw);
    let metrics: Vec<String> = endpoints::optional_metrics().collect();
    let endpoints = ENDPOINTS.iter().filter(|endpoint| endpoint.scope == Scope::Account).map(|endpoint| endpoint.name);
    let endpoints: Vec<&str> = endpoints.collect();
    let tables = [
        ("/properties/optional_metrics/items", json!({ "enum": metrics })),
        ("/properties/decimals/additionalProperties", json!({ "type": "integer", "minimum": 0, "maximum": MAX_DECIMALS })),
        ("/$defs/account/properties/endpoints/items", json!({ "enum": endpoints })),
        ("/$defs/account/properties/wallets/additionalProperties", json!({ "type": "string", "pattern": ADDRESS })),
    ];
    for (place, table) in tables {
        if let Some(value) = schema.pointer_mut(place) {
            *value = table;
        }
    }
    if let Some(Ok(section)) = schema.pointer_mut("/$defs/poll").map(<&mut Schema>::try_from) {
        poll::add_endpoints(section);
    }
    RecursiveTransform(|schema: &mut Schema| {
        // Formats for Rust types, which editors do not know.
        if schema.get("format").is_some_and(|format| format != "uri") {
            schema.remove("format");
        }
        // Line breaks of the comments in the source are removed.
        if let Some(Value::String(description)) = schema.get_mut("description") {
            *description = description.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        // These defaults mean that the key is left out; they can't be written.
        if schema.get("default").is_some_and(|value| *value == Value::Null || *value == "") {
            schema.remove("default");
        }
    })
    .transform(&mut schema);
    schema
}
