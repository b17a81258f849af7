//! `history`: payouts, transfers and invoices of the past, backfilled into a real Prometheus by a real promtool.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use crate::fake_api::FakeApi;
use crate::process::{exporter, simulator};
use crate::prometheus::{query, serve, strict_open_metrics};

const HOUR: f64 = 3600.0;

fn now() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    since.as_secs_f64().floor()
}

/// Withdrawals of one, two and four coins, one, two and three days ago; one that is pending, and one without its time.
fn answer(path: &str, now: f64) -> (u16, String) {
    let ago = |hours: f64| now - hours * HOUR;
    let milliseconds = |hours: f64| ago(hours) * 1000.0;
    let body = match path {
        "/1.0/withdrawals" => format!(
            r#"[{{"cc": "xmr", "amount": 4, "fee": 0.5, "status": "finished", "created": {}}},
                {{"cc": "xmr", "amount": "2", "fee": 0.25, "status": "finished", "created": {}.5}},
                {{"cc": "xmr", "amount": 1, "status": "finished", "fee": 0.125, "created": {}}},
                {{"cc": "xmr", "amount": 8, "status": "finished", "fee": 1, "created": {}}},
                {{"cc": "xmr", "amount": 100, "status": "pending", "fee": 1, "created": {}}},
                {{"cc": "xmr", "amount": 100, "status": "finished", "fee": 1}},
                {{"cc": "bcn", "amount": 3, "status": "finished", "created": {}}}]"#,
            ago(24.0),
            ago(48.0),
            ago(72.0),
            ago(1.0),
            ago(30.0),
            ago(40.0),
        ),
        "/1.0/transfers" => format!(
            r#"[{{"cc": "bcn", "amount": 7, "fromUserId": "me@example.com", "toUserId": "x@example.com", "state": "finished",
                "created": {}}}]"#,
            milliseconds(50.0)
        ),
        "/1.0/invoices" => format!(
            r#"[{{"cc": "bcn", "amount": 9, "status": "finished", "created": {}, "finished": {}}},
                {{"cc": "bcn", "amount": 1, "status": 7, "created": {}, "finished": {}}},
                {{"cc": "bcn", "amount": 100, "status": "expired", "created": {}, "finished": null}}]"#,
            milliseconds(100.0),
            milliseconds(60.0),
            milliseconds(90.0),
            milliseconds(58.0),
            milliseconds(80.0)
        ),
        _ => return (404, String::new()),
    };
    (200, body)
}

fn history(config: &Path, arguments: &[&str]) -> Output {
    exporter().arg("history").args(arguments).arg("--config.file").arg(config).output().unwrap()
}

fn promtool(program: &Path, text: &Path, data: &Path) {
    let arguments = ["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=8760h", "--quiet"];
    let output = Command::new(program).args(arguments).arg(text).arg(data).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "scripts/test runs it: it needs Prometheus and Python"]
