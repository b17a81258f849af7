//! The API over HTTP: requests, logins, limits, errors. Nothing else in the crate speaks HTTP as a client.
//!
//! What the answers mean is `endpoints`' business; when to ask is `poller`'s.

mod account;
mod clock;
mod error;
mod limiter;
mod secret;
mod totp;

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, header, redirect};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;

pub use self::account::{Account, Config as AccountConfig, Stop};
use self::clock::Clock;
pub use self::error::{Error, KINDS, Result};
use self::limiter::{Lane, Limiter};
pub use self::secret::Secret;
pub(crate) use self::secret::is_exposed;

/// The host that the API's documentation names. It has answered `ApiDiscontinued` since 2019.
pub const PUBLIC_BASE_URL: &str = "https://api.minergate.com";

/// The word that counts logins among the endpoints' requests.
pub const LOGIN: &str = "login";

/// The largest answer that is read, in bytes.
const MAX_BODY: usize = 8 << 20;

/// Redirects followed within the host.
const MAX_REDIRECTS: usize = 3;

/// Times that a read is tried again.
const MAX_RETRIES: u32 = 2;

/// The longest wait before the first retry; it doubles for the next.
const FIRST_RETRY: Duration = Duration::from_millis(500);

/// How long a host is left alone that asks for fewer requests and does not say for how long.
const PAUSE: Duration = Duration::from_secs(5);

/// How long a login waits while the host asks to be left alone.
const LOGIN_PATIENCE: Duration = Duration::from_secs(10);

/// `[api]`: the host, and how gently it is asked.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "api")]
pub struct Config {
    /// Where the API is; `/1.0/...` is appended.
    #[serde(deserialize_with = "base_url")]
    #[schemars(extend("default" = PUBLIC_BASE_URL))]
    pub base_url: Url,
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
}

impl Default for Config {
    fn default() -> Self {
        Config {
            base_url: parse_base_url(PUBLIC_BASE_URL).unwrap_or_else(|_| unreachable!("the documented host is a URL")),
            timeout: Duration::from_secs(10),
            requests_per_second: 5.0,
            concurrency: 8,
        }
    }
}

impl Config {
    /// What is wrong with the values, one by one: key and sentence.
    pub fn faults(&self) -> impl Iterator<Item = (&'static str, String)> {
        let rate = self.requests_per_second;
        [
            (!(0.001..=100_000.0).contains(&rate))
                .then(|| ("requests_per_second", format!("{rate} is out of range; give 0.001 to 100000"))),
            (!(1..=10_000).contains(&self.concurrency))
                .then(|| ("concurrency", format!("{} is out of range; give 1 to 10000", self.concurrency))),
            self.timeout.is_zero().then(|| ("timeout", "no request can take no time; give \"10s\" or so".to_owned())),
        ]
        .into_iter()
        .flatten()
    }
}

