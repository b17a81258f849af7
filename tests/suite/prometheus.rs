//! A real Prometheus scrapes the built binary, and both formats pass their checkers.
//!
//! `prometheus` and `promtool`, and a python3 that has `prometheus_client` (PYTHON names one), must be there: `scripts/test`
//! installs them.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::process::{Process, change_config, daemon, free_port, get, set_intervals, simulator, wait};

/// Reads OpenMetrics with the Python client's strict parser. The parser does not notice repeated samples, so the script does.
const STRICT_PARSER: &str = r"
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
seen = set()
for family in text_string_to_metric_families(sys.stdin.read()):
    for sample in family.samples:
        key = (sample.name, tuple(sorted(sample.labels.items())), str(sample.timestamp))
        assert key not in seen, key
        seen.add(key)
print(len(seen))
";

/// Runs a checker on a text; returns what it wrote.
fn check(program: &mut Command, text: &str) -> String {
    let name = format!("{program:?}");
    let child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{name}: {error}; scripts/test installs what the tests need"));
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}\n{text}");
    said
}

/// The number of samples of a text that the strict parser takes.
pub(crate) fn strict_open_metrics(text: &str) -> usize {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    check(Command::new(python).args(["-c", STRICT_PARSER]), text).trim().parse().unwrap()
}

/// Checks that promtool takes a text in format 0.0.4.
pub(crate) fn promtool_finds_nothing(text: &str) {
    assert_eq!(check(Command::new("promtool").args(["check", "metrics"]), text), "", "promtool found something to say");
}

pub(crate) fn both_formats_pass(url: &str) {
    let text = get(url, &[]).text();
    promtool_finds_nothing(&text);
    let open_metrics = get(url, &[("accept", "application/openmetrics-text;version=1.0.0")]).text();
    assert_eq!(strict_open_metrics(&open_metrics), open_metrics.lines().filter(|line| !line.starts_with('#')).count());
}

/// The API's samples of an exposition: series to value.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let own = ["minergate_up", "minergate_endpoint_", "minergate_api_", "minergate_auth_", "minergate_exporter_"];
    let api = |line: &&str| line.starts_with("minergate_") && !own.iter().any(|own| line.starts_with(own));
    text.lines()
        .filter(api)
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(series, value)| (series.to_owned(), value.parse().unwrap()))
        .collect()
}

/// A Prometheus that scrapes the target every second; returns the URL of its API.
pub(crate) fn prometheus(directory: &Path, target: &str) -> (Process, String) {
    let config = directory.join("prometheus.yml");
    let text = format!(
        "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: minergate\n    static_configs:\n      - targets: [\"{target}\"]\n"
    );
    std::fs::write(&config, text).unwrap();
    serve(Path::new("prometheus"), &config)
}

/// Starts that Prometheus with a configuration and its data beside it; returns the URL of its API.
pub(crate) fn serve(program: &Path, config: &Path) -> (Process, String) {
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new(program);
    command.arg(format!("--config.file={}", config.display()));
    command.arg(format!("--storage.tsdb.path={}", config.with_extension("tsdb").display()));
    command.arg(format!("--web.listen-address={address}"));
    // The machine can be busy.
    command.arg("--query.timeout=1h");
    let mut process = Process::start(&mut command);
    process.wait_for("Server is ready to receive web requests");
    (process, format!("http://{address}/api/v1"))
}

/// The result of an instant query: series without the labels that Prometheus adds, to value.
pub(crate) fn query(api: &str, expression: &str) -> BTreeMap<String, f64> {
    let url = reqwest::Url::parse_with_params(&format!("{api}/query"), [("query", expression)]).unwrap();
    let answer: Value = serde_json::from_slice(&get(url.as_str(), &[]).body).unwrap();
    assert_eq!(answer["status"], "success", "{answer}");
    let series = answer["data"]["result"].as_array().unwrap().iter().map(|one| {
        let labels: BTreeMap<&str, &str> =
            one["metric"].as_object().unwrap().iter().map(|(k, v)| (k.as_str(), v.as_str().unwrap())).collect();
        let shown = labels.iter().filter(|(name, _)| !["__name__", "job", "instance"].contains(name));
        let shown: Vec<String> = shown.map(|(name, value)| format!("{name}={value:?}")).collect();
        let name = labels.get("__name__").copied().unwrap_or_default();
        (format!("{name}{{{}}}", shown.join(",")), one["value"][1].as_str().unwrap().parse().unwrap())
    });
    series.collect()
}

