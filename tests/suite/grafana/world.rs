//! A world: a Prometheus with two days of history of running exporters, with the recorded series and the alerts of the rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use tokio::time::Instant;

use super::history::{Change, LENGTH, Target, open_metrics};
use super::promql::selectors;
use crate::process::{Process, daemon, exporter, get, simulator, wait};
use crate::prometheus::serve;
use crate::rules::rules;

/// Polls as often as the configuration allows.
const CONFIG: &str = r#"
[poll]
workers = "1s"
mining_stats = "1s"
balance = "2s"
status = "2s"
transfers = "3s"
withdrawals = "3s"
invoices = "3s"
profit_rating = "3s"
top_hashrate = "3s"
affiliate_links = "3s"
affiliate_childrens = "3s"
affiliate_profit = "3s"
nickname = "3s"
"#;

/// Time between the two scrapes, from which the growth of counters is taken.
const WATCHED: Duration = Duration::from_secs(20);

/// How to make a world.
pub(super) struct Plan {
    pub(super) name: &'static str,
    /// The simulator's arguments.
    pub(super) simulator: &'static [&'static str],
    /// Whether Prometheus also scrapes each account as a target of its own.
    pub(super) apart: bool,
    /// Number of accounts' loops that can't be read because of a fault.
    pub(super) unreadable: usize,
    /// The exporter died this many seconds ago.
    pub(super) gone: u64,
    pub(super) change: Change,
}

/// A Prometheus that serves a world, and the time at which it ends.
pub(super) struct World {
    pub(super) api: String,
    pub(super) end: u64,
    _prometheus: Process,
}

impl World {
    /// Makes a world in a directory of its own.
    pub(super) fn make(directory: &Path, plan: &Plan) -> World {
        // Files of an earlier run.
        let _ = fs::remove_dir_all(directory);
        fs::create_dir_all(directory).unwrap();
        let targets = targets(directory, plan);
        let end = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 1;
        let history = directory.join("history.om");
        fs::write(&history, open_metrics(&targets, end, plan.gone, plan.change)).unwrap();
        let config = directory.join("prometheus.yml");
        fs::write(&config, "# Scrapes nothing: it serves what there is.\n").unwrap();
        let data = config.with_extension("tsdb");
        promtool(&["openmetrics".as_ref(), history.as_os_str(), data.as_os_str()]);
        fs::remove_file(history).unwrap();
        for (level, rules) in levels().iter().enumerate() {
            let file = directory.join(format!("level-{level}.yml"));
            fs::write(&file, json!({ "groups": [{ "name": "level", "rules": rules }] }).to_string()).unwrap();
            let (_prometheus, api) = serve(Path::new("prometheus"), &config);
            let [url, start, until, output] = [
                format!("--url={}", api.trim_end_matches("/api/v1")),
                format!("--start={}", end - LENGTH),
                format!("--end={end}"),
                format!("--output-dir={}", data.display()),
            ];
            promtool(&[
                "rules".as_ref(),
                url.as_ref(),
                start.as_ref(),
                until.as_ref(),
                output.as_ref(),
                "--eval-interval=2m".as_ref(),
                file.as_os_str(),
            ]);
            fs::remove_file(file).unwrap();
        }
        fs::write(directory.join("end"), end.to_string()).unwrap();
        let (prometheus, api) = serve(Path::new("prometheus"), &config);
        World { api, end, _prometheus: prometheus }
    }
}

