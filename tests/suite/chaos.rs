//! Random faults of all kinds by a seeded schedule. Each scrape is checked for what must hold nevertheless.

mod journal;
mod oracle;
mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use minergate::endpoints::{ENDPOINTS, Endpoint};
use minergate_simulator::FAULTS;
use serde_json::Value;
use tokio::time::Instant;

use self::journal::Journal;
use self::oracle::Oracle;
use self::schedule::Round;
use crate::process::{Process, daemon, get, put_faults, simulator, wait};
use crate::scrape::{Format, Scrape, label};

/// The seed of the schedule and of the simulators.
const SEED: u64 = 3;

/// Accounts without faults, one for each kind of credentials.
const HEALTHY: &[&str] = &["farm-13", "farm-14", "farm-15", "farm-16"];

/// All others.
const FAULTY: &[&str] = &[
    "farm-1", "farm-2", "farm-3", "farm-4", "farm-5", "farm-6", "farm-7", "farm-8", "farm-9", "farm-10", "farm-11",
    "farm-12",
];

/// Accounts that log in with a TOTP code. There is one code in 30 s.
const WITH_TOTP: &[&str] = &["farm-2", "farm-5", "farm-8", "farm-11"];

/// Endpoints that are polled every second; all others every 3.
const EVERY_SECOND: &[&str] = &["workers", "mining_stats", "balance", "status"];

/// How long a round of the schedule lasts.
const ROUND: Duration = Duration::from_millis(1500);

/// Time without faults at the end, before the last check.
const QUIET: Duration = Duration::from_secs(5);

/// The longest age of values at an interval of a second. Values are shown for 9 s (three of the longest intervals), and an
/// answer can take 2 s (`api.timeout`); the rest is for a busy machine.
const ON_TIME: Duration = Duration::from_secs(15);

/// The shortest wait between failed logins, in seconds.
const SHORTEST_BACKOFF: f64 = 5.0;

/// Facts of earlier scrapes, which later scrapes must not contradict.
#[derive(Default)]
struct Seen {
    /// Each counter's latest value.
    counters: BTreeMap<String, f64>,
    /// The number of logins of each blocked account when it was first seen as blocked.
    blocked: BTreeMap<&'static str, f64>,
    scrapes: u32,
}

impl Seen {
    /// Checks what holds for every scrape.
    fn check(&mut self, scrape: &Scrape, all_up: bool) {
        self.scrapes += 1;
        // Faults reset the pool's counters of a faulty account.
        let may_fall = |series: &str| {
            oracle::is_of_api(series) && label(series, "account").is_some_and(|account| FAULTY.contains(&account))
        };
        let is_counter = |series: &str| series.contains("_total{") || series.ends_with("_total");
        for (series, value) in scrape.0.iter().filter(|(series, _)| is_counter(series) && !may_fall(series)) {
            let before = self.counters.insert(series.clone(), *value).unwrap_or_default();
            assert!(before <= *value, "{series} went from {before} back to {value}");
        }
        for account in HEALTHY {
            assert!(!all_up || scrape.is_up(account), "{account} is down");
            let is_quick = |series: &str| EVERY_SECOND.contains(&label(series, "endpoint").unwrap());
            let last = scrape.of_family("minergate_endpoint_last_success_timestamp_seconds", account);
            for (series, time) in last.filter(|(series, _)| is_quick(series)) {
                let age = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() - time;
                assert!(age < ON_TIME.as_secs_f64(), "{series} is {age} s ago");
            }
        }
        for account in FAULTY.iter().filter(|account| scrape.is_blocked(account)) {
            let logins = scrape.logins(account, |_| true);
            let before = *self.blocked.entry(account).or_insert(logins);
            assert_eq!(logins, before, "{account} was logged in though it is blocked");
        }
        for account in self.blocked.keys() {
            assert!(scrape.is_blocked(account), "{account} is no longer blocked");
        }
    }
}

