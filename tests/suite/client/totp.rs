//! TOTP codes: each is sent in its own step of 30 seconds, and none is sent twice.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use minergate::api::{Account, Secret};
use minergate::endpoints::{Request, balance};
use serde_json::Value;
use tokio::time::timeout;
use totp_rs::{Algorithm, Builder as TotpBuilder, Secret as TotpSecret};

use super::{LOGIN, TOTP_SECRET, client, client_with, credentials, ok, with_files, with_password};
use crate::fake_api::{Asked, FakeApi};

/// A new password does not make the code of this step new.
#[tokio::test]
async fn a_new_password_is_not_sent_with_an_old_code() {
    let api = FakeApi::start(|_| (401, String::new())).await;
    let (client, _) = client(&api);
    let directory = tempfile::tempdir().unwrap();
    let account = with_files(directory.path(), Some(TOTP_SECRET));
    std::fs::write(directory.path().join("password"), "old").unwrap();
    balance::SPEC.fetch(&client, Request::of(&account)).await.unwrap_err();
    std::fs::write(directory.path().join("password"), "new").unwrap();
    // It waits for the next step, which can be near.
    let _ = timeout(Duration::from_secs(1), balance::SPEC.fetch(&client, Request::of(&account))).await;
    let codes: Vec<Value> = api.asked(LOGIN).iter().map(|asked| asked.body["totp"].clone()).collect();
    assert!(codes.len() == 1 || codes[0] != codes[1], "{codes:?}");
}

#[tokio::test]
async fn a_wrong_clock_is_reported() {
    for (date, words) in
        [("Fri, 01 Jan 2100 00:00:00 GMT", "behind the API's"), ("Sat, 01 Jan 2000 00:00:00 GMT", "ahead of the API's")]
    {
        let body = format!("@date: {date}\n{{\"error\": \"WrongTotp\", \"message\": \"x\"}}");
        let api = FakeApi::start(move |_| (400, body.clone())).await;
        let (client, _) = client(&api);
        let error = balance::SPEC.fetch(&client, Request::of(&with_password(Some(TOTP_SECRET)))).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

/// With one request a second, the last login waits longer than a code is valid.
#[tokio::test]
async fn totp_codes_are_sent_in_their_own_step() {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let late = Arc::new(AtomicUsize::new(0));
    let counted = late.clone();
    let api = FakeApi::start(move |asked: &Asked| {
        let expected = TotpBuilder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_step_duration(30)
            .with_secret(TotpSecret::try_from_base32("GEZDGNBVGY3TQOJQ").unwrap())
            .build_noncompliant()
            .generate(now());
        let sent = format!("{:06}", asked.body["totp"].as_u64().unwrap());
        counted.fetch_add(usize::from(sent != expected.to_string()), Ordering::Relaxed);
        // No token is given, so that only logins are sent.
        ok("{}")
    })
    .await;
    let (client, _) = client_with(&api, 1.0);
    let accounts: Vec<_> = (0..35).map(|_| with_password(Some(TOTP_SECRET))).collect();
    join_all(accounts.iter().map(|account| balance::SPEC.fetch(&client, Request::of(account)))).await;
    assert_eq!((api.asked(LOGIN).len(), late.load(Ordering::Relaxed)), (35, 0));
}

#[tokio::test]
async fn a_restarted_process_sends_no_code_twice() {
    let api = FakeApi::start(|_| ok(r#"{"token": "t"}"#)).await;
    let (client, _) = client(&api);
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let credentials = credentials(Secret::of_text("pass").unwrap(), Some(TOTP_SECRET));
        let account = Account::new("farm", credentials, Some(directory.path()));
        balance::SPEC.fetch(&client, Request::of(&account)).await.unwrap();
    }
    let codes: BTreeSet<u64> = api.asked(LOGIN).iter().map(|asked| asked.body["totp"].as_u64().unwrap()).collect();
    assert_eq!(codes.len(), 2);
}

/// Another program has just sent the code of this step: the next code is tried once.
#[tokio::test]
async fn a_rejected_code_is_followed_by_that_of_the_next_step() {
    let first = Mutex::new(None);
    let api = FakeApi::start(move |asked| match asked.path.as_str() {
        LOGIN => {
            let code = asked.body["totp"].as_u64();
            if *first.lock().unwrap().get_or_insert(code) == code {
                (400, r#"{"error": "WrongTotp", "message": "x"}"#.to_owned())
            } else {
                ok(r#"{"token": "t"}"#)
            }
        }
        _ => ok("{}"),
    })
    .await;
    let (client, _) = client(&api);
    balance::SPEC.fetch(&client, Request::of(&with_password(Some(TOTP_SECRET)))).await.unwrap();
    assert_eq!(api.asked(LOGIN).len(), 2);
}
