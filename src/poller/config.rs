//! `[poll]`: an interval per endpoint, and how long values are shown without news.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::Deserializer;

use minergate::duration;
use minergate::endpoints::{self, ENDPOINTS, Endpoint};

/// The intervals that an endpoint can have are within these.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
const LONGEST_INTERVAL: Duration = Duration::from_secs(30 * 86_400);

/// An interval that is shorter than the default by more than this brings requests and no news.
const HASTY: u32 = 10;

/// The section's values.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long values are shown after their last poll; at least three of the endpoint's intervals.
    pub stale_after: Duration,
    /// Endpoints whose interval is not the default; nothing stands for "off".
    intervals: BTreeMap<&'static str, Option<Duration>>,
    /// What was wrong with the values, by key; told by [`Config::faults`], which knows where they came from.
    faults: Vec<(String, String)>,
}

impl Default for Config {
    fn default() -> Self {
        Config { stale_after: Duration::from_secs(300), intervals: BTreeMap::new(), faults: Vec::new() }
    }
}

impl Config {
    /// Time from one poll of the endpoint to the next; nothing when it is off.
    pub fn interval(&self, endpoint: &Endpoint) -> Option<Duration> {
        self.intervals.get(endpoint.name).copied().unwrap_or(Some(endpoint.interval))
    }

    /// What is wrong with the values, one by one: key and sentence.
    pub fn faults(&self) -> impl Iterator<Item = (&str, String)> {
        self.faults.iter().map(|(key, fault)| (key.as_str(), fault.clone()))
    }

    /// Endpoints that are polled more often than makes sense, with their intervals.
    pub fn hasty(&self) -> impl Iterator<Item = (&'static Endpoint, Duration)> {
        let polled = ENDPOINTS.iter().filter_map(|endpoint| Some((endpoint, self.interval(endpoint)?)));
        polled.filter(|(endpoint, interval)| *interval * HASTY < endpoint.interval)
    }

    /// Takes one value as written.
    fn set(&mut self, key: &str, written: &str) -> Result<(), String> {
        let endpoint = endpoints::find(key);
        if endpoint.is_none() && key != "stale_after" {
            let names: Vec<_> = ENDPOINTS.iter().map(|endpoint| endpoint.name).collect();
            return Err(format!("unknown key; give stale_after, or one of {}", names.join(", ")));
        }
        let value = match (endpoint, written.trim()) {
            (Some(_), "off") => None,
            (_, text) => Some(duration::parse(text)?),
        };
        if value.is_some_and(|value| value < SHORTEST_INTERVAL || value > LONGEST_INTERVAL) {
            return Err("out of range; give \"1s\" to \"30d\"".to_owned());
        }
        match (endpoint, value) {
            (Some(endpoint), value) => drop(self.intervals.insert(endpoint.name, value)),
            (None, value) => self.stale_after = value.unwrap_or(self.stale_after),
        }
        Ok(())
    }

    /// How long the endpoint's values are shown without news.
    pub(super) fn lifetime(&self, interval: Duration) -> Duration {
        self.stale_after.max(3 * interval)
    }
}

impl JsonSchema for Config {
    fn schema_name() -> Cow<'static, str> {
        "poll".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let interval = |endpoint: &Endpoint| {
            let mut schema = duration::schema(generator);
            schema.insert(
                "description".to_owned(),
                format!("Time from one poll of GET {} to the next.", endpoint.path).into(),
            );
            schema.insert("default".to_owned(), duration::print(endpoint.interval).into());
            schema.insert("pattern".to_owned(), format!("^off$|{}", duration::PATTERN).into());
            (endpoint.name.to_owned(), schema.to_value())
        };
        let mut properties: serde_json::Map<String, serde_json::Value> = ENDPOINTS.iter().map(interval).collect();
        let mut stale_after = duration::schema(generator);
        let description = "How long values are shown without news; at least three of their endpoint's intervals.";
        stale_after.insert("description".to_owned(), description.into());
        stale_after.insert("default".to_owned(), duration::print(Config::default().stale_after).into());
        properties.insert("stale_after".to_owned(), stale_after.to_value());
        json_schema!({
            "description": "`[poll]`: an interval per endpoint, \"off\" for none, and how long values are shown without news.",
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        })
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut config = Config::default();
        for (key, written) in BTreeMap::<String, duration::Written>::deserialize(deserializer)? {
            let set = match written {
                // YAML 1.1 takes these words for flags.
                duration::Written::Flag(_) => {
                    Err("expected a text, found true or false; put it in quotes, such as \"off\"".to_owned())
                }
                written => config.set(&key, &written.to_string()),
            };
            if let Err(fault) = set {
                config.faults.push((key, fault));
            }
        }
        Ok(config)
    }
}
