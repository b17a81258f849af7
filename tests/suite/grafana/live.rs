//! Every query of the dashboards, run by a real Prometheus as Grafana would, in four worlds: one healthy account, sixty with faults, an
//! exporter that has been dead for an hour, and wallets at pools. No query fails, and each has data where there is something to show.
//!
//! `GRAFANA_WORLDS=DIRECTORY` keeps the worlds in that directory, for grafana/render.

mod empty;
mod query;
mod worlds;

use self::empty::{has_data_where_there_is_something_to_show, short};
use self::query::number;
use self::worlds::{DEAD, FAULTY, HEALTHY, WALLETS, world};
use super::dashboard::{Query, Way, dashboard, dashboards};

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
    assert!(about.contains_key("MinergateLoginBlocked") && !about.contains_key("MinergateAccountDown"), "{about:?}");
    // An endpoint that was never read is in the count of the tile and in the table.
    let listed = world.shown("Exporter", "Failing endpoints, one by one", "A", &[]).len();
    let read = world.shown("Exporter", "Failing endpoints, one by one", "B", &[]).len();
    assert_eq!(world.shown("Exporter", "Failing", "A", &[]), [f64::from(u32::try_from(listed).unwrap())]);
    assert!(read < listed, "{read} of {listed} were read");
    assert_eq!(world.shown("Exporter", "Logins blocked", "A", &[]), [1.0]);
    // What was never read has no age, and must not leave the youngest age of others in its place.
    assert_eq!(world.shown("Exporter", "Oldest value", "A", &[]), [-1.0]);
    let read = world.lines("Overview", "Accounts", "I", "account");
    assert!(["farm-1", "farm-2", "farm-4"].iter().all(|account| !read.contains_key(*account)), "{read:?}");
    assert_eq!(read.len(), 57);
    // A login that failed once.
    let exporter = dashboard("Exporter");
    let data = world.data(&exporter, &exporter.panel_query("Errors by kind", "A"), &[]);
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
    assert_eq!(world.shown("Overview", "Exporter", "A", &[("job", "another")]), [-1.0]);
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
