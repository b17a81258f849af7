//! Logins: one at a time, not too often, and none after a refusal.

use std::sync::Arc;

use minergate::api::{Account, Blocked, Error, Secret};
use minergate::endpoints::{Request, balance, workers};
use serde_json::json;

use super::{LOGIN, TOTP_SECRET, client, credentials, ok, with_files, with_password};
use crate::fake_api::FakeApi;

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
