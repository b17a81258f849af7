//! Checks of the committed dashboards without a Prometheus: rules for each of them, and tests of all together.

mod colour;
mod consequence;
mod linter;
mod metric;
mod table;

use std::collections::BTreeSet;

use serde_json::Value;

use super::dashboard::{Dashboard, Query, Way, dashboards};

/// A rule for a dashboard; it returns what is wrong.
type Rule = fn(&Dashboard) -> Vec<String>;

/// Our own rules, apart from those about colours and tables.
const OWN: &[(&str, Rule)] = &[
    ("what is not there is not 0", |d| {
        let queries = d.queries().into_iter();
        queries.filter(|query| query.text.contains("vector(0)")).map(|query| query.place()).collect()
    }),
    ("links and annotations have no place, which hides them in some Grafana", |d| {
        let lists = [&d.json["links"], &d.json["annotations"]["list"]];
        let mut shown = lists.into_iter().flat_map(|list| list.as_array().unwrap());
        fault(shown.all(|shown| shown.get("placement").is_none()), "has a placement")
    }),
    ("what a Grafana must have is said", |d| {
        let required: Vec<_> = d.json["__requires"].as_array().unwrap().iter().map(|plugin| plugin["id"].clone()).collect();
        let known = d.panels().all(|panel| required.contains(&panel["type"]));
        fault(known && required.contains(&"grafana".into()) && required.contains(&"prometheus".into()), "lacks a plugin")
    }),
    ("panels lie side by side", |d| {
        let is_free = |panels: &[Value]| {
            let mut cells = BTreeSet::new();
            panels.iter().all(|panel| {
                let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().unwrap());
                x + w <= 24 && (x..x + w).all(|x| (y..y + h).all(|y| cells.insert((x, y))))
            })
        };
        let open = d.json["panels"].as_array().unwrap();
        let closed = open.iter().filter_map(|row| row["panels"].as_array());
        let right = is_free(open) && closed.into_iter().all(|panels| is_free(panels));
        fault(right, "has panels on top of each other, or too wide ones")
    }),
    ("ids and letters are unique", |d| {
        let mut ids = BTreeSet::new();
        let open = d.json["panels"].as_array().unwrap().iter();
        let all = d.panels().chain(open.filter(|panel| panel["type"] == "row"));
        let fresh = all.into_iter().all(|panel| ids.insert(panel["id"].as_u64().unwrap()));
        let mut places = BTreeSet::new();
        let letters = d.queries().iter().all(|query| places.insert(query.place()));
        fault(fresh && letters, "has an id, a title or a query's letter twice")
    }),
    ("counters' steps reach over two polls and scrapes", |d| {
        let queries = d.panel_queries().into_iter().filter(|query| query.text.contains("$__rate_interval"));
        let long_enough = |query: &Query| matches!(query.way, Way::Range { min_step: 60.., .. });
        queries.filter(|query| !long_enough(query)).map(|query| query.place()).collect()
    }),
    ("dashboards link to each other", |d| {
        let link = &d.json["links"][0];
        let right = link["type"] == "dashboards" && link["includeVars"] == true && link["keepTime"] == true;
        fault(right && link["tags"] == d.json["tags"], "has no links to the others")
    }),
    ("reloads are marked", |d| {
        fault(d.annotation_queries().iter().any(|query| query.text.contains("config_last_reload")), "does not mark reloads")
    }),
];

fn fault(right: bool, fault: &str) -> Vec<String> {
    if right { Vec::new() } else { vec![fault.to_owned()] }
}

/// The panels that are not right.
fn panels(dashboard: &Dashboard, right: impl Fn(&Value) -> bool) -> Vec<String> {
    dashboard.panels().filter(|panel| !right(panel)).map(|panel| panel["title"].to_string()).collect()
}

fn overrides(panel: &Value) -> &[Value] {
    panel["fieldConfig"]["overrides"].as_array().unwrap()
}

fn properties(r#override: &Value) -> &[Value] {
    r#override["properties"].as_array().unwrap()
}

#[test]
fn dashboards_follow_the_rules() {
    let mut faults = Vec::new();
    for (name, rule) in [linter::RULES, colour::RULES, table::RULES, OWN].concat() {
        for dashboard in dashboards() {
            faults.extend(rule(&dashboard).into_iter().map(|fault| format!("{name}: {}: {fault}", dashboard.file)));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn uids_and_titles_are_unique_and_files_named_by_them() {
    let mut titles = BTreeSet::new();
    for dashboard in dashboards() {
        let uid = dashboard.json["uid"].as_str().unwrap();
        assert_eq!(dashboard.file, format!("{uid}.json"));
        assert!(uid.len() <= 40 && titles.insert(dashboard.title().to_owned()), "{uid}");
        assert!(dashboard.json["schemaVersion"].as_u64().unwrap() >= 42, "{uid}");
        assert!(dashboard.json.get("id").is_none_or(Value::is_null), "{uid}: Grafana gives the id");
    }
}
