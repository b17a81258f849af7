//! Tests of logins: who gets a token, and who does not.

use minergate::api::SecretError;
use serde_json::{Value, json};

use super::*;
use crate::attempts::{FROM_ADDRESS, WINDOW};

const NOW: u64 = 1_765_000_000;
const STEP: u64 = 30;
const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn secret(text: &str) -> Secret {
    Secret::of_text(text).unwrap()
}

fn password(email: &str, password: Secret, totp: Option<Secret>) -> Credentials {
    Credentials::Password { email: email.to_owned(), password, totp }
}

/// One account for each kind of credentials.
fn accounts() -> Accounts {
    let of = |number: usize| format!("farm-{number}@example.com");
    let credentials = [
        password(&of(1), secret("correct horse"), None),
        password(&of(2), secret("correct horse"), Some(Secret::of_totp(KEY).unwrap())),
        Credentials::Token { token: secret("0123abcd"), email: Some(of(3)) },
        Credentials::Token { token: secret("4567cdef"), email: Some(of(1)) },
    ];
    let named = credentials.into_iter().zip(1..).map(|(credentials, i)| (format!("farm-{i}").into(), credentials));
    Accounts::new(named, Duration::from_secs(3600))
}

async fn login(accounts: &Accounts, fields: Value, now: u64) -> Result<String, Error> {
    accounts.login(&Fields::of(fields), None, Duration::from_secs(now)).await
}

async fn owner(accounts: &Accounts, token: &str) -> Result<usize, ReadRefusal> {
    accounts.of_token(Some(token)).await.1
}

#[tokio::test]
async fn a_login_needs_the_right_email_and_password() {
    let accounts = accounts();
    let right = json!({ "email": "farm-1@example.com", "password": "correct horse", "totp": 0 });
    for email in ["farm-1@example.com", "Farm-1@Example.com"] {
        let mut fields = right.clone();
        fields["email"] = email.into();
        let token = login(&accounts, fields, NOW).await.unwrap();
        assert_eq!(owner(&accounts, &token).await, Ok(0));
    }
    for (key, value, refusal) in [
        ("email", json!(null), LoginRefusal::MissingEmail),
        ("email", json!(""), LoginRefusal::MissingEmail),
        ("email", json!("nobody@example.com"), LoginRefusal::WrongEmailOrPassword),
        ("email", json!("farm-3@example.com"), LoginRefusal::WrongEmailOrPassword),
        ("password", json!("wrong"), LoginRefusal::WrongEmailOrPassword),
        ("password", json!("correct horse "), LoginRefusal::WrongEmailOrPassword),
        ("password", json!(12), LoginRefusal::WrongEmailOrPassword),
        ("password", json!(null), LoginRefusal::WrongEmailOrPassword),
    ] {
        let mut fields = right.clone();
        fields[key] = value;
        assert_eq!(login(&accounts, fields, NOW).await, Err(refusal.into()));
    }
}

#[tokio::test]
async fn a_totp_code_is_valid_once_and_within_one_step_of_its_time() {
    let accounts = accounts();
    let totp = totp_rs::Builder::new().with_secret(totp_rs::Secret::try_from_base32(KEY).unwrap()).build_noncompliant();
    let login = |code: Value, now| {
        login(&accounts, json!({ "email": "farm-2@example.com", "password": "correct horse", "totp": code }), now)
    };
    let wrong = || Err(LoginRefusal::WrongTotp.into());
    for none in [json!(0), json!("0"), json!(""), json!(null)] {
        assert_eq!(login(none, NOW).await, Err(LoginRefusal::TotpRequired.into()));
    }
    // Find a time whose code begins with a zero, so that the number has fewer digits.
    let code = |now| totp.generate(now).to_string();
    let short = (0..1000).map(|i| NOW + i * STEP).find(|time| code(*time).starts_with('0')).unwrap();
    assert_eq!(login(json!(code(short)), short + 2 * STEP).await, wrong());
    let number: u32 = code(short).parse().unwrap();
    assert!(login(json!(number), short + STEP).await.is_ok());
    assert_eq!(login(json!(code(short)), short).await, wrong());
    let next = short + STEP;
    assert!(login(json!(code(next)), short).await.is_ok());
    assert_eq!(login(json!(code(next)), next).await, wrong());
    for other in [json!("1234567"), json!("é"), json!(-1), json!(1.5), json!("+12345")] {
        assert_eq!(login(other, next).await, wrong());
    }
}

