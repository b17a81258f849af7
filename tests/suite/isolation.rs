//! A thousand accounts, 300 of them with all kinds of faults: the other 700 are polled on time.

use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use minergate::duration;
use minergate::endpoints::ENDPOINTS;
use minergate_simulator::FAULTS;
use serde_json::Value;
use tokio::time::Instant;

use crate::process::{Process, daemon, get, put_faults, simulator, wait};
use crate::scrape::{Scrape, label};

const ACCOUNTS: usize = 1000;

/// The accounts without faults.
const HEALTHY: usize = 700;

/// Three of ten accounts in a row have faults, so that each kind of credentials is among them.
fn is_broken(account: usize) -> bool {
    account % 10 < 3
}

/// The polled endpoints and intervals: a load that a debug build can handle on two cores beside other tests.
const POLLED: &[&str] = &["workers", "mining_stats", "balance"];
const INTERVAL: Duration = Duration::from_secs(10);

/// How long the test watches after the first round.
const WATCHED: Duration = Duration::from_secs(20);

/// Time between scrapes. A scrape of a thousand accounts takes time too.
const SCRAPE: Duration = Duration::from_secs(4);

/// The limit of a late poll: an interval and a half, which is the longest time between two polls of a loop, and time for a
/// machine that runs both ends and other tests.
const LATE: Duration = Duration::from_secs(15 + 20);

/// Faults of logins: they have no effect on an account with a token.
const OF_LOGINS: &[&str] = &["wrong-password", "totp-required", "captcha", "login-internal"];

/// Faults that only a wallet's answers can have.
const OF_WALLETS: &[&str] = &["wallet-unknown"];

/// Faults with large answers: making and reading them all the time would delay all accounts.
const LARGE: &[&str] = &["endless", "deep", "huge-list", "many-currencies"];

/// Faults after which the answer can be read, perhaps in part.
const READABLE: &[&str] = &[
    "latency",
    "slow-body",
    "429-date",
    "missing-fields",
    "nulls",
    "nan",
    "hostile-labels",
    "frozen",
    "correction",
    "counter-reset",
];

/// The accounts with faults, each with its fault.
fn broken() -> Vec<(usize, &'static str)> {
    let mut faults = FAULTS.iter().map(|fault| fault.name).filter(|fault| !OF_WALLETS.contains(fault)).cycle();
    let has_token = |account: usize| account.is_multiple_of(3);
    let mut fault = |account| faults.find(|fault| !has_token(account) || !OF_LOGINS.contains(fault)).unwrap();
    (1..=ACCOUNTS).filter(|account| is_broken(*account)).map(|account| (account, fault(account))).collect()
}

fn rule(account: usize, fault: &str) -> String {
    let how = match fault {
        // It answers, after it has held its slot for a long time.
        "latency" => "=1s",
        "slow-body" => "=1ms",
        // Each of these makes the exporter pause all requests to the host for the given time.
        "429" | "503" => "=0s",
        "429-date" => "=0s:0.05",
        large if LARGE.contains(&large) => ":0.1",
        _ => "",
    };
    format!("{fault}{how}@farm-{account}")
}

fn start(directory: &Path) -> (Process, Process, String, String) {
    let (simulator, config) = simulator(directory, &["--accounts", &ACCOUNTS.to_string()]);
    let pool = format!("http{}", simulator.output().split_once(" is at http").unwrap().1.trim());
    let rules: Vec<String> = broken().into_iter().map(|(account, fault)| rule(account, fault)).collect();
    put_faults(&pool, &rules);
    let api = "requests_per_second = 2000\nconcurrency = 64\ntimeout = \"5s\"\n";
    let text = std::fs::read_to_string(&config).unwrap().replace("requests_per_second = 50\n", api);
    let interval = |name| if POLLED.contains(&name) { duration::print(INTERVAL) } else { "off".to_owned() };
    let lines = ENDPOINTS.iter().map(|endpoint| format!("{} = \"{}\"", endpoint.name, interval(endpoint.name)));
    // No networks are polled.
    let text = format!("currencies = [\"xmr\"]\n{text}\n[poll]\n{}\n", lines.collect::<Vec<_>>().join("\n"));
    std::fs::write(&config, text).unwrap();
    let (daemon, url) = daemon(&config, &[]);
    (simulator, daemon, pool, url)
}

