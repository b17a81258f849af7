//! `[api]`: the MinerGate API, and the limits for requests to it.

use std::time::Duration;

use minergate::api::{Settings, parse_base_url};
use schemars::JsonSchema;
use serde::Deserialize;

use super::duration;
use super::error::KeyError;

/// The message if the API is needed but its URL is not given.
pub(super) const MISSING: &str = "missing; give the URL of the API that you use, such as \"https://api.example.com\"; there is no \
                                  default, since the public host is discontinued";

/// The MinerGate API, and the limits for requests to it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "api")]
pub(super) struct Api {
    /// URL of the API; `/1.0/...` is appended. Required for accounts without wallets, and for `currencies` that none of `[[pools]]` has.
    /// If left out, nothing is requested from the API. There is no default, so that passwords and tokens are only sent to a host that was
    /// chosen. The public host, `https://api.minergate.com`, has answered `ApiDiscontinued` since 2019.
    #[schemars(with = "String", url, extend("examples" = ["https://api.example.com"]))]
    base_url: Option<String>,
    /// Time limit for one request, from connecting to the last byte.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(schema_with = "duration::schema", extend("default" = minergate::duration::print(Settings::TIMEOUT)))]
    timeout: Duration,
    /// Requests a second to the host, for all accounts together. Can be a fraction.
    #[schemars(range(min = 0.001, max = 100_000.0))]
    requests_per_second: f64,
    /// Maximum number of requests in flight.
    #[schemars(range(min = 1, max = 10_000))]
    concurrency: usize,
}

impl Default for Api {
    fn default() -> Self {
        Api {
            base_url: None,
            timeout: Settings::TIMEOUT,
            requests_per_second: Settings::REQUESTS_PER_SECOND,
            concurrency: Settings::CONCURRENCY,
        }
    }
}

impl Api {
    /// The client's settings; `None` if they are invalid or the URL is missing.
    pub(super) fn settings(&self, errors: &mut Vec<KeyError>) -> Option<Settings> {
        let mut add = |key, message: String| errors.push(KeyError::new(["api", key], message));
        if !(0.001..=100_000.0).contains(&self.requests_per_second) {
            add("requests_per_second", "out of range; give 0.001 to 100000".to_owned());
        }
        if !(1..=10_000).contains(&self.concurrency) {
            add("concurrency", "out of range; give 1 to 10000".to_owned());
        }
        if self.timeout.is_zero() {
            add("timeout", "must not be 0; give \"10s\" or so".to_owned());
        }
        let base_url = self.base_url.as_deref().map(parse_base_url)?.map_err(|message| add("base_url", message)).ok()?;
        Some(Settings {
            base_url,
            timeout: self.timeout,
            requests_per_second: self.requests_per_second,
            burst: None,
            concurrency: self.concurrency,
            user_agent: super::USER_AGENT.to_owned(),
        })
    }

    /// The mistake if the API is needed but its URL is not given.
    pub(super) fn missing(&self) -> Option<KeyError> {
        self.base_url.is_none().then(|| KeyError::new(["api", "base_url"], MISSING))
    }
}