/// The daemon's configuration: the simulator's, polled fast.
fn poll_fast(config: &Path) -> PathBuf {
    let text = std::fs::read_to_string(config).unwrap();
    let api = "requests_per_second = 1000\nconcurrency = 32\ntimeout = \"2s\"\n";
    let text = text.replace("requests_per_second = 50\n", api);
    let interval = |endpoint: &Endpoint| if EVERY_SECOND.contains(&endpoint.name) { "1s" } else { "3s" };
    let lines = ENDPOINTS.iter().map(|endpoint| format!("{} = \"{}\"", endpoint.name, interval(endpoint)));
    let text = format!("{text}\n[poll]\nstale_after = \"5s\"\n{}\n", lines.collect::<Vec<_>>().join("\n"));
    std::fs::write(config, text).unwrap();
    config.to_owned()
}

struct Run {
    _simulators: [Process; 2],
    daemon: Process,
    pool: String,
    url: String,
    oracle: Oracle,
    seen: Seen,
}

impl Run {
    /// A daemon whose accounts are all up.
    fn start() -> Run {
        let directory = tempfile::tempdir().unwrap();
        let pool = |name: &str| {
            let directory = directory.path().join(name);
            std::fs::create_dir(&directory).unwrap();
            let (process, config) = simulator(&directory, &["--accounts", "16", "--seed", &SEED.to_string()]);
            let url = format!("http{}", process.output().split_once(" is at http").unwrap().1.trim());
            (process, poll_fast(&config), url)
        };
        let (twin, config, _) = pool("twin");
        let oracle = Oracle::new(&config, ON_TIME);
        let (simulator, config, pool) = pool("pool");
        let (daemon, url) = daemon(&config, &["--log.format", "json"]);
        let run = Run { _simulators: [simulator, twin], daemon, pool, url, oracle, seen: Seen::default() };
        wait("all accounts up", || {
            let scrape = Scrape::of(&run.url, Format::Text);
            HEALTHY.iter().chain(FAULTY).all(|account| scrape.is_up(account)).then_some(())
        });
        run
    }