fn scrape(url: &str) -> Scrape {
    Scrape::read(&get(&format!("{url}/metrics"), &[]).text())
}

/// The age in seconds of the oldest last success among the loops of healthy accounts. Nothing if a loop had no success yet.
fn oldest_success(scrape: &Scrape) -> Option<f64> {
    let is_healthy = |series: &str| {
        let number = label(series, "account").and_then(|name| name.strip_prefix("farm-"));
        number.is_some_and(|number| !is_broken(number.parse().unwrap()))
    };
    let family = "minergate_endpoint_last_success_timestamp_seconds{";
    let times = scrape.0.iter().filter(|(series, _)| series.starts_with(family) && is_healthy(series));
    let times: Vec<f64> = times.map(|(_, time)| *time).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let is_whole = times.len() == HEALTHY * POLLED.len();
    is_whole.then(|| times.into_iter().fold(0.0, |oldest, time| f64::max(oldest, now - time)))
}

/// Requests of the healthy accounts so far, without and with logins.
fn requests(pool: &str) -> (f64, f64) {
    let rows: Vec<Value> = serde_json::from_slice(&get(&format!("{pool}/-/requests"), &[]).body).unwrap();
    let (mut polls, mut logins) = (0.0, 0.0);
    for row in rows {
        let number = row["account"].as_str().unwrap().strip_prefix("farm-");
        if number.is_some_and(|number| !is_broken(number.parse().unwrap())) {
            *(if row["endpoint"] == "login" { &mut logins } else { &mut polls }) += row["count"].as_f64().unwrap();
        }
    }
    (polls, logins)
}

#[test]
fn healthy_accounts_are_on_time_beside_300_failing_ones() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, _daemon, pool, url) = start(directory.path());
    let began = Instant::now();
    wait("the first round", || {
        thread::sleep(SCRAPE);
        oldest_success(&scrape(&url))
    });
    let first_round = began.elapsed();
    let (before, _) = requests(&pool);
    let watched = Instant::now();
    let mut worst = 0.0_f64;
    while watched.elapsed() < WATCHED {
        thread::sleep(SCRAPE);
        let scrape = scrape(&url);
        worst = worst.max(oldest_success(&scrape).unwrap());
        assert!(worst < LATE.as_secs_f64(), "a healthy account's loop had its last success {worst} s ago");
    }
    wait("all healthy accounts up", || {
        let scrape = scrape(&url);
        (1..=ACCOUNTS).all(|account| is_broken(account) || scrape.is_up(&format!("farm-{account}"))).then_some(())
    });

    let (after, logins) = requests(&pool);
    let rounds = (after - before) / (watched.elapsed().as_secs_f64() / INTERVAL.as_secs_f64());
    let share = rounds / f64::from(u16::try_from(HEALTHY * POLLED.len()).unwrap());
    // A busy machine can answer so late that a poll is retried.
    assert!((0.5..1.5).contains(&share), "{share} of the polls that were due");
    let with_password = (1..=ACCOUNTS).filter(|account| !is_broken(*account) && !account.is_multiple_of(3)).count();
    let with_password = f64::from(u16::try_from(with_password).unwrap());
    assert!((with_password..1.1 * with_password).contains(&logins), "{logins} logins of {with_password} accounts");
    let scrape = scrape(&url);
    for (account, fault) in broken().into_iter().filter(|(_, fault)| !READABLE.contains(fault) && !LARGE.contains(fault)) {
        assert!(!scrape.is_up(&format!("farm-{account}")), "farm-{account} is up in spite of {fault}");
    }
    println!("first round {first_round:?}, then {share:.2} of the polls due, the oldest success {worst:.1} s ago");
}