fn base_url<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Url, D::Error> {
    parse_base_url(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
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
    /// Logins of the account stopped, or (nothing) may go on.
    Stopped { account: &'a str, reason: Option<Stop> },
}

/// Who is told of what happened.
pub type Observer = Arc<dyn Fn(Event<'_>) + Send + Sync>;

/// What is read, for whom, and until when it is of use.
#[derive(Clone, Copy)]
pub struct Read<'a> {
    /// The endpoint's name, for the metrics about requests.
    pub endpoint: &'static str,
    /// The path below the base URL.
    pub path: &'a str,
    pub account: Option<&'a Account>,
    /// When the endpoint is polled next: nothing is tried again after that.
    pub deadline: Option<Instant>,
}

/// A client of the API, for all accounts.
pub struct Client {
    http: reqwest::Client,
    base_url: Url,
    timeout: Duration,
    limiter: Limiter,
    /// The lane of requests that are made for no account.
    pool: Lane,
    observer: Observer,
}

impl Client {
    /// A client that keeps within the configured limits.
    ///
    /// # Errors
    /// [`Error::Tls`] when the machine's TLS can't be used at all.
    pub fn new(config: &Config, observer: Observer) -> Result<Client> {
        install_crypto();
        let http = reqwest::Client::builder()
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .timeout(config.timeout)
            .connect_timeout(config.timeout / 2)
            .redirect(redirect::Policy::custom(|attempt| {
                let same_origin = attempt.previous().last().is_some_and(|from| from.origin() == attempt.url().origin());
                // The answer is then the redirect itself. A token must not follow it to another host.
                if same_origin && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
            }))
            .build()
            .map_err(|_| Error::Tls)?;
        let limiter = Limiter::new(config.requests_per_second, config.concurrency);
        let pool = limiter.lane();
        Ok(Client { http, base_url: config.base_url.clone(), timeout: config.timeout, limiter, pool, observer })
    }

    /// Reads a path, with the account's token if there is an account, and decodes the answer.
    ///
    /// Logs the account in when it has no token. A token that the API refuses is replaced once. What may pass is tried again,
    /// within the deadline and what the host is asked anyway.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub async fn get<T>(&self, read: Read<'_>, decode: impl Fn(&[u8]) -> Result<T>) -> Result<T> {
        let Some(account) = read.account else { return self.ask(read, None, &decode).await };
        let mut token = account.token(self).await?;
        let mut result = self.ask(read, Some(&token), &decode).await;
        if matches!(result, Err(Error::Unauthorized { .. })) && account.refused(read.endpoint, &token).await {
            token = account.token(self).await?;
            result = self.ask(read, Some(&token), &decode).await;
            if let Err(Error::Unauthorized { .. }) = result {
                account.denied(read.endpoint).await;
            }
        }
        if result.is_ok() {
            account.accepted(read.endpoint, &token).await;
        }
        result
    }

    /// Asks once, and again while it may help.
    async fn ask<T>(&self, read: Read<'_>, token: Option<&SecretString>, decode: &impl Fn(&[u8]) -> Result<T>) -> Result<T> {
        let lane = read.account.map_or(&self.pool, |account| account.lane(|| self.limiter.lane()));
        let mut retries = 0;
        let mut before = None;
        loop {
            let mut request = self.http.request(Method::GET, self.url(read.path));
            if let Some(token) = token {
                let mut value = header::HeaderValue::from_str(token.expose_secret()).map_err(|_| Error::TokenSyntax)?;
                value.set_sensitive(true);
                request = request.header("token", value);
            }
            if let Some(deadline) = read.deadline.filter(|_| retries > 0) {
                request = request.timeout(self.timeout.min(deadline.saturating_duration_since(Instant::now())));
            }
            let result = self.send(read.endpoint, lane, read.deadline, request, decode).await;
            let error = match (result, before) {
                (Ok(answer), _) => return Ok(answer),
                // A retry has only what is left of the time; what went wrong is what the request before it ran into.
                (Err(Error::Timeout), Some(before)) => return Err(before),
                (Err(error), _) => error,
            };
            let wait = rand::random_range(Duration::ZERO..=FIRST_RETRY * 2u32.pow(retries));
            let in_time = read.deadline.is_none_or(|deadline| Instant::now() + wait < deadline)
                && self.limiter.in_time(read.deadline).is_ok();
            if retries == MAX_RETRIES || !error.may_pass() || !in_time || !self.limiter.may_retry() {
                return Err(error);
            }
            retries += 1;
            before = Some(error);
            tokio::time::sleep(wait).await;
        }
    }

    /// Whether a login would be sent within its patience.
    fn takes_logins(&self) -> Result<()> {
        self.limiter.in_time(Some(Instant::now() + LOGIN_PATIENCE)).map(drop)
    }

    /// Exchanges a password for a token.
    async fn login(
        &self,
        account: &Account,
        email: &str,
        password: &SecretString,
        totp: Option<u32>,
    ) -> Result<SecretString> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(deserialize_with = "sendable")]
            token: String,
        }
        let mut body = serde_json::json!({ "email": email, "password": password.expose_secret() });
        if let Some(code) = totp {
            body["totp"] = code.into();
        }
        let request = self.http.request(Method::POST, self.url("/1.0/auth/login")).json(&body);
        let lane = account.lane(|| self.limiter.lane());
        self.send(LOGIN, lane, Some(Instant::now() + LOGIN_PATIENCE), request, |body| {
            let answer: Answer =
                serde_json::from_slice(body).map_err(|error| Error::Shape { line: error.line(), column: error.column() })?;
            Ok(answer.token.into())
        })
        .await
    }

    /// Where a path below the base URL is.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base_url.clone();
        url.set_path(&format!("{}{path}", self.base_url.path().trim_end_matches('/')));
        url
    }

    async fn send<T>(
        &self,
        endpoint: &'static str,
        lane: &Lane,
        deadline: Option<Instant>,
        request: RequestBuilder,
        decode: impl Fn(&[u8]) -> Result<T>,
    ) -> Result<T> {
        let _turn = self.limiter.acquire(lane, deadline).await?;
        let start = Instant::now();
        let (body, pause) = answer(request).await;
        let result = body.and_then(|body| decode(&body));
        let duration = start.elapsed();
        lane.note(result.as_ref().err(), duration > self.timeout / 2);
        if let Some(pause) = pause {
            self.limiter.pause(pause);
        }
        let outcome = result.as_ref().map_or_else(Error::kind, |_| "ok");
        (self.observer)(Event::Request { endpoint, outcome, duration });
        result
    }
}

