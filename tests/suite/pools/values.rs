//! The samples of wallets: their values are those of the pool's answers, and there are no others.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::fake_pool::{self, FakePool};
use super::{ADDRESS, all_up, loops, pool, scrape, write};
use crate::process::{daemon, get, simulator, wait};
use crate::scrape::{Format, Scrape, label};

/// Prefixes of the exporter's own metrics.
const OWN: &[&str] =
    &["minergate_up", "minergate_endpoint_", "minergate_api_", "minergate_auth_", "minergate_exporter_", "process_"];

/// All samples but those of the exporter's own metrics.
fn samples(scrape: Scrape) -> BTreeMap<String, f64> {
    scrape.0.into_iter().filter(|(series, _)| !OWN.iter().any(|own| series.starts_with(own))).collect()
}

/// Panics unless both have the same series with the same values, but for the rounding of sums.
fn assert_same(shown: &BTreeMap<String, f64>, expected: &BTreeMap<String, f64>) {
    let is_same = |series: &String| match (shown.get(series), expected.get(series)) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * b.abs(),
        _ => false,
    };
    let wrong = shown.keys().chain(expected.keys()).filter(|series| !is_same(series));
    let wrong: Vec<_> = wrong.map(|series| (series, shown.get(series), expected.get(series))).collect();
    assert!(wrong.is_empty(), "series, shown, expected: {wrong:#?}");
}

/// A number, with or without quotes.
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

/// Coins of an amount in piconero. The text is split to be exact, as the exporter is.
fn monero(value: &Value) -> f64 {
    let digits = format!("{:013}", value.as_u64().unwrap());
    let (coins, rest) = digits.split_at(digits.len() - 12);
    format!("{coins}.{rest}").parse().unwrap()
}

/// The expected samples of a wallet, from the answers of its nodejs-pool.
fn expected(account: &str, ask: impl Fn(&str) -> Value) -> BTreeMap<String, f64> {
    let (stats, workers) = (ask("stats"), ask("stats/allWorkers"));
    let (payments, threshold) = (ask("payments?limit=100"), ask("user"));
    let mut expected = BTreeMap::new();
    let mut put = |name: &str, labels: &str, value: f64| {
        expected.insert(format!("minergate_{name}{{account=\"{account}\",currency=\"xmr\"{labels}}}"), value);
    };
    let total = number(&workers["global"]["hash"]);
    let named = || workers.as_object().unwrap().iter().filter(|(name, _)| *name != "global");
    let active = f64::from(u32::try_from(named().filter(|(_, worker)| number(&worker["hash"]) > 0.0).count()).unwrap());
    put("workers", "", active);
    put("workers_hashrate_hashes_per_second", "", total);
    put("mining_workers", "", active);
    put("mining_hashrate_hashes_per_second", "", total);
    put("mining_online", "", f64::from(total > 0.0));
    put("mining_shares_total", ",result=\"good\"", number(&stats["validShares"]));
    put("mining_shares_total", ",result=\"invalid\"", number(&stats["invalidShares"]));
    put("mining_share_difficulty_total", ",result=\"good\"", number(&stats["totalHashes"]));
    put("mining_payout_threshold_coins", "", monero(&threshold["payout_threshold"]));
    put("balance_coins", "", monero(&stats["amtDue"]));
    for (name, worker) in named() {
        let name = if name == "x" { "unnamed" } else { name };
        let worker_label = format!(",worker=\"{name}\"");
        put("worker_hashrate_hashes_per_second", &worker_label, number(&worker["hash"]));
        put("worker_last_share_timestamp_seconds", &worker_label, number(&worker["lts"]));
        put("worker_shares_total", &format!("{worker_label},result=\"good\""), number(&worker["validShares"]));
        put("worker_shares_total", &format!("{worker_label},result=\"invalid\""), number(&worker["invalidShares"]));
    }
    let payments = payments.as_array().unwrap();
    if !payments.is_empty() {
        let paid: u64 = payments.iter().map(|payment| payment["amount"].as_u64().unwrap()).sum();
        let last = payments.iter().map(|payment| number(&payment["ts"])).fold(0.0, f64::max);
        let finished = ",status=\"finished\"";
        put("withdrawals", finished, f64::from(u32::try_from(payments.len()).unwrap()));
        put("withdrawals_coins", finished, monero(&paid.into()));
        put("withdrawals_last_timestamp_seconds", finished, last);
    }
    expected.insert(format!("minergate_account_info{{account=\"{account}\",nickname=\"{account}\"}}"), 1.0);
    expected
}

