//! Durations in the configuration, read by [`minergate::duration`].

use std::fmt;
use std::time::Duration;

use minergate::duration::parse;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// A pattern for editors. [`parse`] decides what is valid.
pub(super) const PATTERN: &str = "^ *(P|[0-9.]+ *[A-Za-zµ])";

/// A duration as written, for [`parse`]. A number without a unit is then an error.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a duration; write a text such as \"30s\"")]
pub(super) enum RawDuration {
    Text(String),
    Whole(u64),
    Number(f64),
    Flag(bool),
}

impl fmt::Display for RawDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RawDuration::Text(text) => f.write_str(text),
            RawDuration::Whole(number) => write!(f, "{number}"),
            RawDuration::Number(number) => write!(f, "{number}"),
            RawDuration::Flag(flag) => write!(f, "{flag}"),
        }
    }
}

/// For `#[serde(deserialize_with = "duration::deserialize")]`.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    parse(&RawDuration::deserialize(deserializer)?.to_string()).map_err(de::Error::custom)
}

/// For `#[serde(deserialize_with = "duration::optional")]`.
pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let written = Option::<RawDuration>::deserialize(deserializer)?;
    written.map(|written| parse(&written.to_string()).map_err(de::Error::custom)).transpose()
}

/// For `#[schemars(schema_with = "duration::optional_schema")]`.
pub(super) fn optional_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "null"], "pattern": PATTERN, "examples": ["2m"] })
}

/// For `#[schemars(schema_with = "duration::schema")]`: the schema of a duration, for editors.
pub(super) fn schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": PATTERN, "examples": ["30s", "5m", "1h"] })
}
