//! Requests to pools: their number, their order, and that polls share answers.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

use super::fake_pool::{FakePool, nodejs};
use super::{ADDRESS, all_up, monero, poll, rig, scrape, write};
use crate::fake_api::Reply;
use crate::process::{daemon, get, wait};

/// The address in a path, if there is one.
fn address(path: &str) -> Option<&str> {
    let mut parts = path.split('/').skip(1);
    parts.next().filter(|first| ["miner", "user"].contains(first)).and(parts.next())
}

#[test]
fn a_hundred_wallets_are_polled_in_the_order_of_the_file_and_within_the_limit() {
    const RATE: f64 = 50.0;
    const BURST: f64 = 5.0;
    let fake = FakePool::start(nodejs);
    // The order of the file is not the order of the names.
    let names: Vec<String> = (0..100).map(|i| format!("rig-{:02}", 99 - i)).collect();
    let accounts: String = names.iter().map(|name| rig(name, &format!("4Abc{}", name.trim_start_matches("rig-")))).collect();
    let pool = monero(&fake, &format!("requests_per_second = {RATE}\nconcurrency = 1")).replace("burst = 1000", "burst = 5");
    let directory = tempfile::tempdir().unwrap();
    let config = write(directory.path(), &[&pool, &accounts]);
    let start = Instant::now();
    let (_daemon, url) = daemon(&config, &[]);
    wait("all values", || all_up(&scrape(&url)).then_some(()));
    let asked = fake.asked();
    // A request arrives after it was sent, so a slow machine can not break the limit.
    for (before, one) in asked.iter().enumerate() {
        let allowed = BURST + RATE * one.began.duration_since(start).as_secs_f64();
        let number = f64::from(u32::try_from(before + 1).unwrap());
        assert!(number <= allowed, "{number} requests where {allowed} are allowed");
    }
    let first = asked.iter().filter(|one| one.path.ends_with("/allWorkers")).filter_map(|one| address(&one.path)).take(100);
    let expected: Vec<String> = names.iter().map(|name| format!("4Abc{}", name.trim_start_matches("rig-"))).collect();
    assert_eq!(first.collect::<Vec<_>>(), expected);
    let shown = scrape(&url);
    assert!(names.iter().all(|name| shown.is_up(name)));
}

#[test]
fn one_answer_serves_all_endpoints_and_polls_within_its_age() {
    let fake = FakePool::start(nodejs);
    let directory = tempfile::tempdir().unwrap();
    let endpoints = ["workers", "mining_stats", "balance", "withdrawals", "nickname", "status"];
    let pool = monero(&fake, "max_age = \"1h\"");
    // Two accounts with the same wallet.
    let config = write(directory.path(), &[&pool, &poll("1s", &endpoints), &rig("a", ADDRESS), &rig("b", ADDRESS)]);
    let (daemon, url) = daemon(&config, &["--log.level", "debug"]);
    wait("many polls", || (daemon.output().matches("message=polled").count() > 60).then_some(()));
    let mut paths: Vec<String> = fake.asked().into_iter().map(|one| one.path).collect();
    paths.sort();
    let of_wallet =
        ["/payments?page=0&limit=100", "/stats", "/stats/allWorkers"].map(|rest| format!("/miner/{ADDRESS}{rest}"));
    let mut expected = of_wallet.to_vec();
    expected.extend(["/network/stats".to_owned(), format!("/user/{ADDRESS}")]);
    assert_eq!(paths, expected);
    let shown = scrape(&url);
    assert!(all_up(&shown));
    // There are no requests to an API, as none is configured.
    let hosts: Vec<&str> =
        shown.0.keys().filter_map(|series| series.strip_prefix("minergate_api_request_duration_seconds_count")).collect();
    assert_eq!(hosts, ["{pool=\"fake\"}"]);
    assert!(!shown.0.keys().any(|series| series.contains("profit_rating\",currency")), "no loop of the API is expected");
}