async fn prometheus_has_past_values_after_a_backfill() {
    let now = now();
    let api = FakeApi::start(move |asked| answer(&asked.path, now)).await;
    let url = api.base_url.clone();
    tokio::task::spawn_blocking(move || {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("c.toml");
        let account = "[[accounts]]\nname = \"farm \\\"1\\\"\"\ntoken = \"planted\"\nemail = \"me@example.com\"\n";
        std::fs::write(&config, format!("[api]\nbase_url = \"{url}\"\n{account}")).unwrap();
        let output = history(&config, &[]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains("without a usable time") && said.contains("entries=1"), "{said}");
        assert!(said.contains("metric=minergate_history_withdrawals_fees_coins_total"), "{said}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(strict_open_metrics(&text), text.lines().filter(|line| !line.starts_with('#')).count());
        for personal in ["planted", "@example.com"] {
            assert!(!text.contains(personal) && !said.contains(personal), "{text}{said}");
        }
        let file = directory.path().join("history.om");
        std::fs::write(&file, &text).unwrap();
        let three = std::env::var("PROMETHEUS_3").ok().map(std::path::PathBuf::from);
        for programs in [Path::new("").to_owned()].into_iter().chain(three) {
            let prometheus_config = directory.path().join(format!("prometheus-{}.yml", programs.components().count()));
            std::fs::write(&prometheus_config, "").unwrap();
            promtool(&programs.join("promtool"), &file, &prometheus_config.with_extension("tsdb"));
            let (_prometheus, api) = serve(&programs.join("prometheus"), &prometheus_config);
            came_back(&api, now);
        }
    })
    .await
    .unwrap();
}

/// Asks Prometheus for what was backfilled.
fn came_back(api: &str, now: f64) {
    let at = |metric: &str, hours: f64| -> BTreeMap<String, f64> {
        // Samples are an hour apart, and Prometheus looks back five minutes by default.
        let expression = format!("last_over_time(minergate_history_{metric}[2h] @ {})", now - hours * HOUR);
        query(api, &expression)
            .into_iter()
            .map(|(series, value)| (series.trim_start_matches(|c| c != '{').to_owned(), value))
            .collect()
    };
    let xmr = r#"{account="farm \"1\"",currency="xmr"}"#;
    let bcn = r#"{account="farm \"1\"",currency="bcn"}"#;
    let pairs = |pairs: &[(&str, f64)]| pairs.iter().map(|(series, value)| ((*series).to_owned(), *value)).collect();
    assert_eq!(at("withdrawals_coins_total", 72.5), pairs(&[(xmr, 0.0)]));
    assert_eq!(at("withdrawals_coins_total", 60.0), pairs(&[(xmr, 1.0)]));
    assert_eq!(at("withdrawals_coins_total", 30.0), pairs(&[(xmr, 3.0), (bcn, 3.0)]));
    // The payment of an hour ago is left out: the running Prometheus records that time.
    assert_eq!(at("withdrawals_coins_total", 3.5), pairs(&[(xmr, 7.0), (bcn, 3.0)]));
    assert_eq!(at("withdrawals_total", 3.5), pairs(&[(xmr, 3.0), (bcn, 1.0)]));
    // A withdrawal of bcn has no fee.
    assert_eq!(at("withdrawals_fees_coins_total", 3.5), pairs(&[(xmr, 0.875)]));
    let out = r#"{account="farm \"1\"",currency="bcn",direction="out"}"#;
    assert_eq!(at("transfers_coins_total", 3.5), pairs(&[(out, 7.0)]));
    assert_eq!(at("invoices_total", 62.0), BTreeMap::new(), "an invoice counts from when it was paid");
    assert_eq!(at("invoices_coins_total", 3.5), pairs(&[(bcn, 10.0)]));
    // The payouts of a day, including the first.
    let day = format!("increase(minergate_history_withdrawals_total{{currency=\"xmr\"}}[25h] @ {})", now - 60.0 * HOUR);
    let increase = query(api, &day).into_values().next().unwrap();
    assert!((0.99..1.1).contains(&increase), "{increase}");
}

/// Payments of a pool or withdrawals of the API, with how often missing fees are warned about.
const FEES: &[(&str, &str, usize)] = &[
    (
        "a pool that never says fees",
        r#"[{"amount": 5, "timestamp": 1763300118}, {"amount": 6, "timestamp": 1763900122}]"#,
        0,
    ),
    (
        "a pool that says one fee",
        r#"[{"amount": 5, "timestamp": 1763300118, "txFee": 9}, {"amount": 6, "timestamp": 1763900122}]"#,
        1,
    ),
    ("a pool that says all", r#"[{"amount": 5, "timestamp": 1763300118, "txFee": 9}]"#, 0),
    (
        "the API, of two currencies",
        r#"[{"cc": "xmr", "amount": 5, "created": 1763300118, "status": "finished"},
            {"cc": "bcn", "amount": 5, "created": 1763300118, "status": "finished"}]"#,
        1,
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_fees_are_warned_about_once_and_only_where_they_are_expected() {
    for (what, list, warnings) in FEES {
        let api = FakeApi::start(move |asked| match &*asked.path {
            "/1.0/withdrawals" => (200, (*list).to_owned()),
            path if path.starts_with("/1.0/") => (200, "[]".to_owned()),
            _ => (200, format!(r#"{{"apiVersion": 200, "stats": {{"balance": 1}}, "workers": {{}}, "payments": {list}}}"#)),
        })
        .await;
        let url = api.base_url.clone();
        let config = if what.starts_with("a pool") {
            format!(
                "[[pools]]\nname = \"etc\"\nsoftware = \"open-ethereum-pool\"\nurl = \"{url}\"\ncurrency = \"etc\"\n\
                 [[accounts]]\nname = \"rig\"\nwallets = {{ etc = \"0x{}\" }}\n",
                "0".repeat(40)
            )
        } else {
            format!("[api]\nbase_url = \"{url}\"\n[[accounts]]\nname = \"farm\"\ntoken = \"t\"\n")
        };
        tokio::task::spawn_blocking(move || {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("c.toml");
            std::fs::write(&path, config).unwrap();
            let output = history(&path, &["--every", "8760h"]);
            let (text, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
            assert_eq!(output.status.code(), Some(0), "{what}: {said}");
            assert!(text.contains("minergate_history_withdrawals_coins_total{"), "{what}: {text}");
            assert_eq!(said.lines().count(), *warnings, "{what}: {said}");
            assert!(
                said.is_empty() || said.contains("metric=minergate_history_withdrawals_fees_coins_total"),
                "{what}: {said}"
            );
        })
        .await
        .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_years_of_a_counter_are_about_a_megabyte() {
    let now = now();
    let years = 10.0 * 365.25 * 24.0;
    let api = FakeApi::start(move |asked| {
        let withdrawal =
            format!(r#"[{{"cc": "xmr", "amount": 1.5, "status": "finished", "created": {}}}]"#, now - years * HOUR);
        (200, if asked.path == "/1.0/withdrawals" { withdrawal } else { "[]".to_owned() })
    })
    .await;
    let url = api.base_url.clone();
    tokio::task::spawn_blocking(move || {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("c.toml");
        std::fs::write(&config, format!("[api]\nbase_url = \"{url}\"\n[[accounts]]\nname = \"farm\"\ntoken = \"a\"\n"))
            .unwrap();
        let samples = |arguments: &[&str]| -> Vec<String> {
            let text = String::from_utf8(history(&config, arguments).stdout).unwrap();
            let coins = text.lines().filter(|line| line.starts_with("minergate_history_withdrawals_coins_total{"));
            coins.map(str::to_owned).collect()
        };
        let time = |line: &String| -> f64 { line.rsplit(' ').next().unwrap().parse().unwrap() };
        let lines = samples(&[]);
        assert!(lines.iter().map(|line| line.len() + 1).sum::<usize>() < 1_250_000);
        for pair in lines.windows(2) {
            let (first, second) = (time(&pair[0]), time(&pair[1]));
            // An hour more or less, since the clock went on.
            let most = if first < now - 8759.0 * HOUR { 24.0 } else { 1.0 };
            assert!(second > first && second - first <= most * HOUR, "{pair:?}");
        }
        assert!(lines.len() < 3650 + 8784 + 30, "{}", lines.len());
        // The given distance is for all times.
        for (every, most) in [("12h", 12.0), ("48h", 48.0)] {
            let lines = samples(&["--every", every]);
            let widest = lines.windows(2).map(|pair| time(&pair[1]) - time(&pair[0])).fold(0.0, f64::max);
            assert!((widest - most * HOUR).abs() < 1e-3, "{every}: {widest}");
            assert!(lines.len() < 10 * 366 * 24, "{every}: {}", lines.len());
        }
    })
    .await
    .unwrap();
}

#[test]
fn a_partial_history_is_written_and_reported() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &["--fault", "withdrawals/500@farm-3"]);
    let output = history(&config, &["--account", "farm-3", "--until", "0s", "--every", "10m"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("list not read") && said.contains("endpoint=withdrawals"), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("minergate_history_invoices_coins_total{") && text.ends_with("# EOF\n"), "{text}");
    assert!(!text.contains("history_withdrawals_total{"));

    let output = history(&config, &["--account", "frm-3"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(said, "error: --account: no account is called `frm-3`; did you mean `farm-3`? `check` lists them\n");
    for every in ["0s", "8761h"] {
        assert_eq!(history(&config, &["--every", every]).status.code(), Some(2));
    }
}
