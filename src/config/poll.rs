//! `[poll]`: the interval of each endpoint, and how long values are shown without a new answer.

use std::collections::BTreeMap;
use std::time::Duration;

use minergate::duration::{parse, print};
use minergate::endpoints::{self, ENDPOINTS};
use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::json;

use super::duration::{self, RawDuration};
use super::error::KeyError;
use crate::poller::Intervals;

/// The limits of durations here.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// The interval of each endpoint, "1s" to "30d" or "off", and how long values are shown without a new answer.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(rename = "poll", with = "Keys")]
pub(super) struct Poll(BTreeMap<String, RawDuration>);

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes the keys that are not endpoints, for the schema only")]
struct Keys {
    /// How long values are shown without a new answer, "1s" to "30d"; at least three of their endpoint's intervals.
    #[schemars(schema_with = "duration::schema", extend("default" = print(Intervals::default().stale_after)))]
    stale_after: Duration,
}

impl Poll {
    pub(super) fn intervals(&self, errors: &mut Vec<KeyError>) -> Intervals {
        let mut intervals = Intervals::default();
        for (key, written) in &self.0 {
            if let Err(message) = set(&mut intervals, key, written) {
                errors.push(KeyError::new(["poll", key], message));
            }
        }
        intervals
    }
}

fn set(intervals: &mut Intervals, key: &str, written: &RawDuration) -> Result<(), String> {
    let endpoint = endpoints::find(key);
    if endpoint.is_none() && key != "stale_after" {
        let names: Vec<_> = ENDPOINTS.iter().map(|endpoint| endpoint.name).collect();
        return Err(format!("unknown key; give stale_after, or one of {}", names.join(", ")));
    }
    // YAML 1.1 reads these words as booleans.
    if let RawDuration::Flag(_) = written {
        return Err("expected a text, found true or false; put it in quotes, such as \"off\"".to_owned());
    }
    let text = written.to_string();
    let value = if endpoint.is_some() && text.trim() == "off" { None } else { Some(parse(&text)?) };
    if value.is_some_and(|value| !(SHORTEST..=LONGEST).contains(&value)) {
        return Err("out of range; give \"1s\" to \"30d\"".to_owned());
    }
    match (endpoint, value) {
        (Some(endpoint), value) => intervals.set(endpoint, value),
        (None, value) => intervals.stale_after = value.unwrap_or(intervals.stale_after),
    }
    Ok(())
}

/// Adds the endpoints to the section's schema.
pub(super) fn add_endpoints(poll: &mut Schema) {
    let Some(properties) = poll.ensure_object().get_mut("properties").and_then(|node| node.as_object_mut()) else { return };
    let Some(any) = properties.get("stale_after").cloned() else { return };
    for endpoint in ENDPOINTS {
        let mut schema = any.clone();
        schema["description"] = format!("Time from one poll of `GET {}` to the next.", endpoint.path).into();
        schema["default"] = print(endpoint.interval).into();
        schema["pattern"] = json!(format!("^off$|{}", duration::PATTERN));
        properties.insert(endpoint.name.to_owned(), schema);
    }
}