#[test]
fn a_wallet_has_one_request_in_flight_at_a_time() {
    let fake = FakePool::start(|path| nodejs(path).after(Duration::from_millis(30)));
    let directory = tempfile::tempdir().unwrap();
    let polls = poll("1s", &["workers", "mining_stats", "balance", "withdrawals"]);
    let accounts: String = (0..5).map(|i| rig(&format!("rig-{i}"), &format!("4Abc{i}"))).collect();
    let pool = monero(&fake, "requests_per_second = 1000\nconcurrency = 100\nmax_age = \"1s\"");
    let config = write(directory.path(), &[&pool, &polls, &accounts]);
    let (_daemon, _) = daemon(&config, &[]);
    wait("many requests", || (fake.asked().len() > 100).then_some(()));
    let mut last: BTreeMap<String, Instant> = BTreeMap::new();
    let mut at_once = 0;
    let mut previous: Option<Instant> = None;
    for one in fake.asked() {
        let Some(ended) = one.ended else { continue };
        at_once += usize::from(previous.is_some_and(|previous| previous > one.began));
        previous = Some(ended);
        if let Some(before) = address(&one.path).and_then(|address| last.insert(address.to_owned(), ended)) {
            assert!(before <= one.began, "two at once: {}", one.path);
        }
    }
    assert!(at_once > 0, "different wallets do not wait for each other");
}

#[test]
fn networks_come_from_the_first_pool_of_a_currency_else_from_the_api() {
    let (first, second, api) = (
        FakePool::start(nodejs),
        FakePool::start(nodejs),
        FakePool::start(|path| match path {
            "/1.0/bcn/status" => Reply::new(200, r#"{"height": 7}"#),
            "/1.0/pool/top/hashrate" => Reply::new(200, r#"{"xmr": [{"hashrate": 1}], "bcn": [{"hashrate": 2}]}"#),
            _ => Reply::new(200, "[]"),
        }),
    );
    let directory = tempfile::tempdir().unwrap();
    let pools = [monero(&first, ""), monero(&second, "").replace("\"fake\"", "\"second\"")].concat();
    let account = format!("[[accounts]]\nname = \"rig\"\nwallets = {{ second = \"{ADDRESS}\" }}\n");
    for has_api in [true, false] {
        let (top, section) = if has_api {
            ("currencies = [\"xmr\", \"bcn\"]\n", format!("[api]\nbase_url = \"{}\"\n", api.url))
        } else {
            ("", String::new())
        };
        let asked_before = api.asked().len();
        let config = write(directory.path(), &[top, &section, &pools, &account]);
        let (_daemon, url) = daemon(&config, &[]);
        let shown = wait("all loops", || {
            let shown = scrape(&url);
            let has_network = shown.get("minergate_network_block_height{currency=\"xmr\"}").is_some();
            (all_up(&shown) && has_network).then_some(shown)
        });
        let height = |code: &str| shown.get(&format!("minergate_network_block_height{{currency=\"{code}\"}}"));
        assert_eq!([height("xmr"), height("bcn")], [Some(3_551_200.0), has_api.then_some(7.0)]);
        // The pool has no top miners of xmr. Those of the API are of another pool, and are not used.
        let top = |code: &str| {
            shown.get(&format!("minergate_pool_top_hashrate_hashes_per_second{{currency=\"{code}\",rank=\"1\"}}"))
        };
        assert_eq!([top("xmr"), top("bcn")], [None, has_api.then_some(2.0)]);
        assert!(first.count("/network/stats") > 0 && first.count(ADDRESS) == 0);
        assert!(second.count("/network/stats") == 0 && second.count(ADDRESS) > 0);
        assert_eq!(api.count("xmr"), 0);
        thread::sleep(Duration::from_millis(100));
        assert_eq!(api.asked().len() > asked_before, has_api);
        assert_eq!(get(&format!("{url}/-/healthy"), &[]).status, 200);
    }
}
