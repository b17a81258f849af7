//! The token of an account. It is used until the API refuses it, and replaced by a login.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::login::{Login, backoff};
use super::{Account, Credentials};
use crate::api::totp::Code;
use crate::api::{Client, Error, Event, Result};

impl Account {
    /// The token in use, if there is one.
    pub(in crate::api) fn current_token(&self) -> Option<SecretString> {
        self.lock_token().clone()
    }

    /// The token to send. Logs in if there is none.
    pub(in crate::api) async fn token(&self, client: &Client, endpoint: &'static str) -> Result<SecretString> {
        let mut login = self.login.lock().await;
        if let Some(until) = login.endpoint_backoffs.get(endpoint).and_then(|backoff| backoff.no_request_before)
            && Instant::now() < until
        {
            return Err(Error::LoginPostponed { until });
        }
        if let (Some(token), Credentials::Password { .. }) = (self.current_token(), &self.credentials) {
            return Ok(token);
        }
        // Boxed: most requests already have a token, and thousands of them can wait at the same time.
        Box::pin(self.obtain(client, &mut login)).await
    }

    /// Reads the account's token, or logs in to get one.
    async fn obtain(&self, client: &Client, login: &mut Login) -> Result<SecretString> {
        let (secret, totp) = self.secrets().await?;
        let fingerprint = self.fingerprint(client, &secret, totp.as_ref()).await;
        self.restore(client, login, &fingerprint).await;
        if login.tried.as_ref().is_some_and(|tried| *tried != fingerprint) {
            *login = Login { restored: true, codes: std::mem::take(&mut login.codes), ..Login::default() };
            (client.observer)(Event::Blocked { account: &self.name, reason: None });
        }
        if let Some(reason) = login.blocked {
            return Err(Error::LoginBlocked(reason));
        }
        if let Some(until) = login.not_before.filter(|until| Instant::now() < *until) {
            return Err(Error::LoginPostponed { until });
        }
        if let Credentials::Token { .. } = self.credentials {
            login.tried = Some(fingerprint);
            if !self.is_current(&secret) {
                *self.lock_token() = Some(secret.clone());
                (client.observer)(Event::Token { account: &self.name });
            }
            return Ok(secret);
        }
        let mut result = self.attempt(client, login, &secret, totp.as_ref(), &fingerprint).await;
        // Another process may have used this code in the same 30 seconds, so the next code is worth a try.
        if matches!(result, Err(Error::TotpRefused { .. })) && login.totp_refusals <= 1 && login.blocked.is_none() {
            result = self.attempt(client, login, &secret, totp.as_ref(), &fingerprint).await;
        }
        result
    }

    /// Restores what earlier processes found out, and what `check --online` has found since.
    async fn restore(&self, client: &Client, login: &mut Login, fingerprint: &str) {
        let Credentials::Password { totp, .. } = &self.credentials else { return };
        let retries_rejected = self.retries_rejected.load(Ordering::Relaxed);
        if !std::mem::replace(&mut login.restored, true) {
            if totp.is_some() {
                login.codes.remember(&self.name, self.state_files.steps().await);
            }
            if let Some(reason) = self.state_files.rejection(fingerprint).await
                && !retries_rejected
            {
                (login.blocked, login.tried, login.is_rejection_stored) = (Some(reason), Some(fingerprint.to_owned()), true);
                (client.observer)(Event::Blocked { account: &self.name, reason: Some(reason) });
            }
        } else if login.is_rejection_stored
            && login.blocked.is_some()
            && self.state_files.rejection(fingerprint).await.is_none()
        {
            (login.blocked, login.not_before, login.is_rejection_stored) = (None, None, false);
            (client.observer)(Event::Blocked { account: &self.name, reason: None });
        }
    }

