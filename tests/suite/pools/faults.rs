//! Faults of pools, and their effects on /metrics, on the log and on the requests.

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use minergate_simulator::FAULTS;
use serde_json::Value;

use super::fake_pool::{FakePool, cryptonote, nodejs};
use super::{ADDRESS, all_up, loops, monero, poll, pool, rig, scrape, write};
use crate::fake_api::Reply;
use crate::process::{Process, daemon, get, simulator, wait};

/// One fault of one wallet's workers, and its effects.
struct Row {
    rule: &'static str,
    /// Whether the account is up.
    up: bool,
    /// Whether the workers have samples. Nothing if that is random.
    values: Option<bool>,
    /// The kind of failure in the log. Empty if nothing fails.
    kind: &'static str,
    /// Requests while the healthy wallet is polled ten times.
    requests: RangeInclusive<u64>,
}

const ONCE: RangeInclusive<u64> = 1..=1;
const BACKED_OFF: RangeInclusive<u64> = 1..=6;
const AGAIN: RangeInclusive<u64> = 2..=u64::MAX;

const fn fine(rule: &'static str) -> Row {
    Row { rule, up: true, values: Some(true), kind: "", requests: AGAIN }
}

const fn fails(rule: &'static str, kind: &'static str) -> Row {
    Row { rule, up: false, values: Some(false), kind, requests: AGAIN }
}

const fn backs_off(rule: &'static str, kind: &'static str) -> Row {
    Row { requests: BACKED_OFF, ..fails(rule, kind) }
}

/// All faults of a wallet's answers but those that pause the whole pool.
const ROWS: &[Row] = &[
    fine("latency=1s"),
    fails("timeout", "timeout"),
    fails("reset", "broken"),
    fails("500", "server_error"),
    fails("502", "server_error"),
    Row { requests: ONCE, ..fails("503=10m", "unavailable") },
    fails("html", "shape"),
    fails("truncated", "broken"),
    fails("endless", "too_large"),
    fails("slow-body", "timeout"),
    fails("wrong-types", "shape"),
    Row { values: None, ..fine("missing-fields") },
    Row { values: Some(false), ..fine("nulls") },
    Row { values: Some(false), ..fine("nan") },
    fails("deep", "shape"),
    fails("huge-list", "shape"),
    fine("many-currencies"),
    Row { values: None, ..fine("hostile-labels") },
    fine("frozen"),
    fine("correction"),
    fine("counter-reset"),
    // A pool takes no token, so it can't refuse one.
    backs_off("forbidden", "client_error"),
    backs_off("discontinued", "client_error"),
    fails("error-200", "api_error"),
    backs_off("redirect", "redirect"),
    fails("wallet-unknown", "wallet_unknown"),
];

const PAUSES: &[&str] = &["429=10m", "429-date=10m"];

/// Faults that only the API can have.
const OF_API: &[&str] = &["expired-token", "wrong-password", "totp-required", "captcha", "login-internal"];

