//! Which endpoints the shipped alerts use, determined from the rules and the tables.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use minergate::endpoints::ENDPOINTS;

use crate::document::{Node, parse_yaml};

const ALERTS: &str = include_str!("../../../deploy/prometheus/rules/alerts.rules.yml");
const RECORDINGS: &str = include_str!("../../../deploy/prometheus/rules/recording.rules.yml");

/// A rule: an alert, or a recording.
struct Rule {
    alert: Option<String>,
    record: Option<String>,
    expr: String,
}

/// The endpoints whose metrics alerts use, by name, with the names of these alerts.
pub(super) fn by_endpoint() -> anyhow::Result<BTreeMap<&'static str, BTreeSet<String>>> {
    let mut rules = Vec::new();
    for text in [ALERTS, RECORDINGS] {
        let read = parse_yaml(text).context("the shipped rules can't be read")?;
        let groups = read.get("groups").into_iter().flat_map(Node::items);
        for rule in groups.filter_map(|group| group.get("rules")).flat_map(Node::items) {
            let text = |key| rule.get(key).and_then(Node::text).map(str::to_owned);
            rules.push(Rule { alert: text("alert"), record: text("record"), expr: text("expr").unwrap_or_default() });
        }
    }
    let mut alerts: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for rule in &rules {
        let Some(alert) = &rule.alert else { continue };
        let names = metrics(&rule.expr, &rules);
        for endpoint in ENDPOINTS.iter().filter(|e| e.families().any(|family| names.contains(&family.sample_name()))) {
            alerts.entry(endpoint.name).or_default().insert(alert.clone());
        }
    }
    Ok(alerts)
}

/// The metric names in an expression, and in the recording rules that it uses.
fn metrics(expression: &str, rules: &[Rule]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut expressions = vec![expression];
    while let Some(expression) = expressions.pop() {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        for name in expression.split(|c| !is_part(c)).filter(|name| !name.is_empty()) {
            if names.insert(name.to_owned()) {
                let recorded = rules.iter().filter(|rule| rule.record.as_deref() == Some(name));
                expressions.extend(recorded.map(|rule| rule.expr.as_str()));
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_found_through_recording_rules() {
        let alerts = by_endpoint().unwrap();
        for name in alerts.keys() {
            assert!(ENDPOINTS.iter().any(|endpoint| endpoint.name == *name));
        }
        for endpoint in ["workers", "mining_stats", "withdrawals", "invoices", "status"] {
            assert!(alerts.contains_key(endpoint), "no alert looks at {endpoint}: {alerts:?}");
        }
        assert!(!alerts.contains_key("nickname"), "{alerts:?}");
        let recorded = [("a:b:c", "minergate_x + d:e:f"), ("d:e:f", "sum(minergate_y{a=\"b\"})")];
        let rule = |(record, expr): (&str, &str)| Rule { alert: None, record: Some(record.into()), expr: expr.into() };
        let names = metrics("max(a:b:c) > 0", &recorded.map(rule));
        assert!(names.contains("minergate_x") && names.contains("minergate_y"), "{names:?}");
    }
}
