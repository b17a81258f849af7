//! The accounts: their credentials, logins and tokens.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use constant_time_eq::constant_time_eq;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::Instant;
use totp_rs::{Algorithm, Builder, Secret, Totp};

/// Seconds that one TOTP code stands for.
const TOTP_STEP: u64 = 30;

/// Valid tokens of logins that one account can have. The oldest one ends where there would be more.
const TOKENS: usize = 64;

/// A login's fields, from JSON or a form.
pub(super) type Fields = HashMap<String, Value>;

/// Why a login is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    MissingEmail,
    WrongEmailOrPassword,
    TotpRequired,
    WrongTotp,
}

/// Why a read is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    NoToken,
    InvalidToken,
}

/// What an account logs in with: e-mail and password, a token, or either.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    pub email: Option<String>,
    pub password: Option<SecretString>,
    pub totp_secret: Option<TotpSecret>,
    /// A token that is valid without a login, and does not expire.
    pub token: Option<SecretString>,
}

/// The key of an account's TOTP codes.
#[derive(Clone)]
pub struct TotpSecret(Secret);

impl TotpSecret {
    pub fn new(key: Vec<u8>) -> TotpSecret {
        TotpSecret(Secret::from(key))
    }

    /// Reads a key in base32; `None` where it is none.
    pub fn from_base32(text: &str) -> Option<TotpSecret> {
        Secret::try_from_base32(text).ok().map(TotpSecret)
    }

    pub fn to_base32(&self) -> String {
        self.0.to_base32()
    }

    fn totp(&self) -> Totp {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_skew(1)
            .with_step_duration(TOTP_STEP)
            .with_secret(self.0.clone())
            .build_noncompliant()
    }
}

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret")
    }
}

/// The accounts, by their number in the list that they were made from.
pub struct Accounts {
    credentials: Vec<Credentials>,
    by_email: HashMap<String, usize>,
    /// Accounts by the tokens that do not expire.
    by_token: HashMap<String, usize>,
    token_lifetime: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Tokens of logins, with their account and end.
    tokens: HashMap<String, (usize, Instant)>,
    /// The newest TOTP step that each account logged in with.
    totp_steps: HashMap<usize, u64>,
}

impl Accounts {
    /// The token of a login is valid for `token_lifetime`.
    pub fn new(credentials: Vec<Credentials>, token_lifetime: Duration) -> Accounts {
        let emails = credentials.iter().enumerate().filter_map(|(account, own)| Some((own.email.clone()?, account)));
        let tokens = credentials.iter().enumerate();
        let tokens = tokens.filter_map(|(account, own)| Some((own.token.as_ref()?.expose_secret().to_owned(), account)));
        let (by_email, by_token) = (emails.collect(), tokens.collect());
        Accounts { credentials, by_email, by_token, token_lifetime, state: Mutex::default() }
    }

    /// Exchanges a login's fields for a token, at a time in Unix seconds.
    pub(super) fn login(&self, fields: &Fields, now: u64) -> Result<String, Refusal> {
        let email = text(fields, "email").ok_or(Refusal::MissingEmail)?;
        let account = *self.by_email.get(&email).ok_or(Refusal::WrongEmailOrPassword)?;
        let Credentials { password, totp_secret, .. } = &self.credentials[account];
        let given = text(fields, "password").unwrap_or_default();
        let is_right = |password: &SecretString| constant_time_eq(given.as_bytes(), password.expose_secret().as_bytes());
        if !password.as_ref().is_some_and(is_right) {
            return Err(Refusal::WrongEmailOrPassword);
        }
        let mut state = self.state();
        if let Some(secret) = totp_secret {
            let code = totp_code(fields).ok_or(Refusal::TotpRequired)?;
            let step = secret.totp().check(&code, now).ok_or(Refusal::WrongTotp)?;
            // A code is valid once, and an older one is not valid after it.
            if state.totp_steps.get(&account).is_some_and(|last| step <= *last) {
                return Err(Refusal::WrongTotp);
            }
            state.totp_steps.insert(account, step);
        }
        let instant = Instant::now();
        state.tokens.retain(|_, (_, end)| *end > instant);
        let own = state.tokens.iter().filter(|(_, (owner, _))| *owner == account);
        if own.clone().count() >= TOKENS
            && let Some(oldest) = own.min_by_key(|(_, (_, end))| *end).map(|(token, _)| token.clone())
        {
            state.tokens.remove(&oldest);
        }
        let token = random_token();
        let end = instant.checked_add(self.token_lifetime).unwrap_or(instant);
        state.tokens.insert(token.clone(), (account, end));
        Ok(token)
    }

    /// Whose token it is.
    pub(super) fn account(&self, token: Option<&str>) -> Result<usize, Denial> {
        let token = token.filter(|token| !token.is_empty()).ok_or(Denial::NoToken)?;
        if let Some(account) = self.by_token.get(token) {
            return Ok(*account);
        }
        let state = self.state();
        let (account, _) = state.tokens.get(token).filter(|(_, end)| *end > Instant::now()).ok_or(Denial::InvalidToken)?;
        Ok(*account)
    }

    /// Whose token it is or was, as far as expired tokens are remembered.
    pub(super) fn owner(&self, token: Option<&str>) -> Option<usize> {
        let token = token?;
        self.by_token.get(token).copied().or_else(|| self.state().tokens.get(token).map(|(account, _)| *account))
    }

