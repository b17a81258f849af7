//! An account and its login: one at a time, no more often than makes sense, and never against a rejection.
//!
//! The API locks accounts that insist. So a rejected password, a missing TOTP code, a captcha or a discontinued API blocks
//! logins until the credentials change; every other failure waits, longer each time; no TOTP code is sent twice; and all logins
//! together have a budget.

mod config;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync;
use tokio::time::Instant;

pub use self::config::Config;
use super::budget::Budget;
use super::limiter::Lane;
use super::memory::Memory;
use super::totp::Codes;
use super::{Client, Error, Event, Result, Secret};

/// The shortest and the longest wait between attempts to log in.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(3600));

/// TOTP codes that are rejected in a row before logins are blocked: one may be a restart's, or a clock's that is being set.
const TOTP_REFUSALS: u32 = 3;

/// Why logins are blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    WrongPassword,
    TotpRequired,
    Captcha,
    Discontinued,
}

impl Stop {
    pub const ALL: [Stop; 4] = [Stop::WrongPassword, Stop::TotpRequired, Stop::Captcha, Stop::Discontinued];

    /// The `reason` label.
    pub fn reason(self) -> &'static str {
        match self {
            Stop::WrongPassword => "wrong_password",
            Stop::TotpRequired => "totp_required",
            Stop::Captcha => "captcha",
            Stop::Discontinued => "discontinued",
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Stop::WrongPassword => "wrong password",
            Stop::TotpRequired => "TOTP code required",
            Stop::Captcha => "captcha required",
            Stop::Discontinued => "API discontinued",
        }
    }

    /// What lets the account log in again.
    pub fn remedy(self) -> &'static str {
        if self.is_rejection() {
            "give other credentials, or try these once more with check --online"
        } else {
            "reload the configuration to try once more"
        }
    }

    /// Whether the credentials are to blame, so that nothing but other ones is worth an attempt.
    fn is_rejection(self) -> bool {
        matches!(self, Stop::WrongPassword | Stop::TotpRequired)
    }
}

/// One account, its credentials and the state of its login.
pub struct Account {
    name: Arc<str>,
    email: Option<String>,
    way_in: WayIn,
    /// Its part of the client's slots, which the client cuts out at the first request.
    lane: OnceLock<Lane>,
    memory: Memory,
    /// Credentials that earlier processes found rejected are tried all the same.
    tries_rejected: AtomicBool,
    /// The token in use. Changed only while `login` is locked.
    token: Mutex<Option<SecretString>>,
    budget: Mutex<Budget>,
    /// Held while a login is under way, so that there is one, whoever asks.
    login: sync::Mutex<Login>,
}

enum WayIn {
    Token(Secret),
    Password { password: Secret, totp: Option<Secret> },
}

/// How the logins of an account stand.
#[derive(Clone, Default)]
struct Login {
    /// What earlier processes left in the state directory is known.
    restored: bool,
    /// Why logins are blocked.
    blocked: Option<Stop>,
    /// The credentials of the latest attempt, as a keyed hash: other ones are worth an attempt.
    tried: Option<String>,
    /// The state directory has these credentials as rejected.
    kept: bool,
    /// An answer has been given for the present token.
    proven: bool,
    /// Failed logins and useless tokens in a row.
    failures: u32,
    not_before: Option<Instant>,
    /// Endpoints that wait for a new login: they were refused with a token fresh from one, or the budget was used up.
    denied: BTreeMap<&'static str, Denied>,
    codes: Codes,
    /// TOTP codes rejected in a row.
    totp_refusals: u32,
}

/// How long an endpoint causes no login.
#[derive(Clone, Copy, Default)]
struct Denied {
    /// Fresh tokens that it refused in a row.
    failures: u32,
    /// No new login before that time.
    no_login_before: Option<Instant>,
    /// No request before that time, either.
    no_request_before: Option<Instant>,
}

