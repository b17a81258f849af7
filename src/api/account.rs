//! An account and its login: one at a time, no oftener than makes sense, and never against a refusal.
//!
//! The API locks accounts that insist. So a refused password, a missing TOTP code, a captcha or a discontinued API stops
//! logins until the secret changes; every other failure waits, longer each time; and no TOTP code is sent twice.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::limiter::Lane;
use super::totp::{self, Codes};
use super::{Client, Error, Event, Result, Secret};

/// The shortest and the longest wait between attempts to log in.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(3600));

/// Refused TOTP codes in a row that stop logins: one may be a restart's, or a clock's that is being set.
const TOTP_REFUSALS: u32 = 3;

/// `[[accounts]]`: an account and its way in, a ready-made token or e-mail address and password.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The `account` label.
    pub name: String,
    /// Needed to log in with a password; with a token, it tells which way a transfer went.
    pub email: Option<String>,
    pub password: Option<SecretString>,
    pub password_file: Option<PathBuf>,
    pub totp_secret: Option<SecretString>,
    pub totp_secret_file: Option<PathBuf>,
    pub token: Option<SecretString>,
    pub token_file: Option<PathBuf>,
    /// Endpoints to poll for this account; all when left out.
    pub endpoints: Option<Vec<String>>,
}

impl Config {
    /// The account, or what is wrong with its configuration: key and sentence. What a restart should know is remembered in
    /// the directory, if there is one.
    ///
    /// # Errors
    /// The first fault found.
    pub fn account(&self, state: Option<&Path>) -> std::result::Result<Account, (&'static str, String)> {
        let name = self.name.as_str();
        if name.is_empty() {
            return Err(("name", "missing; every account needs a name, it becomes the label `account`".to_owned()));
        }
        if name.contains('@') {
            return Err((
                "name",
                "looks like an e-mail address, and would stand on every page; give another name".to_owned(),
            ));
        }
        if name.chars().count() > 64 || name.trim() != name || name.chars().any(char::is_control) {
            return Err(("name", "give 1 to 64 printable characters without spaces around them".to_owned()));
        }
        let token = either("token", self.token.as_ref(), self.token_file.as_ref())?;
        let password = either("password", self.password.as_ref(), self.password_file.as_ref())?;
        let totp = either("totp_secret", self.totp_secret.as_ref(), self.totp_secret_file.as_ref())?;
        let way_in = match (token, password) {
            (Some(_), Some(_)) => return Err(("token", "stands beside a password; give one of them".to_owned())),
            (None, None) => {
                let remedy = "give token or token_file, or email with password or password_file";
                return Err(("password", format!("no way to log in; {remedy}")));
            }
            (Some(_), None) if totp.is_some() => {
                return Err(("totp_secret", "has no use beside a token; leave it out".to_owned()));
            }
            (Some(token), None) => WayIn::Token(token),
            (None, Some(password)) if self.email.is_some() => WayIn::Password { password, totp },
            (None, Some(_)) => return Err(("email", "missing; a password needs the account's e-mail address".to_owned())),
        };
        if let WayIn::Password { totp: Some(Secret::Value(secret)), .. } = &way_in {
            totp::key(secret).map_err(|error| ("totp_secret", error.to_string()))?;
        }
        if self.email.as_deref().is_some_and(|email| !email.contains('@')) {
            return Err(("email", "not an e-mail address".to_owned()));
        }
        let codes = Codes::remembered(state.map(|directory| directory.join(format!("totp-{}", file_name(name)))));
        Ok(Account {
            name: name.into(),
            email: self.email.clone(),
            way_in,
            hasher: RandomState::new(),
            lane: OnceLock::new(),
            state: Mutex::new(State { codes, ..State::default() }),
        })
    }
}

/// An account's name as that of a file.
fn file_name(name: &str) -> String {
    let plain = |b: u8| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("_{b:02x}") };
    name.bytes().map(plain).collect()
}

fn either(
    key: &'static str,
    value: Option<&SecretString>,
    file: Option<&PathBuf>,
) -> std::result::Result<Option<Secret>, (&'static str, String)> {
    match (value, file) {
        (Some(_), Some(_)) => Err((key, format!("stands beside {key}_file; give one of them"))),
        (Some(value), None) if value.expose_secret().is_empty() => {
            Err((key, "is empty; leave it out or fill it in".to_owned()))
        }
        (Some(value), None) => Ok(Some(Secret::Value(value.clone()))),
        (None, Some(path)) => Ok(Some(Secret::File(path.clone()))),
        (None, None) => Ok(None),
    }
}

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
