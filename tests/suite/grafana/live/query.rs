//! Queries of the dashboards, asked of a world's Prometheus as Grafana does.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::grafana::dashboard::{Dashboard, Query, Way, dashboard};
use crate::grafana::world::World;
use crate::process::get;

fn ask(api: &str, path: &str, parameters: &[(&str, &str)]) -> Value {
    let url = reqwest::Url::parse_with_params(&format!("{api}/{path}"), parameters).unwrap();
    let answer: Value = serde_json::from_slice(&get(url.as_str(), &[]).body).unwrap();
    assert_eq!(answer["status"], "success", "{parameters:?}: {answer}");
    answer["data"].clone()
}

pub(super) fn number(value: &Value) -> Option<f64> {
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
    /// Sends a query as Grafana does, and returns the data of the answer.
    pub(super) fn data(&self, dashboard: &Dashboard, query: &Query, chosen: &[(&str, &str)]) -> Value {
        let text = query.fill_intervals(&dashboard.fill(&query.text, chosen));
        assert!(!text.contains('$'), "{}: {text} has another variable", query.place());
        let end = self.end.to_string();
        match query.way {
            Way::Instant => ask(&self.api, "query", &[("query", &text), ("time", &end)]),
            Way::LabelValues => {
                let inner = text.strip_prefix("label_values(").unwrap().strip_suffix(')').unwrap();
                let (selector, label) = inner.rsplit_once(", ").unwrap();
                ask(&self.api, &format!("label/{label}/values"), &[("match[]", selector)])
            }
            Way::Range { seconds, .. } => {
                let step = query.step();
                // Grafana begins and ends at multiples of the step.
                let [start, end, step] =
                    [(self.end - seconds) / step * step, self.end / step * step, step].map(|n| n.to_string());
                ask(&self.api, "query_range", &[("query", &text), ("start", &start), ("end", &end), ("step", &step)])
            }
        }
    }

    /// The last number of each series of a query, or 1 for each value of a variable.
    pub(super) fn run(&self, dashboard: &Dashboard, query: &Query, chosen: &[(&str, &str)]) -> Vec<f64> {
        let data = self.data(dashboard, query, chosen);
        match query.way {
            Way::LabelValues => vec![1.0; data.as_array().unwrap().len()],
            Way::Instant | Way::Range { .. } => numbers(&data),
        }
    }

    /// The last numbers of a panel's query, with everything chosen.
    pub(super) fn shown(&self, title: &str, panel: &str, letter: &str, chosen: &[(&str, &str)]) -> Vec<f64> {
        let dashboard = dashboard(title);
        self.run(&dashboard, &dashboard.panel_query(panel, letter), chosen)
    }

    /// The lines of a table's query: one label of each, and the number.
    pub(super) fn lines(&self, title: &str, panel: &str, letter: &str, label: &str) -> BTreeMap<String, f64> {
        self.lines_of(title, panel, letter, label, ".+")
    }

    pub(super) fn lines_of(
        &self,
        title: &str,
        panel: &str,
        letter: &str,
        label: &str,
        account: &str,
    ) -> BTreeMap<String, f64> {
        let dashboard = dashboard(title);
        let data = self.data(&dashboard, &dashboard.panel_query(panel, letter), &[("account", account)]);
        let series = data["result"].as_array().unwrap().iter();
        series
            .map(|s| (s["metric"][label].as_str().unwrap_or_default().to_owned(), number(&s["value"][1]).unwrap()))
            .collect()
    }
}
