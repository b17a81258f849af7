//! HTTP: the client library's client, replaced from time to time, and one request with its answer.

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::header::LOCATION;
use reqwest::{RequestBuilder, Response, StatusCode, Url, redirect};
use tokio::time::Instant;
use tracing::warn;

use super::clock::Clock;
use super::{Error, Result};
use crate::file;

/// Maximum size of an answer, in bytes.
const MAX_BODY: usize = 8 << 20;

/// The pause after a 429 without `Retry-After`.
const PAUSE: Duration = Duration::from_secs(5);

/// How long connections are used. New ones look up the host's address again.
const LIFETIME: Duration = Duration::from_secs(300);

/// The HTTP client that is in use.
pub(super) struct Http {
    settings: Settings,
    state: Mutex<CurrentClient>,
}

struct CurrentClient {
    client: reqwest::Client,
    built: Instant,
    is_building: bool,
}

/// The settings that the client is built from.
#[derive(Clone)]
struct Settings {
    user_agent: String,
    timeout: Duration,
    /// The host is this machine. Then no proxy is used: it could not reach the host, and it would get the token.
    is_loopback: bool,
    /// Requests go through a proxy set in the environment.
    through_proxy: bool,
}

impl Http {
    /// # Errors
    /// [`Error::Tls`].
    pub(super) fn new(base_url: &Url, timeout: Duration, user_agent: &str) -> Result<Http> {
        let is_loopback = is_loopback(base_url);
        let uri: Option<Uri> = base_url.as_str().parse().ok();
        let through_proxy = !is_loopback && uri.is_some_and(|uri| Matcher::from_env().intercept(&uri).is_some());
        let settings = Settings { user_agent: user_agent.to_owned(), timeout, is_loopback, through_proxy };
        let state = CurrentClient { client: settings.build()?, built: Instant::now(), is_building: false };
        Ok(Http { settings, state: Mutex::new(state) })
    }

    /// The client for one request. An old one is replaced in the background; requests in flight continue on the old one.
    pub(super) fn client(self: &Arc<Http>) -> reqwest::Client {
        let mut state = self.state();
        if !state.is_building && state.built.elapsed() >= LIFETIME {
            state.is_building = true;
            let own = self.clone();
            tokio::spawn(async move { own.renew().await });
        }
        state.client.clone()
    }

    /// Replaces the client, and so all connections.
    pub(super) async fn renew(&self) {
        let settings = self.settings.clone();
        // This reads the system's certificates from files, which can hang.
        let built = file::run(Path::new("the system's certificates"), move || settings.build()).await;
        let mut state = self.state();
        (state.built, state.is_building) = (Instant::now(), false);
        match built {
            Ok(Ok(client)) => state.client = client,
            Ok(Err(error)) => warn!(%error, "HTTP client not renewed"),
            Err(error) => warn!(%error, "HTTP client not renewed"),
        }
    }

    /// Sends a request.
    pub(super) async fn exchange(&self, request: RequestBuilder) -> Exchange {
        let failed = |error: &reqwest::Error| Err(Error::transport(error, self.settings.through_proxy));
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                return Exchange { body: failed(&error), status: None, pause: None, clock_off: None, location: None };
            }
        };
        let received = Instant::now();
        let status = response.status();
        let clock = Clock::of(response.headers());
        let pause = match status {
            StatusCode::TOO_MANY_REQUESTS => Some(clock.retry_after.unwrap_or(PAUSE)),
            StatusCode::SERVICE_UNAVAILABLE => clock.retry_after,
            _ => None,
        };
        let location = location(&response);
        let body = body(&mut response).await.unwrap_or_else(|error| failed(&error));
        let pause = pause.map(|pause| pause.saturating_sub(received.elapsed()));
        Exchange { body, status: Some(status), pause, clock_off: clock.off, location }
    }

    fn state(&self) -> MutexGuard<'_, CurrentClient> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Settings {
    fn build(&self) -> Result<reqwest::Client> {
        install_crypto();
        let builder = reqwest::Client::builder()
            .user_agent(&self.user_agent)
            .timeout(self.timeout)
            .connect_timeout(self.timeout / 2)
            // A redirect is handled as a new request: it waits for its turn, and a login is never sent again.
            .redirect(redirect::Policy::none());
        let builder = if self.is_loopback { builder.no_proxy() } else { builder };
        builder.build().map_err(|_| Error::Tls)
    }
}

/// The result of a request.
pub(super) struct Exchange {
    /// The body, or the error.
    pub(super) body: Result<Vec<u8>>,
    /// `None` if there was no answer.
    pub(super) status: Option<StatusCode>,
    /// How long the host asks to wait from now on.
    pub(super) pause: Option<Duration>,
    /// Seconds that this machine's clock is ahead of the host's; `None` if the difference is small.
    pub(super) clock_off: Option<i64>,
    /// The target of a redirect within the host.
    pub(super) location: Option<Url>,
}

/// The target of a redirect, if it has the same scheme, host and port.
fn location(response: &Response) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.url().join(response.headers().get(LOCATION)?.to_str().ok()?).ok()?;
    (location.origin() == response.url().origin()).then_some(location)
}

async fn body(response: &mut Response) -> reqwest::Result<Result<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_BODY {
            return Ok(Err(Error::TooLarge { limit: MAX_BODY }));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Ok(body))
}

/// Whether a URL's host is this machine.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let ip = host.parse::<IpAddr>().map(|ip| ip.to_canonical());
    host == "localhost" || host.ends_with(".localhost") || ip.is_ok_and(|ip| ip.is_loopback())
}

/// Makes ring the TLS provider of this process. A second call changes nothing.
fn install_crypto() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_names_and_addresses() {
        for (url, expected) in [
            ("http://localhost:8080/", true),
            ("http://LOCALHOST/", true),
            ("http://api.localhost/", true),
            ("http://127.0.0.1/", true),
            ("http://127.8.9.10/", true),
            ("http://[::1]/", true),
            ("http://[::ffff:127.0.0.1]/", true),
            ("http://128.0.0.1/", false),
            ("http://localhost.example/", false),
            ("https://api.example/127.0.0.1", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
