//! The rules of deploy/prometheus: complete, tested by promtool of Prometheus 2 and 3, and explained page by page.
//!
//! Needs `promtool` and `amtool`, and a promtool of version 3 in `PROMETHEUS_3`: `scripts/test` installs them.

mod file;
mod reduced;
mod runbook;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use minergate_exporter::cli::reference::metrics as reference;

pub(crate) use self::file::rules;
use self::file::{Group, Rule, test_files, tests_of};
use crate::repository::{ROOT, files, read};

/// Alerts about series that are not there: the only ones that fire without them.
const OF_ABSENCE: &[&str] = &["MinergateExporterAbsent"];

/// Names in expressions and templates that are not ours: Prometheus' metrics, and the record that users write.
const OTHERS: &[&str] = &["up", "ALERTS", "ALERTS_FOR_STATE", "scrape_duration_seconds", "minergate:mining_pause"];

/// The beginning of each `runbook_url`. It is an example that users replace.
pub(crate) const RUNBOOKS: &str = "https://docs.example.com/minergate-exporter/runbooks/";

/// A program of Prometheus 3.
pub(crate) fn prometheus_3(program: &str) -> PathBuf {
    let directory = std::env::var_os("PROMETHEUS_3").unwrap_or_else(|| "target/tools/prometheus-3/root/usr/bin".into());
    Path::new(ROOT).join(directory).join(program)
}

/// The promtool of each major version.
pub(crate) fn promtools() -> [PathBuf; 2] {
    [PathBuf::from("promtool"), prometheus_3("promtool")]
}

/// Runs a program on files of the repository, and returns what it wrote.
pub(crate) fn run(program: &Path, arguments: &[&str], files: &[PathBuf]) -> Result<String, String> {
    let output = Command::new(program).current_dir(ROOT).args(arguments).args(files).output();
    let output =
        output.unwrap_or_else(|error| panic!("{}: {error}; scripts/test installs what the tests need", program.display()));
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(said) } else { Err(format!("{} {arguments:?}: {said}", program.display())) }
}

#[test]
#[ignore = "scripts/test runs it: it needs Prometheus"]
fn both_versions_of_promtool_are_there() {
    let versions = promtools().map(|promtool| run(&promtool, &["--version"], &[]).unwrap());
    assert!(versions[0].starts_with("promtool, version 2."), "{}", versions[0]);
    assert!(versions[1].starts_with("promtool, version 3."), "{}", versions[1]);
}

#[test]
#[ignore = "scripts/test runs it: it needs Prometheus and Alertmanager"]
fn rules_and_configurations_are_valid() {
    for promtool in promtools() {
        run(&promtool, &["check", "rules"], &files("deploy/prometheus/rules", ".rules.yml")).unwrap();
        for config in files("deploy/prometheus", ".yml")
            .into_iter()
            .filter(|path| path.parent() == Some(Path::new("deploy/prometheus")))
        {
            run(&promtool, &["check", "config"], &[config]).unwrap();
        }
    }
    run(Path::new("amtool"), &["check-config"], &files("deploy/alertmanager", ".yml")).unwrap();
}

#[test]
#[ignore = "scripts/test runs it: it needs Prometheus"]
fn rules_pass_their_tests_with_prometheus_2_and_3() {
    let directory = tempfile::tempdir().unwrap();
    let tests: Vec<PathBuf> =
        files("tests/rules", ".yml").iter().map(|test| reduced::write(test, directory.path())).collect();
    std::thread::scope(|scope| {
        let tests = &tests;
        let run = |promtool: PathBuf| scope.spawn(move || run(&promtool, &["test", "rules"], tests));
        let results = promtools().map(run).map(|thread| thread.join().unwrap());
        let failures: Vec<String> = results.into_iter().filter_map(Result::err).collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    });
}

