//! An account and its login: one login at a time, with limits, and never again with rejected credentials.
//!
//! The API locks accounts after repeated failures. So a rejected password, a missing TOTP code, a captcha or a discontinued API blocks
//! logins until the credentials change. After any other failure, the next login waits, longer each time. No TOTP code is sent twice.
//! A budget limits all logins together.

mod login;
mod token;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync;

pub use self::login::Blocked;
use self::login::Login;
use super::budget::Budget;
use super::limiter::Lane;
use super::state_files::StateFiles;
use super::{Client, Result, Secret};

/// One account, its credentials and the state of its login.
pub struct Account {
    name: Arc<str>,
    credentials: Credentials,
    /// Its part of the client's slots, created by the client at the first request.
    lane: OnceLock<Lane>,
    state_files: StateFiles,
    /// Also try credentials that an earlier process found rejected.
    retries_rejected: AtomicBool,
    /// The token in use. Changed only while `login` is locked.
    token: Mutex<Option<SecretString>>,
    budget: Mutex<Budget>,
    /// Locked during a login, so that there is only one at a time.
    login: sync::Mutex<Login>,
}

/// How an account logs in.
#[derive(Clone, PartialEq)]
pub enum Credentials {
    /// A ready-made token. The optional e-mail address tells the direction of transfers.
    Token {
        token: Secret,
        email: Option<String>,
    },
    Password {
        email: String,
        password: Secret,
        totp: Option<Secret>,
    },
}

impl Credentials {
    pub fn email(&self) -> Option<&str> {
        match self {
            Credentials::Token { email, .. } => email.as_deref(),
            Credentials::Password { email, .. } => Some(email),
        }
    }

    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let (first, second) = match self {
            Credentials::Token { token, .. } => (token, None),
            Credentials::Password { password, totp, .. } => (password, totp.as_ref()),
        };
        [first].into_iter().chain(second)
    }

    /// How the account logs in, for the user.
    pub fn description(&self) -> &'static str {
        match self {
            Credentials::Token { .. } => "token",
            Credentials::Password { totp: None, .. } => "password",
            Credentials::Password { totp: Some(_), .. } => "password and TOTP",
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("name", &self.name).field("credentials", &self.credentials).finish_non_exhaustive()
    }
}

impl Account {
    /// An account that has not logged in yet. State is kept across restarts if there is a state directory.
    pub fn new(name: &str, credentials: Credentials, state_directory: Option<&Path>) -> Account {
        Account {
            name: name.into(),
            credentials,
            lane: OnceLock::new(),
            state_files: StateFiles::new(state_directory, name),
            retries_rejected: AtomicBool::new(false),
            token: Mutex::default(),
            budget: Mutex::default(),
            login: sync::Mutex::default(),
        }
    }

    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub fn email(&self) -> Option<&str> {
        self.credentials.email()
    }

    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The account's part of the slots.
    pub(super) fn lane(&self, cut: impl FnOnce() -> Lane) -> &Lane {
        self.lane.get_or_init(cut)
    }

    /// Whether the credentials differ from those that were tried last. Only credentials in files can change, so others need not be
    /// checked.
    pub async fn has_new_credentials(&self, client: &Client) -> bool {
        let Ok((secret, totp)) = self.secrets().await else { return false };
        let fingerprint = self.fingerprint(client, &secret, totp.as_ref()).await;
        self.login.lock().await.tried.as_ref().is_some_and(|tried| *tried != fingerprint)
    }

    /// Whether the credentials can change while the configuration stays the same.
    pub fn has_files(&self) -> bool {
        self.credentials.secrets().any(|secret| matches!(secret, Secret::File { .. }))
    }

    async fn fingerprint(&self, client: &Client, secret: &SecretString, totp: Option<&SecretString>) -> String {
        let email = self.email().unwrap_or_default();
        let totp = totp.map(ExposeSecret::expose_secret).unwrap_or_default();
        let parts = [client.settings().base_url.as_str(), email, secret.expose_secret(), totp];
        self.state_files.fingerprint(&parts.map(str::as_bytes)).await
    }

    /// Allows one more login if logins are blocked by a captcha or a discontinued API, because the cause may be gone. Rejected
    /// credentials stay blocked until they change. Returns whether logins were unblocked.
    pub fn unblock(&self) -> bool {
        // It is locked during a login.
        let Ok(mut login) = self.login.try_lock() else { return false };
        let may_pass = login.blocked.is_some_and(|reason| !reason.is_rejection());
        if may_pass {
            (login.blocked, login.not_before) = (None, None);
        }
        may_pass
    }

    /// Also try credentials that an earlier process found rejected.
    pub fn retry_rejected(&self) {
        self.retries_rejected.store(true, Ordering::Relaxed);
    }

    /// Takes over the login state of the same account in an earlier configuration: the budget, the waits, and rejected credentials.
    /// Different credentials end the waits.
    pub fn take_over(&self, before: &Account) {
        *self.budget() = *before.budget();
        // If it is locked, a login is in progress.
        if let (Ok(mut login), Ok(before)) = (self.login.try_lock(), before.login.try_lock()) {
            *login = Login { is_token_proven: false, ..before.clone() };
        }
    }

    /// Checks that the account's secrets can be read.
    ///
    /// # Errors
    /// [`SecretFile`](super::Error::SecretFile) for the first one that can't be read.
    pub async fn read_secrets(&self) -> Result<()> {
        self.secrets().await.map(drop)
    }

    /// The current secrets: password or token, and TOTP secret.
    async fn secrets(&self) -> Result<(SecretString, Option<SecretString>)> {
        Ok(match &self.credentials {
            Credentials::Token { token, .. } => (token.read().await?, None),
            Credentials::Password { password, totp: None, .. } => (password.read().await?, None),
            Credentials::Password { password, totp: Some(totp), .. } => (password.read().await?, Some(totp.read().await?)),
        })
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
