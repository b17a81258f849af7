//! Tokens: one that has expired is replaced once, and one that is refused causes few logins.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use minergate::endpoints::{Request, balance, workers};

use super::{LOGIN, client, ok, with_password, with_token};
use crate::fake_api::{Asked, FakeApi};

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
