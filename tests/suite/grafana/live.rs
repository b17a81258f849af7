//! Every query of the dashboards, run by a real Prometheus as Grafana would: none is wrong, and each has data, while all is
//! well or, of those in the table, when it is not.
//!
//! The Prometheus scrapes one exporter in two ways at once, as a whole and an account at a time, and a second one whose pool
//! answers what the API's documentation shows.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::time::Instant;

use super::dashboard::{Dashboard, Query, Way, dashboards};
use crate::process::{PATIENCE, Process, daemon, get, put_faults, simulator, wait};
use crate::prometheus::serve;

/// What shows a query's data that a healthy exporter has none for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ShownBy {
    /// The pool misbehaves.
    Faults,
    /// The documented answers have what comes and goes in a moving pool.
    DocumentedAnswers,
}

use ShownBy::{DocumentedAnswers, Faults};

/// Dashboard, panel, the query's letter, and why it has no data while all is well.
const EMPTY_WHEN_HEALTHY: &[(&str, &str, &str, ShownBy, &str)] = &[
    ("Overview", "Earnings by currency", "G", DocumentedAnswers, "a payout is pending for two minutes only"),
    ("Overview", "Accounts with failures", "A", Faults, "it lists failing accounts"),
    ("Overview", "Accounts with failures", "B", Faults, "it lists failing accounts"),
    ("Overview", "Alerts firing", "A", Faults, "it lists alerts"),
    ("Account", "Payouts that wait", "A", DocumentedAnswers, "a payout is pending for two minutes only"),
    ("Exporter", "Errors by kind", "A", Faults, "it shows kinds of errors that happen"),
    ("Exporter", "Failing endpoints", "A", Faults, "it lists failing endpoints"),
    ("Exporter", "Polls not sent", "A", Faults, "it counts polls during pauses that the API asked for"),
    ("Exporter", "Pause", "A", Faults, "it shows pauses that the API asked for"),
    ("Exporter", "Stopped logins", "A", Faults, "it lists stopped logins"),
];

/// The pool's faults: a login that is refused, endpoints that fail, and pauses.
const FAULTS: &[&str] = &["expired-token@farm-1", "login/captcha@farm-1", "workers/500@farm-2", "balance/429=2s:0.3@farm-3"];

/// Polls as often as can be, of all the networks: some make a block every 14 seconds.
const CONFIG: &str = r#"
[poll]
workers = "1s"
mining_stats = "1s"
balance = "1s"
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

const TOP_LEVEL: &str = r#"
currencies = ["aeon", "bcn", "btc", "btg", "dsh", "etc", "eth", "fcn", "inf8", "ltc", "mcn", "qcn", "xdn", "xmr", "zec"]
optional_metrics = ["minergate_pool_top_miner_info"]
"#;

/// An alert by a name as ours have it.
const RULES: &str = r"
groups:
  - name: test
    rules:
      - alert: MinergateTest
        expr: minergate_up == 0
        labels:
          severity: warning
";

fn exporter_of(directory: &Path, arguments: &[&str]) -> (Process, Process, String, String) {
    std::fs::create_dir(directory).unwrap();
    let (pool, config) = simulator(directory, arguments);
    let text = std::fs::read_to_string(&config).unwrap().replace("requests_per_second = 50", "requests_per_second = 200");
    std::fs::write(&config, format!("{TOP_LEVEL}{text}{CONFIG}")).unwrap();
    let (daemon, url) = daemon(&config, &[]);
    let api = text.lines().find_map(|line| line.strip_prefix("base_url = ")).unwrap().trim_matches('"').to_owned();
    (pool, daemon, url, api)
}

