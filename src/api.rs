//! The API over HTTP: requests, logins, limits, errors. Nothing else in the crate speaks HTTP as a client.
//!
//! What the answers mean is `endpoints`' business; when to ask is `poller`'s.

mod account;
mod error;
mod limiter;
mod secret;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{self, HeaderMap};
use reqwest::{Method, RequestBuilder, StatusCode, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;

pub use self::account::{Account, Config as AccountConfig, Stop};
pub use self::error::{Error, KINDS, Result};
use self::limiter::Limiter;
pub use self::secret::Secret;

/// The host that the API's documentation names. It has answered `ApiDiscontinued` since 2019.
pub const PUBLIC_BASE_URL: &str = "https://api.minergate.com";

/// The word that counts logins among the endpoints' requests.
pub const LOGIN: &str = "login";

/// The largest answer that is read, in bytes.
const MAX_BODY: usize = 8 << 20;

/// Redirects followed within the host.
const MAX_REDIRECTS: usize = 3;

/// `[api]`: the host, and how gently it is asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the API is; `/1.0/...` is appended.
    #[serde(deserialize_with = "base_url")]
    pub base_url: Url,
    /// Time for one request, from connecting to the last byte.
    #[serde(deserialize_with = "crate::duration::deserialize")]
    pub timeout: Duration,
    /// Requests a second to the host, of all accounts together.
    pub requests_per_second: f64,
    /// Requests under way at once.
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

/// A client of the API, for all accounts.
pub struct Client {
    http: reqwest::Client,
    base_url: Url,
    limiter: Limiter,
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
            .redirect(redirect::Policy::custom(|attempt| {
                let same_origin = attempt.previous().last().is_some_and(|from| from.origin() == attempt.url().origin());
                // The answer is then the redirect itself. A token must not follow it to another host.
                if same_origin && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
            }))
            .build()
            .map_err(|_| Error::Tls)?;
        let limiter = Limiter::new(config.requests_per_second, config.concurrency);
        Ok(Client { http, base_url: config.base_url.clone(), limiter, observer })
    }

    /// Asks for a path, with the account's token if there is an account, and decodes the answer.
    ///
    /// Logs the account in when it has no token. A token that the API refuses is replaced once.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub async fn get<T>(
        &self,
        endpoint: &'static str,
        path: &str,
        account: Option<&Account>,
        decode: impl Fn(&[u8]) -> Result<T>,
    ) -> Result<T> {
        let ask = async |token: Option<&SecretString>| {
            let mut request = self.http.request(Method::GET, self.url(path));
            if let Some(token) = token {
                let mut value = header::HeaderValue::from_str(token.expose_secret()).map_err(|_| Error::TokenSyntax)?;
                value.set_sensitive(true);
                request = request.header("token", value);
            }
            self.send(endpoint, request, &decode).await
        };
        let Some(account) = account else { return ask(None).await };
        let mut token = account.token(self).await?;
        let mut result = ask(Some(&token)).await;
        if matches!(result, Err(Error::Unauthorized { .. })) && account.refused(endpoint, &token).await {
            token = account.token(self).await?;
            result = ask(Some(&token)).await;
            if let Err(Error::Unauthorized { .. }) = result {
                account.denied(endpoint).await;
            }
        }
        if result.is_ok() {
            account.accepted(endpoint, &token).await;
        }
        result
    }

    /// Exchanges a password for a token.
    async fn login(&self, email: &str, password: &SecretString, totp: Option<u32>) -> Result<SecretString> {
        #[derive(Deserialize)]
        struct Answer {
            token: String,
        }
        let mut body = serde_json::json!({ "email": email, "password": password.expose_secret() });
        if let Some(code) = totp {
            body["totp"] = code.into();
        }
        let request = self.http.request(Method::POST, self.url("/1.0/auth/login")).json(&body);
        self.send(LOGIN, request, |body| {
            let answer: Answer =
                serde_json::from_slice(body).map_err(|error| Error::Shape { line: error.line(), column: error.column() })?;
            Ok(answer.token.into())
        })
        .await
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url.as_str().trim_end_matches('/'))
    }

    async fn send<T>(
        &self,
        endpoint: &'static str,
        request: RequestBuilder,
        decode: impl Fn(&[u8]) -> Result<T>,
    ) -> Result<T> {
        let _permit = self.limiter.acquire().await;
        let start = Instant::now();
        let result = answer(request).await.and_then(|body| decode(&body));
        let outcome = result.as_ref().map_or_else(Error::kind, |_| "ok");
        (self.observer)(Event::Request { endpoint, outcome, duration: start.elapsed() });
        result
    }
}

/// Asks for a URL once, and returns the status of the answer. For the exporter's own health check.
pub async fn probe(url: &str, timeout: Duration) -> Result<u16> {
    install_crypto();
    let client = reqwest::Client::builder().no_proxy().timeout(timeout).build().map_err(|_| Error::Tls)?;
    let response = client.get(url).send().await.map_err(|error| Error::transport(&error))?;
    Ok(response.status().as_u16())
}

/// Makes ring the TLS of this process. Whoever comes second finds it installed.
fn install_crypto() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Sends a request and returns its answer's body, or what the answer says is wrong.
async fn answer(request: RequestBuilder) -> Result<Vec<u8>> {
    let mut response = request.send().await.map_err(|error| Error::transport(&error))?;
    let status = response.status();
    let retry_after = retry_after(response.headers());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Error::transport(&error))? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(Error::TooLarge { limit: MAX_BODY });
        }
        body.extend_from_slice(&chunk);
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Error::RateLimited { retry_after });
    }
    Error::of_answer(status.as_u16(), &body).map_or(Ok(body), Err)
}

/// How long the server asks to be left alone, when it says so in seconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