impl Account {
    fn new(name: &str, email: Option<String>, way_in: WayIn, memory: Memory) -> Account {
        Account {
            name: name.into(),
            email,
            way_in,
            lane: OnceLock::new(),
            memory,
            tries_rejected: AtomicBool::new(false),
            token: Mutex::default(),
            budget: Mutex::default(),
            login: sync::Mutex::default(),
        }
    }

    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    /// How the account gets in, for people.
    pub fn way_in(&self) -> &'static str {
        match &self.way_in {
            WayIn::Token(_) => "token",
            WayIn::Password { totp: None, .. } => "password",
            WayIn::Password { totp: Some(_), .. } => "password and TOTP",
        }
    }

    /// The account's part of the slots.
    pub(super) fn lane(&self, cut: impl FnOnce() -> Lane) -> &Lane {
        self.lane.get_or_init(cut)
    }

    /// The token in use; nothing while there is none.
    pub(super) fn current_token(&self) -> Option<SecretString> {
        self.held().clone()
    }

    /// The token to send; logs in where there is none.
    pub(super) async fn token(&self, client: &Client, endpoint: &'static str) -> Result<SecretString> {
        let mut login = self.login.lock().await;
        if let Some(until) = login.denied.get(endpoint).and_then(|denied| denied.no_request_before)
            && Instant::now() < until
        {
            return Err(Error::LoginPostponed { until });
        }
        if let (Some(token), WayIn::Password { .. }) = (self.current_token(), &self.way_in) {
            return Ok(token);
        }
        let [secret, totp] = self.secrets().await?;
        let Some(secret) = secret else { return Err(Error::LoginPostponed { until: Instant::now() + BACKOFF.0 }) };
        let fingerprint = self.fingerprint(client, &secret, totp.as_ref()).await;
        self.restore(client, &mut login, &fingerprint).await;
        if login.tried.as_ref().is_some_and(|tried| *tried != fingerprint) {
            *login = Login { restored: true, codes: std::mem::take(&mut login.codes), ..Login::default() };
            (client.observer)(Event::Stopped { account: &self.name, reason: None });
        }
        if let Some(stop) = login.blocked {
            return Err(Error::LoginStopped(stop));
        }
        if let Some(until) = login.not_before.filter(|until| Instant::now() < *until) {
            return Err(Error::LoginPostponed { until });
        }
        if let WayIn::Token(_) = self.way_in {
            login.tried = Some(fingerprint);
            if !self.holds(&secret) {
                *self.held() = Some(secret.clone());
                (client.observer)(Event::Token { account: &self.name });
            }
            return Ok(secret);
        }
        let mut result = self.attempt(client, &mut login, &secret, totp.as_ref(), &fingerprint).await;
        // One rejected code may be another process's, in the same step: the next code is of use.
        if matches!(result, Err(Error::TotpRefused { .. })) && login.totp_refusals <= 1 && login.blocked.is_none() {
            result = self.attempt(client, &mut login, &secret, totp.as_ref(), &fingerprint).await;
        }
        result
    }

    /// Takes up what earlier processes found out, and what `check --online` has found since.
    async fn restore(&self, client: &Client, login: &mut Login, fingerprint: &str) {
        let WayIn::Password { totp, .. } = &self.way_in else { return };
        let tries_rejected = self.tries_rejected.load(Ordering::Relaxed);
        if !std::mem::replace(&mut login.restored, true) {
            if totp.is_some() {
                login.codes.remember(&self.name, self.memory.steps().await);
            }
            if let Some(stop) = self.memory.rejection(fingerprint).await
                && !tries_rejected
            {
                (login.blocked, login.tried, login.kept) = (Some(stop), Some(fingerprint.to_owned()), true);
                (client.observer)(Event::Stopped { account: &self.name, reason: Some(stop) });
            }
        } else if login.kept && login.blocked.is_some() && self.memory.rejection(fingerprint).await.is_none() {
            (login.blocked, login.not_before, login.kept) = (None, None, false);
            (client.observer)(Event::Stopped { account: &self.name, reason: None });
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
                if let Some(stop) = login.blocked {
                    if stop.is_rejection() {
                        login.kept = self.memory.keep_rejection(stop, fingerprint).await;
                    }
                    (client.observer)(Event::Stopped { account: &self.name, reason: Some(stop) });
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
            let email = self.email.as_deref().unwrap_or_default();
            let keep = async {
                if code.is_some() {
                    self.memory.keep_steps(login.codes.sent()).await;
                }
            };
            let sent = client.login(self, turn, email, password, code.map(|code| code.number));
            let (result, ()) = tokio::join!(sent, keep);
            return (result, code.is_some_and(super::totp::Code::is_late));
        }
    }

    /// The API gave an answer for this token.
    pub(super) async fn accepted(&self, endpoint: &'static str, token: &SecretString) {
        let mut login = self.login.lock().await;
        if self.holds(token) {
            login.proven = true;
            login.failures = 0;
            login.denied.remove(endpoint);
        }
    }

    /// The API refused this token. Says whether another one is worth asking for.
    pub(super) async fn refused(&self, endpoint: &'static str, token: &SecretString) -> bool {
        let mut login = self.login.lock().await;
        if !self.holds(token) {
            // Many loops find a token dead at once; the first has seen to it by the time the others say so.
            return true;
        }
        let was_proven = std::mem::take(&mut login.proven);
        if let WayIn::Token(_) = self.way_in {
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
    pub(super) async fn denied(&self, endpoint: &'static str) {
        let mut login = self.login.lock().await;
        let denied = login.denied.entry(endpoint).or_default();
        denied.failures += 1;
        denied.no_login_before = Some(Instant::now() + backoff(denied.failures));
    }

    /// Whether the credentials are other ones than those that were tried last. An account whose credentials are no files can't say
    /// so, and need not be asked.
    pub async fn has_new_credentials(&self, client: &Client) -> bool {
        let Ok([Some(secret), totp]) = self.secrets().await else { return false };
        let fingerprint = self.fingerprint(client, &secret, totp.as_ref()).await;
        self.login.lock().await.tried.as_ref().is_some_and(|tried| *tried != fingerprint)
    }

    /// Whether the credentials can change while the configuration stays the same.
    pub fn has_files(&self) -> bool {
        match &self.way_in {
            WayIn::Token(token) => token.is_file(),
            WayIn::Password { password, totp } => password.is_file() || totp.as_ref().is_some_and(Secret::is_file),
        }
    }

    async fn fingerprint(&self, client: &Client, secret: &SecretString, totp: Option<&SecretString>) -> String {
        let email = self.email.as_deref().unwrap_or_default();
        let totp = totp.map(ExposeSecret::expose_secret).unwrap_or_default();
        let parts = [client.base_url.as_str(), email, secret.expose_secret(), totp];
        self.memory.fingerprint(&parts.map(str::as_bytes)).await
    }

    /// Lets a login try once more that is blocked by a captcha or a discontinued API: somebody may have seen to that. Rejected
    /// credentials stay blocked until there are others. Says whether logins are no longer blocked.
    pub fn unblock(&self) -> bool {
        // It is locked while a login is under way.
        let Ok(mut login) = self.login.try_lock() else { return false };
        let may_pass = login.blocked.is_some_and(|stop| !stop.is_rejection());
        if may_pass {
            (login.blocked, login.not_before) = (None, None);
        }
        may_pass
    }

    /// Tries credentials again that earlier processes found rejected.
    pub fn try_rejected(&self) {
        self.tries_rejected.store(true, Ordering::Relaxed);
    }

    /// Takes over what was found out with another configuration of the same account: the budget, the waits, and what was rejected.
    /// Other credentials end the waits.
    pub fn continues(&self, before: &Account) {
        *self.budget() = *before.budget();
        // One that is locked has a login under way.
        if let (Ok(mut login), Ok(before)) = (self.login.try_lock(), before.login.try_lock()) {
            *login = Login { proven: false, ..before.clone() };
        }
    }

    /// Says whether the account's secrets can be read.
    ///
    /// # Errors
    /// [`Error::SecretFile`] of the first that can't.
    pub async fn read_secrets(&self) -> Result<()> {
        self.secrets().await.map(drop)
    }

    /// The secrets as they are now: password or token, and TOTP secret.
    async fn secrets(&self) -> Result<[Option<SecretString>; 2]> {
        Ok(match &self.way_in {
            WayIn::Token(token) => [Some(token.read().await?), None],
            WayIn::Password { password, totp: None } => [Some(password.read().await?), None],
            WayIn::Password { password, totp: Some(totp) } => [Some(password.read().await?), Some(totp.read().await?)],
        })
    }

    fn holds(&self, token: &SecretString) -> bool {
        self.held().as_ref().is_some_and(|held| held.expose_secret() == token.expose_secret())
    }

    fn held(&self) -> MutexGuard<'_, Option<SecretString>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Login {
    /// What a failed login means for the next: none, or a wait.
    fn failed(&mut self, error: &Error, is_late: bool) {
        self.totp_refusals = match error {
            // A code that was late says nothing about the secret.
            Error::TotpRefused { .. } if is_late => self.totp_refusals,
            Error::TotpRefused { .. } => self.totp_refusals + 1,
            _ => 0,
        };
        let codes_used_up = (self.totp_refusals >= TOTP_REFUSALS).then_some(Stop::TotpRequired);
        self.blocked = error.stops_logins().or(codes_used_up);
        self.postpone();
    }

    /// Waits before the next attempt.
    fn postpone(&mut self) {
        self.failures += 1;
        self.not_before = Some(Instant::now() + backoff(self.failures));
    }
}

/// A wait at random, twice as long at most after each failure.
fn backoff(failures: u32) -> Duration {
    let (shortest, longest) = BACKOFF;
    rand::random_range(shortest..=longest.min(shortest * 2u32.pow(failures.clamp(1, 16))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_at_random_between_five_seconds_and_an_hour() {
        let (shortest, longest) = BACKOFF;
        for failures in [1, 2, 3, 10, 100, u32::MAX] {
            let waits: Vec<Duration> = (0..1000).map(|_| backoff(failures)).collect();
            assert!(waits.iter().all(|wait| (shortest..=longest).contains(wait)), "{failures}");
            let at_most = longest.min(shortest * 2u32.pow(failures.min(16)));
            assert!(waits.iter().all(|wait| *wait <= at_most), "{failures}");
            assert!(waits.iter().max() > waits.iter().min(), "{failures}");
        }
        assert!((0..1000).any(|_| backoff(16) > Duration::from_secs(1800)));
    }

    #[tokio::test(start_paused = true)]
    async fn one_rejected_totp_code_is_a_wait_and_the_third_in_a_row_blocks() {
        let refused = Error::TotpRefused { clock_off: None };
        let mut login = Login::default();
        for (error, is_late) in [
            (&refused, false),
            (&refused, false),
            (&refused, true),
            (&Error::Timeout, false),
            (&refused, false),
            (&refused, false),
        ] {
            login.failed(error, is_late);
            assert_eq!(login.blocked, None);
            assert!(login.not_before.is_some_and(|time| time >= Instant::now() + BACKOFF.0));
        }
        login.failed(&refused, false);
        assert_eq!(login.blocked, Some(Stop::TotpRequired));
    }
}
