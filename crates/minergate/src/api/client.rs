//! The client of one API, for all accounts: limits, retries, tokens and redirects.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode, Url, header};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::body::decode;
use super::http::{Exchange, Http};
use super::limiter::{Lane, Limiter, Turn};
use super::pause::Target;
use super::{Account, Error, Event, LOGIN, Observer, ReadRequest, Result, Settings};
use crate::answer::{Map, Text};

/// Redirects followed within the host.
const MAX_REDIRECTS: u32 = 3;

/// Maximum number of retries of a request.
const MAX_RETRIES: u32 = 2;

/// Maximum wait before the first retry. It doubles for the next one.
const FIRST_RETRY: Duration = Duration::from_millis(500);

/// Maximum time that a login waits during a pause that the host asked for.
const LOGIN_PATIENCE: Duration = Duration::from_secs(10);

/// Where logins are sent.
const LOGIN_PATH: &str = "/1.0/auth/login";

/// A client of the API, for all accounts.
pub struct Client {
    settings: Settings,
    pub(super) observer: Observer,
    http: Arc<Http>,
    limiter: Limiter,
    /// The lane for requests without an account.
    pool: Lane,
}

impl Client {
    /// A client that keeps the limits of the settings.
    ///
    /// # Errors
    /// [`Error::Tls`] if TLS can't be used on this machine.
    pub fn new(settings: &Settings, observer: Observer) -> Result<Client> {
        let limiter = Limiter::new(settings.requests_per_second, settings.burst(), settings.concurrency);
        Client::with_limiter(settings, limiter, observer)
    }