#[test]
fn a_wallet_has_the_samples_of_the_pool_s_answers_and_no_others() {
    let directory = tempfile::tempdir().unwrap();
    // The fault `frozen` keeps the numbers as they are, so that exporter and test read the same.
    let (simulator, config) = simulator(directory.path(), &["--accounts", "1", "--wallets", "2", "--fault", "frozen"]);
    let pool = format!("http{}/nodejs-pool", simulator.output().split_once(" is at http").unwrap().1.trim());
    let (_daemon, url) = daemon(&config, &[]);
    wait("all loops", || {
        let scrape = scrape(&url);
        (all_up(&scrape) && loops(&scrape).iter().any(|(labels, _)| labels.contains("status"))).then_some(())
    });
    let table: toml::Table = fs::read_to_string(&config).unwrap().parse().unwrap();
    for (i, account) in [(1, "rig-1"), (2, "rig-2")] {
        let address = table["accounts"][i]["wallets"]["simulated"].as_str().unwrap();
        let expected = expected(account, |what| {
            let path = if what == "user" { format!("user/{address}") } else { format!("miner/{address}/{what}") };
            serde_json::from_slice(&get(&format!("{pool}/{path}"), &[]).body).unwrap()
        });
        assert!(expected.len() > 20, "{expected:?}");
        for format in [Format::Text, Format::OpenMetrics] {
            let of_all = Scrape::of(&url, format);
            assert!(of_all.is_up(account));
            let own: BTreeMap<String, f64> =
                samples(of_all).into_iter().filter(|(series, _)| label(series, "account") == Some(account)).collect();
            assert_same(&own, &expected);
        }
        // `account=` shows the account's samples, the exporter's metrics about it, and nothing else.
        let alone = Scrape::read(&get(&format!("{url}/metrics?account={account}"), &[]).text());
        let mut own: Vec<&str> = alone.0.keys().map(String::as_str).filter(|s| !expected.contains_key(*s)).collect();
        own.retain(|series| !series.starts_with("minergate_endpoint_last_success_timestamp_seconds{"));
        let currencies = "balance,mining_stats,nickname,withdrawals,workers";
        let loops = currencies.split(',').map(|endpoint| {
            format!("minergate_endpoint_up{{account=\"{account}\",endpoint=\"{endpoint}\",currency=\"xmr\"}}")
        });
        let mut all: Vec<String> = loops.chain([format!("minergate_up{{account=\"{account}\"}}")]).collect();
        all.sort();
        assert_eq!(own, all);
        assert!(expected.keys().all(|series| alone.0.contains_key(series)));
    }
    // The network changes with each block, so both are read until they agree.
    wait("the network", || {
        let network: Value = serde_json::from_slice(&get(&format!("{pool}/network/stats"), &[]).body).unwrap();
        let shown = scrape(&url);
        let value = |name: &str| shown.get(&format!("minergate_network_{name}{{currency=\"xmr\"}}"));
        let is_same = value("block_height") == Some(number(&network["height"]))
            && value("block_timestamp_seconds") == Some(number(&network["ts"]))
            && value("difficulty") == Some(number(&network["difficulty"]))
            && value("hashrate_hashes_per_second") == Some(number(&network["difficulty"]) / 120.0)
            && value("block_reward_coins") == Some(monero(&network["value"]));
        is_same.then_some(())
    });
}

/// The values of the crate's sample answers, calculated by hand.
const XMR: &[(&str, &str, f64)] = &[
    ("workers", "", 2.0),
    ("workers_hashrate_hashes_per_second", "", 4810.0),
    ("worker_hashrate_hashes_per_second", ",worker=\"attic\"", 4300.0),
    ("worker_hashrate_hashes_per_second", ",worker=\"cellar.2\"", 0.0),
    ("worker_hashrate_hashes_per_second", ",worker=\"unnamed\"", 510.0),
    ("worker_last_share_timestamp_seconds", ",worker=\"attic\"", 1_763_993_402.0),
    ("worker_last_share_timestamp_seconds", ",worker=\"unnamed\"", 1_763_993_377.0),
    ("worker_shares_total", ",worker=\"attic\",result=\"good\"", 610.0),
    ("worker_shares_total", ",worker=\"attic\",result=\"bad\"", 5.0),
    ("worker_shares_total", ",worker=\"attic\",result=\"invalid\"", 2.0),
    ("mining_workers", "", 2.0),
    ("mining_hashrate_hashes_per_second", "", 4810.0),
    ("mining_online", "", 1.0),
    ("mining_share_difficulty_total", ",result=\"good\"", 5_120_000.0),
    ("mining_blocks_found_total", "", 2.0),
    ("mining_payout_threshold_coins", "", 0.3),
    ("balance_coins", "", 0.038_123_456_789),
    ("withdrawals", ",status=\"finished\"", 2.0),
    ("withdrawals_coins", ",status=\"finished\"", 1.25),
    ("withdrawals_last_timestamp_seconds", ",status=\"finished\"", 1_763_900_122.0),
];

