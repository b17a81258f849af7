//! From a failure of the API to a notification: simulator, exporter, Prometheus and Alertmanager with the files of deploy/, and
//! a webhook.
//!
//! Needs `prometheus-alertmanager` beside `prometheus`: `scripts/test` installs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use minergate::endpoints::ENDPOINTS;
use serde_json::Value;

use crate::fake_api::FakeApi;
use crate::process::{Process, change_config, daemon, free_port, get, post, put_faults, set_intervals, simulator, wait};
use crate::prometheus::{query, serve};
use crate::repository::{files, read};
use crate::rules::RUNBOOKS;

/// The length of a minute of the rules in this test.
const MINUTE: Duration = Duration::from_millis(400);

/// A rule file with shorter `for`, `keep_firing_for` and `interval`, all divided by the same number.
fn hurried(rules: &str) -> String {
    let line = |line: &str| {
        let Some((key, value)) = line.split_once(": ") else { return line.to_owned() };
        if !["for", "keep_firing_for", "interval"].contains(&key.trim()) {
            return line.to_owned();
        }
        let (count, unit) = value.split_at(value.len() - 1);
        let minutes: u32 = count.parse::<u32>().unwrap() * if unit == "h" { 60 } else { 1 };
        assert!(["m", "h"].contains(&unit), "{line}");
        format!("{key}: {}ms", (MINUTE * minutes).as_millis())
    };
    rules.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The shipped configuration of Prometheus and its rules, with shorter times.
fn prometheus_config(directory: &Path, exporter: &str, alertmanager: &str) -> PathBuf {
    fs::create_dir(directory.join("rules")).unwrap();
    for file in files("deploy/prometheus/rules", ".yml") {
        fs::write(directory.join("rules").join(file.file_name().unwrap()), hurried(&read(file))).unwrap();
    }
    let text = read("deploy/prometheus/per-account.yml");
    let text = text.replace("localhost:10187", exporter).replace("localhost:9093", alertmanager).replace("30s", "1s");
    let path = directory.join("prometheus.yml");
    fs::write(&path, text).unwrap();
    path
}

/// Alertmanager with the shipped configuration, shorter times, and the test's webhook; returns its address.
pub(crate) fn alertmanager(directory: &Path, webhook: &str) -> (Process, String) {
    let text = read("deploy/alertmanager/alertmanager.yml");
    let text = text.replace("http://localhost:9095", webhook);
    let text = text.replace("group_wait: 30s", "group_wait: 1s").replace("group_interval: 5m", "group_interval: 1s");
    let config = directory.join("alertmanager.yml");
    fs::write(&config, text).unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new("prometheus-alertmanager");
    command.arg(format!("--config.file={}", config.display()));
    command.arg(format!("--storage.path={}", directory.join("alertmanager").display()));
    // It does not look for other Alertmanagers.
    command.args([&format!("--web.listen-address={address}"), "--cluster.listen-address="]);
    let mut process = Process::start(&mut command);
    process.wait_for("Listening on");
    (process, address)
}

/// The exporter's configuration for a simulator, with every endpoint polled once a second; returns the simulator's URL.
fn poll_every_second(config: &Path) -> String {
    change_config(config, |table| {
        table["api"].as_table_mut().unwrap().insert("requests_per_second".to_owned(), 1000.into());
        let lines: Vec<String> = ENDPOINTS.iter().map(|endpoint| format!("{} = \"1s\"", endpoint.name)).collect();
        set_intervals(table, &lines.join("\n"));
    })
}

/// Waits for a notification at a path of the webhook, and returns the alert in it.
fn notified(webhook: &FakeApi, path: &str, status: &str, name: &str) -> Value {
    wait(&format!("{name} {status} at {path}"), || {
        let bodies = webhook.asked(path).into_iter().map(|asked| asked.body);
        let alerts = bodies.flat_map(|body| body["alerts"].as_array().cloned().unwrap_or_default());
        alerts.rev().find(|alert| alert["status"] == status && alert["labels"]["alertname"] == name)
    })
}

/// The severity and account of a received alert; checks that its links are filled in.
fn told(alert: &Value) -> (&str, &str) {
    let text = |value: &'_ Value| value.as_str().unwrap_or_default().to_owned();
    let name = text(&alert["labels"]["alertname"]);
    assert_eq!(text(&alert["annotations"]["runbook_url"]), format!("{RUNBOOKS}{name}.md"));
    let account = alert["labels"]["account"].as_str();
    let filled_in =
        account.is_none_or(|account| text(&alert["annotations"]["dashboard_url"]).ends_with(&format!("={account}")));
    assert!(filled_in, "{alert}");
    assert!(!text(&alert["annotations"]["summary"]).is_empty() && !text(&alert["annotations"]["description"]).is_empty());
    (alert["labels"]["severity"].as_str().unwrap(), alert["labels"]["account"].as_str().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "scripts/test runs it: it needs Prometheus and Alertmanager"]
async fn an_alert_and_its_end_reach_the_webhook() {
    let webhook = FakeApi::start(|_| (200, String::new())).await;
    tokio::task::spawn_blocking(move || {
        let directory = tempfile::tempdir().unwrap();
        let (_simulator, config) = simulator(directory.path(), &[]);
        let simulator = poll_every_second(&config);
        let (daemon, url) = daemon(&config, &[]);
        let (_alertmanager, alertmanager) = alertmanager(directory.path(), &webhook.base_url);
        let config = prometheus_config(directory.path(), url.strip_prefix("http://").unwrap(), &alertmanager);
        let (_prometheus, api) = serve(Path::new("prometheus"), &config);
        wait("all accounts up", || (query(&api, "sum(minergate_up)").get("{}") == Some(&3.0)).then_some(()));
        // The exporter was absent until Prometheus had found its targets, which is minutes of the shortened rules.
        let firing = query(&api, "ALERTS{alertstate=\"firing\", alertname!=\"MinergateExporterAbsent\"}");
        assert!(firing.is_empty(), "{firing:?} though all is well");

        put_faults(&simulator, &["500@farm-1".to_owned()]);
        let alert = notified(&webhook, "/chat", "firing", "MinergateAccountDown");
        assert_eq!(told(&alert), ("warning", "farm-1"), "{alert}");
        put_faults(&simulator, &[]);
        notified(&webhook, "/chat", "resolved", "MinergateAccountDown");

        // There is a notification for the blocked login, and none for the account that can't be read because of it.
        let before = webhook.asked("/chat").len();
        put_faults(&simulator, &["expired-token@farm-1".to_owned(), "login/captcha@farm-1".to_owned()]);
        let alert = notified(&webhook, "/on-call", "firing", "MinergateLoginBlocked");
        assert_eq!((told(&alert), alert["labels"]["reason"].as_str()), (("critical", "farm-1"), Some("captcha")));
        wait("the inhibited alert", || {
            let alerts = get(&format!("http://{alertmanager}/api/v2/alerts?filter=alertname=MinergateAccountDown"), &[]);
            let alerts: Value = serde_json::from_slice(&alerts.body).unwrap();
            let suppressed = |alert: &Value| alert["status"]["state"] == "suppressed";
            alerts.as_array().unwrap().iter().any(suppressed).then_some(())
        });
        let said: Vec<_> = webhook.asked("/chat").into_iter().skip(before).map(|asked| asked.body.to_string()).collect();
        assert!(said.iter().all(|body| !body.contains("\"status\":\"firing\"")), "{said:?}");

        put_faults(&simulator, &[]);
        daemon.signal("HUP");
        notified(&webhook, "/on-call", "resolved", "MinergateLoginBlocked");

        drop(daemon);
        let alert = notified(&webhook, "/on-call", "firing", "MinergateExporterDown");
        assert_eq!(told(&alert), ("critical", ""), "{alert}");
    })
    .await
    .unwrap();
}

/// The labels of an alert of the rules.
fn alert(name: &str, severity: &str, labels: &[(&str, &str)]) -> Value {
    let labels = labels.iter().copied().chain([("alertname", name), ("severity", severity)]);
    let labels: serde_json::Map<String, Value> = labels.map(|(name, value)| (name.to_owned(), value.into())).collect();
    serde_json::json!({"labels": labels})
}

/// Alertmanager without Prometheus: the test sends the alerts.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "scripts/test runs it: it needs Alertmanager"]
async fn failures_of_many_accounts_are_one_notification_for_each_exporter() {
    let webhook = FakeApi::start(|_| (200, String::new())).await;
    tokio::task::spawn_blocking(move || {
        let directory = tempfile::tempdir().unwrap();
        let (_alertmanager, alertmanager) = alertmanager(directory.path(), &webhook.base_url);
        let names: Vec<String> = (1..=60).map(|number| format!("farm-{number}")).collect();
        let stopped = names.iter().map(|name| alert("MinergateMiningStopped", "critical", &[("account", name)]));
        let (a, b) = (("exporter", "a:10187"), ("exporter", "b:10187"));
        let (mine, others) = (("account", "farm-1"), ("account", "other-1"));
        let (xmr, eth) = (("currency", "xmr"), ("currency", "eth"));
        // Each alert is sent before the alerts that it inhibits.
        let causes = [
            alert("MinergateApiDown", "critical", &[a]),
            alert("MinergateLoginBlocked", "critical", &[a, others, ("reason", "captcha")]),
            alert("MinergateAccountDown", "critical", &[b, ("account", "other-2")]),
            alert("MinergateWorkerGone", "warning", &[others, xmr, ("worker", "rig-2")]),
            alert("MinergateWorkersDropped", "warning", &[others, eth]),
            alert("MinergateNetworkStopped", "warning", &[xmr]),
        ];
        let hidden = [
            alert("MinergateAccountDown", "warning", &[a, mine]),
            alert("MinergateDataStale", "warning", &[a, ("endpoint", "status"), xmr]),
            alert("MinergateLoginBlocked", "warning", &[a, others, ("reason", "captcha")]),
            alert("MinergateAccountDown", "warning", &[b, ("account", "other-2")]),
            alert("MinergateDataStale", "warning", &[b, ("account", "other-2"), ("endpoint", "workers")]),
            alert("MinergateWorkersDropped", "warning", &[others, xmr]),
            alert("MinergateHashrateDropped", "warning", &[others, eth]),
            alert("MinergateHashrateDropped", "warning", &[mine, xmr]),
            alert("MinergateEarningsLow", "warning", &[others, xmr]),
        ];
        let shown = [
            alert("MinergateAccountDown", "warning", &[b, others]),
            alert("MinergateDataStale", "warning", &[b, ("endpoint", "status"), xmr]),
            alert("MinergateAccountMissing", "warning", &[b, others]),
            alert("MinergateHashrateDropped", "warning", &[others, ("currency", "etc")]),
            alert("MinergateEarningsLow", "warning", &[others, eth]),
        ];
        let alerts: Vec<Value> = stopped.chain(causes).chain(hidden.clone()).chain(shown.clone()).collect();
        let answer = post(&format!("http://{alertmanager}/api/v2/alerts"), &Value::from(alerts));
        assert_eq!(answer.status, 200, "{}", answer.text());

        let told = |path: &str| -> Vec<Value> {
            let bodies = webhook.asked(path).into_iter().map(|asked| asked.body);
            bodies
                .flat_map(|body| body["alerts"].as_array().cloned().unwrap_or_default())
                .map(|alert| alert["labels"].clone())
                .collect()
        };
        wait("all that is shown", || {
            let told = told("/chat");
            shown.iter().all(|alert| told.contains(&alert["labels"])).then_some(())
        });
        for alert in hidden {
            assert!(!told("/chat").contains(&alert["labels"]), "{alert}");
        }
        let notifications = wait("the accounts that stopped", || {
            let bodies = webhook.asked("/on-call").into_iter().map(|asked| asked.body);
            let stopped: Vec<Value> =
                bodies.filter(|body| body["commonLabels"]["alertname"] == "MinergateMiningStopped").collect();
            (!stopped.is_empty()).then_some(stopped)
        });
        assert_eq!(notifications.len(), 1);
        assert_eq!(notifications[0]["alerts"].as_array().unwrap().len(), 60);
    })
    .await
    .unwrap();
}
