//! Every query of the dashboards, run by a real Prometheus as Grafana would, in four worlds: one healthy account, sixty with faults, an
//! exporter that has been dead for an hour, and wallets at pools. No query fails, and each has data where there is something to show.
//!
//! `GRAFANA_WORLDS=DIRECTORY` keeps the worlds in that directory, for grafana/render.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::dashboard::{Dashboard, Query, Way, dashboards};
use super::world::{Plan, World, kept};
use crate::process::get;

const HEALTHY: Plan =
    Plan { name: "healthy", simulator: &["--accounts", "1"], apart: true, gone: 0, change: |_, value, _| Some(value) };

/// Accounts and their endpoint that can't be read; no endpoint is all.
const FAILING: &[(&str, &str)] = &[("farm-1", ""), ("farm-2", "workers"), ("farm-4", ""), ("farm-5", "withdrawals")];

const FAULTY: Plan = Plan {
    name: "faulty",
    simulator: &[
        "--accounts",
        "60",
        "--fault",
        "login/captcha@farm-1",
        "--fault",
        "workers/500@farm-2",
        "--fault",
        "balance/429=2s:0.3@farm-3",
        "--fault",
        "500@farm-4",
        "--fault",
        "withdrawals/html@farm-5",
    ],
    apart: false,
    gone: 0,
    change: |series, value, ago| {
        let is_of = |account: &str| series.contains(&format!("account=\"{account}\""));
        let is_at = |endpoint: &str| endpoint.is_empty() || series.contains(&format!("endpoint=\"{endpoint}\""));
        let since = f64::from(u32::try_from((3 * 3600_u64).saturating_sub(ago)).unwrap());
        let lately = since > 0.0;
        match series.split_once('{').map_or(series, |(name, _)| name) {
            // Errors have no series before they occur.
            "minergate_api_requests_total" if !series.contains("\"ok\"") => {
                lately.then(|| (value * since / f64::from(3 * 3600)).ceil())
            }
            // This one was read before.
            "minergate_endpoint_up" if is_of("farm-3") && is_at("balance") => Some(0.0),
            "minergate_up" if is_of("farm-3") => Some(0.0),
            // A pause lasts seconds here, so it is not in the whole history.
            "minergate_endpoint_up" if !FAILING.iter().any(|(account, endpoint)| is_of(account) && is_at(endpoint)) => {
                Some(1.0)
            }
            "minergate_up" if !FAILING.iter().any(|(account, _)| is_of(account)) => Some(1.0),
            // Faults of hashrates and of shares.
            name if lately && is_of("farm-7") && name.contains("hashrate_hash") => Some(value / 2.0),
            "minergate_workers" | "minergate_workers_hashrate_hashes_per_second" if lately && is_of("farm-9") => None,
            "minergate_mining_shares_total" if lately && is_of("farm-11") && series.contains("\"bad\"") => {
                Some(value + 0.1 * since)
            }
            _ => Some(value),
        }
    },
};

const DEAD: Plan = Plan { name: "dead", simulator: &["--accounts", "3"], gone: 3600, ..HEALTHY };

const WALLETS: Plan = Plan {
    name: "wallets",
    simulator: &["--accounts", "0", "--wallets", "2"],
    apart: false,
    gone: 0,
    // One worker vanished three hours ago: it has no hashrate, and its last share stays what it was.
    change: |series, value, ago| {
        let name = series.split_once('{').map_or(series, |(name, _)| name);
        let since = f64::from(u32::try_from((3 * 3600_u64).saturating_sub(ago)).unwrap());
        match name {
            _ if since == 0.0 || !series.contains("account=\"rig-1\"") => Some(value),
            "minergate_workers" | "minergate_mining_workers" => Some(value - 1.0),
            _ if !series.contains("worker=\"garage.2\"") => Some(value),
            "minergate_worker_hashrate_hashes_per_second" => None,
            "minergate_worker_last_share_timestamp_seconds" => Some(value - since),
            _ => Some(value),
        }
    },
};