    /// A client with other settings. If the host is the same, its pauses stay in force.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn reconfigured(&self, settings: &Settings) -> Result<Client> {
        let mut limiter = Limiter::new(settings.requests_per_second, settings.burst(), settings.concurrency);
        if settings.base_url == self.settings.base_url {
            limiter = limiter.continuing(&self.limiter);
        }
        Client::with_limiter(settings, limiter, self.observer.clone())
    }

    fn with_limiter(settings: &Settings, limiter: Limiter, observer: Observer) -> Result<Client> {
        let http = Arc::new(Http::new(&settings.base_url, settings.timeout, &settings.user_agent)?);
        let pool = limiter.lane();
        Ok(Client { settings: settings.clone(), observer, http, limiter, pool })
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Uses new connections from now on. Requests in flight finish on the old ones.
    pub async fn renew_connections(&self) {
        self.http.renew().await;
    }

    /// Requests a path, with the account's token if there is an account, and decodes the answer.
    ///
    /// Logs the account in if it has no token. A refused token is replaced once. A temporary error is retried
    /// within the deadline and the retry budget.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub async fn get<T>(&self, read: ReadRequest<'_>, decode: impl Fn(&[u8]) -> Result<T>) -> Result<T> {
        let Some(account) = read.account else { return self.ask(read, &mut None, &decode).await };
        let mut token = None;
        let mut result = self.ask(read, &mut token, &decode).await;
        if let (Err(Error::Unauthorized { .. }), Some(refused)) = (&result, &token)
            && account.token_refused(read.endpoint, refused).await
        {
            result = self.ask(read, &mut token, &decode).await;
            if let Err(Error::Unauthorized { .. }) = result {
                account.fresh_token_refused(read.endpoint).await;
            }
        }
        if let (Ok(_), Some(token)) = (&result, &token) {
            account.token_accepted(read.endpoint, token).await;
        }
        result
    }

    /// Sends a request, and retries it while that can help. `token` is set to the token that was sent last.
    async fn ask<T>(
        &self,
        read: ReadRequest<'_>,
        token: &mut Option<SecretString>,
        decode: &impl Fn(&[u8]) -> Result<T>,
    ) -> Result<T> {
        let target = read.target();
        let mut retries = 0;
        let mut before = None;
        loop {
            let error = match (self.read(read, token, retries, decode).await, before) {
                (Ok(Ok(answer)), _) => return Ok(answer),
                // A retry only gets the remaining time. If it times out, the error of the attempt before is more useful.
                (Ok(Err(Error::Timeout)) | Err(_), Some(before)) => return Err(before),
                (Ok(Err(error)), _) => error,
                // Logins have their own waits.
                (Err(error), None) => return Err(error),
            };
            let wait = rand::random_range(Duration::ZERO..=FIRST_RETRY * 2u32.pow(retries));
            let in_time = read.deadline.is_none_or(|deadline| Instant::now() + wait < deadline)
                && self.limiter.in_time(&target, read.deadline).is_ok();
            if retries == MAX_RETRIES || !error.may_pass() || !in_time || !self.limiter.may_retry() {
                return Err(error);
            }
            retries += 1;
            before = Some(error);
            (self.observer)(Event::Retry);
            tokio::time::sleep(wait).await;
        }
    }

    /// Sends one request and follows redirects within the host. Each redirect counts as a request.
    ///
    /// # Errors
    /// Why nothing was sent. The result of a sent request is in the inner `Result`.
    async fn read<T>(
        &self,
        read: ReadRequest<'_>,
        token: &mut Option<SecretString>,
        retries: u32,
        decode: &impl Fn(&[u8]) -> Result<T>,
    ) -> Result<Result<T>> {
        let target = read.target();
        let mut url = self.url(read.path);
        let mut redirects = 0;
        loop {
            let (turn, lane) = self.turn_with_token(read, &target, token).await?;
            let mut request = self.http.client().request(Method::GET, url);
            if let Some(token) = token {
                let mut value = header::HeaderValue::from_str(token.expose_secret()).map_err(|_| Error::TokenSyntax)?;
                value.set_sensitive(true);
                request = request.header("token", value);
            }
            if let Some(deadline) = read.deadline.filter(|_| retries > 0) {
                // The time that is left after the wait for the turn.
                request = request.timeout(self.settings.timeout.min(deadline.saturating_duration_since(Instant::now())));
            }
            // Boxed: thousands of requests can wait for their turns, but only a few are in flight.
            let (result, location) = Box::pin(self.send(&target, turn, lane, request, read.error, decode)).await;
            match (result, location) {
                (Err(Error::Redirect { .. }), Some(location)) if redirects < MAX_REDIRECTS => url = location,
                (result, _) => return Ok(result),
            }
            redirects += 1;
        }
    }

    /// Waits for a turn, and then takes the newest token: the token from before the wait may have expired.
    async fn turn_with_token<'a>(
        &'a self,
        read: ReadRequest<'a>,
        target: &Target<'_>,
        token: &mut Option<SecretString>,
    ) -> Result<(Turn<'a>, &'a Lane)> {
        let Some(account) = read.account else {
            let lane = read.lane.map_or(&self.pool, |(_, lane)| lane);
            return Ok((self.turn(lane, target, read.deadline).await?, lane));
        };
        let lane = account.lane(|| self.limiter.lane());
        loop {
            let before = account.token(self, read.endpoint).await?;
            let turn = self.turn(lane, target, read.deadline).await?;
            // During a login there is no token, and the login needs a turn of its own.
            if let Some(current) = account.current_token() {
                *token = Some(current);
                return Ok((turn, lane));
            }
            drop((turn, before));
        }
    }

    async fn turn<'a>(&'a self, lane: &'a Lane, target: &Target<'_>, deadline: Option<Instant>) -> Result<Turn<'a>> {
        let start = Instant::now();
        let turn = self.limiter.acquire(lane, target, deadline).await?;
        (self.observer)(Event::Turn { waited: start.elapsed() });
        Ok(turn)
    }

    /// Waits for a login's turn.
    pub(super) async fn login_turn<'a>(&'a self, account: &'a Account) -> Result<Turn<'a>> {
        let lane = account.lane(|| self.limiter.lane());
        self.turn(lane, &login_target(account), Some(Instant::now() + LOGIN_PATIENCE)).await
    }

    /// Sends a login and returns its token. The caller has waited for the turn. A login is sent once: it is not retried and follows no
    /// redirect.
    pub(super) async fn login(
        &self,
        account: &Account,
        turn: Turn<'_>,
        email: &str,
        password: &SecretString,
        totp: Option<u32>,
    ) -> Result<SecretString> {
        let mut body = serde_json::json!({ "email": email, "password": password.expose_secret() });
        if let Some(code) = totp {
            body["totp"] = code.into();
        }
        let request = self.http.client().request(Method::POST, self.url(LOGIN_PATH)).json(&body);
        let lane = account.lane(|| self.limiter.lane());
        Box::pin(self.send(&login_target(account), turn, lane, request, Error::of_answer, token)).await.0
    }

    /// The URL of a path with an optional query below the base URL.
    fn url(&self, path: &str) -> Url {
        let mut url = self.settings.base_url.clone();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        url.set_path(&format!("{}{path}", self.settings.base_url.path().trim_end_matches('/')));
        url.set_query(query);
        url
    }

    /// A share of the limits. Its requests wait for each other, and use at most a part of the slots.
    pub fn lane(&self) -> Lane {
        self.limiter.lane()
    }

    /// Sends a request whose turn has come. Also returns the target of a redirect within the host.
    async fn send<T>(
        &self,
        target: &Target<'_>,
        turn: Turn<'_>,
        lane: &Lane,
        request: reqwest::RequestBuilder,
        error: fn(u16, &[u8]) -> Option<Error>,
        decode: impl Fn(&[u8]) -> Result<T>,
    ) -> (Result<T>, Option<Url>) {
        let start = Instant::now();
        let Exchange { body, status, pause, clock_off, location } = self.http.exchange(request).await;
        let duration = start.elapsed();
        lane.note(body.as_ref().err(), duration > self.settings.timeout / 2);
        let until = self.take_pause(target, status, pause);
        // The turn ends with the last byte, so that no other request waits while the answer is decoded.
        drop(turn);
        let result = body.and_then(|body| {
            let error = status.and_then(|status| error(status.as_u16(), &body));
            error.map_or_else(|| decode(&body), Err)
        });
        let result = result.map_err(|error| match error {
            Error::RateLimited { until: now } => Error::RateLimited { until: until.unwrap_or(now) },
            Error::Unavailable { .. } => Error::Unavailable { until },
            Error::TotpRefused { .. } => Error::TotpRefused { clock_off },
            error => error,
        });
        let outcome = result.as_ref().map_or_else(Error::kind, |_| "ok");
        (self.observer)(Event::Request { endpoint: target.endpoint, outcome, duration });
        (result, location)
    }

    /// Records a pause that an answer asks for. Returns when it ends.
    fn take_pause(&self, target: &Target<'_>, status: Option<StatusCode>, pause: Option<Duration>) -> Option<Instant> {
        let paused = self.limiter.pauses(|pauses| match (status?, pause) {
            (StatusCode::TOO_MANY_REQUESTS, pause) => Some((pauses.pause_host(pause?), true)),
            (StatusCode::SERVICE_UNAVAILABLE, pause) => pauses.unavailable(target, pause),
            _ => None,
        });
        let (until, of_host) = paused?;
        if of_host {
            (self.observer)(Event::Paused { until });
        }
        Some(until)
    }
}