/// A series' labels in alphabetical order, as Prometheus has them.
fn sorted(series: &str) -> String {
    let (name, labels) = series.trim_end_matches('}').split_once('{').unwrap_or((series, ""));
    let mut labels: Vec<&str> = labels.split(',').filter(|label| !label.is_empty()).collect();
    labels.sort_unstable();
    format!("{name}{{{}}}", labels.join(","))
}

#[test]
#[ignore = "scripts/test runs it: it needs Prometheus and Python"]
fn prometheus_stores_the_values_of_the_documented_answers() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &["--documented"]);
    change_config(&config, |table| {
        table.insert("optional_metrics".to_owned(), vec!["minergate_pool_top_miner_info"].into());
    });
    let (_daemon, url) = daemon(&config, &[]);
    let metrics = format!("{url}/metrics");
    wait("all endpoints up", || {
        let text = get(&metrics, &[]).text();
        let up: Vec<&str> = text.lines().filter(|line| line.starts_with("minergate_endpoint_up{")).collect();
        (up.len() > 40 && up.iter().all(|line| line.ends_with(" 1"))).then_some(())
    });
    both_formats_pass(&metrics);

    let expected: BTreeMap<String, f64> =
        samples(&get(&metrics, &[]).text()).into_iter().map(|(series, value)| (sorted(&series), value)).collect();
    assert!(expected.len() > 400, "{} series", expected.len());
    let (_prometheus, api) = prometheus(directory.path(), url.strip_prefix("http://").unwrap());
    wait("a scrape", || query(&api, "up").values().any(|up| *up == 1.0).then_some(()));
    let own = "minergate_(up|endpoint|api|auth|exporter).*";
    let stored = query(&api, &format!("{{__name__=~\"minergate_.+\",__name__!~\"{own}\"}}"));
    assert_eq!(stored, expected);
    // A metric for each unit, with values of the API's documentation.
    for (series, value) in [
        ("minergate_balance_coins{account=\"farm-1\",currency=\"aeon\"}", 30.665_925_215_334),
        ("minergate_mining_unconfirmed_balance_coins{account=\"farm-1\",currency=\"bcn\"}", 1.910_496_61),
        ("minergate_mining_stats_timestamp_seconds{account=\"farm-1\"}", 1_454_496_693.669),
        (
            "minergate_withdrawals_last_timestamp_seconds{account=\"farm-1\",currency=\"fcn\",status=\"pending\"}",
            1_451_151_685.785,
        ),
        ("minergate_network_block_size_bytes{currency=\"xmr\"}", 254.0),
        ("minergate_network_hashrate_hashes_per_second{currency=\"xmr\"}", 13_263_671.616_666_667),
    ] {
        assert_eq!(stored.get(series), Some(&value), "{series}");
    }
    assert_eq!(query(&api, "sum(minergate_up)"), [("{}".to_owned(), 3.0)].into());
}

#[test]
#[ignore = "scripts/test runs it: it needs Prometheus and Python"]
fn counters_of_the_moving_simulator_rise_in_prometheus() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &[]);
    change_config(&config, |table| set_intervals(table, "mining_stats = \"1s\""));
    let (_daemon, url) = daemon(&config, &[]);
    let (_prometheus, api) = prometheus(directory.path(), url.strip_prefix("http://").unwrap());
    wait("rising counters", || {
        let rising = query(&api, "sum by (account) (increase(minergate_mining_mined_coins_total[30s])) > 0");
        (rising.len() == 3).then_some(())
    });
    assert!(query(&api, "resets(minergate_mining_mined_coins_total[1h]) > 0").is_empty());
    both_formats_pass(&format!("{url}/metrics"));
}
