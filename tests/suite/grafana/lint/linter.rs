//! The rules of Grafana's dashboard-linter, by their names there.
//!
//! Its rules about `LogQL` do not apply. A real Prometheus checks `target-promql-rule`: see `live`.

use super::{Rule, fault, panels};
use crate::grafana::dashboard::{Dashboard, Query};
use crate::grafana::promql::{Selector, selectors};

/// Units that Grafana knows and a panel here may have.
pub(super) const UNITS: &[&str] = &["none", "short", "Hs", "s", "bytes", "percentunit", "cpm", "m"];

/// Panels that show a counter as it is, since they are about all that was ever counted.
const WHOLE_COUNTERS: &[&str] = &["Totals by currency", "Payment models", "Affiliate profit"];

pub(super) const RULES: &[(&str, Rule)] = &[
    ("template-datasource-rule", |d| {
        let sources: Vec<_> = d.variables().filter(|v| v["type"] == "datasource").collect();
        let right = sources.len() == 1
            && sources[0]["name"] == "datasource"
            && sources[0]["label"] == "Data source"
            && sources[0]["query"] == "prometheus";
        fault(right, "needs one variable `datasource`")
    }),
    ("template-job-rule", |d| scrape_variable(d, "job", "Job")),
    ("template-instance-rule", |d| scrape_variable(d, "instance", "Instance")),
    ("template-label-promql-rule", |d| {
        let label_values = |text: &str| {
            let inner = text.strip_prefix("label_values(").and_then(|text| text.strip_suffix(')'));
            inner.and_then(|inner| inner.rsplit_once(", ")).is_some_and(|(selector, _)| selectors(selector).len() == 1)
        };
        let queries = d.variable_queries().into_iter();
        queries.filter(|query| !label_values(&query.text)).map(|query| query.place()).collect()
    }),
    ("template-on-time-change-reload-rule", |d| {
        let queries = d.variables().filter(|v| v["type"] == "query");
        queries.filter(|v| v["refresh"] != 2).map(|v| v["name"].to_string()).collect()
    }),
    ("panel-datasource-rule", |d| panels(d, |panel| panel["datasource"]["uid"] == "${datasource}")),
    ("panel-title-description-rule", |d| {
        panels(d, |panel| {
            ["title", "description"].iter().all(|key| panel[key].as_str().is_some_and(|text| !text.is_empty()))
        })
    }),
    ("panel-units-rule", |d| {
        panels(d, |panel| panel["fieldConfig"]["defaults"]["unit"].as_str().is_some_and(|u| UNITS.contains(&u)))
    }),
    ("panel-no-targets-rule", |d| panels(d, |panel| panel["targets"].as_array().is_some_and(|targets| !targets.is_empty()))),
    ("target-rate-interval-rule", |d| {
        targets(d, |_, s| !matches!(s.function, Some("rate" | "irate")) || s.range == Some("$__rate_interval"))
    }),
    ("target-job-rule", |d| targets(d, |_, s| has_matcher(s, "job"))),
    ("target-instance-rule", |d| targets(d, |_, s| has_matcher(s, "instance"))),
    ("target-counter-agg-rule", |d| {
        targets(d, |query, s| {
            let is_counter = s.metric.ends_with("_total");
            !is_counter
                || matches!(s.function, Some("rate" | "irate" | "increase"))
                || WHOLE_COUNTERS.contains(&&*query.place)
                // Allowed beside its increase: a new series counts from 0.
                || query.text.contains(&format!("increase({}{{{}}}[", s.metric, s.matchers))
        })
    }),
    ("uneditable-dashboard", |d| fault(d.json["editable"] == false, "is editable")),
];

/// The selectors that are not right, of panels and annotations.
fn targets(dashboard: &Dashboard, right: impl Fn(&Query, &Selector<'_>) -> bool) -> Vec<String> {
    let queries = [dashboard.panel_queries(), dashboard.annotation_queries()].concat();
    let wrong = queries.iter().flat_map(|query| {
        let wrong = selectors(&query.text).into_iter().filter(|selector| !right(query, selector));
        wrong.map(|selector| format!("{}: {}", query.place(), selector.metric)).collect::<Vec<_>>()
    });
    wrong.collect()
}

fn has_matcher(selector: &Selector<'_>, label: &str) -> bool {
    // Recorded series have no labels of single exporters, and neither do some alerts.
    selector.metric.contains(':')
        || selector.metric.starts_with("ALERTS")
        || selector.matchers.split(", ").any(|m| m == format!("{label}=~\"${label}\""))
}

fn scrape_variable(dashboard: &Dashboard, name: &str, label: &str) -> Vec<String> {
    let right = dashboard.variable(name).is_some_and(|v| {
        v["label"] == label
            && v["type"] == "query"
            && v["datasource"]["uid"] == "${datasource}"
            && v["multi"] == true
            && v["includeAll"] == true
            && v["allValue"] == ".+"
    });
    fault(right, &format!("needs a variable `{name}`"))
}
