//! Wallets and pools over a reload: changed ones start anew, unchanged ones go on.

use std::path::Path;
use std::thread;
use std::time::Duration;

use super::fake_pool::{FakePool, cryptonote, nodejs};
use super::{ADDRESS, all_up, loops, monero, poll, pool, rig, scrape, write};
use crate::fake_api::Reply;
use crate::process::{Process, daemon, simulator, wait};

const OTHER: &str = "4Abc";

/// Changes the configuration, and waits until the daemon has it.
fn reload(daemon: &Process, directory: &Path, parts: &[&str]) {
    write(directory, parts);
    let before = daemon.output().matches("configuration reloaded").count();
    daemon.signal("HUP");
    wait("the reload", || (daemon.output().matches("configuration reloaded").count() > before).then_some(()));
}

/// The account's hashrate, which tells the wallets apart.
fn hashrate(url: &str, account: &str) -> Option<f64> {
    scrape(url).get(&format!("minergate_workers_hashrate_hashes_per_second{{account=\"{account}\",currency=\"xmr\"}}"))
}

/// A pool with two wallets of different hashrates.
fn two_wallets() -> FakePool {
    FakePool::start(|path| match path {
        path if path.contains(OTHER) && path.ends_with("/allWorkers") => Reply::new(200, r#"{"global": {"hash": 7}}"#),
        path => nodejs(path),
    })
}

#[test]
fn unchanged_wallets_are_not_polled_again() {
    let (fake, other) = (two_wallets(), FakePool::start(cryptonote));
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, simulated) = simulator(directory.path(), &["--accounts", "1"]);
    let api = std::fs::read_to_string(simulated).unwrap();
    // No second poll is due while the test runs.
    let endpoints = ["workers", "mining_stats", "balance", "withdrawals", "nickname", "status", "top_hashrate"];
    let polls = poll("1h", &endpoints);
    let (pool_a, pool_b) =
        (monero(&fake, "max_age = \"1s\""), pool("b", "cryptonote-nodejs-pool", "aeon", &other, "block_time = \"4m\""));
    let (a, b) = (rig("a", ADDRESS), "[[accounts]]\nname = \"b\"\nwallets = { b = \"WmAbc\" }\n");
    let config = write(directory.path(), &[&api, &pool_a, &pool_b, &polls, &a, b]);
    let (daemon, url) = daemon(&config, &[]);
    let count = || (fake.asked().len(), other.asked().len());
    let times = || -> Vec<(String, f64)> {
        let shown = scrape(&url);
        let of_wallets = shown.of_family("minergate_endpoint_last_success_timestamp_seconds", "a");
        of_wallets.map(|(series, time)| (series.to_owned(), time)).collect()
    };
    let is_whole = || {
        let shown = scrape(&url);
        let networks = loops(&shown).iter().filter(|(labels, _)| labels.starts_with("account=,endpoint=status")).count();
        (all_up(&shown) && networks >= 2).then_some(())
    };
    wait("everything", is_whole);
    let (asked, before) = (count(), times());
    // Reloads with no change, another account, another timeout of the API, another limit of the other pool.
    reload(&daemon, directory.path(), &[&api, &pool_a, &pool_b, &polls, &a, b]);
    let more = rig("c", OTHER);
    reload(&daemon, directory.path(), &[&api, &pool_a, &pool_b, &polls, &a, b, &more]);
    wait("the new account", || scrape(&url).is_up("c").then_some(()));
    let slower = api.replace("[api]\n", "[api]\ntimeout = \"9s\"\n");
    reload(&daemon, directory.path(), &[&slower, &pool_a, &pool_b, &polls, &a, b, &more]);
    assert!(times() == before && is_whole().is_some());
    let pool_b = pool_b.replace("burst = 1000", "burst = 999");
    reload(&daemon, directory.path(), &[&slower, &pool_a, &pool_b, &polls, &a, b, &more]);
    wait("the changed pool's polls", || (other.asked().len() > asked.1).then_some(()));
    wait("everything", is_whole);
    // Of the new account: stats, workers, payments, threshold.
    assert_eq!((fake.asked().len() - fake.count(OTHER), fake.count(OTHER)), (asked.0, 4));
    assert_eq!(times(), before, "the loops of the account went on");
    // The account is removed, and with it all its samples.
    reload(&daemon, directory.path(), &[&slower, &pool_a, &pool_b, &polls, b, &more]);
    let of_a = || scrape(&url).0.into_keys().filter(|series| series.contains("account=\"a\"")).count();
    wait("its end", || (of_a() == 0).then_some(()));
    assert!(scrape(&url).is_up("c") && hashrate(&url, "c") == Some(7.0));
}

#[test]
fn a_changed_address_removes_the_samples_of_the_old_wallet() {
    // The new wallet gets no answer while the test runs.
    let fake = FakePool::start(|path| {
        let wait = if path.contains(OTHER) { Duration::from_secs(3600) } else { Duration::ZERO };
        nodejs(path).after(wait)
    });
    let directory = tempfile::tempdir().unwrap();
    let pool = monero(&fake, "timeout = \"10m\"");
    let config = write(directory.path(), &[&pool, &rig("rig", ADDRESS)]);
    let (daemon, url) = daemon(&config, &[]);
    wait("the first wallet", || all_up(&scrape(&url)).then_some(()));
    assert_eq!(hashrate(&url, "rig"), Some(7512.25));
    // With only the pool changed, the wallet's values stay until there are new ones.
    let pool = pool.replace("burst = 1000", "burst = 999");
    reload(&daemon, directory.path(), &[&pool, &rig("rig", ADDRESS)]);
    assert_eq!(hashrate(&url, "rig"), Some(7512.25));
    reload(&daemon, directory.path(), &[&pool, &rig("rig", OTHER)]);
    wait("the new wallet's request", || (fake.count(OTHER) > 0).then_some(()));
    let shown = scrape(&url);
    let left: Vec<&String> = shown.0.keys().filter(|series| series.contains("rig") && series.contains("xmr")).collect();
    assert!(left.iter().all(|series| series.starts_with("minergate_endpoint_")), "{left:#?}");
    assert!(!shown.is_up("rig"));
}

