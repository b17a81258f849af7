//! Metrics: each one in a query exists, and each one that exists has a place.

use std::collections::{BTreeMap, BTreeSet};

use minergate_exporter::cli::reference::metrics as reference;
use minergate_exporter::health::SUBJECT_METRICS;

use crate::grafana::dashboard::{Dashboard, Way, dashboard, dashboards};
use crate::grafana::promql::selectors;
use crate::repository::{files, read};

/// Metrics that are not the exporter's: Prometheus' own.
const OF_PROMETHEUS: &[&str] = &["ALERTS", "ALERTS_FOR_STATE", "up", "scrape_duration_seconds", "scrape_samples_scraped"];

/// Every metric: name to type.
fn reference() -> BTreeMap<String, &'static str> {
    reference::entries().map(|entry| (entry.name, entry.kind)).collect()
}

/// The names that the rules record.
fn recorded() -> BTreeSet<String> {
    let texts = files("deploy/prometheus/rules", ".yml").into_iter().map(read);
    texts
        .flat_map(|text| {
            text.lines().filter_map(|line| Some(line.split_once("- record: ")?.1.to_owned())).collect::<Vec<_>>()
        })
        .collect()
}

/// The metrics that a query names, be it by a pattern.
fn metrics(query: &str) -> Vec<String> {
    let names = selectors(query).into_iter().flat_map(|selector| {
        let pattern = selector.matchers.split(", ").find_map(|m| m.strip_prefix("__name__=~\"")?.strip_suffix('"'));
        pattern.unwrap_or(selector.metric).split('|').map(str::to_owned).collect::<Vec<_>>()
    });
    names.collect()
}

#[test]
fn every_metric_is_in_the_reference() {
    let (reference, recorded) = (reference(), recorded());
    let is_known = |name: &str| {
        let of_histogram = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
        reference.contains_key(name)
            || of_histogram.is_some_and(|base| reference.get(base) == Some(&"histogram"))
            || OF_PROMETHEUS.contains(&name)
            || recorded.contains(name)
    };
    let dashboards = dashboards();
    for (dashboard, query) in dashboards.iter().flat_map(|d| d.queries().into_iter().map(move |query| (d, query))) {
        let text = dashboard.fill(&query.text, &[("account", "a")]);
        let text = text.strip_prefix("label_values(").unwrap_or(&text);
        let metrics = metrics(text.rsplit_once("}, ").map_or(text, |_| text));
        for metric in metrics {
            let label = query.way == Way::LabelValues && !metric.starts_with("minergate_");
            assert!(label || is_known(&metric), "{}: there is no metric {metric}", query.place());
        }
    }
}

#[test]
fn the_account_s_dashboard_has_a_place_for_every_family_of_an_account() {
    let account = dashboard("Account");
    let shown: BTreeSet<String> = account.panel_queries().iter().flat_map(|query| metrics(&query.text)).collect();
    let promised = include_str!("../../promised_metrics.txt").lines().filter_map(|line| {
        let (name, labels) = (line.split(' ').next()?, line.split(' ').nth(2)?);
        labels.split(',').any(|label| label == "account").then_some(name)
    });
    let own = SUBJECT_METRICS.iter().map(|metric| metric.family.sample_name());
    for family in promised.map(str::to_owned).chain(own) {
        assert!(shown.contains(&family), "{family} is nowhere");
    }
}

#[test]
fn every_metric_has_a_place_somewhere() {
    let shown: BTreeSet<String> =
        dashboards().iter().flat_map(Dashboard::panel_queries).flat_map(|query| metrics(&query.text)).collect();
    for (family, kind) in reference() {
        let name = if kind == "histogram" { format!("{family}_bucket") } else { family };
        // These are backfilled and never scraped. Most installations do not have them, so a panel would be empty.
        let is_past = name.starts_with("minergate_history_");
        assert!(name.starts_with("process_") || is_past || shown.contains(&name), "{name} is nowhere");
    }
}