/// Reads a token that a header can hold. Another, once kept, would never be refused, since it is never sent, and so no login
/// would replace it.
fn sendable<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<String, D::Error> {
    let token = String::deserialize(deserializer)?;
    header::HeaderValue::from_str(&token).map(|_| token).map_err(|_| serde::de::Error::custom("no header can hold it"))
}

/// Asks for a URL once, and returns the status of the answer. For the exporter's own health check, which asks by an address that no
/// certificate names and sends nothing secret: so any certificate will do.
pub(crate) async fn probe(url: &str, timeout: Duration) -> Result<u16> {
    install_crypto();
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_danger_accept_invalid_certs(true)
        .timeout(timeout)
        .build()
        .map_err(|_| Error::Tls)?;
    let response = client.get(url).send().await.map_err(|error| Error::transport(&error))?;
    Ok(response.status().as_u16())
}

/// Makes ring the TLS of this process. Whoever comes second finds it installed.
fn install_crypto() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Sends a request. Returns its answer's body, or what the answer says is wrong, and how long the host asks to be left
/// alone.
async fn answer(request: RequestBuilder) -> (Result<Vec<u8>>, Option<Duration>) {
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => return (Err(Error::transport(&error)), None),
    };
    let status = response.status();
    let clock = Clock::of(response.headers());
    let pause = match status {
        StatusCode::TOO_MANY_REQUESTS => Some(clock.retry_after.unwrap_or(PAUSE)),
        StatusCode::SERVICE_UNAVAILABLE => clock.retry_after,
        _ => None,
    };
    let result = match body(&mut response).await.map(|body| (Error::of_answer(status.as_u16(), &body), body)) {
        Ok((None, body)) => Ok(body),
        Ok((Some(Error::TotpRefused { .. }), _)) => Err(Error::TotpRefused { clock_off: clock.off }),
        Ok((Some(error), _)) | Err(error) => Err(error),
    };
    (result, pause)
}

async fn body(response: &mut Response) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Error::transport(&error))? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(Error::TooLarge { limit: MAX_BODY });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stand_below_the_base_url_as_they_are() {
        for (base, expected) in [
            ("https://a.example", "https://a.example/1.0/transfers/X%21%2F"),
            ("https://a.example/", "https://a.example/1.0/transfers/X%21%2F"),
            ("http://[::1]:8080/pool/", "http://[::1]:8080/pool/1.0/transfers/X%21%2F"),
            ("http://a.example/b%20c", "http://a.example/b%20c/1.0/transfers/X%21%2F"),
        ] {
            let config = Config { base_url: parse_base_url(base).unwrap(), ..Config::default() };
            let client = Client::new(&config, Arc::new(|_| {})).unwrap();
            assert_eq!(client.url("/1.0/transfers/X%21%2F").as_str(), expected);
        }
    }
}
