//! Tests of a pool over a socket: which requests it gets, how often, and how its answers are read.

use std::sync::Mutex;

use minergate::endpoints::find;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const ADDRESS: &str = "4MadeUpWalletOfNobodyAddress";
const HOUR: Duration = Duration::from_secs(3600);

const WORKERS: &str = include_str!("../software/nodejs_pool/all_workers.json");
const STATS: &str = include_str!("../software/nodejs_pool/stats.json");
const STATS_ADDRESS: &str = include_str!("../software/cryptonote_nodejs_pool/stats_address.json");
const TOP10: &str = include_str!("../software/cryptonote_nodejs_pool/top10.json");
const ACCOUNTS: &str = include_str!("../software/open_ethereum_pool/accounts.json");

/// Status, further headers and body of an answer to a path.
type Respond = fn(&str) -> (u16, &'static str, String);

/// A server that records its requests.
struct FakePool {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl FakePool {
    async fn start(respond: Respond) -> FakePool {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, log.clone(), respond));
            }
        });
        FakePool { url, asked }
    }

    /// The requested paths, in order.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn pool(&self, software: &str, max_age: Duration) -> Arc<Pool> {
        pool(&self.url, software, max_age)
    }
}

async fn serve(mut stream: TcpStream, log: Arc<Mutex<Vec<String>>>, respond: Respond) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.is_ok_and(|bytes| bytes > 0) {}
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap();
    log.lock().unwrap().push(path.to_owned());
    let (status, headers, body) = respond(path);
    let length = body.len();
    let answer = format!("HTTP/1.1 {status} A\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}");
    // The client may have gone.
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn pool(url: &str, software: &str, max_age: Duration) -> Arc<Pool> {
    let software = Software::find(software).unwrap();
    let http = api::Settings {
        requests_per_second: 10_000.0,
        burst: Some(10_000.0),
        concurrency: Settings::CONCURRENCY,
        ..api::Settings::new(api::parse_base_url(url).unwrap())
    };
    let (name, currency) = ("pool".into(), "xmr".into());
    let settings = Settings { name, software, currency, decimals: 12, block_time: Duration::from_secs(120), max_age, http };
    Arc::new(Pool::new(settings, Arc::new(|_| ())).unwrap())
}

fn wallet(pool: &Arc<Pool>, address: &str) -> Wallet {
    pool.wallet("rig".into(), Secret::Value(address.into()))
}

async fn ask(wallet: &Wallet, endpoint: &str) -> api::Result<Answer> {
    // The deadline is now, so that nothing is retried.
    wallet.answer(find(endpoint).unwrap(), Some(Instant::now())).await
}

fn ok(body: impl Into<String>) -> (u16, &'static str, String) {
    (200, "", body.into())
}

fn nodejs(path: &str) -> (u16, &'static str, String) {
    match path {
        path if path.ends_with("/stats/allWorkers") => ok(WORKERS),
        path if path.ends_with("/stats") => ok(STATS),
        _ => (404, "", "<html>".to_owned()),
    }
}

#[tokio::test]
async fn one_answer_is_used_by_all_calls_within_its_age() {
    let fake = FakePool::start(nodejs).await;
    let pool = fake.pool("nodejs-pool", HOUR);
    let (wallet, same) = (wallet(&pool, ADDRESS), wallet(&pool, ADDRESS));
    let before = SystemTime::now();
    let (workers, again, stats, balance) =
        tokio::join!(ask(&wallet, "workers"), ask(&same, "workers"), ask(&wallet, "mining_stats"), ask(&same, "balance"));
    let (workers, again, stats) = (workers.unwrap(), again.unwrap(), stats.unwrap());
    assert!(workers.time >= before && workers.time == again.time && stats.time <= balance.unwrap().time);
    assert_eq!(workers.json, again.json);
    assert!(stats.json.contains("7512.25"));
    // A path that the pool does not have is not requested again either.
    ask(&same, "mining_stats").await.unwrap();
    let mut asked = fake.asked();
    asked.sort();
    let user = format!("/user/{ADDRESS}");
    assert_eq!(asked, [format!("/miner/{ADDRESS}/stats"), format!("/miner/{ADDRESS}/stats/allWorkers"), user]);
}

