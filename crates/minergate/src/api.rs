//! The API over HTTP: requests, logins, limits, errors. Nothing else in the crate speaks HTTP as a client.
//!
//! `endpoints` says what the answers mean; the exporter's `poller` says when to send requests.

mod account;
mod body;
mod budget;
mod client;
mod clock;
mod error;
mod http;
mod limiter;
mod pause;
mod secret;
mod state_files;
mod totp;

use std::sync::Arc;
use std::time::Duration;

pub use reqwest::Url;
use tokio::time::Instant;

pub use self::account::{Account, Blocked, Credentials};
pub use self::body::decode;
pub(crate) use self::body::json;
pub use self::client::Client;
pub use self::error::{Error, REQUEST_KINDS, Result, UNSENT_KINDS};
pub use self::limiter::Lane;
pub use self::secret::{Secret, SecretError, is_exposed};
pub use self::totp::totp_step;

/// The host in the API's documentation. It has answered `ApiDiscontinued` since 2019.
pub const PUBLIC_HOST: &str = "api.minergate.com";

/// The endpoint name of logins in metrics about requests.
pub const LOGIN: &str = "login";

/// The API's URL and the limits for requests to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// As returned by [`parse_base_url`]; `/1.0/...` is appended.
    pub base_url: Url,
    /// Time limit for one request, from connecting to the last byte of the answer.
    pub timeout: Duration,
    /// Requests a second to the host, for all accounts together.
    pub requests_per_second: f64,
    /// Requests that can be sent at once after a pause. `None` means the number for one second.
    pub burst: Option<f64>,
    /// Maximum number of requests in flight.
    pub concurrency: usize,
    /// The User-Agent header.
    pub user_agent: String,
}

impl Settings {
    pub const TIMEOUT: Duration = Duration::from_secs(10);
    pub const REQUESTS_PER_SECOND: f64 = 5.0;
    pub const CONCURRENCY: usize = 8;

    /// Settings with the default limits for the API at this URL.
    pub fn new(base_url: Url) -> Settings {
        Settings {
            base_url,
            timeout: Settings::TIMEOUT,
            requests_per_second: Settings::REQUESTS_PER_SECOND,
            burst: None,
            concurrency: Settings::CONCURRENCY,
            user_agent: concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl Settings {
    /// Requests that can be sent at once after a pause.
    pub fn burst(&self) -> f64 {
        self.burst.unwrap_or(self.requests_per_second)
    }
}

/// Reads a base URL.
///
/// # Errors
/// A sentence for the user.
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

/// An event in the client, for the exporter's own metrics.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A request ended; `outcome` is `ok` or the error's kind.
    Request { endpoint: &'static str, outcome: &'static str, duration: Duration },
    /// An attempt to log in ended; `outcome` is `ok` or the error's kind.
    Login { account: &'a str, outcome: &'static str },
    /// A new token is in use.
    Token { account: &'a str },
    /// Logins of the account are blocked, or (`None`) no longer blocked.
    Blocked { account: &'a str, reason: Option<Blocked> },
    /// A request has waited for its turn.
    Turn { waited: Duration },
    /// A request is sent again.
    Retry,
    /// The host asked for a pause of all requests.
    Paused { until: Instant },
}

/// Receives the client's events.
pub type Observer = Arc<dyn Fn(Event<'_>) + Send + Sync>;

/// One GET request.
#[derive(Clone, Copy)]
pub struct ReadRequest<'a> {
    /// The endpoint's name, for metrics about requests.
    pub endpoint: &'static str,
    /// The path below the base URL, with the query.
    pub path: &'a str,
    /// The account whose token is sent.
    pub account: Option<&'a Account>,
    /// For a request without an account: the limits to use, with a name. `None` means the client's own.
    pub lane: Option<(&'a str, &'a Lane)>,
    /// When the endpoint is polled next. The request is not sent again after that.
    pub deadline: Option<Instant>,
    /// Returns the error in a complete answer with this status and body, if any. For the MinerGate API, use [`Error::of_answer`].
    pub error: fn(u16, &[u8]) -> Option<Error>,
}