#[test]
fn every_alert_has_summary_account_and_runbook() {
    for rule in rules() {
        let Some(alert) = &rule.alert else { continue };
        assert!(alert.starts_with("Minergate"), "{alert}");
        assert!(rule.pending.is_some(), "{alert} fires at once; give it a `for`");
        let severity = rule.severity();
        assert!(["critical", "warning", "info"].contains(&severity), "{alert}: {severity:?}");
        let annotations: Vec<&str> = rule.annotations.keys().map(String::as_str).collect();
        assert_eq!(annotations, ["dashboard_url", "description", "runbook_url", "summary"], "{alert}");
        assert!(rule.annotations.values().all(|text| !text.trim().is_empty()), "{alert}");
        assert_eq!(rule.annotations["runbook_url"], format!("{RUNBOOKS}{alert}.md"));
        let (dashboard, variable) = dashboard(&rule.annotations["dashboard_url"]);
        let file: serde_json::Value = serde_json::from_str(&read(format!("grafana/dashboards/{dashboard}.json"))).unwrap();
        assert_eq!(file["uid"], dashboard, "{alert}");
        let variables = file["templating"]["list"].as_array().unwrap();
        assert!(variable.is_none_or(|name| variables.iter().any(|known| known["name"] == name)), "{alert}: {variable:?}");
    }
}

/// The dashboard and the variable of a URL.
fn dashboard(url: &str) -> (&str, Option<&str>) {
    let path = url.strip_prefix("http://localhost:3000/d/").unwrap_or_else(|| panic!("{url}"));
    let Some((dashboard, query)) = path.split_once("?var-") else { return (path, None) };
    let (variable, value) = query.split_once('=').unwrap();
    assert_eq!(value, format!("{{{{ $labels.{variable} | urlquery }}}}"), "{url}");
    (dashboard, Some(variable))
}

/// The names of metrics in an expression or a template, found by their prefixes.
fn metrics(text: &str) -> BTreeSet<&str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let names = text.split(|c| !is_name(c)).filter(|word| !word.ends_with(':'));
    names.filter(|word| word.contains("minergate_") || word.contains("minergate:") || OTHERS.contains(word)).collect()
}

/// Fails if a text names a metric or a record that does not exist.
pub(crate) fn names_are_known(place: &str, text: &str) {
    let rules = rules();
    for name in metrics(text) {
        let is_record = || rules.iter().any(|rule| rule.record.as_deref() == Some(name));
        let is_metric = || reference::entries().any(|entry| entry.name == name);
        let is_known = OTHERS.contains(&name) || is_record() || is_metric();
        assert!(is_known, "{place} names {name}, which does not exist");
    }
}

/// Checks that promtool can parse queries: they become the expressions of recording rules.
pub(crate) fn check_queries(queries: impl Iterator<Item = String>) {
    let mut text = "groups: [{name: queries, rules: [\n".to_owned();
    for (number, query) in queries.enumerate() {
        writeln!(text, "  {{record: \"query:{number}\", expr: {}}},", serde_json::json!(query.trim())).unwrap();
    }
    text += "]}]\n";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("queries.yml");
    fs::write(&path, &text).unwrap();
    for promtool in promtools() {
        run(&promtool, &["check", "rules"], std::slice::from_ref(&path)).unwrap_or_else(|said| panic!("{said}\n{text}"));
    }
}

#[test]
fn rules_name_metrics_that_exist() {
    for rule in rules() {
        names_are_known(rule.name(), &rule.expr);
        rule.annotations.values().for_each(|text| names_are_known(rule.name(), text));
    }
    // The check notices a name that does not exist.
    assert_eq!(metrics("sum(minergate_nonsense{account=\"a\"}) / a:minergate_up:sum").len(), 2);
}

#[test]
fn records_are_named_by_level_metric_and_operations() {
    let rules = rules();
    for rule in &rules {
        let Some(record) = &rule.record else { continue };
        let parts: Vec<&str> = record.split(':').collect();
        let is_constant = parts[0] == "minergate" && rule.expr.starts_with("vector(");
        assert!(is_constant || parts.len() == 3, "{record}");
        let known = ["exporter", "account", "currency", "reason", "result", "model"];
        assert!(is_constant || parts[0].split('_').all(|label| known.contains(&label)), "{record}");
    }
    let alerts: Vec<&Rule> = rules.iter().filter(|rule| rule.alert.is_some()).collect();
    let distinct: BTreeSet<_> = alerts.iter().map(|rule| (&rule.alert, rule.severity())).collect();
    assert_eq!(distinct.len(), alerts.len(), "an alert stands twice with one severity");
}

