//! The accounts: their credentials and logins.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use minergate::api::{self, Credentials, Secret};
use secrecy::{ExposeSecret as _, SecretString};
use tracing::{debug, warn};

use super::Error;
use super::attempts::{Attempts, TooManyFailures};
use super::digest::Digester;
use super::fields::Fields;
use super::tokens::Tokens;

/// Why a login is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginRefusal {
    MissingEmail,
    WrongEmailOrPassword,
    TotpRequired,
    WrongTotp,
}

/// Why a read is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadRefusal {
    NoToken,
    InvalidToken,
}

/// The accounts, identified by their index in the list that they were made from.
pub struct Accounts {
    logins: Vec<Login>,
    /// Accounts by their e-mail addresses in lower case.
    by_email: HashMap<String, usize>,
    /// The first account that has a password.
    first_with_password: Option<usize>,
    tokens: Tokens,
    digester: Digester,
    attempts: Option<Attempts>,
}

struct Login {
    name: Arc<str>,
    credentials: Credentials,
    /// A secret could not be read, and this was logged.
    is_failing: AtomicBool,
    /// The step of the newest TOTP code that was accepted.
    totp_step: Mutex<Option<u64>>,
}

impl Login {
    fn password(&self) -> Option<(&Secret, Option<&Secret>)> {
        match &self.credentials {
            Credentials::Password { password, totp, .. } => Some((password, totp.as_ref())),
            Credentials::Token { .. } => None,
        }
    }

    /// The current secret.
    async fn read(&self, secret: &Secret) -> Result<SecretString, Error> {
        let read = secret.read().await;
        let was_failing = self.is_failing.swap(read.is_err(), Ordering::Relaxed);
        read.map_err(|error| {
            if !was_failing {
                warn!(account = %self.name, kind = error.kind(), %error, "logins can't be checked");
            }
            Error::Internal
        })
    }
}

impl Accounts {
    /// Accounts with their names and credentials. A secret in a file is read whenever it is needed. The token of a login
    /// is valid for `token_lifetime`.
    pub fn new(accounts: impl IntoIterator<Item = (Arc<str>, Credentials)>, token_lifetime: Duration) -> Accounts {
        let login = |(name, credentials)| Login {
            name,
            credentials,
            is_failing: AtomicBool::new(false),
            totp_step: Mutex::default(),
        };
        let logins: Vec<Login> = accounts.into_iter().map(login).collect();
        let mut tokens = Tokens::new(token_lifetime);
        let mut by_email = HashMap::new();
        for (account, login) in logins.iter().enumerate() {
            let email = login.credentials.email().map(str::to_ascii_lowercase);
            match &login.credentials {
                Credentials::Token { token, .. } => {
                    tokens.add(login.name.clone(), account, token.clone());
                    email.map(|email| by_email.entry(email).or_insert(account));
                }
                // An account with a token can have the same e-mail address; it can't log in with it.
                Credentials::Password { .. } => drop(email.map(|email| by_email.insert(email, account))),
            }
        }
        let first_with_password = logins.iter().position(|login| login.password().is_some());
        Accounts { logins, by_email, first_with_password, tokens, digester: Digester::new(), attempts: None }
    }

    /// Limits failed logins: within 15 minutes, 10 from one client address and 50 with one e-mail address.
    #[must_use]
    pub fn limit_failures(self) -> Accounts {
        Accounts { attempts: Some(Attempts::default()), ..self }
    }

    /// Checks a login and returns a token. `now` is the time since 1970.
    pub(super) async fn login(&self, fields: &Fields, client: Option<IpAddr>, now: Duration) -> Result<String, Error> {
        let email = fields.email().ok_or(LoginRefusal::MissingEmail)?;
        let digest = self.digester.digest(&email.to_ascii_lowercase());
        if let Some(Err(TooManyFailures { left, is_new })) =
            self.attempts.as_ref().map(|attempts| attempts.begin(digest, client))
        {
            if is_new {
                warn!(account = self.name(&email), "too many failed logins: logins are refused for a while");
            }
            return Err(Error::TooManyLogins(left));
        }
        let result = self.check(&email, fields, now).await;
        match (&result, &self.attempts) {
            (Err(Error::LoginRefused(refusal @ (LoginRefusal::WrongEmailOrPassword | LoginRefusal::WrongTotp))), _) => {
                debug!(account = self.name(&email), ?refusal, "login refused");
            }
            (_, Some(attempts)) => attempts.forgive(digest, client),
            (_, None) => {}
        }
        result.map(|account| self.tokens.issue(account, &self.digester))
    }

    /// The account that the login is for, if its password and TOTP code are right.
    async fn check(&self, email: &str, fields: &Fields, now: Duration) -> Result<usize, Error> {
        const WRONG: Error = Error::LoginRefused(LoginRefusal::WrongEmailOrPassword);
        let known = self.named(email).filter(|account| self.logins[*account].password().is_some());
        // An unknown e-mail address takes as long as a known one, because a password is read and compared all the same.
        let account = known.or(self.first_with_password).ok_or(WRONG)?;
        let login = &self.logins[account];
        let (password, totp) = login.password().ok_or(WRONG)?;
        let password = login.read(password).await.map_err(|error| if known.is_some() { error } else { WRONG })?;
        let digest = |text: &SecretString| self.digester.digest(text.expose_secret());
        if digest(&fields.password()) != digest(&password) || known.is_none() {
            return Err(WRONG);
        }
        if let Some(totp) = totp {
            let code = fields.totp().ok_or(LoginRefusal::TotpRequired)?;
            let secret = login.read(totp).await?;
            let step = api::totp_step(&secret, &code, now).map_err(|_| Error::Internal)?.ok_or(LoginRefusal::WrongTotp)?;
            let mut newest = login.totp_step.lock().unwrap_or_else(PoisonError::into_inner);
            // A code is valid once. After that, older codes are invalid too.
            if newest.is_some_and(|newest| step <= newest) {
                return Err(LoginRefusal::WrongTotp.into());
            }
            *newest = Some(step);
        }
        Ok(account)
    }

    /// The account that the token belongs or belonged to (expired tokens are remembered for a while), and the account whose answers it gives
    /// access to.
    pub(super) async fn of_token(&self, token: Option<&str>) -> (Option<usize>, Result<usize, ReadRefusal>) {
        let Some(token) = token.filter(|token| !token.is_empty()) else { return (None, Err(ReadRefusal::NoToken)) };
        match self.tokens.find(token, &self.digester).await {
            Some((account, true)) => (Some(account), Ok(account)),
            Some((account, false)) => (Some(account), Err(ReadRefusal::InvalidToken)),
            None => (None, Err(ReadRefusal::InvalidToken)),
        }
    }

    /// The account with this e-mail address.
    pub(super) fn named(&self, email: &str) -> Option<usize> {
        self.by_email.get(&email.to_ascii_lowercase()).copied()
    }

    /// The name of the account with this e-mail address, for the log; empty if there is none.
    fn name(&self, email: &str) -> &str {
        self.named(email).map_or("", |account| &self.logins[account].name)
    }
}

#[cfg(test)]
mod tests;