impl<'a> ReadRequest<'a> {
    fn target(&self) -> Target<'a> {
        let lane = self.lane.map(|(name, _)| name);
        Target {
            account: self.account.map(|account| &**account.name()).or(lane).unwrap_or_default(),
            endpoint: self.endpoint,
            path: self.path,
        }
    }
}

fn login_target(account: &Account) -> Target<'_> {
    Target { account: account.name(), endpoint: LOGIN, path: LOGIN_PATH }
}

/// Reads the token from a login's answer. Text that can't be sent in a header is not accepted: it would never be sent, so it would never
/// be refused and replaced.
fn token(body: &[u8]) -> Result<SecretString> {
    let answer: Map<Text> = decode(body)?;
    let token = answer.get("token").and_then(Text::get).filter(|token| header::HeaderValue::from_str(token).is_ok());
    token.map(SecretString::from).ok_or(Error::Shape { line: 1, column: 1 })
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::api::parse_base_url;

    #[test]
    fn paths_are_appended_to_the_base_url_unchanged() {
        for (base, expected) in [
            ("https://a.example", "https://a.example/1.0/transfers/X%21%2F"),
            ("https://a.example/", "https://a.example/1.0/transfers/X%21%2F"),
            ("http://[::1]:8080/pool/", "http://[::1]:8080/pool/1.0/transfers/X%21%2F"),
            ("http://a.example/b%20c", "http://a.example/b%20c/1.0/transfers/X%21%2F"),
        ] {
            let settings = Settings::new(parse_base_url(base).unwrap());
            let client = Client::new(&settings, Arc::new(|_| {})).unwrap();
            assert_eq!(client.url("/1.0/transfers/X%21%2F").as_str(), expected);
        }
    }

    #[tokio::test]
    async fn an_answer_is_decoded_after_its_turn_has_ended() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.is_ok_and(|bytes| bytes > 0) {}
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await
        });
        let config = Settings { concurrency: 1, ..Settings::new(parse_base_url(&base_url).unwrap()) };
        let client = Client::new(&config, Arc::new(|_| {})).unwrap();
        let read = ReadRequest {
            lane: None,
            error: Error::of_answer,
            endpoint: "status",
            path: "/1.0/xmr/status",
            account: None,
            deadline: None,
        };
        let other = client.limiter.lane();
        let another_has_its_turn =
            |_: &[u8]| Ok(client.limiter.acquire(&other, &read.target(), None).now_or_never().is_some());
        assert_eq!(client.get(read, another_has_its_turn).await, Ok(true));
    }
}
