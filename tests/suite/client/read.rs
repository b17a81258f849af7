//! Reads: how answers are classified, which failures are retried, and which requests a pause stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use minergate::api::{Account, Error};
use minergate::endpoints::balance::{self, Balance};
use minergate::endpoints::{Request, invoices, profit_rating, transfers, workers};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{account, client, client_with, ok, with_token};
use crate::fake_api::FakeApi;

#[tokio::test]
async fn each_kind_of_failed_answer_has_its_error_kind() {
    let elsewhere = "@location: http://127.0.0.1:1/1.0/balance\n".to_owned();
    for (status, body, kind) in [
        (200, "<html>".to_owned(), "shape"),
        (200, "[1, 2".to_owned(), "shape"),
        (200, r#"{"error": "ApiDiscontinued", "message": ""}"#.to_owned(), "discontinued"),
        (410, r#"{"code": "ApiDiscontinued", "message": ""}"#.to_owned(), "discontinued"),
        (404, String::new(), "not_found"),
        (418, String::new(), "client_error"),
        (429, String::new(), "rate_limited"),
        (503, "<html>".to_owned(), "unavailable"),
        (302, elsewhere, "redirect"),
        (200, format!("[{}]", "1,".repeat(5 << 20)), "too_large"),
    ] {
        let reply = (status, body);
        let api = FakeApi::start(move |_| reply.clone()).await;
        let (client, events) = client(&api);
        let error = balance::SPEC.fetch(&client, Request::of(&with_token())).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(events.lock().unwrap().contains(&format!("balance {kind}")), "{kind}");
    }
}

#[tokio::test]
async fn parts_and_former_paths_are_requested() {
    let api = FakeApi::start(|asked| match asked.path.as_str() {
        "/1.0/transfers/xdn" => ok(r#"[{"cc": "xdn", "amount": "700"}]"#),
        "/1.0/invoices/44872a9e" => ok(r#"{"cc": "bcn", "amount": 100000}"#),
        "/1.0/pool/profitRating" => ok(r#"["btc"]"#),
        _ => (404, String::new()),
    })
    .await;
    let (client, _) = client(&api);
    let account = with_token();
    let transfers = transfers::SPEC.fetch(&client, Request::of(&account).about("xdn")).await.unwrap();
    assert_eq!(transfers.iter().map(|transfer| transfer.amount.get()).collect::<Vec<_>>(), [Some(700.0)]);
    let invoices = invoices::SPEC.fetch(&client, Request::of(&account).about("44872a9e")).await.unwrap();
    assert_eq!(invoices.0.iter().count(), 1);
    assert_eq!(profit_rating::SPEC.fetch(&client, Request::default()).await.unwrap().iter().count(), 1);
}

#[tokio::test]
async fn an_unreachable_api_is_reported() {
    let api = FakeApi::nowhere();
    let (client, _) = client(&api);
    let error = balance::SPEC.fetch(&client, Request::of(&with_token())).await.unwrap_err();
    assert_eq!(error.to_string(), "could not connect: connection refused");
}

#[tokio::test]
async fn an_untrusted_certificate_is_reported() {
    let key = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()).into())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut api = FakeApi::nowhere();
    api.base_url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        while let Ok((stream, _)) = listener.accept().await {
            acceptor.accept(stream).await.ok();
        }
    });
    let (client, _) = client(&api);
    let error = balance::SPEC.fetch(&client, Request::of(&with_token())).await.unwrap_err();
    assert_eq!(error.to_string(), "could not connect: TLS failed; is the certificate valid and its CA trusted?");
}

#[tokio::test]
async fn only_temporary_failures_are_retried() {
    for (status, attempts) in [(500, 3), (502, 3), (503, 3), (400, 1), (404, 1), (200, 1)] {
        let api = FakeApi::start(move |_| (status, "[".to_owned())).await;
        let (client, _) = client(&api);
        balance::SPEC.fetch(&client, Request::of(&with_token())).await.unwrap_err();
        assert_eq!(api.asked("/1.0/balance").len(), attempts, "{status}");
    }
}

#[tokio::test]
async fn a_read_that_succeeds_at_a_retry_is_a_success() {
    let failures = AtomicUsize::new(0);
    let api = FakeApi::start(move |_| match failures.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => (503, String::new()),
        _ => ok(r#"{"xmr": 1}"#),
    })
    .await;
    let (client, events) = client(&api);
    assert_eq!(balance::SPEC.fetch(&client, Request::of(&with_token())).await.unwrap().len(), 1);
    assert_eq!(
        *events.lock().unwrap(),
        ["token", "balance unavailable", "retry", "balance unavailable", "retry", "balance ok"]
    );
}

#[tokio::test]
async fn retries_are_at_most_a_tenth_of_all_requests() {
    let api = FakeApi::start(|_| (500, String::new())).await;
    let (client, _) = client(&api);
    let account = with_token();
    for _ in 0..50 {
        workers::SPEC.fetch(&client, Request::of(&account)).await.unwrap_err();
    }
    // Ten at first, and one for every ten requests.
    let requests = api.asked("/1.0/workers").len();
    assert!((60..=66).contains(&requests), "{requests}");
}

#[tokio::test]
async fn a_pause_that_a_host_asks_for_applies_to_all_accounts() {
    for retry_after in ["@retry-after: 2\n", "@retry-after: Fri, 01 Jan 2100 00:00:00 GMT\n"] {
        let first = AtomicUsize::new(0);
        let api = FakeApi::start(move |_| match first.fetch_add(1, Ordering::Relaxed) {
            0 => (429, retry_after.to_owned()),
            _ => ok("{}"),
        })
        .await;
        let (client, _) = client(&api);
        let read = |account, seconds| {
            let deadline = Some(tokio::time::Instant::now() + Duration::from_secs(seconds));
            balance::SPEC.fetch(&client, Request { account, deadline, ..Request::default() })
        };
        let kind = |result: Result<Balance, Error>| result.unwrap_err().kind();
        let (one, other) = (with_token(), with_token());
        assert_eq!(kind(read(Some(&one), 1).await), "rate_limited");
        let start = tokio::time::Instant::now();
        assert_eq!(kind(read(Some(&other), 1).await), "paused");
        assert_eq!(kind(read(None, 1).await), "paused");
        assert_eq!(api.asked("/1.0/balance").len(), 1, "nothing is sent in the pause");
        if retry_after.contains(": 2") {
            read(Some(&other), 60).await.unwrap();
            assert!(start.elapsed() >= Duration::from_millis(1900), "{:?}", start.elapsed());
        }
    }
}

#[tokio::test]
async fn a_token_follows_no_redirect_to_another_host() {
    let other = FakeApi::start(|_| ok("{}")).await;
    let location = format!("@location: {}/1.0/balance\n", other.base_url);
    let api = FakeApi::start(move |asked| match asked.path.as_str() {
        "/1.0/balance" => (307, location.clone()),
        "/1.0/workers" => (302, "@location: /1.0/moved\n".to_owned()),
        _ => ok("{}"),
    })
    .await;
    let (client, _) = client(&api);
    let account = with_token();
    assert_eq!(balance::SPEC.fetch(&client, Request::of(&account)).await.err(), Some(Error::Redirect { status: 307 }));
    assert!(other.asked("/1.0/balance").is_empty());
    workers::SPEC.fetch(&client, Request::of(&account)).await.unwrap();
    assert_eq!(api.asked("/1.0/moved")[0].token.as_deref(), Some("ready"));
}

/// A loop of redirects is four requests. Each waits for its turn and is counted.
#[tokio::test]
async fn a_redirect_within_the_host_is_a_request() {
    let api = FakeApi::start(|_| (302, "@location: /1.0/balance\n".to_owned())).await;
    let (client, events) = client_with(&api, 4.0);
    let start = tokio::time::Instant::now();
    let error = balance::SPEC.fetch(&client, Request::of(&with_token())).await.unwrap_err();
    assert_eq!(error, Error::Redirect { status: 302 });
    assert_eq!(api.asked("/1.0/balance").len(), 4);
    assert_eq!(events.lock().unwrap().iter().filter(|event| *event == "balance redirect").count(), 4);
    // Four at once, and then four a second.
    balance::SPEC.fetch(&client, Request::of(&with_token())).await.unwrap_err();
    assert!(start.elapsed() >= Duration::from_millis(900), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_503_pauses_only_the_endpoint_of_its_account() {
    let api = FakeApi::start(|asked| match (asked.path.as_str(), asked.token.as_deref()) {
        ("/1.0/workers", Some("ready")) => (503, "@retry-after: 600\n".to_owned()),
        _ => ok("{}"),
    })
    .await;
    let (client, _) = client(&api);
    let (ill, well) = (with_token(), account("other", "well"));
    let deadline = Some(tokio::time::Instant::now() + Duration::from_secs(30));
    let request = |account| Request { deadline, ..Request::of(account) };
    let error = workers::SPEC.fetch(&client, request(&ill)).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().contains("503")), ("unavailable", true));
    assert_eq!(workers::SPEC.fetch(&client, request(&ill)).await.unwrap_err().kind(), "paused");
    assert_eq!(api.asked("/1.0/workers").len(), 1);
    balance::SPEC.fetch(&client, request(&ill)).await.unwrap();
    workers::SPEC.fetch(&client, request(&well)).await.unwrap();
}

#[tokio::test]
async fn three_accounts_with_a_503_pause_the_host() {
    let api = FakeApi::start(|asked| match asked.token.as_deref() {
        Some("well") => ok("{}"),
        _ => (503, "@retry-after: 600\n".to_owned()),
    })
    .await;
    let (client, events) = client(&api);
    let deadline = Some(tokio::time::Instant::now() + Duration::from_secs(30));
    let read = async |account: &Account| {
        let request = Request { deadline, ..Request::of(account) };
        workers::SPEC.fetch(&client, request).await.map(drop).map_err(|error| error.kind())
    };
    let well = account("well", "well");
    for name in ["a", "b", "c"] {
        assert_eq!(read(&well).await, Ok(()), "before {name}");
        assert_eq!(read(&account(name, name)).await, Err("unavailable"));
    }
    assert_eq!(read(&well).await, Err("paused"));
    assert!(events.lock().unwrap().contains(&"paused".to_owned()));
}

/// A server that answers `{}` to everything after a moment, and counts its connections.
async fn connections(delay: Duration) -> (FakeApi, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut api = FakeApi::nowhere();
    api.base_url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while stream.read_buf(&mut head).await.is_ok_and(|bytes| bytes > 0) {
                    if head.ends_with(b"\r\n\r\n") {
                        head.clear();
                        tokio::time::sleep(delay).await;
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
                    }
                }
            });
        }
    });
    (api, count)
}

#[tokio::test]
async fn connections_are_replaced_and_nothing_is_dropped() {
    let (api, count) = connections(Duration::from_millis(500)).await;
    let (client, _) = client(&api);
    let account = with_token();
    let read = || balance::SPEC.fetch(&client, Request::of(&account));
    read().await.unwrap();
    read().await.unwrap();
    assert_eq!(count.load(Ordering::Relaxed), 1, "a connection is used again");
    let (under_way, ()) = tokio::join!(read(), client.renew_connections());
    under_way.unwrap();
    read().await.unwrap();
    assert_eq!(count.load(Ordering::Relaxed), 2, "and no longer after it was to be replaced");
}

/// The deadline stops retries. The first request has the whole timeout, because its answer is of use although it comes late.
#[tokio::test]
async fn a_first_request_may_last_beyond_the_deadline() {
    let (api, count) = connections(Duration::from_millis(500)).await;
    let (client, _) = client(&api);
    let deadline = Some(tokio::time::Instant::now() + Duration::from_millis(100));
    let account = with_token();
    balance::SPEC.fetch(&client, Request { deadline, ..Request::of(&account) }).await.unwrap();
    assert_eq!(count.load(Ordering::Relaxed), 1);
}