    /// Scrapes for a time, in the two formats in turn, and returns the last scrape.
    fn watch(&mut self, time: Duration, all_up: bool) -> Scrape {
        let end = Instant::now() + time;
        let mut formats = [Format::OpenMetrics, Format::Text].into_iter().cycle();
        loop {
            let since = Instant::now();
            let scrape = Scrape::of(&self.url, formats.next().unwrap());
            self.oracle.read();
            self.oracle.check(&scrape, since, all_up);
            self.seen.check(&scrape, all_up);
            if Instant::now() >= end {
                return scrape;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Accounts whose failing endpoints all wait for longer than their interval.
fn waiting(url: &str) -> BTreeSet<String> {
    let status: Value = serde_json::from_slice(&get(&format!("{url}/api/v1/status"), &[]).body).unwrap();
    let waits = |account: &&Value| {
        let endpoints = account["endpoints"].as_array().unwrap();
        endpoints.iter().filter(|endpoint| endpoint["up"] == false).all(|endpoint| endpoint["next_poll_late"].is_string())
    };
    let accounts = status["accounts"].as_array().unwrap().iter().filter(waits);
    accounts.map(|account| account["name"].as_str().unwrap().to_owned()).collect()
}

/// The requests that the simulator counted: logins of an account, and refusals of its tokens.
fn asked(pool: &str, account: &str) -> (f64, f64) {
    let rows: Vec<Value> = serde_json::from_slice(&get(&format!("{pool}/-/requests"), &[]).body).unwrap();
    let (mut logins, mut refusals) = (0.0, 0.0);
    for row in rows.iter().filter(|row| row["account"] == account) {
        let count = row["count"].as_f64().unwrap();
        if row["endpoint"] == "login" {
            logins += count;
        } else if ["expired-token", "forbidden", "401"].iter().any(|outcome| row["outcome"] == *outcome) {
            refusals += count;
        }
    }
    (logins, refusals)
}

#[test]
fn promises_hold_during_random_faults() {
    let mut run = Run::start();
    let began = Instant::now();
    let rounds = schedule::rounds(SEED);
    for fault in FAULTS.iter().filter(|fault| !schedule::OF_WALLETS.contains(&fault.name)) {
        let is_of = |rule: &String| rule.split(['=', ':', '@']).next().unwrap().trim_start_matches("login/") == fault.name;
        assert!(rounds.iter().flat_map(|round| &round.rules).any(is_of), "{} does not come", fault.name);
    }

    let mut early = None;
    for (i, Round { rules, is_host_wide }) in rounds.iter().enumerate() {
        put_faults(&run.pool, rules);
        let scrape = run.watch(ROUND, !is_host_wide);
        match i {
            // The events of the first round have happened, also on a busy machine.
            0 => wait("the logins to fail", || {
                ["farm-1", "farm-4"].iter().all(|account| asked(&run.pool, account).0 >= 2.0).then_some(())
            }),
            3 => early = Some(scrape),
            _ => {}
        }
    }
    put_faults(&run.pool, &[]);
    run.watch(QUIET, false);

    // All accounts are up again, except those whose logins are blocked and those that wait: for a login, for the next TOTP code, or with an
    // endpoint after several permanent failures.
    let journal = wait("all to be up that is due", || {
        let journal = Journal::read(&run.daemon.output());
        let scrape = Scrape::of(&run.url, Format::Text);
        let waiting = waiting(&run.url);
        let may_wait = |account: &str| account != "farm-4" && (waiting.contains(account) || WITH_TOTP.contains(&account));
        let is_well = |account: &str| scrape.is_up(account) || scrape.is_blocked(account) || may_wait(account);
        let all_well = HEALTHY.iter().all(|account| scrape.is_up(account)) && FAULTY.iter().all(|account| is_well(account));
        (all_well && journal.agrees_with(&scrape)).then_some(journal)
    });
    run.watch(Duration::from_secs(1), true);

    // Logins that the simulator saw are counted by the exporter when they end.
    let all = || HEALTHY.iter().chain(FAULTY).copied();
    let seen: BTreeMap<&str, (f64, f64)> = all().map(|account| (account, asked(&run.pool, account))).collect();
    let scrape = wait("every login to be counted", || {
        let scrape = Scrape::of(&run.url, Format::Text);
        all().all(|account| seen[account].0 <= scrape.logins(account, |_| true)).then_some(scrape)
    });
    let outcomes = |account, outcome: &str| scrape.logins(account, |found| found == outcome);
    assert!(scrape.is_blocked("farm-1"));
    assert_eq!((outcomes("farm-1", "ok"), outcomes("farm-1", "captcha"), seen["farm-1"].0), (1.0, 1.0, 2.0));
    assert!(scrape.is_up("farm-4"));
    assert_eq!((outcomes("farm-4", "ok"), outcomes("farm-4", "server_error"), seen["farm-4"].0), (2.0, 1.0, 3.0));
    let waits = (began.elapsed().as_secs_f64() / SHORTEST_BACKOFF).floor() + 1.0;
    for account in all() {
        let (logins, refusals) = seen[account];
        // The first login, one for each refused token, and failed ones, which are not more frequent than the backoff allows.
        let bound = 1.0 + refusals + waits;
        assert!(logins <= bound, "{account} logged in {logins} times, {bound} at most");
        if HEALTHY.contains(&account) {
            assert!(logins <= 1.0, "{account} logged in {logins} times");
        }
        let stops = ["wrong_password", "totp_required", "captcha", "discontinued"];
        assert!(scrape.logins(account, |outcome| stops.contains(&outcome)) <= 1.0, "{account} insisted");
    }

    // In the log, the only failure of a healthy account is the pause that the host asked for.
    for account in HEALTHY.iter().copied().chain([""]) {
        let kinds = journal.kinds(account);
        assert!(
            kinds.iter().all(|kind| ["rate_limited", "paused", "unavailable"].contains(&kind.as_str())),
            "{account}: {kinds:?}"
        );
    }
    let early = early.unwrap();
    for (gauge, slack) in [("process_open_fds", 20.0), ("process_resident_memory_bytes", f64::from(48 << 20))] {
        let (before, after) = (early.get(gauge).unwrap(), scrape.get(gauge).unwrap());
        assert!(after <= 1.5 * before + slack, "{gauge} was {before} and is {after}");
    }
    println!("{} scrapes; {} accounts blocked", run.seen.scrapes, run.seen.blocked.len());
}