/// A simulator and a daemon with a wallet for each rule and some healthy wallets, whose workers are polled every second.
fn run(directory: &Path, rules: &[&str], healthy: usize) -> (Process, Process, String, String) {
    let wallets = (rules.len() + healthy).to_string();
    let mut arguments = vec!["--accounts".to_owned(), "0".to_owned(), "--wallets".to_owned(), wallets];
    for (i, rule) in rules.iter().enumerate() {
        arguments.extend(["--fault".to_owned(), format!("wallet_workers/{rule}@rig-{}", i + 1)]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (simulator, config) = simulator(directory, &arguments);
    let mut table: toml::Table = fs::read_to_string(&config).unwrap().parse().unwrap();
    let api = table.remove("api").unwrap()["base_url"].as_str().unwrap().to_owned();
    let pool = table["pools"][0].as_table_mut().unwrap();
    pool.insert("requests_per_second".to_owned(), 1000.into());
    pool.insert("burst".to_owned(), 1000.into());
    pool.insert("concurrency".to_owned(), 200.into());
    pool.insert("timeout".to_owned(), "3s".into());
    pool.insert("max_age".to_owned(), "1s".into());
    for account in table["accounts"].as_array_mut().unwrap() {
        account.as_table_mut().unwrap().insert("endpoints".to_owned(), vec!["workers"].into());
    }
    let intervals = "stale_after = \"3s\"\nworkers = \"1s\"\nstatus = \"off\"";
    table.insert("poll".to_owned(), intervals.parse::<toml::Table>().unwrap().into());
    fs::write(&config, toml::to_string(&table).unwrap()).unwrap();
    let (daemon, url) = daemon(&config, &["--log.format", "json"]);
    (simulator, daemon, api, url)
}

/// The simulator's number of requests for each account's workers.
fn requests(simulator: &str) -> BTreeMap<String, u64> {
    let seen: Value = serde_json::from_slice(&get(&format!("{simulator}/-/requests"), &[]).body).unwrap();
    let mut requests = BTreeMap::new();
    for one in seen.as_array().unwrap() {
        assert_eq!(one["endpoint"], "wallet_workers", "{one}");
        *requests.entry(one["account"].as_str().unwrap().to_owned()).or_default() += one["count"].as_u64().unwrap();
    }
    requests
}

/// The log's lines about failures and recoveries: message, account or pool, and kind.
fn failures(log: &str) -> Vec<(String, String, String)> {
    let messages =
        ["poll failed", "poll succeeds again", "account down", "account up again", "pool down", "pool up again", "api down"];
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines = lines.filter(|line| messages.iter().any(|message| line["message"] == **message));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    lines
        .map(|line| {
            let who = if line["account"].is_null() { &line["pool"] } else { &line["account"] };
            (text(&line["message"]), text(who), text(&line["kind"]))
        })
        .collect()
}

#[test]
fn every_fault_alone() {
    let directory = tempfile::tempdir().unwrap();
    let rules: Vec<&str> = ROWS.iter().map(|row| row.rule).collect();
    let (_simulator, daemon, simulator, url) = run(directory.path(), &rules, 1);
    let healthy = format!("rig-{}", ROWS.len() + 1);
    wait("ten polls of the healthy wallet", || {
        let polls = requests(&simulator).get(&healthy).copied().unwrap_or_default();
        (polls >= 10).then_some(())
    });
    let (shown, failures, requests) = (scrape(&url), failures(&daemon.output()), requests(&simulator));
    for (i, row) in ROWS.iter().enumerate() {
        let (rule, account) = (row.rule, format!("rig-{}", i + 1));
        assert_eq!(shown.is_up(&account), row.up, "{rule}");
        let values = shown.of_family("minergate_workers", &account).count() > 0;
        assert!(row.values.is_none_or(|expected| expected == values), "{rule}: shown is {values}");
        // One failing endpoint does not make an account down. An unknown wallet does.
        let message = if row.kind == "wallet_unknown" { "account down" } else { "poll failed" };
        let own: Vec<_> = failures.iter().filter(|(_, who, _)| *who == account).collect();
        match own.first() {
            None => assert_eq!(row.kind, "", "{rule}: nothing is logged"),
            Some((said, _, kind)) => assert_eq!((said.as_str(), kind.as_str()), (message, row.kind), "{rule}"),
        }
        assert!(own.len() <= 2, "{rule}: said again and again: {own:?}");
        let requests = requests.get(&account).copied().unwrap_or_default();
        assert!(row.requests.contains(&requests), "{rule}: {requests} requests");
    }
    assert!(shown.is_up(&healthy) && shown.of_family("minergate_worker_hashrate_hashes_per_second", &healthy).count() > 1);
    assert!(
        !failures.iter().any(|(message, ..)| message.starts_with("pool ")),
        "a pool that answers is not down: {failures:?}"
    );
    // The simulator makes up thousands of workers; a thousand have samples.
    let flooded = format!("rig-{}", 1 + rules.iter().position(|rule| *rule == "many-currencies").unwrap());
    assert_eq!(shown.of_family("minergate_worker_hashrate_hashes_per_second", &flooded).count(), 1000);
    assert!(shown.get("minergate_api_dropped_samples_total{endpoint=\"workers\"}").unwrap() > 4000.0);
}

#[test]
fn a_pool_gets_no_request_during_the_pause_that_it_asked_for() {
    for rule in PAUSES {
        let directory = tempfile::tempdir().unwrap();
        let (_simulator, daemon, simulator, url) = run(directory.path(), &[rule], 1);
        let failures = wait("both wallets to be held back", || {
            let failures = failures(&daemon.output());
            ["rig-1", "rig-2"].iter().all(|account| failures.iter().any(|(_, who, _)| who == account)).then_some(failures)
        });
        let kind = |account: &str| failures.iter().find(|(_, who, _)| who == account).map(|(.., kind)| kind.as_str());
        assert_eq!((kind("rig-1"), kind("rig-2")), (Some("rate_limited"), Some("paused")), "{rule}");
        let before = requests(&simulator);
        // Three polls of each wallet are due in this time; the pause is ten minutes.
        thread::sleep(Duration::from_secs(3));
        assert_eq!(requests(&simulator), before, "{rule}: requests in the pause");
        let shown = scrape(&url);
        assert!(!shown.is_up("rig-1") && !shown.is_up("rig-2"), "{rule}");
        assert!(shown.get("minergate_api_paused_until_timestamp_seconds").is_some(), "{rule}");
    }
}

#[test]
fn the_tables_have_every_fault() {
    let tried: Vec<&str> =
        ROWS.iter().map(|row| row.rule).chain(PAUSES.iter().copied()).chain(OF_API.iter().copied()).collect();
    for fault in FAULTS {
        assert!(tried.iter().any(|rule| rule.split('=').next() == Some(fault.name)), "{} is in no table", fault.name);
    }
}

/// A fake pool that answers HTTP 500 while the switch is on.
fn switched(answer: fn(&str) -> Reply) -> (FakePool, Arc<AtomicBool>) {
    let is_down = Arc::new(AtomicBool::new(true));
    let switch = is_down.clone();
    let reply = move |path: &str| if switch.load(Ordering::Relaxed) { Reply::new(500, "") } else { answer(path) };
    (FakePool::start(reply), is_down)
}

/// The nickname is the account's name and needs no request, so it does not show whether the pool is up.
const POLLED: &[&str] = &["workers", "mining_stats", "balance", "withdrawals", "status", "nickname"];

#[test]
fn a_pool_that_is_down_is_one_log_line_and_its_recovery_another() {
    let (fake, is_down) = switched(nodejs);
    let healthy = FakePool::start(cryptonote);
    let directory = tempfile::tempdir().unwrap();
    let config = write(
        directory.path(),
        &[
            &monero(&fake, "max_age = \"1s\""),
            &pool("other", "cryptonote-nodejs-pool", "aeon", &healthy, "block_time = \"4m\""),
            &poll("1s", POLLED),
            &rig("rig-1", ADDRESS),
            &rig("rig-2", "4Abc"),
            "[[accounts]]\nname = \"rig-3\"\nwallets = { other = \"WmAbc\" }\n",
        ],
    );
    let (daemon, url) = daemon(&config, &["--log.format", "json"]);
    wait("the pool to be down", || (!failures(&daemon.output()).is_empty()).then_some(()));
    let before = fake.asked().len();
    wait("more polls", || (fake.asked().len() > before + 10).then_some(()));
    let line = |message: &str, who: &str, kind: &str| (message.to_owned(), who.to_owned(), kind.to_owned());
    assert_eq!(failures(&daemon.output()), [line("pool down", "fake", "server_error")]);
    assert!(daemon.output().contains("the pool failed (HTTP 500)"), "the message must not name the API, as there is none");
    let shown = scrape(&url);
    assert_eq!([shown.is_up("rig-1"), shown.is_up("rig-2"), shown.is_up("rig-3")], [false, false, true]);
    is_down.store(false, Ordering::Relaxed);
    wait("its end", || (all_up(&scrape(&url))).then_some(()));
    assert_eq!(failures(&daemon.output()), [line("pool down", "fake", "server_error"), line("pool up again", "fake", "")]);
}

#[test]
fn an_unknown_wallet_is_one_log_line_and_has_no_samples() {
    // The answers of nodejs-pool for an unknown wallet, until the switch makes it known.
    let is_known = Arc::new(AtomicBool::new(false));
    let switch = is_known.clone();
    let none = r#"{"hash":false,"lastHash":false,"totalHashes":false,"validShares":false,"invalidShares":false,"amtPaid":0,"amtDue":0}"#;
    let fake = FakePool::start(move |path| match path {
        _ if switch.load(Ordering::Relaxed) || path.contains("4Abc") || path.starts_with("/network") => nodejs(path),
        path if path.ends_with("/stats") => Reply::new(200, none),
        path if path.ends_with("/allWorkers") => {
            Reply::new(200, r#"{"global":{"hash":false,"lts":false,"validShares":false}}"#)
        }
        path if path.contains("/payments") => Reply::new(200, "[]"),
        _ => nodejs(path),
    });
    let directory = tempfile::tempdir().unwrap();
    let polls = poll("1s", &["workers", "mining_stats", "balance", "withdrawals", "nickname"]);
    let parts = [monero(&fake, "max_age = \"1s\""), polls, rig("new", ADDRESS), rig("old", "4Abc")];
    let config = write(directory.path(), &parts.each_ref().map(String::as_str));
    let (daemon, url) = daemon(&config, &["--log.format", "json"]);
    let line = |message: &str, kind: &str| (message.to_owned(), "new".to_owned(), kind.to_owned());
    wait("the line", || (!failures(&daemon.output()).is_empty()).then_some(()));
    let before = fake.asked().len();
    wait("more polls", || (fake.asked().len() > before + 10).then_some(()));
    assert_eq!(failures(&daemon.output()), [line("account down", "wallet_unknown")]);
    let sentence = "the pool does not know the wallet; has it found a share there yet, and is its address right?";
    assert!(daemon.output().contains(sentence) && get(&url, &[]).text().contains("does not know the wallet"));
    let shown = scrape(&url);
    let of_new = shown.0.keys().filter(|series| series.contains("account=\"new\"") && !series.contains("_endpoint_"));
    // The nickname is the account's name, also of an unknown wallet.
    assert_eq!(
        of_new.collect::<Vec<_>>(),
        ["minergate_account_info{account=\"new\",nickname=\"new\"}", "minergate_up{account=\"new\"}"]
    );
    assert!(!shown.is_up("new") && shown.is_up("old"));
    is_known.store(true, Ordering::Relaxed);
    wait("its end", || scrape(&url).is_up("new").then_some(()));
    assert_eq!(failures(&daemon.output()), [line("account down", "wallet_unknown"), line("account up again", "")]);
}

#[test]
fn a_slow_pool_delays_neither_other_currencies_nor_accounts_at_the_api() {
    // It does not answer while the test runs.
    let slow = FakePool::start(|_| Reply::new(200, "{}").after(Duration::from_secs(3600)));
    let quick = FakePool::start(cryptonote);
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &["--accounts", "1"]);
    let api = fs::read_to_string(config).unwrap();
    let more = "timeout = \"10m\"\nmax_age = \"1s\"";
    let config = write(
        directory.path(),
        &[
            &api,
            &monero(&slow, more),
            &pool("quick", "cryptonote-nodejs-pool", "aeon", &quick, &format!("{more}\nblock_time = \"4m\"")),
            &poll("1s", POLLED),
            &format!("[[accounts]]\nname = \"rig\"\nwallets = {{ fake = \"{ADDRESS}\", quick = \"WmAbc\" }}\n"),
        ],
    );
    let (_daemon, url) = daemon(&config, &[]);
    let quick_polls = || quick.count("/stats_address");
    wait("many polls of the other currency", || (quick_polls() > 5).then_some(()));
    let shown = wait("the API's account", || {
        let shown = scrape(&url);
        shown.is_up("farm-1").then_some(shown)
    });
    for (endpoint, code, up) in [
        ("workers", "aeon", true),
        ("mining_stats", "aeon", true),
        ("balance", "aeon", true),
        ("workers", "xmr", false),
        ("balance", "xmr", false),
    ] {
        let is_up = loops(&shown).contains(&(format!("account=rig,endpoint={endpoint},currency={code}"), true));
        assert_eq!(is_up, up, "{endpoint} {code}");
    }
    // A wallet has one request in flight; its other requests wait.
    assert_eq!(slow.count(ADDRESS), 1);
    let last = || shown_time(&url, "workers", "aeon");
    let before = last();
    wait("news of the other currency", || (last() > before).then_some(()));
}

fn shown_time(url: &str, endpoint: &str, code: &str) -> f64 {
    let labels = format!("{{account=\"rig\",endpoint=\"{endpoint}\",currency=\"{code}\"}}");
    scrape(url).get(&format!("minergate_endpoint_last_success_timestamp_seconds{labels}")).unwrap()
}

#[test]
fn the_age_of_values_is_the_age_of_the_pool_s_answer() {
    let fake = FakePool::start(nodejs);
    let directory = tempfile::tempdir().unwrap();
    let config = write(
        directory.path(),
        &[
            &monero(&fake, "max_age = \"1h\""),
            &poll("1s", &["workers"]),
            "stale_after = \"10s\"\n",
            &rig("rig", ADDRESS).replace("wallets", "endpoints = [\"workers\"]\nwallets"),
        ],
    );
    let (_daemon, url) = daemon(&config, &[]);
    let workers = "minergate_workers{account=\"rig\",currency=\"xmr\"}";
    wait("the values", || scrape(&url).get(workers));
    let time = shown_time(&url, "workers", "xmr");
    // All polls succeed, with the same kept answer.
    wait("their end", || scrape(&url).get(workers).is_none().then_some(()));
    let shown = scrape(&url);
    assert!(shown.is_up("rig"));
    assert_eq!((shown_time(&url, "workers", "xmr"), fake.count("/allWorkers")), (time, 1));
}