/// A Prometheus with the jobs `whole` and `accounts` of the first exporter, and `documented` of the second.
fn prometheus(directory: &Path, exporter: &str, documented: &str) -> (Process, String) {
    let [exporter, documented] = [exporter, documented].map(|url| url.strip_prefix("http://").unwrap());
    std::fs::write(directory.join("rules.yml"), RULES).unwrap();
    let config = directory.join("prometheus.yml");
    let text = format!(
        r#"
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files: [rules.yml]
scrape_configs:
  - job_name: whole
    static_configs:
      - targets: ["{exporter}"]
  - job_name: documented
    static_configs:
      - targets: ["{documented}"]
  - job_name: accounts
    http_sd_configs:
      - url: http://{exporter}/sd
        refresh_interval: 1s
    relabel_configs:
      - source_labels: [__address__, __param_account]
        separator: /
        target_label: instance
"#
    );
    std::fs::write(&config, text).unwrap();
    serve(Path::new("prometheus"), &config)
}

fn ask(api: &str, path: &str, parameters: &[(&str, &str)]) -> Value {
    let url = reqwest::Url::parse_with_params(&format!("{api}/{path}"), parameters).unwrap();
    let answer: Value = serde_json::from_slice(&get(url.as_str(), &[]).body).unwrap();
    assert_eq!(answer["status"], "success", "{parameters:?}: {answer}");
    answer["data"].clone()
}

fn is_number(value: &Value) -> bool {
    value.as_str().and_then(|text| text.parse::<f64>().ok()).is_some_and(f64::is_finite)
}

/// Whether a query's result holds a number.
fn has_numbers(data: &Value) -> bool {
    let of_series = |series: &Value| {
        let points = series["values"].as_array().cloned().unwrap_or_else(|| vec![series["value"].clone()]);
        points.iter().any(|point| is_number(&point[1]))
    };
    data["result"].as_array().unwrap().iter().any(of_series)
}

/// Runs a query as Grafana does; whether it has data.
fn run(api: &str, dashboard: &Dashboard, query: &Query, chosen: &[(&str, &str)]) -> bool {
    let text = dashboard.fill(&query.text, chosen);
    let text = query.fill_intervals(&text);
    assert!(!text.contains('$'), "{}: {text} has another variable", query.place());
    match query.way {
        Way::Instant => has_numbers(&ask(api, "query", &[("query", &text)])),
        Way::LabelValues => {
            let inner = text.strip_prefix("label_values(").unwrap().strip_suffix(')').unwrap();
            let (selector, label) = inner.rsplit_once(", ").unwrap();
            let values = ask(api, &format!("label/{label}/values"), &[("match[]", selector)]);
            values.as_array().is_some_and(|values| !values.is_empty())
        }
        Way::Range { seconds, .. } => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
            let step = query.step();
            // Grafana begins and ends at multiples of the step; the data here are too young to reach back to the last one
            // in any case, so the present counts, too.
            let [start, end, step] = [(now - seconds) / step * step, now / step * step, step].map(|n| n.to_string());
            let range = ask(api, "query_range", &[("query", &text), ("start", &start), ("end", &end), ("step", &step)]);
            has_numbers(&range) || has_numbers(&ask(api, "query", &[("query", &text)]))
        }
    }
}