#[test]
fn a_pause_survives_a_reload_and_a_changed_limit() {
    let fake = FakePool::start(|_| Reply::new(429, "").header("retry-after", "600"));
    let directory = tempfile::tempdir().unwrap();
    let polls = poll("1s", &["workers", "mining_stats", "balance"]);
    let pool = monero(&fake, "max_age = \"1s\"\nconcurrency = 1");
    let config = write(directory.path(), &[&pool, &polls, &rig("rig", ADDRESS)]);
    let (daemon, url) = daemon(&config, &[]);
    let pause = || scrape(&url).get("minergate_api_paused_until_timestamp_seconds");
    wait("the pause", pause);
    let asked = fake.asked().len();
    let skipped = || scrape(&url).get("minergate_api_polls_skipped_total{endpoint=\"workers\"}").unwrap_or_default();
    for pool in [pool.clone(), pool.replace("concurrency = 1", "concurrency = 2\nrequests_per_second = 7")] {
        let before = skipped();
        reload(&daemon, directory.path(), &[&pool, &polls, &rig("rig", ADDRESS), &rig("other", OTHER)]);
        // The polls that are due after the reload are skipped.
        wait("a poll that is not sent", || (skipped() > before || pool.contains("concurrency = 1")).then_some(()));
        thread::sleep(Duration::from_millis(500));
        assert_eq!(fake.asked().len(), asked);
    }
    assert!(pause().is_some());
}

#[test]
fn a_wallet_that_moves_to_another_pool_is_polled_there() {
    let (first, second) = (FakePool::start(|_| Reply::new(500, "")), FakePool::start(nodejs));
    let directory = tempfile::tempdir().unwrap();
    let both = [monero(&first, ""), monero(&second, "").replace("\"fake\"", "\"second\"")].concat();
    let (at_first, at_second) = (rig("rig", ADDRESS), rig("rig", ADDRESS).replace("fake", "second"));
    // The first pool's network is not part of this test.
    let polls = poll("off", &["status"]);
    let config = write(directory.path(), &[&both, &polls, &at_first]);
    let (daemon, url) = daemon(&config, &[]);
    let downs = || daemon.output().matches("account down").count();
    wait("the failure", || (downs() == 1).then_some(()));
    reload(&daemon, directory.path(), &[&both, &polls, &at_second]);
    wait("its end", || scrape(&url).is_up("rig").then_some(()));
    let asked = first.asked().len();
    assert_eq!(hashrate(&url, "rig"), Some(7512.25));
    reload(&daemon, directory.path(), &[&both, &polls, &at_first]);
    wait("the failure", || (first.asked().len() > asked).then_some(()));
    // It fails anew, and is logged anew.
    wait("the second line", || (downs() == 2).then_some(()));
    assert_eq!(hashrate(&url, "rig"), None, "values of the other pool are not shown");
}

#[test]
fn an_account_that_moves_from_the_api_to_a_wallet_leaves_nothing_of_the_api() {
    let fake = FakePool::start(nodejs);
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, simulated) = simulator(directory.path(), &["--accounts", "1"]);
    let api = std::fs::read_to_string(simulated).unwrap();
    let (section, account) = api.split_once("[[accounts]]").unwrap();
    let (at_api, pool) = (format!("[[accounts]]{account}"), monero(&fake, ""));
    let config = write(directory.path(), &[section, &pool, &at_api]);
    let (daemon, url) = daemon(&config, &[]);
    let has = |family: &str| scrape(&url).of_family(family, "farm-1").count() > 0;
    wait("the account at the API", || (scrape(&url).is_up("farm-1") && has("minergate_auth_logins_total")).then_some(()));
    assert!(has("minergate_transfers") && has("minergate_auth_blocked"));
    // With `[api]` and without it.
    for section in [section, ""] {
        reload(&daemon, directory.path(), &[section, &pool, &rig("farm-1", ADDRESS)]);
        let shown = wait("the wallet", || {
            let shown = scrape(&url);
            (shown.is_up("farm-1") && hashrate(&url, "farm-1") == Some(7512.25)).then_some(shown)
        });
        let of_api = |series: &&String| {
            let is_own = series.contains("account=\"farm-1\"");
            let is_of_wallet = series.contains("currency=\"xmr\"")
                || ["minergate_up{", "minergate_account_info{"].iter().any(|own| series.starts_with(own));
            is_own && !is_of_wallet
        };
        assert_eq!(shown.0.keys().filter(of_api).collect::<Vec<_>>(), [""; 0]);
        let has_rank = shown.0.keys().any(|series| series.starts_with("minergate_pool_profit_rank"));
        assert_eq!(has_rank, !section.is_empty());
    }
    let asked = fake.asked().len();
    reload(&daemon, directory.path(), &[section, &pool, &at_api]);
    wait("the account at the API", || (scrape(&url).is_up("farm-1") && has("minergate_transfers")).then_some(()));
    assert!(has("minergate_auth_blocked") && !has("minergate_worker_shares_total"));
    assert_eq!(fake.asked().len(), asked);
}