#[test]
fn every_record_is_tested_with_numbers() {
    let groups = tests_of("recording");
    let tests: Vec<_> = groups.iter().flat_map(|group| &group.promql_expr_test).collect();
    for rule in rules() {
        let Some(record) = &rule.record else { continue };
        let is_tested = |expr: &str| metrics(expr).contains(record.as_str());
        // Users set the constants, so the tests check the values that are computed from them.
        let is_used = rules().iter().any(|other| metrics(&other.expr).contains(record.as_str()));
        let tested = tests.iter().any(|test| is_tested(&test.expr) && !test.exp_samples.is_empty());
        assert!(tested || (record.starts_with("minergate:") && is_used), "{record} has no test with a number");
    }
}

#[test]
fn every_alert_is_tested_firing_silent_and_without_its_series() {
    let alerts: BTreeSet<String> = rules().into_iter().filter_map(|rule| rule.alert).collect();
    let mut tested = test_files();
    assert!(tested.remove("recording"));
    assert_eq!(tested, alerts, "one file in tests/rules for each alert");
    for alert in &alerts {
        let groups = tests_of(alert);
        for test in groups.iter().flat_map(|group| &group.alert_rule_test) {
            assert_eq!(&test.alertname, alert, "tests/rules/{alert}.yml tests another alert");
        }
        let of = |kind: &str| -> Vec<&Group> {
            let groups: Vec<_> = groups.iter().filter(|group| group.name.starts_with(&format!("{kind}: "))).collect();
            assert!(!groups.is_empty(), "{alert} has no test whose name begins with `{kind}: `");
            groups
        };
        let (fires, silent, missing) = (of("fires"), of("silent"), of("missing"));
        assert_eq!(fires.len() + silent.len() + missing.len(), groups.len(), "{alert}: a test is none of the three kinds");
        for group in &fires {
            assert!(group.fires(), "{alert}, {}", group.name);
        }
        // Silent with the same metrics, so that only their values differ.
        assert!(silent.iter().all(|group| !group.fires()), "{alert}");
        assert!(silent.iter().any(|group| group.families().is_superset(&fires[0].families())), "{alert}");
        for group in &missing {
            assert_eq!(group.fires(), OF_ABSENCE.contains(&alert.as_str()), "{alert}, {}", group.name);
            assert!(fires[0].series().any(|series| !group.has_at_the_end(series)), "{alert}, {}: all is there", group.name);
        }
    }
}

/// The commented example in constants.rules.yml has the right hours.
#[test]
#[ignore = "scripts/test runs it: it needs Prometheus"]
fn the_example_of_a_pause_has_the_right_hours() {
    let directory = tempfile::tempdir().unwrap();
    let constants = read("deploy/prometheus/rules/constants.rules.yml");
    let (before, example) = constants.split_once("      # - record: minergate:mining_pause\n").unwrap();
    let example = example.replacen("      #   ", "        ", 2);
    fs::write(
        directory.path().join("constants.rules.yml"),
        format!("{before}      - record: minergate:mining_pause\n{example}"),
    )
    .unwrap();
    // Tests begin at midnight UTC.
    let mut test = "rule_files: [constants.rules.yml]\ntests: [{interval: 1m, promql_expr_test: [\n".to_owned();
    for (hour, pauses) in [(1, false), (5, false), (6, true), (21, true), (22, false)] {
        let sample = "{labels: 'minergate:mining_pause{account=\"night-rig\"}', value: 1}";
        let samples = if pauses { sample } else { "" };
        writeln!(test, "  {{expr: 'minergate:mining_pause', eval_time: {hour}h30m, exp_samples: [{samples}]}},").unwrap();
    }
    let path = directory.path().join("pause.yml");
    fs::write(&path, test + "]}]\n").unwrap();
    for promtool in promtools() {
        run(&promtool, &["test", "rules"], std::slice::from_ref(&path)).unwrap();
    }
}
