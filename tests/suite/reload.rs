//! Reloads of a running exporter, and instances and Prometheus servers that share a configuration.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process::{Process, change_config, daemon, get, request, set_intervals, simulator, wait};
use crate::prometheus::serve;

fn accounts(table: &mut toml::Table) -> &mut Vec<toml::Value> {
    table["accounts"].as_array_mut().unwrap()
}

fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

fn up(metrics: &str, account: &str) -> Option<f64> {
    value(&get(metrics, &[]).text(), &format!("minergate_up{{account=\"{account}\"}}"))
}

fn wait_up(metrics: &str, accounts: &[&str]) {
    wait("accounts to be up", || accounts.iter().all(|account| up(metrics, account) == Some(1.0)).then_some(()));
}

fn times(process: &Process, line: &str) -> usize {
    process.output().matches(line).count()
}

/// A simulator with so many accounts, and its configuration.
fn simulated(directory: &Path, accounts: usize) -> (Process, PathBuf) {
    simulator(directory, &["--accounts", &accounts.to_string()])
}

#[test]
fn a_reload_keeps_what_did_not_change() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulated(directory.path(), 4);
    let mut new = None;
    change_config(&config, |table| new = accounts(table).pop());
    let (daemon, url) = daemon(&config, &[]);
    let metrics = format!("{url}/metrics");
    wait_up(&metrics, &["farm-1", "farm-2", "farm-3"]);
    let before = get(&metrics, &[]).text();

    // farm-3 goes, farm-4 comes, one interval changes.
    change_config(&config, |table| {
        accounts(table).pop();
        accounts(table).extend(new);
        set_intervals(table, "balance = \"7s\"");
    });
    daemon.signal("HUP");
    wait("the reload", || (times(&daemon, "configuration reloaded") == 1).then_some(()));
    let after = get(&metrics, &[]).text();
    for series in [
        "minergate_auth_token_timestamp_seconds{account=\"farm-1\"}",
        "minergate_auth_logins_total{account=\"farm-2\",outcome=\"ok\"}",
    ] {
        assert!(value(&before, series).is_some(), "{series}");
        assert_eq!(value(&after, series), value(&before, series), "{series}");
    }
    assert!(after.contains("minergate_balance_coins{account=\"farm-1\""), "values stay");
    wait_up(&metrics, &["farm-1", "farm-2", "farm-4"]);
    let text = get(&metrics, &[]).text();
    assert!(!text.contains("farm-3"));
    let interval = "minergate_endpoint_interval_seconds{endpoint=\"balance\"}";
    wait("the interval", || (value(&get(&metrics, &[]).text(), interval) == Some(7.0)).then_some(()));
    assert_eq!(value(&text, "minergate_auth_logins_total{account=\"farm-1\",outcome=\"ok\"}"), Some(1.0));
}

#[test]
fn a_changed_api_section_restarts_the_loops_and_removes_old_values() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulated(directory.path(), 2);
    let (daemon, url) = daemon(&config, &[]);
    let metrics = format!("{url}/metrics");
    wait_up(&metrics, &["farm-1", "farm-2"]);
    change_config(&config, |table| {
        accounts(table).pop();
        table["api"].as_table_mut().unwrap().insert("timeout".to_owned(), "7s".into());
    });
    daemon.signal("HUP");
    wait("the reload", || (times(&daemon, "configuration reloaded") == 1).then_some(()));
    wait("farm-2 to go", || (!get(&metrics, &[]).text().contains("farm-2")).then_some(()));
    let text = get(&metrics, &[]).text();
    assert!(text.contains("minergate_balance_coins{account=\"farm-1\""), "values stay");
    assert_eq!(value(&text, "minergate_auth_logins_total{account=\"farm-1\",outcome=\"ok\"}"), Some(1.0), "tokens stay");
}

#[test]
fn a_configuration_with_a_mistake_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulated(directory.path(), 1);
    let good = fs::read_to_string(&config).unwrap();
    let (daemon, url) = daemon(&config, &["--web.enable-lifecycle"]);
    let metrics = format!("{url}/metrics");
    wait_up(&metrics, &["farm-1"]);
    fs::write(&config, "acounts = 1").unwrap();
    let answer = request("POST", &format!("{url}/-/reload"), &[]);
    assert_eq!(answer.status, 500);
    assert!(answer.text().contains("did you mean `accounts`?"), "{}", answer.text());
    wait("the log", || (times(&daemon, "configuration not reloaded") == 1).then_some(()));
    let text = get(&metrics, &[]).text();
    assert_eq!(value(&text, "minergate_exporter_config_last_reload_successful"), Some(0.0));
    assert_eq!(up(&metrics, "farm-1"), Some(1.0));
    fs::write(&config, good).unwrap();
    assert_eq!(request("PUT", &format!("{url}/-/reload"), &[]).status, 200);
    let text = get(&metrics, &[]).text();
    assert_eq!(value(&text, "minergate_exporter_config_last_reload_successful"), Some(1.0));
}

#[test]
fn reloading_over_http_is_off_by_default() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulated(directory.path(), 1);
    let (_daemon, url) = daemon(&config, &[]);
    assert_eq!(request("POST", &format!("{url}/-/reload"), &[]).status, 403);
    assert_eq!(get(&format!("{url}/-/reload"), &[]).status, 405);
}

