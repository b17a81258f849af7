//! An account and its login: one at a time, no oftener than makes sense, and never against a refusal.
//!
//! The API locks accounts that insist. So a refused password, a missing TOTP code, a captcha or a discontinued API stops
//! logins until the secret changes; every other failure waits, longer each time; and no TOTP code is sent twice.

mod config;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

pub use self::config::Config;
use super::limiter::Lane;
use super::totp::Codes;
use super::{Client, Error, Event, Result, Secret};

/// The shortest and the longest wait between attempts to log in.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(3600));

/// Refused TOTP codes in a row that stop logins: one may be a restart's, or a clock's that is being set.
const TOTP_REFUSALS: u32 = 3;

/// Why logins have stopped.
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
}

/// One account, its secrets and the state of its login.
pub struct Account {
    name: Arc<str>,
    email: Option<String>,
    way_in: WayIn,
    hasher: RandomState,
    /// Its part of the client's slots, which the client cuts out at the first request.
    lane: OnceLock<Lane>,
    /// Held while a login is under way, so that there is one, whoever asks.
    state: Mutex<State>,
}

enum WayIn {
    Token(Secret),
    Password { password: Secret, totp: Option<Secret> },
}

#[derive(Default)]
struct State {
    token: Option<SecretString>,
    /// Why logins stopped.
    stopped: Option<Stop>,
    /// The secrets that were refused, as a hash: other ones are worth an attempt.
    refused: Option<u64>,
    /// An answer has been given for the present token.
    proven: bool,
    /// Failed logins and useless tokens in a row.
    failures: u32,
    not_before: Option<Instant>,
    /// Endpoints that refused a token right after its login: for these a new login does not help before that time.
    denied: BTreeMap<&'static str, (u32, Instant)>,
    codes: Codes,
    /// TOTP codes refused in a row.
    totp_refusals: u32,
}