/// The unconfirmed balance is in the smallest unit, which has 18 decimals. One payment is a negative number in the sample.
const ETC: &[(&str, &str, f64)] = &[
    ("workers", "", 1.0),
    ("workers_hashrate_hashes_per_second", "", 91_500_000.0),
    ("worker_hashrate_hashes_per_second", ",worker=\"attic\"", 91_500_000.0),
    ("worker_hashrate_hashes_per_second", ",worker=\"cellar\"", 0.0),
    ("worker_last_share_timestamp_seconds", ",worker=\"attic\"", 1_763_993_402.0),
    ("worker_last_share_timestamp_seconds", ",worker=\"cellar\"", 1_763_980_000.0),
    ("worker_shares_total", ",worker=\"attic\",result=\"good\"", 9000.0),
    ("worker_shares_total", ",worker=\"attic\",result=\"bad\"", 30.0),
    ("worker_shares_total", ",worker=\"attic\",result=\"invalid\"", 3.0),
    ("worker_shares_total", ",worker=\"cellar\",result=\"good\"", 120.0),
    ("worker_shares_total", ",worker=\"cellar\",result=\"bad\"", 1.0),
    ("worker_shares_total", ",worker=\"cellar\",result=\"invalid\"", 1.0),
    ("mining_workers", "", 1.0),
    ("mining_hashrate_hashes_per_second", "", 91_500_000.0),
    ("mining_online", "", 1.0),
    ("mining_shares_total", ",result=\"good\"", 9120.0),
    ("mining_shares_total", ",result=\"bad\"", 31.0),
    ("mining_shares_total", ",result=\"invalid\"", 4.0),
    ("mining_blocks_found_total", "", 1.0),
    ("mining_unconfirmed_balance_atomic_units", "", 4.5e15),
    ("mining_unconfirmed_balance_coins", "", 0.0045),
    ("balance_coins", "", 0.381_234_567),
    ("withdrawals", ",status=\"finished\"", 2.0),
    ("withdrawals_coins", ",status=\"finished\"", 2.750_000_001),
    ("withdrawals_fees_coins", ",status=\"finished\"", 0.000_041),
    ("withdrawals_last_timestamp_seconds", ",status=\"finished\"", 1_763_900_122.0),
];

#[test]
fn two_wallets_of_one_account_have_their_samples_and_the_account_is_shown_once() {
    let (monero, ether) = (FakePool::start(fake_pool::cryptonote), FakePool::start(fake_pool::ethereum));
    let directory = tempfile::tempdir().unwrap();
    let config = write(
        directory.path(),
        &[
            &pool("hero", "cryptonote-nodejs-pool", "xmr", &monero, ""),
            &pool("2miners", "open-ethereum-pool", "etc", &ether, ""),
            &format!("[[accounts]]\nname = \"rig\"\nwallets = {{ hero = \"{ADDRESS}\", 2miners = \"0xAbc\" }}\n"),
            "[[accounts]]\nname = \"idle\"\nwallets = { hero = \"4Abc\" }\nendpoints = [\"transfers\"]\n",
        ],
    );
    let (_daemon, url) = daemon(&config, &[]);
    let networks = ["xmr", "etc"].map(|code| format!("minergate_network_block_height{{currency=\"{code}\"}}"));
    let shown = wait("both networks", || {
        let scrape = scrape(&url);
        (all_up(&scrape) && networks.iter().all(|series| scrape.get(series).is_some())).then_some(scrape)
    });
    assert!(shown.is_up("rig"));
    assert_eq!(networks.map(|series| shown.get(&series)), [Some(3_551_200.0), Some(21_345_678.0)]);
    let top =
        |rank| shown.get(&format!("minergate_pool_top_hashrate_hashes_per_second{{currency=\"xmr\",rank=\"{rank}\"}}"));
    assert_eq!([top(1), top(2)], [Some(190_830.0), Some(4810.0)]);

    let mut expected: BTreeMap<String, f64> = BTreeMap::new();
    for (code, table) in [("xmr", XMR), ("etc", ETC)] {
        expected.extend(table.iter().map(|(name, labels, value)| {
            (format!("minergate_{name}{{account=\"rig\",currency=\"{code}\"{labels}}}"), *value)
        }));
    }
    expected.insert("minergate_account_info{account=\"rig\",nickname=\"rig\"}".to_owned(), 1.0);
    let of_rig: BTreeMap<String, f64> = samples(Scrape::of(&url, Format::OpenMetrics))
        .into_iter()
        .filter(|(series, _)| label(series, "account") == Some("rig"))
        .collect();
    assert_same(&of_rig, &expected);
    let own: Vec<String> = loops(&scrape(&url)).into_iter().map(|(labels, _)| labels).collect();
    let all = [
        "account=,endpoint=status,currency=etc",
        "account=,endpoint=status,currency=xmr",
        "account=,endpoint=top_hashrate,currency=xmr",
        "account=rig,endpoint=balance,currency=etc",
        "account=rig,endpoint=balance,currency=xmr",
        "account=rig,endpoint=mining_stats,currency=etc",
        "account=rig,endpoint=mining_stats,currency=xmr",
        "account=rig,endpoint=nickname,currency=xmr",
        "account=rig,endpoint=withdrawals,currency=etc",
        "account=rig,endpoint=withdrawals,currency=xmr",
        "account=rig,endpoint=workers,currency=etc",
        "account=rig,endpoint=workers,currency=xmr",
    ];
    assert_eq!(own, all);
    // Accounts with wallets do not log in. Neither does an account whose endpoints no pool fills.
    let logins = ["rig", "idle"].map(|account| shown.of_family("minergate_auth_blocked", account).count());
    assert_eq!(logins, [0, 0]);
}