#[test]
fn a_reload_lets_a_blocked_login_try_again() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulated(directory.path(), 1);
    let good = fs::read_to_string(&config).unwrap();
    change_config(&config, |table| accounts(table)[0]["password"] = "wrong".into());
    let (daemon, url) = daemon(&config, &[]);
    let metrics = format!("{url}/metrics");
    let blocked = "minergate_auth_blocked{account=\"farm-1\",reason=\"wrong_password\"}";
    wait("the stop", || (value(&get(&metrics, &[]).text(), blocked) == Some(1.0)).then_some(()));
    fs::write(&config, good).unwrap();
    daemon.signal("HUP");
    wait_up(&metrics, &["farm-1"]);
    assert_eq!(value(&get(&metrics, &[]).text(), blocked), Some(0.0));
}

#[test]
fn no_scrape_fails_while_the_configuration_changes() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulated(directory.path(), 3);
    let (daemon, url) = daemon(&config, &[]);
    let metrics = format!("{url}/metrics");
    wait_up(&metrics, &["farm-1", "farm-2", "farm-3"]);
    let reloads = 10;
    std::thread::scope(|scope| {
        let scrape = || {
            while times(&daemon, "configuration reloaded") < reloads {
                let answer = get(&metrics, &[]);
                assert_eq!(answer.status, 200);
                for account in ["farm-1", "farm-2", "farm-3"] {
                    assert!(answer.text().contains(&format!("minergate_balance_coins{{account=\"{account}\"")));
                }
            }
        };
        let scrapers = [scope.spawn(scrape), scope.spawn(scrape), scope.spawn(scrape)];
        for round in 0..reloads {
            change_config(&config, |table| {
                let poll = format!("balance = \"{}s\"", 10 + round);
                set_intervals(table, &poll);
            });
            daemon.signal("HUP");
            wait("the reload", || (times(&daemon, "configuration reloaded") > round).then_some(()));
        }
        for scraper in scrapers {
            scraper.join().unwrap();
        }
    });
}

#[test]
fn each_account_is_polled_by_one_instance() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulated(directory.path(), 12);
    let mut polled = Vec::new();
    let mut pools = 0;
    for shard in ["1/3", "2/3", "3/3"] {
        let (_daemon, url) = daemon(&config, &["--shard", shard]);
        let text = get(&format!("{url}/metrics"), &[]).text();
        let ups = text.lines().filter_map(|line| line.strip_prefix("minergate_up{account=\"")?.split('"').next());
        polled.extend(ups.map(str::to_owned));
        pools += usize::from(text.contains("endpoint_up{account=\"\",endpoint=\"profit_rating\""));
    }
    let distinct: BTreeSet<&String> = polled.iter().collect();
    assert_eq!((polled.len(), distinct.len(), pools), (12, 12, 1));
}

/// The scrape configuration that docs/scaling.md names: each server keeps the targets of its remainder.
fn prometheus(directory: &Path, exporter: &str, shard: usize) -> (Process, String) {
    let config = directory.join(format!("prometheus-{shard}.yml"));
    let text = include_str!("../../deploy/prometheus/sharded.yml");
    let text = text.replace("localhost:10187", exporter).replace("regex: \"0\"", &format!("regex: \"{shard}\""));
    fs::write(&config, text.replace("scrape_interval: 30s", "scrape_interval: 1s")).unwrap();
    serve(Path::new("prometheus"), &config)
}

#[test]
#[ignore = "scripts/test runs it: it needs Prometheus"]
fn two_prometheus_servers_share_the_accounts() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulated(directory.path(), 9);
    let (_daemon, url) = daemon(&config, &[]);
    let exporter = url.strip_prefix("http://").unwrap();
    let targets: Value = serde_json::from_slice(&get(&format!("{url}/sd"), &[]).body).unwrap();
    assert_eq!(targets.as_array().unwrap().len(), 10, "nine accounts and the exporter itself: {targets}");
    let servers = [0, 1].map(|shard| prometheus(directory.path(), exporter, shard));
    let names = |api: &str, query: &str, label: &str| -> BTreeSet<String> {
        let url = reqwest::Url::parse_with_params(&format!("{api}/query"), [("query", query)]).unwrap();
        let answer: Value = serde_json::from_slice(&get(url.as_str(), &[]).body).unwrap();
        let series = answer["data"]["result"].as_array().unwrap();
        series.iter().map(|one| one["metric"][label].as_str().unwrap_or_default().to_owned()).collect()
    };
    let builds =
        || servers.iter().map(|(_, api)| names(api, "minergate_exporter_build_info", "version").len()).sum::<usize>();
    let (first, second) = wait("every account and the exporter on one server", || {
        let seen = [&servers[0].1, &servers[1].1].map(|api| names(api, "minergate_up", "account"));
        (seen[0].len() + seen[1].len() == 9 && builds() > 0).then_some(seen.into())
    });
    assert!(first.is_disjoint(&second), "{first:?} {second:?}");
    assert_eq!(builds(), 1, "the exporter itself is scraped once");
}
