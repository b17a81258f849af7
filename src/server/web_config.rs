//! The web configuration file, in the format of Prometheus' exporter-toolkit: TLS, headers, users, rate limit.
//!
//! It is checked strictly when the exporter starts, and read again when it, or a file that it names, has changed.

mod alternative_name;
mod client_certificate;
mod document;
mod files;
mod rate_limit;
mod tls;
mod user;
mod validity;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use anyhow::ensure;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use ring::digest;
use rustls::ServerConfig;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

use self::document::Entry;
use self::files::Files;
use self::rate_limit::{Bucket, RateLimit};
use self::user::{Checker, Credentials, PasswordCheck, Users};

/// How long a file is not checked again.
const FRESH: Duration = Duration::from_secs(1);

/// Maximum time that a connection waits for the files to be read again.
const SOON: Duration = Duration::from_millis(250);

/// The headers that the file can set, and their allowed values; an empty list allows any value.
const HEADERS: &[(&str, &[&str])] = &[
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

/// The contents of a file.
#[derive(Default)]
struct Settings {
    tls: Option<Arc<ServerConfig>>,
    headers: HeaderMap,
    users: Users,
    rate_limit: Option<RateLimit>,
    warnings: Vec<String>,
}

impl Settings {
    /// Reads the file and the files that it names.
    fn read(path: &Path, files: &mut Files) -> anyhow::Result<Settings> {
        let name = path.display().to_string();
        let bytes = files.read_absolute(path).map_err(|error| {
            // The message does not contain the path, because it can be a misplaced secret.
            anyhow::anyhow!("can't read the web configuration: {error}; give another --web.config.file")
        })?;
        let text = std::str::from_utf8(&bytes).map_err(|_| anyhow::anyhow!("{name}: not UTF-8; save it as such"))?;
        let mut map = Entry::parse(&name, text)?.map()?;
        map.only(&["basic_auth_users", "http_server_config", "rate_limit", "tls_server_config"])?;
        let mut settings = Settings::default();
        let http = map.take("http_server_config").map(|section| http(section, &mut settings.headers)).transpose()?;
        if let Some(section) = map.take("tls_server_config") {
            settings.tls = tls::read(section, http.unwrap_or(true), files, &mut settings.warnings)?;
        }
        settings.users = map.take("basic_auth_users").map(Users::read).transpose()?.unwrap_or_default();
        settings.rate_limit = map.take("rate_limit").map(RateLimit::read).transpose()?.flatten();
        Ok(settings)
    }
}

/// Reads `http_server_config`: whether HTTP/2 is used, and the headers.
fn http(section: Entry, headers: &mut HeaderMap) -> anyhow::Result<bool> {
    let mut map = section.map()?;
    map.only(&["headers", "http2"])?;
    if let Some(section) = map.take("headers") {
        let mut map = section.map()?;
        map.only(&HEADERS.iter().map(|(name, _)| *name).collect::<Vec<_>>())?;
        for (name, allowed) in HEADERS {
            let Some(entry) = map.take(name) else { continue };
            let text = entry.text_or_number()?;
            if text.is_empty() {
                continue;
            }
            if !allowed.is_empty() && !allowed.contains(&text.as_str()) {
                return Err(entry.fault(format_args!("can't be this; give {}", allowed.join(" or "))));
            }
            let value = HeaderValue::from_str(&text)
                .map_err(|_| entry.fault("holds what no header can; write it in one line of plain letters"))?;
            headers.insert(HeaderName::from_bytes(name.as_bytes())?, value);
        }
    }
    map.take("http2").map_or(Ok(true), |entry| entry.flag())
}

/// The web configuration in force.
pub struct Web {
    path: Option<PathBuf>,
    settings: RwLock<Arc<Settings>>,
    loaded: Mutex<LoadedFile>,
    passwords: Checker,
    bucket: Bucket,
}

/// The latest read of the file.
struct LoadedFile {
    at: Instant,
    files: Files,
    digest: Option<digest::Digest>,
    fault: Option<String>,
}

/// Whether a request is admitted.
pub(super) enum Admission {
    Granted,
    Refused(StatusCode, &'static str, Option<(HeaderName, HeaderValue)>),
}

impl Web {
    /// Reads the file. Without a file, there are no TLS, users, headers or rate limit.
    ///
    /// # Errors
    /// The mistake: file, line, key, fault and remedy.
    pub fn load(path: Option<&Path>) -> anyhow::Result<Web> {
        let mut files = Files::beside(path.unwrap_or(Path::new("")));
        let settings = path.map(|path| Settings::read(path, &mut files)).transpose()?.unwrap_or_default();
        let digest = Some(files.digest());
        Ok(Web {
            path: path.map(Path::to_owned),
            settings: RwLock::new(Arc::new(settings)),
            loaded: Mutex::new(LoadedFile { at: Instant::now(), files, digest, fault: None }),
            passwords: Checker::new()?,
            bucket: Bucket::default(),
        })
    }

    /// Settings that work but should be changed, one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        self.settings().warnings.clone()
    }

    /// Whether connections are encrypted.
    pub fn is_tls(&self) -> bool {
        self.settings().tls.is_some()
    }

    /// The TLS configuration for the next connection.
    pub(super) async fn tls(self: &Arc<Self>) -> Option<Arc<ServerConfig>> {
        self.current().await.tls.clone()
    }

    /// Admits or refuses a request, and returns the headers for its answer.
    pub(super) async fn admit(
        self: &Arc<Self>,
        authorization: Option<&HeaderValue>,
        peer: Option<IpAddr>,
    ) -> (Admission, HeaderMap) {
        let settings = self.current().await;
        (self.admission(&settings, authorization, peer).await, settings.headers.clone())
    }

    async fn admission(&self, settings: &Settings, authorization: Option<&HeaderValue>, peer: Option<IpAddr>) -> Admission {
        if let Some(limit) = settings.rate_limit.filter(|limit| !self.bucket.take(*limit)) {
            let header = (axum::http::header::RETRY_AFTER, limit.retry_after().into());
            return Admission::Refused(StatusCode::TOO_MANY_REQUESTS, "Too many requests; ask less often\n", Some(header));
        }
        if settings.users.is_empty() {
            return Admission::Granted;
        }
        let credentials = authorization.and_then(|header| Credentials::read(header.as_bytes()));
        let verdict = match credentials {
            Some(credentials) => self.passwords.check(&settings.users, credentials, peer).await,
            None => PasswordCheck::Wrong,
        };
        match verdict {
            PasswordCheck::Right => Admission::Granted,
            PasswordCheck::Wrong => {
                let header = (axum::http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
                Admission::Refused(StatusCode::UNAUTHORIZED, "Unauthorized; give a user and its password\n", Some(header))
            }
            PasswordCheck::Busy => {
                let header = (axum::http::header::RETRY_AFTER, 1.into());
                Admission::Refused(StatusCode::SERVICE_UNAVAILABLE, "Too many passwords to check; try again\n", Some(header))
            }
        }
    }

    fn settings(&self) -> Arc<Settings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The current settings. If the file is broken, or does not answer soon, the previous settings stay in force.
    async fn current(self: &Arc<Self>) -> Arc<Settings> {
        if self.path.is_some() && self.is_due() {
            let web = self.clone();
            let _ = timeout(SOON, spawn_blocking(move || web.refresh())).await;
        }
        self.settings()
    }

    fn is_due(&self) -> bool {
        // While another task checks the file, the current settings are used.
        self.loaded.try_lock().is_ok_and(|read| read.at.elapsed() >= FRESH)
    }

    fn refresh(&self) {
        let (Some(path), Ok(mut read)) = (&self.path, self.loaded.try_lock()) else { return };
        read.at = Instant::now();
        if !read.files.may_have_changed() {
            return;
        }
        let mut files = Files::beside(path);
        let settings = Settings::read(path, &mut files).and_then(|new| {
            let before = self.settings();
            // A file that is being written is empty for a moment. This must not turn off the protection.
            let (name, remedy) = (path.display(), "restart the exporter if this is meant");
            let same_tls = new.tls.is_some() == before.tls.is_some();
            ensure!(same_tls, "{name}: tls_server_config: TLS can't be turned on or off while running; {remedy}");
            let still_users = !new.users.is_empty() || before.users.is_empty();
            ensure!(still_users, "{name}: basic_auth_users: all users are gone; {remedy}");
            Ok(new)
        });
        let digest = files.digest();
        let is_same = read.digest.is_some_and(|before| before.as_ref() == digest.as_ref());
        read.files = files;
        match settings {
            Ok(_) if is_same && read.fault.is_none() => {}
            Ok(settings) => {
                tracing::info!(file = %path.display(), "web configuration reloaded");
                for warning in &settings.warnings {
                    tracing::warn!(warning, "web configuration");
                }
                *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
                read.fault = None;
                read.digest = Some(digest);
            }
            Err(error) => {
                let fault = format!("{error:#}");
                if read.fault.as_ref() != Some(&fault) {
                    tracing::error!(error = fault, "web configuration not reloaded; the previous one stays in force");
                }
                read.fault = Some(fault);
            }
        }
    }
}