/// One block for the whole time: more blocks make Prometheus slower.
fn promtool(arguments: &[&std::ffi::OsStr]) {
    let mut command = Command::new("promtool");
    command.args(["tsdb", "create-blocks-from", "--max-block-duration=1000h", "--quiet"]).args(arguments);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Number of loops of all accounts, from `check`.
fn account_loops(config: &Path) -> usize {
    let output = exporter().args(["check", "--format", "json", "--config.file"]).arg(config).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let of_accounts = report["endpoints"].as_array().unwrap().iter().filter(|endpoint| endpoint["scope"] == "account");
    of_accounts.map(|endpoint| usize::try_from(endpoint["loops"].as_u64().unwrap()).unwrap()).sum()
}

/// Runs the exporter with a simulated pool until every loop has ended a poll, and scrapes it twice.
fn targets(directory: &Path, plan: &Plan) -> Vec<Target> {
    let (_pool, config) = simulator(directory, plan.simulator);
    let text = fs::read_to_string(&config).unwrap().replace("requests_per_second = 50", "requests_per_second = 400");
    let optional = "optional_metrics = [\"minergate_pool_top_miner_info\"]\n";
    fs::write(&config, format!("{optional}{text}{CONFIG}")).unwrap();
    let (_daemon, url) = daemon(&config, &[]);
    let whole = format!("{url}/metrics");
    let readable = account_loops(&config) - plan.unreadable;
    wait("the first success of every loop that can have one", || {
        let text = get(&whole, &[]).text();
        let read = text.lines().filter(|line| {
            line.starts_with("minergate_endpoint_last_success_timestamp_seconds{") && !line.contains("account=\"\"")
        });
        (read.count() == readable).then_some(())
    });
    std::thread::sleep(Duration::from_secs(10));
    let mut places = vec![("job=\"minergate\",instance=\"localhost:10187\"".to_owned(), whole)];
    if plan.apart {
        let sd: serde_json::Value = serde_json::from_slice(&get(&format!("{url}/sd"), &[]).body).unwrap();
        for group in sd.as_array().unwrap() {
            let account = group["labels"]["__param_account"].as_str().unwrap();
            let labels = format!("job=\"accounts\",instance=\"localhost:10187/{account}\"");
            places.push((labels, format!("{url}/metrics?account={account}")));
        }
    }
    let scrape = || places.iter().map(|(_, url)| get(url, &[]).text()).collect::<Vec<_>>();
    let (start, before) = (Instant::now(), scrape());
    std::thread::sleep(WATCHED);
    let between = start.elapsed().as_secs_f64();
    let scrapes = before.into_iter().zip(scrape());
    places
        .iter()
        .zip(scrapes)
        .map(|((labels, _), (before, after))| Target { labels: labels.clone(), before, after, between })
        .collect()
}

/// The rules in levels for `promtool tsdb create-blocks-from rules`: each level needs the series of the levels before it. promtool
/// ignores alerting rules, so alerts are written as recording rules that fire at once.
fn levels() -> Vec<Vec<serde_json::Value>> {
    let names = |expression: &str| selectors(expression).into_iter().map(|s| s.metric.to_owned()).collect::<BTreeSet<_>>();
    let mut recordings: BTreeMap<String, Vec<serde_json::Value>> = BTreeMap::new();
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut alerts = Vec::new();
    let mut states = Vec::new();
    for rule in rules() {
        if let Some(name) = rule.record {
            needs.entry(name.clone()).or_default().extend(names(&rule.expr));
            recordings
                .entry(name.clone())
                .or_default()
                .push(json!({ "record": name, "expr": rule.expr, "labels": rule.labels }));
        } else if let Some(alert) = rule.alert {
            let severity = &rule.labels["severity"];
            let labels = json!({ "alertname": alert, "severity": severity, "alertstate": "firing" });
            alerts.push(json!({ "record": "ALERTS", "expr": format!("1 + 0 * ({})", rule.expr), "labels": labels }));
            let firing = format!("ALERTS{{alertname=\"{alert}\", severity=\"{severity}\"}}");
            let since = format!("min_over_time(timestamp({firing})[1d:10m]) and {firing}");
            states.push(json!({ "record": "ALERTS_FOR_STATE", "expr": since }));
        }
    }
    let mut levels = Vec::new();
    while !recordings.is_empty() {
        let waiting: BTreeSet<_> = recordings.keys().cloned().collect();
        // A rule may read its own earlier values.
        let (ready, _): (Vec<_>, Vec<_>) =
            waiting.iter().partition(|name| needs[*name].iter().all(|needed| needed == *name || !waiting.contains(needed)));
        assert!(!ready.is_empty(), "{waiting:?} need each other");
        levels.push(ready.into_iter().flat_map(|name| recordings.remove(name).unwrap()).collect());
    }
    levels.push(alerts);
    levels.push(states);
    levels
}

/// The directory of `GRAFANA_WORLDS`, if it is set.
pub(super) fn kept() -> Option<PathBuf> {
    std::env::var_os("GRAFANA_WORLDS").map(PathBuf::from)
}