impl Account {
    fn new(name: &str, email: Option<String>, way_in: WayIn, codes: Codes) -> Account {
        Account {
            name: name.into(),
            email,
            way_in,
            hasher: RandomState::new(),
            lane: OnceLock::new(),
            state: Mutex::new(State { codes, ..State::default() }),
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

    /// The token to send; logs in where there is none.
    pub(super) async fn token(&self, client: &Client) -> Result<SecretString> {
        let mut state = self.state.lock().await;
        if let (Some(token), WayIn::Password { .. }) = (&state.token, &self.way_in) {
            return Ok(token.clone());
        }
        let secrets = self.secrets()?;
        let fingerprint = self.fingerprint(&secrets);
        if state.refused.is_some_and(|refused| refused != fingerprint) {
            *state = State { codes: std::mem::take(&mut state.codes), ..State::default() };
            (client.observer)(Event::Stopped { account: &self.name, reason: None });
        }
        if let Some(stop) = state.stopped {
            return Err(Error::LoginStopped(stop));
        }
        if state.not_before.is_some_and(|time| Instant::now() < time) {
            return Err(Error::LoginPostponed);
        }
        let [secret, totp] = secrets;
        let secret = secret.ok_or(Error::LoginPostponed)?;
        if let WayIn::Token(_) = self.way_in {
            if !state.holds(&secret) {
                state.token = Some(secret.clone());
                (client.observer)(Event::Token { account: &self.name });
            }
            return Ok(secret);
        }
        client.takes_logins()?;
        let result = self.login(client, &mut state, &secret, totp.as_ref()).await;
        (client.observer)(Event::Login { account: &self.name, outcome: result.as_ref().map_or_else(Error::kind, |_| "ok") });
        match result {
            Ok(token) => {
                state.token = Some(token.clone());
                state.refused = None;
                state.not_before = None;
                state.totp_refusals = 0;
                (client.observer)(Event::Token { account: &self.name });
                Ok(token)
            }
            Err(error) => {
                state.login_failed(&error, fingerprint);
                if let Some(stop) = state.stopped {
                    (client.observer)(Event::Stopped { account: &self.name, reason: Some(stop) });
                }
                Err(error)
            }
        }
    }

    /// The API gave an answer for this token.
    pub(super) async fn accepted(&self, endpoint: &'static str, token: &SecretString) {
        let mut state = self.state.lock().await;
        if state.holds(token) {
            state.proven = true;
            state.failures = 0;
            state.denied.remove(endpoint);
        }
    }

    /// The API refused this token. Says whether another one is worth asking for.
    pub(super) async fn refused(&self, endpoint: &'static str, token: &SecretString) -> bool {
        let mut state = self.state.lock().await;
        if !state.holds(token) {
            // Many loops find a token dead at once; the first has seen to it by the time the others say so.
            return true;
        }
        let was_proven = std::mem::take(&mut state.proven);
        if let WayIn::Token(_) = self.way_in {
            // One endpoint's refusal is its own; a token that nothing accepts is left alone for a while.
            if !was_proven {
                state.refused = Some(self.fingerprint(&[Some(token.clone()), None]));
                state.postpone();
            }
            return false;
        }
        if state.denied.get(endpoint).is_some_and(|(_, not_before)| Instant::now() < *not_before) {
            state.proven = was_proven;
            return false;
        }
        state.token = None;
        if !was_proven {
            state.postpone();
        }
        was_proven
    }

    /// The API refused this endpoint with a token fresh from the login: the token is not to blame.
    pub(super) async fn denied(&self, endpoint: &'static str) {
        let mut state = self.state.lock().await;
        let failures = state.denied.get(endpoint).map_or(1, |(failures, _)| failures + 1);
        state.denied.insert(endpoint, (failures, Instant::now() + backoff(failures)));
    }

    fn fingerprint(&self, secrets: &[Option<SecretString>; 2]) -> u64 {
        self.hasher.hash_one(secrets.each_ref().map(|secret| secret.as_ref().map(ExposeSecret::expose_secret)))
    }

    /// Lets a stopped or waiting login try once more: somebody who can judge it asked for that. Says whether that was possible;
    /// it is not while a login is under way.
    pub fn unblock(&self) -> bool {
        let Ok(mut state) = self.state.try_lock() else { return false };
        (state.stopped, state.refused, state.not_before) = (None, None, None);
        true
    }

    /// Files with the account's secrets that everybody on the machine can read.
    pub fn exposed_files(&self) -> impl Iterator<Item = &Path> {
        let secrets = match &self.way_in {
            WayIn::Token(token) => [Some(token), None],
            WayIn::Password { password, totp } => [Some(password), totp.as_ref()],
        };
        secrets.into_iter().flatten().filter_map(Secret::exposed_file)
    }

    /// Says whether the account's secrets can be read.
    ///
    /// # Errors
    /// [`Error::SecretFile`] of the first that can't.
    pub fn read_secrets(&self) -> Result<()> {
        self.secrets().map(drop)
    }

    /// The secrets as they are now: password or token, and TOTP secret.
    fn secrets(&self) -> Result<[Option<SecretString>; 2]> {
        Ok(match &self.way_in {
            WayIn::Token(token) => [Some(token.read()?), None],
            WayIn::Password { password, totp } => [Some(password.read()?), totp.as_ref().map(Secret::read).transpose()?],
        })
    }

    async fn login(
        &self,
        client: &Client,
        state: &mut State,
        password: &SecretString,
        totp: Option<&SecretString>,
    ) -> Result<SecretString> {
        let code = match totp {
            Some(secret) => Some(state.codes.next(secret).await?),
            None => None,
        };
        client.login(self, self.email.as_deref().unwrap_or_default(), password, code).await
    }
}

impl State {
    fn holds(&self, token: &SecretString) -> bool {
        self.token.as_ref().is_some_and(|held| held.expose_secret() == token.expose_secret())
    }

    /// What a failed login means for the next: none, or a wait.
    fn login_failed(&mut self, error: &Error, fingerprint: u64) {
        self.refused = Some(fingerprint);
        self.totp_refusals = if let Error::TotpRefused { .. } = error { self.totp_refusals + 1 } else { 0 };
        let codes_used_up = (self.totp_refusals >= TOTP_REFUSALS).then_some(Stop::TotpRequired);
        self.stopped = error.stops_logins().or(codes_used_up);
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
    async fn one_refused_totp_code_is_a_wait_and_the_third_in_a_row_a_stop() {
        let refused = Error::TotpRefused { clock_off: None };
        let mut state = State::default();
        for error in [&refused, &refused, &Error::Timeout, &refused, &refused] {
            state.login_failed(error, 1);
            assert_eq!(state.stopped, None);
            assert!(state.not_before.is_some_and(|time| time >= Instant::now() + BACKOFF.0));
        }
        state.login_failed(&refused, 1);
        assert_eq!(state.stopped, Some(Stop::TotpRequired));
    }
}
