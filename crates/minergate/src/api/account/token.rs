//! The token of an account: kept while it is good, and obtained by logins that are one at a time.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::login::{Login, backoff};
use super::{Account, Credentials};
use crate::api::totp::Code;
use crate::api::{Client, Error, Event, Result};

impl Account {
    /// The token in use; nothing while there is none.
    pub(in crate::api) fn current_token(&self) -> Option<SecretString> {
        self.held().clone()
    }

    /// The token to send; logs in where there is none.
    pub(in crate::api) async fn token(&self, client: &Client, endpoint: &'static str) -> Result<SecretString> {
        let mut login = self.login.lock().await;
        if let Some(until) = login.denied.get(endpoint).and_then(|denied| denied.no_request_before)
            && Instant::now() < until
        {
            return Err(Error::LoginPostponed { until });
        }
        if let (Some(token), Credentials::Password { .. }) = (self.current_token(), &self.credentials) {
            return Ok(token);
        }
        // In a box: most reads have a token, and thousands of them may wait at the same time.
        Box::pin(self.obtain(client, &mut login)).await
    }

    /// Reads the account's token, or logs in for one.
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
            if !self.holds(&secret) {
                *self.held() = Some(secret.clone());
                (client.observer)(Event::Token { account: &self.name });
            }
            return Ok(secret);
        }
        let mut result = self.attempt(client, login, &secret, totp.as_ref(), &fingerprint).await;
        // One rejected code may be another process's, in the same step: the next code is of use.
        if matches!(result, Err(Error::TotpRefused { .. })) && login.totp_refusals <= 1 && login.blocked.is_none() {
            result = self.attempt(client, login, &secret, totp.as_ref(), &fingerprint).await;
        }
        result
    }

    /// Takes up what earlier processes found out, and what `check --online` has found since.
    async fn restore(&self, client: &Client, login: &mut Login, fingerprint: &str) {
        let Credentials::Password { totp, .. } = &self.credentials else { return };
        let tries_rejected = self.tries_rejected.load(Ordering::Relaxed);
        if !std::mem::replace(&mut login.restored, true) {
            if totp.is_some() {
                login.codes.remember(&self.name, self.memory.steps().await);
            }
            if let Some(reason) = self.memory.rejection(fingerprint).await
                && !tries_rejected
            {
                (login.blocked, login.tried, login.kept) = (Some(reason), Some(fingerprint.to_owned()), true);
                (client.observer)(Event::Blocked { account: &self.name, reason: Some(reason) });
            }
        } else if login.kept && login.blocked.is_some() && self.memory.rejection(fingerprint).await.is_none() {
            (login.blocked, login.not_before, login.kept) = (None, None, false);
            (client.observer)(Event::Blocked { account: &self.name, reason: None });
        }
    }

    /// Logs in once, if the budget allows it, and takes note of how that went.
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
                *self.held() = Some(token.clone());
                login.not_before = None;
                login.totp_refusals = 0;
                if std::mem::take(&mut login.kept) || self.tries_rejected.load(Ordering::Relaxed) {
                    self.memory.forget_rejection().await;
                }
                (client.observer)(Event::Token { account: &self.name });
            }
            Err(error) => {
                login.failed(error, is_late);
                if let Some(reason) = login.blocked {
                    if reason.is_rejection() {
                        login.kept = self.memory.keep_rejection(reason, fingerprint).await;
                    }
                    (client.observer)(Event::Blocked { account: &self.name, reason: Some(reason) });
                }
            }
        }
        result
    }

    /// Sends one login. Says also whether its TOTP code's step had passed by the time of the answer.
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
            // Made only now: a code that waits in the line for its turn may be of an earlier step when it is sent.
            let code = match totp.map(|secret| login.codes.make(secret)).transpose() {
                Ok(Some(None)) => continue,
                Ok(code) => code.flatten(),
                Err(error) => return (Err(error), false),
            };
            self.budget().spend();
            let email = self.email().unwrap_or_default();
            let keep = async {
                if code.is_some() {
                    self.memory.keep_steps(login.codes.sent()).await;
                }
            };
            let sent = client.login(self, turn, email, password, code.map(|code| code.number));
            let (result, ()) = tokio::join!(sent, keep);
            return (result, code.is_some_and(Code::is_late));
        }
    }

    /// The API gave an answer for this token.
    pub(in crate::api) async fn accepted(&self, endpoint: &'static str, token: &SecretString) {
        let mut login = self.login.lock().await;
        if self.holds(token) {
            login.proven = true;
            login.failures = 0;
            login.denied.remove(endpoint);
        }
    }

    /// The API refused this token. Says whether another one is worth asking for.
    pub(in crate::api) async fn refused(&self, endpoint: &'static str, token: &SecretString) -> bool {
        let mut login = self.login.lock().await;
        if !self.holds(token) {
            // Many loops find a token dead at once; the first has seen to it by the time the others say so.
            return true;
        }
        let was_proven = std::mem::take(&mut login.proven);
        if let Credentials::Token { .. } = self.credentials {
            // One endpoint's refusal is its own; a token that nothing accepts is left alone for a while.
            if !was_proven {
                login.postpone();
            }
            return false;
        }
        let no_login_before = login.denied.get(endpoint).and_then(|denied| denied.no_login_before);
        if no_login_before.is_some_and(|time| Instant::now() < time) {
            login.proven = was_proven;
            return false;
        }
        if let Some(until) = self.budget().next() {
            // The others keep the token: it may serve them.
            login.proven = was_proven;
            login.denied.entry(endpoint).or_default().no_request_before = Some(until);
            return false;
        }
        *self.held() = None;
        if !was_proven {
            login.postpone();
        }
        was_proven
    }

    /// The API refused this endpoint with a token fresh from the login: the token is not to blame.
    pub(in crate::api) async fn denied(&self, endpoint: &'static str) {
        let mut login = self.login.lock().await;
        let denied = login.denied.entry(endpoint).or_default();
        denied.failures += 1;
        denied.no_login_before = Some(Instant::now() + backoff(denied.failures));
    }

    fn holds(&self, token: &SecretString) -> bool {
        self.held().as_ref().is_some_and(|held| held.expose_secret() == token.expose_secret())
    }

    fn held(&self) -> MutexGuard<'_, Option<SecretString>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
