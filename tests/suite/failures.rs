//! Every fault of the simulator by itself, and its effect on /metrics, on the log and on the requests.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use minergate_simulator::FAULTS;
use serde_json::Value;

use crate::process::{Process, change_config, daemon, get, set_intervals, simulator, wait};

/// One permanent fault of one endpoint, on a separate account.
struct Row {
    rule: &'static str,
    /// Whether the account is up.
    up: bool,
    /// Whether the endpoint's values are shown. Nothing if that is random.
    values: Option<bool>,
    /// Kinds of failures in the log, in this order. Others can follow.
    logged: &'static [&'static str],
    /// Requests to the endpoint in about ten polls: one after a refusal, one or two after a failed login, more after other failures.
    requests: RangeInclusive<u64>,
    /// The reason why logins are blocked.
    blocked: &'static str,
}

const ONCE: RangeInclusive<u64> = 1..=1;
const BACKED_OFF: RangeInclusive<u64> = 1..=3;
const AGAIN: RangeInclusive<u64> = 2..=u64::MAX;

const fn fine(rule: &'static str) -> Row {
    Row { rule, up: true, values: Some(true), logged: &[], requests: AGAIN, blocked: "" }
}

const fn fails(rule: &'static str, logged: &'static [&'static str]) -> Row {
    Row { rule, up: false, values: Some(false), logged, requests: AGAIN, blocked: "" }
}

const fn stops(rule: &'static str, logged: &'static [&'static str], blocked: &'static str) -> Row {
    Row { requests: ONCE, blocked, ..fails(rule, logged) }
}

const fn backs_off(rule: &'static str, logged: &'static [&'static str]) -> Row {
    Row { requests: BACKED_OFF, ..fails(rule, logged) }
}

/// All faults except those that pause the whole host: each on a read and, if the effect differs, on the login.
const ROWS: &[Row] = &[
    fine("workers/latency=1s"),
    fails("workers/timeout", &["timeout"]),
    fails("workers/reset", &["broken"]),
    fails("workers/500", &["server_error"]),
    fails("workers/502", &["server_error"]),
    Row { requests: ONCE, ..fails("workers/503", &["unavailable"]) },
    fails("workers/html", &["shape"]),
    fails("workers/truncated", &["broken"]),
    fails("workers/endless", &["too_large"]),
    fails("workers/slow-body", &["timeout"]),
    fails("workers/wrong-types", &["shape"]),
    Row { values: None, ..fine("workers/missing-fields") },
    Row { values: Some(false), ..fine("workers/nulls") },
    Row { values: Some(false), ..fine("workers/nan") },
    fails("workers/deep", &["shape"]),
    fails("transfers/huge-list", &["shape"]),
    fine("workers/many-currencies"),
    Row { values: None, ..fine("workers/hostile-labels") },
    fine("workers/frozen"),
    fine("mining_stats/correction"),
    fine("mining_stats/counter-reset"),
    backs_off("workers/expired-token", &["unauthorized"]),
    backs_off("workers/forbidden", &["unauthorized"]),
    fails("workers/discontinued", &["discontinued"]),
    fails("workers/error-200", &["api_error"]),
    fails("workers/redirect", &["redirect"]),
    stops("login/wrong-password", &["wrong_password"], "wrong_password"),
    stops("login/totp-required", &["totp_required"], "totp_required"),
    stops("login/captcha", &["captcha"], "captcha"),
    stops("login/discontinued", &["discontinued"], "discontinued"),
    stops("login/forbidden", &["unauthorized"], "wrong_password"),
    backs_off("login/login-internal", &["server_error"]),
    backs_off("login/500", &["server_error"]),
    backs_off("login/html", &["shape"]),
    backs_off("login/error-200", &["api_error"]),
    backs_off("login/reset", &["broken"]),
    backs_off("login/timeout", &["timeout"]),
];

/// Faults that pause the whole host, so each needs its own run.
const PAUSES: &[(&str, &str)] =
    &[("workers/429", "rate_limited"), ("workers/429-date", "rate_limited"), ("login/429", "rate_limited")];

fn endpoint(rule: &str) -> &str {
    rule.split('/').next().unwrap()
}

/// The simulated accounts that have a password and no TOTP, which is every third: `farm-1`, `farm-4`, ..
fn account(i: usize) -> String {
    format!("farm-{}", 3 * i + 1)
}

/// A simulator and a daemon for so many accounts with a password, each polling one endpoint every second.
fn run(directory: &Path, rules: &[&str], healthy: usize) -> (Process, Process, String, String) {
    let count = rules.len() + healthy;
    let mut arguments = vec!["--accounts".to_owned(), (3 * count).to_string()];
    for (i, rule) in rules.iter().enumerate() {
        arguments.extend(["--fault".to_owned(), format!("{rule}@{}", account(i))]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (simulator, config) = simulator(directory, &arguments);
    let url = change_config(&config, |table| {
        let accounts = table["accounts"].as_array_mut().unwrap();
        accounts.retain(|account| account.get("password").is_some() && account.get("totp_secret").is_none());
        for (i, account) in accounts.iter_mut().enumerate() {
            let polled = rules.get(i).map(|rule| endpoint(rule)).filter(|endpoint| *endpoint != "login");
            let polled = vec![polled.unwrap_or("workers")];
            account.as_table_mut().unwrap().insert("endpoints".to_owned(), polled.into());
        }
        let api = table["api"].as_table_mut().unwrap();
        api.insert("timeout".to_owned(), "3s".into());
        api.insert("requests_per_second".to_owned(), 1000.into());
        api.insert("concurrency".to_owned(), 200.into());
        let polled = "stale_after = \"3s\"\nworkers = \"1s\"\nmining_stats = \"1s\"\ntransfers = \"1s\"\n";
        let off = "status = \"off\"\nprofit_rating = \"off\"\ntop_hashrate = \"off\"";
        set_intervals(table, &format!("{polled}{off}"));
    });
    let (daemon, metrics) = daemon(&config, &["--log.format", "json"]);
    (simulator, daemon, url, format!("{metrics}/metrics"))
}

/// Requests that the simulator saw, by account and endpoint.
fn requests(simulator: &str) -> BTreeMap<(String, String), u64> {
    let seen: Value = serde_json::from_slice(&get(&format!("{simulator}/-/requests"), &[]).body).unwrap();
    let mut requests = BTreeMap::new();
    for one in seen.as_array().unwrap() {
        let text = |key: &str| one[key].as_str().unwrap().to_owned();
        *requests.entry((text("account"), text("endpoint"))).or_default() += one["count"].as_u64().unwrap();
    }
    requests
}

/// The kinds of failures of an account in the log, in order.
fn logged(log: &str, account: &str) -> Vec<String> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let is_failure = |line: &Value| line["message"] == "poll failed" || line["message"] == "account down";
    let failures = lines.filter(|line| is_failure(line) && line["account"] == account);
    failures.map(|line| line["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_fault_alone() {
    let directory = tempfile::tempdir().unwrap();
    let rules: Vec<&str> = ROWS.iter().map(|row| row.rule).collect();
    let (_simulator, daemon, simulator, metrics) = run(directory.path(), &rules, 1);
    let healthy = (account(ROWS.len()), "workers".to_owned());
    wait("ten polls of the healthy account", || {
        let polls = requests(&simulator).get(&healthy).copied().unwrap_or_default();
        (polls >= 10).then_some(())
    });
    let (text, log, requests) = (get(&metrics, &[]).text(), daemon.output(), requests(&simulator));
    let value = |series: String| text.lines().find_map(|line| line.strip_prefix(&series)?.strip_prefix(' '));
    for (i, row) in ROWS.iter().enumerate() {
        let (rule, account, endpoint) = (row.rule, account(i), endpoint(row.rule));
        assert_eq!(value(format!("minergate_up{{account=\"{account}\"}}")), Some(if row.up { "1" } else { "0" }), "{rule}");
        let family = if endpoint == "mining_stats" { "minergate_mining_" } else { "minergate_workers" };
        let shown = text.lines().any(|line| line.starts_with(family) && line.contains(&format!("\"{account}\"")));
        assert!(row.values.is_none_or(|values| values == shown), "{rule}: shown is {shown}");
        for reason in ["wrong_password", "totp_required", "captcha", "discontinued"] {
            let blocked = value(format!("minergate_auth_blocked{{account=\"{account}\",reason=\"{reason}\"}}"));
            assert_eq!(blocked, Some(if reason == row.blocked { "1" } else { "0" }), "{rule}: {reason}");
        }
        let logged = logged(&log, &account);
        assert!(
            logged.iter().map(String::as_str).take(row.logged.len()).eq(row.logged.iter().copied()),
            "{rule}: {logged:?}"
        );
        assert!(logged.len() <= row.logged.len() + 2, "{rule}: said again and again: {logged:?}");
        let requests = requests.get(&(account, endpoint.to_owned())).copied().unwrap_or_default();
        assert!(row.requests.contains(&requests), "{rule}: {requests} requests");
    }
    let account = &healthy.0;
    assert_eq!(value(format!("minergate_up{{account=\"{account}\"}}")), Some("1"));
    // Invented and invalid currencies are left out and counted.
    let dropped: f64 =
        value("minergate_api_dropped_samples_total{endpoint=\"workers\"}".to_owned()).unwrap().parse().unwrap();
    assert!(dropped > 0.0);
    assert!(text.lines().filter(|line| line.starts_with("minergate_workers{")).count() < 64 + 10 * ROWS.len());
}

#[test]
fn a_paused_host_gets_no_requests_of_any_account() {
    for (rule, kind) in PAUSES {
        let directory = tempfile::tempdir().unwrap();
        let (_simulator, daemon, simulator, metrics) = run(directory.path(), &[rule], 1);
        let (faulty, healthy) = (account(0), account(1));
        wait("both accounts to be held back", || {
            let log = daemon.output();
            (logged(&log, &healthy) == ["paused"] && !logged(&log, &faulty).is_empty()).then_some(())
        });
        assert_eq!(logged(&daemon.output(), &faulty)[0], *kind, "{rule}");
        let before = requests(&simulator);
        // Three polls of each account are due in this time, and the host asked for half a minute.
        std::thread::sleep(Duration::from_secs(3));
        assert_eq!(requests(&simulator), before, "{rule}: requests in the pause");
        let text = get(&metrics, &[]).text();
        for account in [faulty, healthy] {
            assert!(text.contains(&format!("minergate_up{{account=\"{account}\"}} 0\n")), "{rule}");
        }
    }
}

#[test]
fn the_tables_have_every_fault() {
    let tried: Vec<&str> = ROWS.iter().map(|row| row.rule).chain(PAUSES.iter().map(|(rule, _)| *rule)).collect();
    // No account here has a wallet.
    for fault in FAULTS.iter().filter(|fault| fault.name != "wallet-unknown") {
        let has = |rule: &&str| rule.split('/').nth(1).unwrap().split('=').next() == Some(fault.name);
        assert!(tried.iter().any(has), "{} is in no table", fault.name);
    }
}
