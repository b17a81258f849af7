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
mod state_files;
mod pause;
mod secret;
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

/// The host that the API's documentation names. It has answered `ApiDiscontinued` since 2019.
pub const PUBLIC_HOST: &str = "api.minergate.com";

/// The word that counts logins among the endpoints' requests.
pub const LOGIN: &str = "login";

/// Where the API is, and how gently it is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// As [`parse_base_url`] reads it; `/1.0/...` is appended.
    pub base_url: Url,
    /// Time for one request, from connecting to the last byte.
    pub timeout: Duration,
    /// Requests a second to the host, of all accounts together.
    pub requests_per_second: f64,
    /// Requests that may follow each other without a wait when none was sent for a while. Nothing stands for those of one second.
    pub burst: Option<f64>,
    /// Requests under way at once.
    pub concurrency: usize,
    /// How the program names itself to the host.
    pub user_agent: String,
}

impl Settings {
    pub const TIMEOUT: Duration = Duration::from_secs(10);
    pub const REQUESTS_PER_SECOND: f64 = 5.0;
    pub const CONCURRENCY: usize = 8;

    /// The API at that URL, asked as gently as a pool likes it.
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
    /// Requests that may follow each other without a wait.
    pub fn burst(&self) -> f64 {
        self.burst.unwrap_or(self.requests_per_second)
    }
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
pub struct ReadRequest<'a> {
    /// The endpoint's name, for the metrics about requests.
    pub endpoint: &'static str,
    /// The path below the base URL, and after a `?` the query.
    pub path: &'a str,
    /// Whose token is sent.
    pub account: Option<&'a Account>,
    /// Without an account: whose share of the limits is used, by name. Nothing stands for the client's own.
    pub lane: Option<(&'a str, &'a Lane)>,
    /// When the endpoint is polled next: nothing is tried again after that.
    pub deadline: Option<Instant>,
    /// Says what the status and the body of a whole answer mean, if not success. [`Error::of_answer`] is the MinerGate API's reading.
    pub error: fn(u16, &[u8]) -> Option<Error>,
}