/// Waits until each of the queries has data.
fn all_have_data(api: &str, dashboards: &[Dashboard], mut queries: Vec<Query>, chosen: &[(&str, &str)]) {
    let start = Instant::now();
    loop {
        queries.retain(|query| !run(api, of(dashboards, &query.dashboard), query, chosen));
        if queries.is_empty() {
            return;
        }
        let places: Vec<_> = queries.iter().map(Query::place).collect();
        assert!(start.elapsed() < PATIENCE, "no data for {chosen:?}: {places:#?}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// The dashboard of that title, or end of a title.
fn of<'a>(dashboards: &'a [Dashboard], title: &str) -> &'a Dashboard {
    dashboards.iter().find(|dashboard| dashboard.title().ends_with(title)).unwrap()
}

fn shown_by(query: &Query) -> Option<ShownBy> {
    let dashboard = query.dashboard.strip_prefix("MinerGate / ").unwrap();
    let row = EMPTY_WHEN_HEALTHY
        .iter()
        .find(|(d, place, letter, ..)| (*d, *place, *letter) == (dashboard, &*query.place, &*query.letter));
    row.map(|(.., by, _)| *by)
}

/// An instant query's values by currency.
fn by_currency(api: &str, text: &str) -> BTreeMap<String, f64> {
    let data = ask(api, "query", &[("query", text)]);
    let series = data["result"].as_array().unwrap().iter();
    series
        .map(|s| {
            (
                s["metric"]["currency"].as_str().unwrap_or_default().to_owned(),
                s["value"][1].as_str().unwrap().parse().unwrap(),
            )
        })
        .collect()
}

/// The graph that shows the estimate beside what is mined tells about the same of both.
fn the_estimate_is_near_what_is_mined(api: &str, dashboards: &[Dashboard]) {
    let dashboard = of(dashboards, "Network and profit");
    let queries = dashboard.panel_queries().into_iter().filter(|query| query.place == "Estimated coins per day");
    // A rate's time must not be longer than there are data.
    let texts: Vec<_> =
        queries.map(|query| dashboard.fill(&query.text, &[("job", "whole")]).replace("$__rate_interval", "15s")).collect();
    wait("an estimate near what is mined", || {
        let [estimate, mined] = [0, 1].map(|query| by_currency(api, &texts[query]));
        let near = |(currency, coins): (&String, &f64)| {
            estimate.get(currency).is_some_and(|estimate| (0.8..1.25).contains(&(estimate / coins)))
        };
        (!mined.is_empty() && mined.iter().all(near)).then_some(())
    });
}

/// Whoever scrapes an exporter twice sees its sums once.
fn sums_count_an_account_once(api: &str, dashboards: &[Dashboard]) {
    let dashboard = of(dashboards, "Overview");
    let workers = dashboard.panel_queries().into_iter().find(|query| query.place == "All workers").unwrap();
    let sum = |job| by_currency(api, &dashboard.fill(&workers.text, &[("job", job)]));
    wait("equal sums", || {
        let sums = ["whole", "accounts", "whole|accounts"].map(sum);
        (!sums[0].is_empty() && sums.iter().all(|sum| *sum == sums[0])).then_some(())
    });
}

#[test]
#[ignore = "scripts/test runs it: it needs Prometheus"]
fn every_query_has_data() {
    let directory = tempfile::tempdir().unwrap();
    let (_pool, _exporter, exporter, pool) = exporter_of(&directory.path().join("moving"), &[]);
    let (_documented_pool, _documented, documented, _) =
        exporter_of(&directory.path().join("documented"), &["--documented"]);
    let (_prometheus, api) = prometheus(directory.path(), &exporter, &documented);
    let dashboards = dashboards();
    let queries: Vec<_> = dashboards.iter().flat_map(Dashboard::queries).collect();
    let that_are = |by: Option<ShownBy>| queries.iter().filter(|query| shown_by(query) == by).cloned().collect::<Vec<_>>();
    assert_eq!(
        that_are(Some(Faults)).len() + that_are(Some(DocumentedAnswers)).len(),
        EMPTY_WHEN_HEALTHY.len(),
        "the table names others"
    );

    for job in ["whole", "accounts"] {
        all_have_data(&api, &dashboards, that_are(None), &[("job", job), ("account", "farm-1")]);
    }
    all_have_data(&api, &dashboards, that_are(Some(DocumentedAnswers)), &[("job", "documented"), ("account", "farm-1")]);
    // Not only is there none to expect while all is well: there is none.
    for query in that_are(Some(Faults)) {
        let dashboard = of(&dashboards, &query.dashboard);
        wait(&format!("{} to be empty", query.place()), || {
            (!run(&api, dashboard, &query, &[("job", "whole"), ("account", "farm-1")])).then_some(())
        });
    }
    the_estimate_is_near_what_is_mined(&api, &dashboards);
    sums_count_an_account_once(&api, &dashboards);

    put_faults(&pool, &FAULTS.iter().map(|fault| (*fault).to_owned()).collect::<Vec<_>>());
    all_have_data(&api, &dashboards, that_are(Some(Faults)), &[("job", "whole")]);
}
