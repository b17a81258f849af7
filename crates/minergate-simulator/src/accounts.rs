//! The simulated accounts' ways in: passwords, TOTP codes, tokens.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use totp_rs::{Algorithm, Builder, Secret, Totp};

use super::world::{self, World};

/// Seconds that one TOTP code stands for.
pub(super) const TOTP_STEP: u64 = 30;

/// A login's fields, from JSON or a form.
pub(super) type Fields = HashMap<String, Value>;

/// Why a login is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    MissingEmail,
    WrongEmailOrPassword,
    TotpRequired,
    WrongTotp,
}

/// Why a read is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denial {
    NoToken,
    InvalidToken,
}

pub(super) struct Accounts {
    world: World,
    token_lifetime: Duration,
    /// Users by e-mail address.
    users: HashMap<String, u64>,
    /// Users by the tokens that never expire.
    ready_made: HashMap<String, u64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Tokens of logins, with their user and end.
    tokens: HashMap<String, (u64, Instant)>,
    logins: u64,
    /// The newest TOTP step that each user logged in with.
    totp_steps: HashMap<u64, u64>,
}

/// How a user gets in: the first with a password, the second with a TOTP code besides, the third with a token, and so on.
pub(super) enum WayIn {
    Password { password: String, totp: Option<Secret> },
    Token(String),
}

impl WayIn {
    pub(super) fn of(world: &World, user: u64) -> WayIn {
        let seed = world.user_seed(user).of("way in");
        let password = seed.of("password").hex(20);
        // 160 bits, as RFC 4226 wants it.
        let key = || seed.of("totp").hex(20).into_bytes();
        match user % 3 {
            0 => WayIn::Password { password, totp: None },
            1 => WayIn::Password { password, totp: Some(Secret::from(key())) },
            _ => WayIn::Token(format!("simulated{}", seed.of("token").hex(48))),
        }
    }
}

impl Accounts {
    pub(super) fn new(world: World, token_lifetime: Duration) -> Accounts {
        let ready_made = (0..world.users).filter_map(|user| match WayIn::of(&world, user) {
            WayIn::Token(token) => Some((token, user)),
            WayIn::Password { .. } => None,
        });
        let users = (0..world.users).map(|user| (world::email(user), user));
        Accounts { world, token_lifetime, users: users.collect(), ready_made: ready_made.collect(), state: Mutex::default() }
    }

    /// Exchanges a login's fields for a token, at a time in Unix seconds.
    pub(super) fn login(&self, fields: &Fields, now: u64) -> Result<String, Refusal> {
        let email = text(fields, "email").ok_or(Refusal::MissingEmail)?;
        let user = *self.users.get(&email).ok_or(Refusal::WrongEmailOrPassword)?;
        let WayIn::Password { password, totp } = WayIn::of(&self.world, user) else {
            return Err(Refusal::WrongEmailOrPassword);
        };
        if text(fields, "password").as_ref() != Some(&password) {
            return Err(Refusal::WrongEmailOrPassword);
        }
        let mut state = self.state();
        if let Some(secret) = totp {
            let code = totp_code(fields).ok_or(Refusal::TotpRequired)?;
            let step = totp_of(secret).check(&code, now).ok_or(Refusal::WrongTotp)?;
            // A code is good once, and an older one is worth nothing after it.
            if state.totp_steps.get(&user).is_some_and(|last| step <= *last) {
                return Err(Refusal::WrongTotp);
            }
            state.totp_steps.insert(user, step);
        }
        let instant = Instant::now();
        state.tokens.retain(|_, (_, end)| *end > instant);
        state.logins += 1;
        // The time keeps a simulator that was started anew from honouring its predecessor's tokens.
        let token = self.world.user_seed(user).of("login").nth(state.logins).nth(now).hex(64);
        let end = instant.checked_add(self.token_lifetime).unwrap_or(instant);
        state.tokens.insert(token.clone(), (user, end));
        Ok(token)
    }

