//! Logins: one at a time, not too often, and none after a refusal.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;

use minergate::api::{Account, Blocked, Error, Secret};
use minergate::endpoints::{Request, balance, workers};
use serde_json::{Value, json};
use tokio::time::timeout;
use totp_rs::{Algorithm, Builder as TotpBuilder, Secret as TotpSecret};

use super::{LOGIN, TOTP_SECRET, client, client_with, credentials, ok, with_password, with_token};
use crate::fake_api::{Asked, FakeApi};

#[tokio::test]
async fn a_login_is_made_once_and_its_token_sent_in_the_header() {
    let api = FakeApi::start(|asked| match asked.path.as_str() {
        LOGIN => ok(r#"{"token": "t1"}"#),
        _ => ok(r#"{"xmr": "1.5"}"#),
    })
    .await;
    let (client, _) = client(&api);
    let account = with_password(Some(TOTP_SECRET));
    let reads = (0..10).map(|_| balance::SPEC.fetch(&client, Request::of(&account)));
    for read in reads.collect::<Vec<_>>() {
        assert_eq!(read.await.unwrap().iter().count(), 1);
    }
    let logins = api.asked(LOGIN);
    assert_eq!(logins.len(), 1);
    assert_eq!((&logins[0].body["email"], &logins[0].body["password"]), (&json!("me@example.com"), &json!("pass")));
    assert!(logins[0].body["totp"].as_u64().unwrap() < 1_000_000);
    assert!(api.asked("/1.0/balance").iter().all(|asked| asked.token.as_deref() == Some("t1")));
}

#[tokio::test]
async fn many_reads_at_once_share_one_login() {
    let api = FakeApi::start(|asked| match asked.path.as_str() {
        LOGIN => ok(r#"{"token": "t1"}"#),
        _ => ok("{}"),
    })
    .await;
    let (client, _) = client(&api);
    let (client, account) = (Arc::new(client), Arc::new(with_password(None)));
    let reads: Vec<_> = (0..20)
        .map(|_| {
            let (client, account) = (client.clone(), account.clone());
            tokio::spawn(async move { workers::SPEC.fetch(&client, Request::of(&account)).await })
        })
        .collect();
    for read in reads {
        read.await.unwrap().unwrap();
    }
    assert_eq!(api.asked(LOGIN).len(), 1);
}

/// A token that has worked and is refused leads to one new login, in both error shapes and with any status.
#[tokio::test]
async fn an_expired_token_is_replaced_once() {
    for (status, body) in [
        (401, "{}"),
        (403, "<html>"),
        (401, r#"{"code": "InvalidToken", "message": "x"}"#),
        (200, r#"{"error": "TokenExpired", "message": "x"}"#),
        (400, r#"{"error": "WrongToken", "message": "x"}"#),
    ] {
        let logins = AtomicUsize::new(0);
        let refused = Arc::new(Mutex::new(String::new()));
        let dead = refused.clone();
        let api = FakeApi::start(move |asked: &Asked| match asked.path.as_str() {
            LOGIN => ok(&format!(r#"{{"token": "t{}"}}"#, logins.fetch_add(1, Ordering::Relaxed))),
            _ if asked.token.as_deref() == Some(dead.lock().unwrap().as_str()) => (status, body.to_owned()),
            _ => ok("{}"),
        })
        .await;
        let (client, events) = client(&api);
        let account = with_password(None);
        balance::SPEC.fetch(&client, Request::of(&account)).await.unwrap();
        "t0".clone_into(&mut refused.lock().unwrap());
        balance::SPEC.fetch(&client, Request::of(&account)).await.unwrap();
        workers::SPEC.fetch(&client, Request::of(&account)).await.unwrap();
        assert_eq!(api.asked(LOGIN).len(), 2, "{status} {body}");
        assert!(events.lock().unwrap().contains(&"balance unauthorized".to_owned()));
    }
}

#[tokio::test]
async fn a_token_that_never_works_causes_few_logins() {
    let api = FakeApi::start(|asked| match asked.path.as_str() {
        LOGIN => ok(r#"{"token": "useless"}"#),
        _ => (401, "{}".to_owned()),
    })
    .await;
    let (client, _) = client(&api);
    let account = with_password(None);
    for _ in 0..20 {
        balance::SPEC.fetch(&client, Request::of(&account)).await.unwrap_err();
        workers::SPEC.fetch(&client, Request::of(&account)).await.unwrap_err();
    }
    assert_eq!(api.asked(LOGIN).len(), 1);
}

/// That an earlier token has worked says nothing about the first one of a new configuration.
#[tokio::test]
async fn a_first_token_that_is_refused_after_a_reload_causes_one_login() {
    let logins = AtomicUsize::new(0);
    let api = FakeApi::start(move |asked: &Asked| match (asked.path.as_str(), asked.token.as_deref()) {
        (LOGIN, _) => ok(&format!(r#"{{"token": "t{}"}}"#, logins.fetch_add(1, Ordering::Relaxed))),
        (_, Some("t0")) => ok("{}"),
        _ => (401, "{}".to_owned()),
    })
    .await;
    let (client, _) = client(&api);
    let (before, account) = (with_password(None), with_password(None));
    balance::SPEC.fetch(&client, Request::of(&before)).await.unwrap();
    account.take_over(&before);
    balance::SPEC.fetch(&client, Request::of(&account)).await.unwrap_err();
    assert_eq!(api.asked(LOGIN).len(), 2, "one for each configuration");
}

#[tokio::test]
async fn an_endpoint_that_refuses_every_token_causes_few_logins() {
    let api = FakeApi::start(|asked| match asked.path.as_str() {
        LOGIN => ok(r#"{"token": "good"}"#),
        "/1.0/workers" => (403, "{}".to_owned()),
        _ => ok("{}"),
    })
    .await;
    let (client, _) = client(&api);
    let account = with_password(None);
    for _ in 0..20 {
        balance::SPEC.fetch(&client, Request::of(&account)).await.unwrap();
        workers::SPEC.fetch(&client, Request::of(&account)).await.unwrap_err();
    }
    // One because the token could be the reason, and one which shows that it was not.
    assert_eq!(api.asked(LOGIN).len(), 2);
}

#[tokio::test]
async fn a_configured_token_is_used_without_a_login() {
    let api = FakeApi::start(|asked| match asked.token.as_deref() {
        Some("ready") => ok("{}"),
        _ => (401, "{}".to_owned()),
    })
    .await;
    let (client, _) = client(&api);
    balance::SPEC.fetch(&client, Request::of(&with_token())).await.unwrap();
    assert_eq!(api.asked(LOGIN).len(), 0);
}

#[tokio::test]
async fn a_refused_configured_token_is_not_used_for_a_while() {
    let api = FakeApi::start(|_| (401, "{}".to_owned())).await;
    let (client, _) = client(&api);
    let account = with_token();
    for _ in 0..20 {
        balance::SPEC.fetch(&client, Request::of(&account)).await.unwrap_err();
    }
    assert_eq!((api.asked(LOGIN).len(), api.asked("/1.0/balance").len()), (0, 1));
}

/// A refusal that blocks logins is tried exactly once, until the secret changes.
#[tokio::test]
async fn a_refusal_blocks_logins_until_the_secret_changes() {
    for (status, body, reason) in [
        (400, r#"{"error": "WrongEmailOrPassword", "message": "x"}"#, Blocked::WrongPassword),
        (200, r#"{"error": "WrongEmailOrPassword", "message": "x"}"#, Blocked::WrongPassword),
        (401, "", Blocked::WrongPassword),
        (400, r#"{"code": "TotpRequired", "message": "x"}"#, Blocked::TotpRequired),
        (403, r#"{"error": "CaptchaRequired", "message": "x"}"#, Blocked::Captcha),
        (200, r#"{"code": "ApiDiscontinued", "message": ""}"#, Blocked::Discontinued),
    ] {
        let api = FakeApi::start(move |asked| match asked.path.as_str() {
            LOGIN if asked.body["password"] == "new" => ok(r#"{"token": "t"}"#),
            LOGIN => (status, body.to_owned()),
            _ => ok("{}"),
        })
        .await;
        let (client, events) = client(&api);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "old\n").unwrap();
        let password = Secret::File { name: "password_file", path: file.path().to_owned() };
        let account = Account::new("farm", credentials(password, None), None);
        for _ in 0..10 {
            balance::SPEC.fetch(&client, Request::of(&account)).await.unwrap_err();
        }
        assert_eq!(balance::SPEC.fetch(&client, Request::of(&account)).await.err(), Some(Error::LoginBlocked(reason)));
        assert_eq!(api.asked(LOGIN).len(), 1, "{body}");
        std::fs::write(file.path(), "new\n").unwrap();
        balance::SPEC.fetch(&client, Request::of(&account)).await.unwrap();
        assert_eq!(api.asked(LOGIN).len(), 2, "{body}");
        let events = events.lock().unwrap();
        assert!(
            events.contains(&format!("blocked Some({:?})", reason.reason())) && events.contains(&"blocked None".to_owned())
        );
    }
}

/// The account reads its password from a file in the directory that also keeps its state.
fn with_files(directory: &Path, totp: Option<&str>) -> Account {
    let password = Secret::File { name: "password_file", path: directory.join("password") };
    Account::new("farm", credentials(password, totp), Some(directory))
}

#[tokio::test]
async fn each_rejected_password_is_sent_and_reported_once() {
    let api = FakeApi::start(|_| (401, String::new())).await;
    let (client, events) = client(&api);
    let directory = tempfile::tempdir().unwrap();
    let account = with_files(directory.path(), None);
    for password in ["old", "new"] {
        std::fs::write(directory.path().join("password"), password).unwrap();
        for _ in 0..3 {
            balance::SPEC.fetch(&client, Request::of(&account)).await.unwrap_err();
        }
    }
    assert_eq!(api.asked(LOGIN).len(), 2);
    assert_eq!(events.lock().unwrap().iter().filter(|event| event.starts_with("blocked Some")).count(), 2);
}

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
async fn other_failed_logins_are_followed_by_a_wait() {
    for (status, body) in [
        (500, r#"{"error": "InternalError", "message": "Cannot read property 'send' of undefined"}"#),
        (502, "<html>"),
        (200, "{}"),
        (200, "not JSON"),
        (200, r#"{"token": "line\nbreak"}"#),
        (429, ""),
        (404, ""),
    ] {
        let api = FakeApi::start(move |_| (status, body.to_owned())).await;
        let (client, _) = client(&api);
        let account = with_password(None);
        balance::SPEC.fetch(&client, Request::of(&account)).await.unwrap_err();
        for _ in 0..10 {
            let error = balance::SPEC.fetch(&client, Request::of(&account)).await.unwrap_err();
            assert_eq!(error.kind(), "login_postponed");
        }
        assert_eq!(api.asked(LOGIN).len(), 1, "{status} {body}");
    }
}

/// Many loops that find the token expired at once cause one login, and each tries once more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_many_requests_find_expired_is_replaced_once() {
    let logins = AtomicUsize::new(0);
    let dead = Arc::new(Mutex::new(String::new()));
    let is_dead = dead.clone();
    let api = FakeApi::start(move |asked: &Asked| match asked.path.as_str() {
        LOGIN => ok(&format!(r#"{{"token": "t{}"}}"#, logins.fetch_add(1, Ordering::Relaxed))),
        _ if asked.token.as_deref() == Some(is_dead.lock().unwrap().as_str()) => (401, "{}".to_owned()),
        _ => ok("{}"),
    })
    .await;
    let (client, _) = client(&api);
    let (client, account) = (Arc::new(client), Arc::new(with_password(None)));
    balance::SPEC.fetch(&client, Request::of(&account)).await.unwrap();
    "t0".clone_into(&mut dead.lock().unwrap());
    let reads: Vec<_> = (0..30)
        .map(|_| {
            let (client, account) = (client.clone(), account.clone());
            tokio::spawn(async move { workers::SPEC.fetch(&client, Request::of(&account)).await })
        })
        .collect();
    for read in reads {
        read.await.unwrap().unwrap();
    }
    assert_eq!(api.asked(LOGIN).len(), 2);
    let tokens: Vec<_> = api.asked("/1.0/workers").into_iter().filter_map(|asked| asked.token).collect();
    assert_eq!(tokens.iter().filter(|token| *token == "t1").count(), 30, "each is asked once more");
    assert!(tokens.iter().filter(|token| *token == "t0").count() <= 30);
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

#[tokio::test]
async fn a_login_follows_no_redirect() {
    for status in [301, 302, 303, 307, 308] {
        let api = FakeApi::start(move |_| (status, "@location: /1.0/auth/login\n".to_owned())).await;
        let (client, _) = client(&api);
        let error = balance::SPEC.fetch(&client, Request::of(&with_password(Some(TOTP_SECRET)))).await.unwrap_err();
        assert_eq!(error, Error::Redirect { status });
        assert_eq!(api.asked(LOGIN).len(), 1, "{status}");
    }
}

/// The endpoint refuses each token at its second use, as if the session had ended.
#[tokio::test]
async fn an_endpoint_that_needs_new_tokens_stays_within_the_login_budget() {
    let (logins, used) = (AtomicUsize::new(0), Mutex::new(String::new()));
    let api = FakeApi::start(move |asked: &Asked| match (asked.path.as_str(), &asked.token) {
        (LOGIN, _) => ok(&format!(r#"{{"token": "t{}"}}"#, logins.fetch_add(1, Ordering::Relaxed))),
        ("/1.0/workers", Some(token)) => {
            let mut used = used.lock().unwrap();
            if *used == *token {
                (401, "{}".to_owned())
            } else {
                used.clone_from(token);
                ok("{}")
            }
        }
        _ => ok("{}"),
    })
    .await;
    let (client, _) = client(&api);
    let account = with_password(None);
    let mut failed = 0;
    for _ in 0..50 {
        failed += usize::from(workers::SPEC.fetch(&client, Request::of(&account)).await.is_err());
        balance::SPEC.fetch(&client, Request::of(&account)).await.unwrap();
    }
    assert_eq!(api.asked(LOGIN).len(), 10);
    assert_eq!(failed, 40);
    // Beyond the budget, the endpoint waits and sends nothing.
    assert!(api.asked("/1.0/workers").len() <= 21, "{}", api.asked("/1.0/workers").len());
    // A new configuration of the same account has the same budget.
    let other = with_password(None);
    other.take_over(&account);
    workers::SPEC.fetch(&client, Request::of(&other)).await.unwrap_err();
    assert_eq!(api.asked(LOGIN).len(), 10);
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