    /// Logs in once if the budget allows it, and records the result.
    async fn attempt(
        &self,
        client: &Client,
        login: &mut Login,
        password: &SecretString,
        totp: Option<&SecretString>,
        fingerprint: &str,
    ) -> Result<SecretString> {
        if let Some(until) = self.budget().next() {
            return Err(Error::LoginPostponed { until });
        }
        let (result, is_late) = self.send(client, login, password, totp).await;
        if let Err(Error::Paused { .. }) = result {
            // Nothing was sent.
            return result;
        }
        (client.observer)(Event::Login { account: &self.name, outcome: result.as_ref().map_or_else(Error::kind, |_| "ok") });
        login.tried = Some(fingerprint.to_owned());
        match &result {
            Ok(token) => {
                *self.lock_token() = Some(token.clone());
                login.not_before = None;
                login.totp_refusals = 0;
                if std::mem::take(&mut login.is_rejection_stored) || self.retries_rejected.load(Ordering::Relaxed) {
                    self.state_files.remove_rejection().await;
                }
                (client.observer)(Event::Token { account: &self.name });
            }
            Err(error) => {
                login.failed(error, is_late);
                if let Some(reason) = login.blocked {
                    if reason.is_rejection() {
                        login.is_rejection_stored = self.state_files.store_rejection(reason, fingerprint).await;
                    }
                    (client.observer)(Event::Blocked { account: &self.name, reason: Some(reason) });
                }
            }
        }
        result
    }

    /// Sends one login. Also returns whether the TOTP code had expired when the answer came.
    async fn send(
        &self,
        client: &Client,
        login: &mut Login,
        password: &SecretString,
        totp: Option<&SecretString>,
    ) -> (Result<SecretString>, bool) {
        loop {
            if totp.is_some() {
                login.codes.ready().await;
            }
            let turn = match client.login_turn(self).await {
                Ok(turn) => turn,
                Err(error) => return (Err(error), false),
            };
            // The code is made after the wait for the turn: made earlier, it could expire during the wait.
            let code = match totp.map(|secret| login.codes.make(secret)).transpose() {
                Ok(Some(None)) => continue,
                Ok(code) => code.flatten(),
                Err(error) => return (Err(error), false),
            };
            self.budget().spend();
            let email = self.email().unwrap_or_default();
            let keep = async {
                if code.is_some() {
                    self.state_files.store_steps(login.codes.sent()).await;
                }
            };
            let sent = client.login(self, turn, email, password, code.map(|code| code.number));
            let (result, ()) = tokio::join!(sent, keep);
            return (result, code.is_some_and(Code::is_late));
        }
    }

    /// The API accepted this token.
    pub(in crate::api) async fn token_accepted(&self, endpoint: &'static str, token: &SecretString) {
        let mut login = self.login.lock().await;
        if self.is_current(token) {
            login.is_token_proven = true;
            login.failures = 0;
            login.endpoint_backoffs.remove(endpoint);
        }
    }

    /// The API refused this token. Returns whether a login for another token is worthwhile.
    pub(in crate::api) async fn token_refused(&self, endpoint: &'static str, token: &SecretString) -> bool {
        let mut login = self.login.lock().await;
        if !self.is_current(token) {
            // Many loops notice an expired token at once. The first one has already handled it.
            return true;
        }
        let was_proven = std::mem::take(&mut login.is_token_proven);
        if let Credentials::Token { .. } = self.credentials {
            // If only one endpoint refuses the token, only that endpoint fails. If no endpoint accepts it, it is not sent for a while.
            if !was_proven {
                login.postpone();
            }
            return false;
        }
        let no_login_before = login.endpoint_backoffs.get(endpoint).and_then(|backoff| backoff.no_login_before);
        if no_login_before.is_some_and(|time| Instant::now() < time) {
            login.is_token_proven = was_proven;
            return false;
        }
        if let Some(until) = self.budget().next() {
            // Other endpoints keep the token, since it may still work for them.
            login.is_token_proven = was_proven;
            login.endpoint_backoffs.entry(endpoint).or_default().no_request_before = Some(until);
            return false;
        }
        *self.lock_token() = None;
        if !was_proven {
            login.postpone();
        }
        was_proven
    }

    /// The API refused a fresh token at this endpoint, so the token is not the cause.
    pub(in crate::api) async fn fresh_token_refused(&self, endpoint: &'static str) {
        let mut login = self.login.lock().await;
        let endpoint_backoff = login.endpoint_backoffs.entry(endpoint).or_default();
        endpoint_backoff.failures += 1;
        endpoint_backoff.no_login_before = Some(Instant::now() + backoff(endpoint_backoff.failures));
    }

    fn is_current(&self, token: &SecretString) -> bool {
        self.lock_token().as_ref().is_some_and(|held| held.expose_secret() == token.expose_secret())
    }

    fn lock_token(&self) -> MutexGuard<'_, Option<SecretString>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