    /// Whose token it is.
    pub(super) fn user(&self, token: Option<&str>) -> Result<u64, Denial> {
        let token = token.filter(|token| !token.is_empty()).ok_or(Denial::NoToken)?;
        if let Some(user) = self.ready_made.get(token) {
            return Ok(*user);
        }
        let state = self.state();
        let (user, _) = state.tokens.get(token).filter(|(_, end)| *end > Instant::now()).ok_or(Denial::InvalidToken)?;
        Ok(*user)
    }

    /// Whose token it is or was, as far as ended tokens are remembered.
    pub(super) fn owner(&self, token: Option<&str>) -> Option<u64> {
        let token = token?;
        self.ready_made.get(token).copied().or_else(|| self.state().tokens.get(token).map(|(user, _)| *user))
    }

    /// Whose e-mail address stands in a login's fields.
    pub(super) fn named(&self, fields: &Fields) -> Option<u64> {
        self.users.get(&text(fields, "email")?).copied()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn totp_of(secret: Secret) -> Totp {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(1)
        .with_step_duration(TOTP_STEP)
        .with_secret(secret)
        .build_noncompliant()
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
    use crate::noise::Seed;

    const NOW: u64 = 1_765_000_000;

    fn accounts() -> Accounts {
        let world = World { seed: Seed::new(1), users: 3 };
        Accounts::new(world, Duration::from_secs(3600))
    }

    fn login(accounts: &Accounts, fields: Value, now: u64) -> Result<String, Refusal> {
        accounts.login(&serde_json::from_value(fields).unwrap(), now)
    }

    fn password(accounts: &Accounts, user: u64) -> (String, Option<Totp>) {
        match WayIn::of(&accounts.world, user) {
            WayIn::Password { password, totp } => (password, totp.map(totp_of)),
            WayIn::Token(_) => panic!("user {user} has no password"),
        }
    }

    #[tokio::test]
    async fn a_login_needs_the_right_email_and_password() {
        let accounts = accounts();
        let (password, _) = password(&accounts, 0);
        let right = json!({ "email": "farm-1@example.com", "password": password, "totp": 0 });
        let token = login(&accounts, right.clone(), NOW).unwrap();
        assert_eq!(accounts.user(Some(&token)), Ok(0));
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
        let (password, totp) = password(&accounts, 1);
        let totp = totp.unwrap();
        let login = |code: Value, now| {
            login(&accounts, json!({ "email": "farm-2@example.com", "password": password, "totp": code }), now)
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
        let (password, _) = password(&accounts, 0);
        let fields = json!({ "email": "farm-1@example.com", "password": password });
        let first = login(&accounts, fields.clone(), NOW).unwrap();
        tokio::time::advance(Duration::from_secs(3000)).await;
        let second = login(&accounts, fields.clone(), NOW).unwrap();
        assert_ne!(first, second);
        assert_eq!((accounts.user(Some(&first)), accounts.user(Some(&second))), (Ok(0), Ok(0)));
        tokio::time::advance(Duration::from_secs(600)).await;
        assert_eq!((accounts.user(Some(&first)), accounts.user(Some(&second))), (Err(Denial::InvalidToken), Ok(0)));
        tokio::time::advance(Duration::from_secs(86_400)).await;
        login(&accounts, fields, NOW).unwrap();
        assert_eq!(accounts.state().tokens.len(), 1, "ended tokens are forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn a_ready_made_token_never_ends() {
        let accounts = accounts();
        let WayIn::Token(token) = WayIn::of(&accounts.world, 2) else { panic!("the third user has a token") };
        tokio::time::advance(Duration::from_secs(86_400)).await;
        assert_eq!(accounts.user(Some(&token)), Ok(2));
        assert_eq!(accounts.user(Some("made up")), Err(Denial::InvalidToken));
        assert_eq!(accounts.user(Some("")), Err(Denial::NoToken));
        assert_eq!(accounts.user(None), Err(Denial::NoToken));
    }
}