#[tokio::test(start_paused = true)]
async fn a_configured_token_never_expires_and_is_valid_for_its_account_only() {
    let accounts = accounts();
    tokio::time::advance(Duration::from_secs(86_400)).await;
    assert_eq!((owner(&accounts, "0123abcd").await, owner(&accounts, "4567cdef").await), (Ok(2), Ok(3)));
    for token in ["made up", "0123abc", "0123abcde", "correct horse"] {
        assert_eq!(owner(&accounts, token).await, Err(ReadRefusal::InvalidToken), "{token}");
    }
    assert_eq!(owner(&accounts, "").await, Err(ReadRefusal::NoToken));
    assert_eq!(accounts.of_token(None).await, (None, Err(ReadRefusal::NoToken)));
}

#[tokio::test]
async fn a_password_file_is_read_again_for_each_login() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("password");
    let file = Secret::File { name: "password_file", path: path.clone() };
    let accounts = Accounts::new([("farm".into(), password("a@example.com", file, None))], Duration::from_secs(60));
    let login = |email: &str, password: &str| login(&accounts, json!({ "email": email, "password": password }), NOW);
    for text in ["first", "second"] {
        std::fs::write(&path, format!("{text}\n")).unwrap();
        for password in ["first", "second"] {
            assert_eq!(login("a@example.com", password).await.is_ok(), password == text);
        }
    }
    for broken in [Some(""), None] {
        match broken {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        assert_eq!(login("a@example.com", "").await, Err(Error::Internal), "{}", SecretError::Empty);
        assert_eq!(login("b@example.com", "second").await, Err(LoginRefusal::WrongEmailOrPassword.into()));
    }
}

#[tokio::test(start_paused = true)]
async fn many_failed_logins_block_logins_for_a_while_but_not_tokens() {
    let accounts = accounts().limit_failures();
    let login = |password: &str| login(&accounts, json!({ "email": "farm-1@example.com", "password": password }), NOW);
    let token = login("correct horse").await.unwrap();
    for _ in 0..FROM_ADDRESS {
        assert_eq!(login("wrong").await, Err(LoginRefusal::WrongEmailOrPassword.into()));
    }
    for password in ["wrong", "correct horse"] {
        assert_eq!(login(password).await, Err(Error::TooManyLogins(WINDOW)));
    }
    assert_eq!(owner(&accounts, &token).await, Ok(0));
    let elsewhere = Fields::of(json!({ "email": "farm-1@example.com", "password": "correct horse" }));
    assert!(accounts.login(&elsewhere, Some([192, 0, 2, 1].into()), Duration::from_secs(NOW)).await.is_ok());
    tokio::time::advance(WINDOW).await;
    assert!(login("correct horse").await.is_ok());
}

#[tokio::test]
async fn concurrent_logins_do_not_exceed_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("password");
    std::fs::write(&path, "right").unwrap();
    let file = Secret::File { name: "password_file", path };
    let accounts = Accounts::new([("farm".into(), password("a@example.com", file, None))], Duration::from_secs(60));
    let accounts = accounts.limit_failures();
    let wrong = |_| login(&accounts, json!({ "email": "a@example.com", "password": "wrong" }), NOW);
    let results = futures_util::future::join_all((0..100).map(wrong)).await;
    let is_checked = |result: &&Result<_, _>| **result == Err(LoginRefusal::WrongEmailOrPassword.into());
    assert_eq!(results.iter().filter(is_checked).count(), FROM_ADDRESS as usize);
}
