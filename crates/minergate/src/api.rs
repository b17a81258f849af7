//! The API over HTTP: requests, logins, limits, errors. Nothing else in the crate speaks HTTP as a client.
//!
//! What the answers mean is `endpoints`' business; when to ask is `poller`'s.

mod account;
mod body;
mod budget;
mod client;
mod clock;
mod error;
mod http;
mod limiter;
mod memory;
mod pause;
mod secret;
mod totp;

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::Instant;

pub use self::account::{Account, Blocked, Config as AccountConfig};
pub(crate) use self::body::{decode, json};
pub use self::client::Client;
pub use self::error::{Error, REQUEST_KINDS, Result, UNSENT_KINDS};
pub use self::secret::is_exposed;
pub use self::secret::{Secret, SecretError};

/// The host that the API's documentation names. It has answered `ApiDiscontinued` since 2019.
pub const PUBLIC_HOST: &str = "api.minergate.com";

/// The word that counts logins among the endpoints' requests.
pub const LOGIN: &str = "login";

/// `[api]`: the host, and how gently it is asked.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "api")]
pub struct Config {
    /// Where the API is; `/1.0/...` is appended. Without a default: credentials go to no host that nobody chose.
    #[serde(deserialize_with = "base_url")]
    #[schemars(with = "Url")]
    pub base_url: Option<Url>,
    /// Time for one request, from connecting to the last byte.
    #[serde(deserialize_with = "crate::duration::deserialize")]
    #[schemars(schema_with = "crate::duration::schema", extend("default" = "10s"))]
    pub timeout: Duration,
    /// Requests a second to the host, of all accounts together.
    #[schemars(range(min = 0.001, max = 100_000.0))]
    pub requests_per_second: f64,
    /// Requests under way at once.
    #[schemars(range(min = 1, max = 10_000))]
    pub concurrency: usize,
    /// How the program names itself to the host.
    #[serde(skip, default = "user_agent")]
    pub user_agent: String,
}

fn user_agent() -> String {
    concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")).to_owned()
}

impl Default for Config {
    fn default() -> Self {
        Config {
            base_url: None,
            timeout: Duration::from_secs(10),
            requests_per_second: 5.0,
            concurrency: 8,
            user_agent: user_agent(),
        }
    }
}

impl Config {
    /// Where the API is, for messages.
    pub fn address(&self) -> &str {
        self.base_url.as_ref().map_or("api.base_url", Url::as_str)
    }

    /// What is wrong with the values, one by one: key and sentence.
    pub fn faults(&self) -> impl Iterator<Item = (&'static str, String)> {
        let rate = self.requests_per_second;
        [
            (!(0.001..=100_000.0).contains(&rate))
                .then(|| ("requests_per_second", "out of range; give 0.001 to 100000".to_owned())),
            (!(1..=10_000).contains(&self.concurrency)).then(|| ("concurrency", "out of range; give 1 to 10000".to_owned())),
            self.timeout.is_zero().then(|| ("timeout", "no request can take no time; give \"10s\" or so".to_owned())),
        ]
        .into_iter()
        .flatten()
    }
}

fn base_url<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Url>, D::Error> {
    parse_base_url(&String::deserialize(deserializer)?).map(Some).map_err(serde::de::Error::custom)
}

/// Reads a base URL.
///
/// # Errors
/// A sentence for people.
pub fn parse_base_url(text: &str) -> std::result::Result<Url, String> {
    let remedy = "give one such as \"https://api.example.com\"";
    let mut url = Url::parse(text).map_err(|error| format!("not a URL ({error}); {remedy}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(format!("not the URL of a web server; {remedy}"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(format!("a base URL has no user, password, query or fragment; {remedy}"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// What happened, for the exporter's own metrics.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A request ended; `outcome` is `ok` or the error's kind.
    Request { endpoint: &'static str, outcome: &'static str, duration: Duration },
    /// An attempt to log in ended; `outcome` as above.
    Login { account: &'a str, outcome: &'static str },
    /// A token came into use.
    Token { account: &'a str },
    /// Logins of the account are blocked, or (nothing) no longer.
    Blocked { account: &'a str, reason: Option<Blocked> },
    /// A request had its turn, after so long a wait.
    Turn { waited: Duration },
    /// A read is tried again.
    Retry,
    /// The host asked for a pause of everything.
    Paused { until: Instant },
}

/// Who is told of what happened.
pub type Observer = Arc<dyn Fn(Event<'_>) + Send + Sync>;

/// What is read, for whom, and until when it is of use.
#[derive(Clone, Copy)]
pub(crate) struct Read<'a> {
    /// The endpoint's name, for the metrics about requests.
    pub endpoint: &'static str,
    /// The path below the base URL.
    pub path: &'a str,
    pub account: Option<&'a Account>,
    /// When the endpoint is polled next: nothing is tried again after that.
    pub deadline: Option<Instant>,
}