fn ask(api: &str, path: &str, parameters: &[(&str, &str)]) -> Value {
    let url = reqwest::Url::parse_with_params(&format!("{api}/{path}"), parameters).unwrap();
    let answer: Value = serde_json::from_slice(&get(url.as_str(), &[]).body).unwrap();
    assert_eq!(answer["status"], "success", "{parameters:?}: {answer}");
    answer["data"].clone()
}

fn number(value: &Value) -> Option<f64> {
    value.as_str()?.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The last finite number of each series.
fn numbers(data: &Value) -> Vec<f64> {
    let of_series = |series: &Value| {
        let points = series["values"].as_array().cloned().unwrap_or_else(|| vec![series["value"].clone()]);
        points.iter().rev().find_map(|point| number(&point[1]))
    };
    data["result"].as_array().unwrap().iter().filter_map(of_series).collect()
}

impl World {
    /// Runs a query as Grafana does; returns the last number of each series, or 1 for each value of a variable.
    fn run(&self, dashboard: &Dashboard, query: &Query, chosen: &[(&str, &str)]) -> Vec<f64> {
        let text = query.fill_intervals(&dashboard.fill(&query.text, chosen));
        assert!(!text.contains('$'), "{}: {text} has another variable", query.place());
        let end = self.end.to_string();
        match query.way {
            Way::Instant => numbers(&ask(&self.api, "query", &[("query", &text), ("time", &end)])),
            Way::LabelValues => {
                let inner = text.strip_prefix("label_values(").unwrap().strip_suffix(')').unwrap();
                let (selector, label) = inner.rsplit_once(", ").unwrap();
                let values = ask(&self.api, &format!("label/{label}/values"), &[("match[]", selector)]);
                vec![1.0; values.as_array().unwrap().len()]
            }
            Way::Range { seconds, .. } => {
                let step = query.step();
                // Grafana begins and ends at multiples of the step.
                let [start, end, step] =
                    [(self.end - seconds) / step * step, self.end / step * step, step].map(|n| n.to_string());
                numbers(&ask(
                    &self.api,
                    "query_range",
                    &[("query", &text), ("start", &start), ("end", &end), ("step", &step)],
                ))
            }
        }
    }

    /// The last numbers of a panel's query, with everything chosen.
    fn shown(&self, dashboard: &str, panel: &str, letter: &str, chosen: &[(&str, &str)]) -> Vec<f64> {
        let dashboard = of(dashboard);
        let query = dashboard.panel_queries().into_iter().find(|query| query.place == panel && query.letter == letter);
        self.run(&dashboard, &query.unwrap_or_else(|| panic!("no {panel} / {letter}")), chosen)
    }

    /// The lines of a table's query: one label of each, and the number.
    fn lines(&self, dashboard: &str, panel: &str, letter: &str, label: &str) -> BTreeMap<String, f64> {
        self.lines_of(dashboard, panel, letter, label, ".+")
    }

    fn lines_of(&self, dashboard: &str, panel: &str, letter: &str, label: &str, account: &str) -> BTreeMap<String, f64> {
        let dashboard = of(dashboard);
        let query =
            dashboard.panel_queries().into_iter().find(|query| query.place == panel && query.letter == letter).unwrap();
        let text = query.fill_intervals(&dashboard.fill(&query.text, &[("account", account)]));
        let data = ask(&self.api, "query", &[("query", &text), ("time", &self.end.to_string())]);
        let series = data["result"].as_array().unwrap().iter();
        series
            .map(|s| (s["metric"][label].as_str().unwrap_or_default().to_owned(), number(&s["value"][1]).unwrap()))
            .collect()
    }

    /// The places of queries without data.
    fn empty(&self, accounts: &[&str]) -> BTreeSet<String> {
        let of_one = |dashboard: &Dashboard| {
            let accounts = if dashboard.title().ends_with("Account") { accounts } else { &[".+"] };
            let empty = dashboard.queries().into_iter().filter(|query| {
                accounts.iter().all(|account| self.run(dashboard, query, &[("account", account)]).is_empty())
            });
            empty.map(|query| short(&query)).collect::<Vec<_>>()
        };
        dashboards().iter().flat_map(of_one).collect()
    }
}

/// A query's place without the part that all places have.
fn short(query: &Query) -> String {
    query.place().strip_prefix("MinerGate / ").unwrap().to_owned()
}

/// The dashboard of that title.
fn of(title: &str) -> Dashboard {
    dashboards().into_iter().find(|dashboard| dashboard.title() == format!("MinerGate / {title}")).unwrap()
}

/// Makes a world, in the directory of `GRAFANA_WORLDS` if that is set.
fn world(plan: &Plan) -> (World, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let kept = kept().map(|kept| kept.join(plan.name));
    (World::make(kept.as_deref().unwrap_or(directory.path()), plan), directory)
}

/// Queries without data in a world whose exporter is healthy: the beginning of a place, the worlds, and the reason.
const EMPTY: &[(&str, &[&str], &str)] = &[
    ("Account / Workers by name", &["healthy", "faulty"], "MinerGate's API names no workers"),
    ("Overview / Accounts mining / B", &["healthy", "faulty", "wallets"], "the accounts are known"),
    ("Exporter / Version / B", &["healthy", "faulty", "wallets"], "the version is known"),
    ("Account / Nickname / B", &["healthy", "wallets"], "the nickname is known"),
    ("Account / Mined per day, $currency / B", &["healthy", "faulty"], "this pool says how shares are paid"),
    ("Account / Logins blocked", &["healthy", "wallets"], "no login is blocked"),
    ("Exporter / Blocked logins", &["healthy", "wallets"], "no login is blocked"),
    ("Exporter / Failing endpoints, one by one", &["healthy", "wallets"], "no endpoint fails"),
    ("Exporter / Errors by kind", &["healthy", "wallets"], "there are no errors"),
    ("Exporter / Polls not sent", &["healthy", "wallets"], "no host asks for a pause"),
    ("Exporter / Corrected counters", &["healthy", "faulty", "wallets"], "no total falls"),
    ("Exporter / Samples left out", &["healthy", "faulty", "wallets"], "everything fits"),
    ("Overview / Needs attention", &["healthy"], "nothing is wrong"),
    ("Account / Affiliate", &["wallets"], "a pool says nothing of affiliates"),
    ("Account / Newest affiliate", &["wallets"], "a pool says nothing of affiliates"),
    ("Account / Last profit", &["wallets"], "a pool says nothing of affiliates"),
    ("Account / Invoices", &["wallets"], "a pool has no invoices"),
    ("Account / Transfers", &["wallets"], "a pool has no transfers"),
    ("Account / Newest transfers", &["wallets"], "a pool has no transfers"),
    ("Account / What waits", &["wallets"], "a pool says nothing of pending payouts"),
    ("Account / Payouts / C", &["wallets"], "a pool says no fees"),
    ("Account / Payment models", &["wallets"], "a pool says no payment models"),
    ("Account / Age of", &["wallets"], "a pool has no tokens and does not say when it made its statistics"),
    ("Account / Login / A", &["wallets"], "a wallet has no login"),
    ("Account / Logins / A", &["wallets"], "a wallet has no login"),
    ("Exporter / Logins / A", &["wallets"], "a wallet has no login"),
    ("Exporter / Logins blocked", &["wallets"], "a wallet has no login"),
    ("Exporter / Tokens", &["wallets"], "a wallet has no login"),
    ("Account / Best rank", &["wallets"], "this pool has no ranks"),
    ("Account / Rank", &["wallets"], "this pool has no ranks"),
    ("Account / Hashrate lost in rejected shares", &["wallets"], "this pool weighs good shares only"),
    ("Account / Blocks found per day", &["wallets"], "this pool does not count blocks"),
    ("Account / Totals by currency", &["wallets"], "this pool counts nothing since the account began"),
    ("Account / Earnings by currency / F", &["wallets"], "a pool's balances are confirmed"),
    ("Overview / Earnings by currency / F", &["wallets"], "a pool's balances are confirmed"),
    ("Overview / Earnings by currency / H", &["wallets"], "a pool says nothing of pending payouts"),
    ("Account / Earnings by currency / A", &["wallets"], "a pool does not count what was mined"),
    ("Account / Earnings by currency / B", &["wallets"], "what is expected is held against what was mined"),
    ("Account / Earnings by currency / C", &["wallets"], "luck needs what was mined"),
    ("Overview / Earnings by currency / A", &["wallets"], "a pool does not count what was mined"),
    ("Overview / Earnings by currency / B", &["wallets"], "what is expected is held against what was mined"),
    ("Overview / Earnings by currency / C", &["wallets"], "luck needs what was mined"),
    ("Account / Mined", &["wallets"], "a pool does not count what was mined"),
    ("Account / Luck", &["wallets"], "luck needs what was mined"),
    ("Overview / Mined", &["wallets"], "a pool does not count what was mined"),
    ("Overview / Luck", &["wallets"], "luck needs what was mined"),
    ("Overview / Accounts / E", &["wallets"], "luck needs what was mined"),
    ("Network and profit / Currencies by profit / E", &["wallets"], "a pool does not count what was mined"),
    ("Network and profit / What the accounts' hashrate is worth / D", &["wallets"], "a pool does not count what was mined"),
    ("Network and profit / What the accounts' hashrate is worth / E", &["wallets"], "luck needs what was mined"),
    ("Network and profit / Last block / B", &["wallets"], "a pool says little of a block"),
    ("Network and profit / Last block / C", &["wallets"], "a pool says little of a block"),
    ("Network and profit / Last block / D", &["wallets"], "a pool says little of a block"),
    ("Network and profit / Last block / E", &["wallets"], "a pool says little of a block"),
    ("Network and profit / Last block / G", &["wallets"], "a pool says little of a block"),
    ("Network and profit / Size of the last block", &["wallets"], "a pool says little of a block"),
    ("Network and profit / Transactions", &["wallets"], "a pool says little of a block"),
    ("Network and profit / The ten strongest", &["wallets"], "this pool names no strongest miners"),
];

/// Queries whose data comes and goes in the simulated pool.
const NOW_AND_THEN: &[(&str, &str)] = &[
    ("Exporter / Pause", "a pause lasts two seconds"),
    ("Account / What waits", "a payout is pending for two minutes, and not every account has an invoice"),
    ("Overview / Earnings by currency / H", "a payout is pending for two minutes"),
    ("Account / Next payout in", "the currency may have no threshold"),
    ("Account / Balance of the threshold", "the currency may have no threshold"),
    ("Account / Earnings by currency / G", "the currency may have no threshold"),
    ("Overview / Earnings by currency / G", "the currency may have no threshold"),
    ("Overview / Accounts / G", "the currency may have no threshold"),
    ("Overview / Next payouts", "the currency may have no threshold"),
];

/// Every query has data, except those of the tables.
fn has_data_where_there_is_something_to_show(world: &World, name: &str, accounts: &[&str]) {
    let is = |place: &String, beginning: &str| place.starts_with(beginning);
    let comes_and_goes = |place: &String| NOW_AND_THEN.iter().any(|(beginning, _)| is(place, beginning));
    let empty = world.empty(accounts);
    let all: BTreeSet<String> = dashboards().iter().flat_map(Dashboard::queries).map(|query| short(&query)).collect();
    let expected = EMPTY.iter().filter(|(_, worlds, _)| worlds.contains(&name));
    let expected: BTreeSet<String> =
        expected.flat_map(|(beginning, ..)| all.iter().filter(|place| is(place, beginning))).cloned().collect();
    let wrong: Vec<_> = empty.symmetric_difference(&expected).filter(|place| !comes_and_goes(place)).collect();
    assert!(wrong.is_empty(), "{name}: without data, or with data though the table has a reason for none: {wrong:#?}");
}

#[test]
fn every_entry_of_the_tables_of_empty_queries_matches_a_query() {
    let all: Vec<String> = dashboards().iter().flat_map(Dashboard::queries).map(|query| short(&query)).collect();
    for beginning in EMPTY.iter().map(|(beginning, ..)| beginning).chain(NOW_AND_THEN.iter().map(|(beginning, _)| beginning))
    {
        assert!(all.iter().any(|place| place.starts_with(beginning)), "{beginning}");
    }
}

#[test]
#[ignore = "scripts/test runs it: it needs Prometheus"]
fn one_healthy_account_is_as_usual() {
    let (world, _directory) = world(&HEALTHY);
    has_data_where_there_is_something_to_show(&world, HEALTHY.name, &["farm-1"]);
    let one = |panel| world.shown("Overview", panel, "A", &[])[0];
    assert_eq!(one("Exporter"), 1.0);
    assert_eq!(one("Accounts mining"), 1.0);
    assert_eq!(one("Alerts firing"), 0.0, "{:?}", world.lines("Overview", "Needs attention", "A", "alertname"));
    assert!((0.85..1.15).contains(&one("Hashrate of the usual")));
    // The expected coins are near what the simulated pool pays.
    assert!((0.8..1.25).contains(&one("Luck, by currency")));
    // The account is scraped by two jobs, and counts once.
    let workers = |job| world.shown("Account", "Active workers", "A", &[("job", job), ("account", "farm-1")]);
    assert!(!workers("minergate").is_empty());
    assert_eq!(workers("minergate|accounts"), workers("minergate"));
    assert_eq!(workers("accounts"), workers("minergate"));
}

#[test]
#[ignore = "scripts/test runs it: it needs Prometheus"]
fn sixty_accounts_with_faults_are_told_apart() {
    let (world, _directory) = world(&FAULTY);
    has_data_where_there_is_something_to_show(&world, FAULTY.name, &["farm-1", "farm-8"]);
    let states = world.lines("Overview", "Accounts", "A", "account");
    assert_eq!(states.len(), 60);
    for (account, state) in [
        ("farm-1", 4.0),
        ("farm-2", 3.0),
        ("farm-3", 1.0),
        ("farm-4", 3.0),
        ("farm-5", 1.0),
        ("farm-9", 2.0),
        ("farm-7", 1.0),
        ("farm-8", 0.0),
    ] {
        assert_eq!(states[account], state, "{account}: {states:?}");
    }
    let problems = world.lines("Overview", "Needs attention", "A", "account");
    for account in ["farm-1", "farm-2", "farm-3", "farm-4", "farm-5", "farm-7", "farm-9", "farm-11"] {
        assert!(problems.contains_key(account), "{account}: {problems:?}");
    }
    assert!(problems.len() < 20, "{problems:?}");
    // A cause is a line, and what follows from it is none.
    let about = world.lines_of("Overview", "Needs attention", "A", "alertname", "farm-1");
    assert!(about.contains_key("MinergateLoginStopped") && !about.contains_key("MinergateAccountDown"), "{about:?}");
    // An endpoint that was never read is in the count of the tile and in the table.
    let listed = world.shown("Exporter", "Failing endpoints, one by one", "A", &[]).len();
    let read = world.shown("Exporter", "Failing endpoints, one by one", "B", &[]).len();
    assert_eq!(world.shown("Exporter", "Failing", "A", &[]), [f64::from(u32::try_from(listed).unwrap())]);
    assert!(read < listed, "{read} of {listed} were read");
    assert_eq!(world.shown("Exporter", "Logins blocked", "A", &[]), [1.0]);
    // A login that failed once.
    let exporter = of("Exporter");
    let errors = exporter.panel_queries().into_iter().find(|query| query.place == "Errors by kind").unwrap();
    let step = errors.step();
    let text = errors.fill_intervals(&exporter.fill(&errors.text, &[]));
    let [start, end, step] = [world.end - 86_400, world.end, step].map(|n| n.to_string());
    let data = ask(&world.api, "query_range", &[("query", &text), ("start", &start), ("end", &end), ("step", &step)]);
    let captcha = data["result"].as_array().unwrap().iter().find(|series| series["metric"]["outcome"] == "captcha").unwrap();
    assert_eq!(captcha["values"].as_array().unwrap().iter().map(|point| number(&point[1]).unwrap()).sum::<f64>(), 1.0);
}

/// Queries with data an hour after the exporter died.
const AFTER_DEATH: &[&str] = &[
    "Overview / Exporter / A",
    "Exporter / Exporter / A",
    "Overview / Accounts mining / B",
    "Exporter / Version / B",
    "Account / Nickname / B",
    "Account / Miner online / A",
    "Account / Endpoints / A",
    "Overview / Alerts firing / A",
    "Overview / Needs attention / A",
    "Overview / Needs attention / B",
    "Overview / Hashrate of the usual / A",
    "Overview / Rejected shares, 1 h / A",
];

#[test]
#[ignore = "scripts/test runs it: it needs Prometheus"]
fn an_exporter_that_died_an_hour_ago_is_red_and_other_values_are_missing() {
    let (world, _directory) = world(&DEAD);
    for dashboard in dashboards() {
        for query in dashboard.panel_queries() {
            // Only the last value counts.
            let now = Query { way: Way::Instant, ..query.clone() };
            let text = query.fill_intervals(&now.text);
            let data = world.run(&dashboard, &Query { text, ..now }, &[("account", "farm-1")]);
            assert_eq!(data.is_empty(), !AFTER_DEATH.contains(&&*short(&query)), "{}: {data:?}", query.place());
        }
    }
    let one = |dashboard, panel| world.shown(dashboard, panel, "A", &[]);
    assert_eq!(one("Overview", "Exporter"), [0.0]);
    assert_eq!(one("Exporter", "Exporter"), [0.0]);
    assert!(one("Overview", "Alerts firing")[0] >= 1.0);
    assert!(world.lines("Overview", "Needs attention", "A", "alertname").contains_key("MinergateExporterDown"));
    // A graph that ended long ago must not show its last value as the present one.
    assert_eq!(one("Overview", "Hashrate of the usual").last(), Some(&-1.0));
    assert_eq!(one("Overview", "Rejected shares, 1 h").last(), Some(&-1.0));
    // Nor must a timeline draw it to its end.
    for panel in ["Miner online", "Endpoints"] {
        let states = world.shown("Account", panel, "A", &[("account", "farm-1")]);
        assert!(!states.is_empty() && states.iter().all(|state| *state == -1.0), "{panel}: {states:?}");
    }
    // An exporter that Prometheus no longer scrapes is not shown as up.
    let unknown = of("Overview").panel_queries().into_iter().find(|query| query.place == "Exporter").unwrap();
    assert_eq!(world.run(&of("Overview"), &unknown, &[("job", "another")]), [-1.0]);
}

#[test]
#[ignore = "scripts/test runs it: it needs Prometheus"]
fn wallets_have_their_workers_by_name() {
    let (world, _directory) = world(&WALLETS);
    has_data_where_there_is_something_to_show(&world, WALLETS.name, &["rig-1"]);
    let last_share = world.lines_of("Account", "Workers by name", "D", "worker", "rig-1");
    assert!(last_share.len() >= 5, "{last_share:?}");
    assert!(last_share["garage.2"] > 3600.0 && last_share["attic"] < 600.0, "{last_share:?}");
    let gone = world.lines("Overview", "Needs attention", "A", "worker");
    assert!(gone.contains_key("garage.2"), "{gone:?}");
    // That there are fewer workers is not said once more.
    let problems = world.lines("Overview", "Needs attention", "A", "alertname");
    assert!(!problems.contains_key("MinergateWorkersDropped"), "{problems:?}");
}