#[tokio::test]
async fn an_old_answer_is_asked_for_again() {
    let fake = FakePool::start(nodejs).await;
    let wallet = wallet(&fake.pool("nodejs-pool", Duration::ZERO), ADDRESS);
    let (first, second) = (ask(&wallet, "balance").await.unwrap(), ask(&wallet, "balance").await.unwrap());
    assert!(first.time < second.time);
    assert_eq!(fake.asked().len(), 2);
}

#[tokio::test]
async fn paths_of_the_pool_are_requested_once_for_all_wallets() {
    let fake = FakePool::start(|path| ok(if path.contains("top10") { TOP10 } else { STATS_ADDRESS })).await;
    let pool = fake.pool("cryptonote-nodejs-pool", HOUR);
    for address in ["a1", "a2", "a3"] {
        ask(&wallet(&pool, address), "workers").await.unwrap();
    }
    let top = pool.answer(find("top_hashrate").unwrap(), None).await.unwrap();
    assert_eq!(top.json, r#"{"xmr":[{"hashrate":190830},{"hashrate":4810}]}"#);
    assert_eq!(fake.asked().iter().filter(|path| *path == "/get_top10miners").count(), 1);
    assert_eq!(fake.asked().len(), 4);
}

#[tokio::test]
async fn each_fault_of_a_pool_has_its_error_without_text_from_the_pool() {
    let faults: [(Respond, &str); 8] = [
        (|path| ok(format!("{{\"error\":\"Not found\",\"path\":\"{path}\"}}")), "wallet_unknown"),
        (|path| ok(format!("{{\"error\":\"{path}\"}}")), "api_error"),
        (|path| ok(format!("<html>{path}</html>")), "shape"),
        (|_| ok(&STATS[..99]), "shape"),
        (|path| (200, "transfer-encoding: chunked\r\n", path.to_owned()), "broken"),
        (|path| (404, "", format!("<html>{path}</html>")), "not_found"),
        (|path| (403, "", format!("<html>{path}</html>")), "client_error"),
        (|_| (500, "", String::new()), "server_error"),
    ];
    for (respond, kind) in faults {
        let fake = FakePool::start(respond).await;
        let wallet = wallet(&fake.pool("nodejs-pool", HOUR), ADDRESS);
        let error = ask(&wallet, "balance").await.unwrap_err();
        assert_eq!(error.kind(), kind);
        let printed = format!("{error} {error:?}");
        assert!(!printed.contains(ADDRESS) && !printed.contains("/miner"), "{printed}");
    }
}

#[tokio::test]
async fn an_error_is_shared_by_calls_that_wait_and_then_requested_again() {
    let fake = FakePool::start(|_| (500, "", String::new())).await;
    let wallet = wallet(&fake.pool("nodejs-pool", HOUR), ADDRESS);
    let (first, second) = tokio::join!(ask(&wallet, "balance"), ask(&wallet, "balance"));
    assert_eq!((first.unwrap_err(), second.unwrap_err()), (Error::Server { status: 500 }, Error::Server { status: 500 }));
    assert_eq!(fake.asked().len(), 1);
    ask(&wallet, "balance").await.unwrap_err();
    assert_eq!(fake.asked().len(), 2);
}

#[tokio::test]
async fn a_pool_that_asks_for_a_pause_is_left_alone() {
    let fake = FakePool::start(|_| (429, "retry-after: 1000\r\n", String::new())).await;
    let pool = fake.pool("nodejs-pool", HOUR);
    assert_eq!(ask(&wallet(&pool, "a1"), "balance").await.unwrap_err().kind(), "rate_limited");
    assert_eq!(ask(&wallet(&pool, "a2"), "workers").await.unwrap_err().kind(), "paused");
    let status = pool.answer(find("status").unwrap(), Some(Instant::now())).await;
    assert_eq!(status.unwrap_err().kind(), "paused");
    let other = pool.reconfigured(pool.settings().clone()).unwrap();
    let status = other.answer(find("status").unwrap(), Some(Instant::now())).await;
    assert_eq!(status.unwrap_err().kind(), "paused", "a reload does not forget it");
    assert_eq!(fake.asked().len(), 1);
}

#[tokio::test]
async fn an_address_can_not_leave_its_place() {
    let fake = FakePool::start(nodejs).await;
    for (software, begin, end) in [
        ("nodejs-pool", "/miner/", "/stats"),
        ("cryptonote-nodejs-pool", "/stats_address?address=", "&longpoll=false"),
        ("open-ethereum-pool", "/api/accounts/", ""),
    ] {
        let pool = fake.pool(software, HOUR);
        for address in ["a.b", "a..b", "a+b", "a:b", "a_b-c", " a.b\n"] {
            let _ = ask(&wallet(&pool, address), "balance").await;
            let asked = fake.asked().pop().unwrap();
            let middle =
                asked.strip_prefix(begin).and_then(|rest| rest.strip_suffix(end)).unwrap_or_else(|| panic!("{asked}"));
            assert!(middle.bytes().all(|b| b.is_ascii_alphanumeric() || b"%-_".contains(&b)), "{asked}");
        }
        let before = fake.asked().len();
        // A text that is not an address is not sent.
        for none in
            ["../../a", "a/../b", "a?b=c", "a#b", "a&address=b", "%2e%2e", "a\\b", "a b", "é", "{address}", ".", "..", ""]
        {
            assert_eq!(ask(&wallet(&pool, none), "balance").await.unwrap_err(), Error::WalletUnknown, "{none}");
        }
        assert_eq!(fake.asked().len(), before);
    }
}

#[tokio::test]
async fn the_url_may_end_with_what_all_paths_begin_with() {
    let fake = FakePool::start(|_| ok(ACCOUNTS)).await;
    for (end, path) in [
        ("", "/api/accounts/0x7"),
        ("/", "/api/accounts/0x7"),
        ("/api/", "/api/accounts/0x7"),
        ("/etc", "/etc/api/accounts/0x7"),
    ] {
        let pool = pool(&format!("{}{end}", fake.url), "open-ethereum-pool", HOUR);
        ask(&wallet(&pool, "0x7"), "balance").await.unwrap();
        assert_eq!(fake.asked().pop().unwrap(), path);
    }
    let missing = FakePool::start(|_| (404, "", String::new())).await;
    let pool = missing.pool("open-ethereum-pool", HOUR);
    assert_eq!(ask(&wallet(&pool, "0x7"), "workers").await.unwrap_err(), Error::WalletUnknown);
}

#[tokio::test]
async fn endpoints_that_can_not_be_filled_are_not_asked_for() {
    let fake = FakePool::start(nodejs).await;
    let pool = fake.pool("nodejs-pool", HOUR);
    let wallet = wallet(&pool, ADDRESS);
    for endpoint in ["transfers", "status"] {
        assert_eq!(ask(&wallet, endpoint).await.unwrap_err(), Error::NotFound);
    }
    for endpoint in ["top_hashrate", "workers"] {
        assert_eq!(pool.answer(find(endpoint).unwrap(), None).await.unwrap_err(), Error::NotFound);
    }
    assert_eq!(ask(&wallet, "nickname").await.unwrap().json, "\"rig\"");
    assert_eq!(fake.asked(), [""; 0]);
}

#[tokio::test]
async fn an_address_in_a_file_is_read_when_it_is_needed() {
    let fake = FakePool::start(nodejs).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("address");
    let secret = Secret::File { name: "the wallet file", path: path.clone() };
    let wallet = fake.pool("nodejs-pool", HOUR).wallet("rig".into(), secret);
    let error = ask(&wallet, "balance").await.unwrap_err();
    assert!(matches!(error, Error::SecretFile { .. }), "{error}");
    std::fs::write(path, format!("{ADDRESS}\n")).unwrap();
    ask(&wallet, "balance").await.unwrap();
    assert_eq!(fake.asked(), [format!("/miner/{ADDRESS}/stats")]);
}

#[tokio::test]
async fn wallets_can_be_used_in_tasks() {
    let fake = FakePool::start(nodejs).await;
    let pool = fake.pool("nodejs-pool", HOUR);
    let wallet = Arc::new(wallet(&pool, ADDRESS));
    let balance = tokio::spawn({
        let wallet = wallet.clone();
        async move { ask(&wallet, "balance").await.is_ok() }
    });
    let payments = tokio::spawn(async move { wallet.payments_all(None).await.is_err() });
    let status = tokio::spawn(async move { pool.answer(find("status").unwrap(), None).await.is_ok() });
    assert!(balance.await.unwrap() && payments.await.unwrap() && status.await.unwrap());
}

/// The amounts of withdrawals, as they are written.
fn amounts(json: &str) -> Vec<&str> {
    json.split("\"amount\":").skip(1).filter_map(|rest| rest.split(',').next()).collect()
}

#[tokio::test]
async fn payments_of_all_pages_are_read() {
    let fake = FakePool::start(|path| {
        let payments = |range: std::ops::Range<u64>| {
            let payments: Vec<_> = range.map(|i| format!(r#"{{"ts":{},"amount":{i}}}"#, 9000 - i)).collect();
            ok(format!("[{}]", payments.join(",")))
        };
        match path.split_once("page=").and_then(|(_, page)| page.strip_suffix("&limit=100")) {
            Some("0") => payments(1..101),
            Some("1") => payments(101..201),
            Some("2") => payments(201..251),
            Some(_) => (500, "", String::new()),
            None => nodejs(path),
        }
    })
    .await;
    let wallet = wallet(&fake.pool("nodejs-pool", HOUR), ADDRESS);
    let all = wallet.payments_all(None).await.unwrap();
    let amounts = amounts(&all.json);
    assert_eq!((amounts.len(), amounts[0], amounts[249]), (250, "0.000000000001", "0.00000000025"));
    assert_eq!(fake.asked().len(), 4, "the wallet and three pages");
}

#[tokio::test]
async fn a_page_that_comes_again_is_the_last() {
    let fake = FakePool::start(|path| {
        let page = vec![r#"{"ts":1,"amount":1}"#; 100].join(",");
        if path.contains("payments") { ok(format!("[{page}]")) } else { nodejs(path) }
    })
    .await;
    let wallet = wallet(&fake.pool("nodejs-pool", HOUR), ADDRESS);
    let all = wallet.payments_all(None).await.unwrap();
    assert_eq!((amounts(&all.json).len(), fake.asked().len()), (100, 3));
}

#[tokio::test]
async fn older_payments_follow_the_oldest_of_the_page_before() {
    let fake = FakePool::start(|path| match path.split_once("time=").and_then(|(_, rest)| rest.split('&').next()) {
        None => ok(STATS_ADDRESS),
        Some("1763300118") => ok(r#"["tx:3000000000000:1:16","1700000001","tx:4000000000000:1:16","1700000000"]"#),
        Some("1700000000") => ok("[]"),
        Some(_) => (500, "", String::new()),
    })
    .await;
    let wallet = wallet(&fake.pool("cryptonote-nodejs-pool", HOUR), ADDRESS);
    let all = wallet.payments_all(None).await.unwrap();
    assert_eq!(amounts(&all.json), ["0.5", "0.75", "3", "4"]);
    assert_eq!(fake.asked().len(), 3);
}

#[tokio::test]
async fn payments_without_pages_are_those_of_the_wallet() {
    let fake = FakePool::start(|_| ok(ACCOUNTS)).await;
    let wallet = wallet(&fake.pool("open-ethereum-pool", HOUR), "0x7");
    let all = wallet.payments_all(None).await.unwrap();
    assert_eq!((amounts(&all.json).len(), fake.asked().len()), (2, 1));
}

proptest! {
    #[test]
    fn a_filled_path_has_the_shape_of_its_template(address in any::<String>()) {
        for software in crate::SOFTWARES {
            for path in software.endpoints.iter().flat_map(|endpoint| software.paths(endpoint)) {
                let shape = |path: &str| path.chars().filter(|c| "/?&=#.\\".contains(*c)).collect::<String>();
                prop_assert_eq!(shape(&fill(path, &address)), shape(path));
            }
        }
    }
}
