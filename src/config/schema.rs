//! The configuration's JSON Schema: its types, and what of the tables they can't know.

use std::sync::LazyLock;

use minergate::endpoints::{self, ENDPOINTS, Scope};
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{Schema, schema_for};
use serde_json::{Value, json};

use super::codes::MAX_DECIMALS;
use super::poll;
use super::raw::Raw;

/// Which flag gives a key, as `NAME VALUE`. For this program, and left out of what others get.
pub(super) const FLAG: &str = "flag";

/// What an address looks like, for editors; [`minergate_pools::address::parse`] decides.
const ADDRESS: &str = "^[A-Za-z0-9][A-Za-z0-9.+_:-]*$";

/// The schema, with the flags.
pub(super) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
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
        // Formats that are Rust's and no editor's.
        if schema.get("format").is_some_and(|format| format != "uri") {
            schema.remove("format");
        }
        // Comments have their lines broken for whoever reads the source.
        if let Some(Value::String(description)) = schema.get_mut("description") {
            *description = description.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        // What is left out, and no value that could be written.
        if schema.get("default").is_some_and(|value| *value == Value::Null || *value == "") {
            schema.remove("default");
        }
    })
    .transform(&mut schema);
    schema
});

/// The schema as editors take it.
pub fn schema() -> Schema {
    let mut schema = SCHEMA.clone();
    RecursiveTransform(|schema: &mut Schema| drop(schema.remove(FLAG))).transform(&mut schema);
    schema
}