    /// Whose e-mail address stands in a login's fields.
    pub(super) fn named(&self, fields: &Fields) -> Option<usize> {
        self.by_email.get(&text(fields, "email")?).copied()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn random_token() -> String {
    rand::random::<[u8; 32]>().iter().fold(String::new(), |mut token, byte| {
        // Writing to a string can't fail.
        let _ = write!(token, "{byte:02x}");
        token
    })
}

/// A field's text; clients send numbers as such or as strings.
fn text(fields: &Fields, key: &str) -> Option<String> {
    match fields.get(key)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The TOTP code, if there is one: clients send 0 or nothing when there is none.
fn totp_code(fields: &Fields) -> Option<String> {
    let code = text(fields, "totp").filter(|code| code.trim() != "0")?;
    // A number has lost its leading zeros.
    Some(format!("{:0>6}", code.trim()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_765_000_000;

    /// One account for each kind of credentials.
    fn accounts() -> Accounts {
        let own =
            |number: usize| Credentials { email: Some(format!("farm-{number}@example.com")), ..Credentials::default() };
        let password = || Some("correct horse".into());
        let credentials = vec![
            Credentials { password: password(), ..own(1) },
            Credentials {
                password: password(),
                totp_secret: Some(TotpSecret::new(b"12345678901234567890".to_vec())),
                ..own(2)
            },
            Credentials { token: Some("0123abcd".into()), ..own(3) },
        ];
        Accounts::new(credentials, Duration::from_secs(3600))
    }

    fn login(accounts: &Accounts, fields: Value, now: u64) -> Result<String, Refusal> {
        accounts.login(&serde_json::from_value(fields).unwrap(), now)
    }

    #[tokio::test]
    async fn a_login_needs_the_right_email_and_password() {
        let accounts = accounts();
        let right = json!({ "email": "farm-1@example.com", "password": "correct horse", "totp": 0 });
        let token = login(&accounts, right.clone(), NOW).unwrap();
        assert_eq!(accounts.account(Some(&token)), Ok(0));
        for (key, value, refusal) in [
            ("email", json!(null), Refusal::MissingEmail),
            ("email", json!(""), Refusal::MissingEmail),
            ("email", json!("nobody@example.com"), Refusal::WrongEmailOrPassword),
            ("email", json!("farm-3@example.com"), Refusal::WrongEmailOrPassword),
            ("password", json!("wrong"), Refusal::WrongEmailOrPassword),
            ("password", json!(12), Refusal::WrongEmailOrPassword),
            ("password", json!(null), Refusal::WrongEmailOrPassword),
        ] {
            let mut fields = right.clone();
            fields[key] = value;
            assert_eq!(login(&accounts, fields, NOW), Err(refusal));
        }
    }

    #[tokio::test]
    async fn a_totp_code_is_good_once_and_within_a_step() {
        let accounts = accounts();
        let totp = accounts.credentials[1].totp_secret.as_ref().unwrap().totp();
        let login = |code: Value, now| {
            login(&accounts, json!({ "email": "farm-2@example.com", "password": "correct horse", "totp": code }), now)
        };
        for none in [json!(0), json!("0"), json!(""), json!(null)] {
            assert_eq!(login(none, NOW), Err(Refusal::TotpRequired));
        }
        // A time whose code begins with a zero, so that the number is short.
        let short =
            (0..1000).map(|i| NOW + i * TOTP_STEP).find(|time| totp.generate(*time).to_string().starts_with('0')).unwrap();
        let code = |now| totp.generate(now).to_string();
        assert_eq!(login(json!(code(short)), short + 2 * TOTP_STEP), Err(Refusal::WrongTotp));
        let number: u32 = code(short).parse().unwrap();
        assert!(login(json!(number), short + TOTP_STEP).is_ok());
        assert_eq!(login(json!(code(short)), short), Err(Refusal::WrongTotp));
        let next = short + TOTP_STEP;
        assert!(login(json!(code(next)), short).is_ok());
        assert_eq!(login(json!(code(next)), next), Err(Refusal::WrongTotp));
        for wrong in [json!("1234567"), json!("é"), json!(-1), json!(1.5), json!("+12345")] {
            assert_eq!(login(wrong, next), Err(Refusal::WrongTotp));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_live_side_by_side_and_end() {
        let accounts = accounts();
        let fields = json!({ "email": "farm-1@example.com", "password": "correct horse" });
        let first = login(&accounts, fields.clone(), NOW).unwrap();
        tokio::time::advance(Duration::from_secs(3000)).await;
        let second = login(&accounts, fields.clone(), NOW).unwrap();
        assert_ne!(first, second);
        assert_eq!((accounts.account(Some(&first)), accounts.account(Some(&second))), (Ok(0), Ok(0)));
        tokio::time::advance(Duration::from_secs(600)).await;
        assert_eq!((accounts.account(Some(&first)), accounts.account(Some(&second))), (Err(Denial::InvalidToken), Ok(0)));
        tokio::time::advance(Duration::from_secs(86_400)).await;
        login(&accounts, fields, NOW).unwrap();
        assert_eq!(accounts.state().tokens.len(), 1, "ended tokens are forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn a_ready_made_token_never_ends() {
        let accounts = accounts();
        tokio::time::advance(Duration::from_secs(86_400)).await;
        assert_eq!(accounts.account(Some("0123abcd")), Ok(2));
        assert_eq!(accounts.account(Some("made up")), Err(Denial::InvalidToken));
        assert_eq!(accounts.account(Some("")), Err(Denial::NoToken));
        assert_eq!(accounts.account(None), Err(Denial::NoToken));
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_has_a_bounded_number_of_tokens() {
        let accounts = accounts();
        let mut tokens = Vec::new();
        for _ in 0..=TOKENS {
            let fields = json!({ "email": "farm-1@example.com", "password": "correct horse" });
            tokens.push(login(&accounts, fields, NOW).unwrap());
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let valid = |token: &String| accounts.account(Some(token)).is_ok();
        assert!(!valid(&tokens[0]) && tokens[1..].iter().all(valid));
    }
}
