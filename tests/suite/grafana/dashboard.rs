//! The dashboards' files, and the queries in them with their variables filled in as Grafana does.

use std::path::PathBuf;

use serde_json::Value;

use crate::repository::{files, read};

/// A dashboard's file.
pub(super) struct Dashboard {
    pub(super) file: String,
    pub(super) json: Value,
}

/// All dashboards.
pub(super) fn dashboards() -> Vec<Dashboard> {
    let parse = |path: PathBuf| Dashboard {
        file: path.file_name().unwrap().to_str().unwrap().to_owned(),
        json: serde_json::from_str(&read(path)).unwrap(),
    };
    files("grafana/dashboards", ".json").into_iter().map(parse).collect()
}

/// The dashboard of that title, without the part that all titles have.
pub(super) fn dashboard(title: &str) -> Dashboard {
    dashboards().into_iter().find(|dashboard| dashboard.title() == format!("MinerGate / {title}")).unwrap()
}

/// How Grafana runs a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Way {
    /// At the end of the dashboard's time.
    Instant,
    /// Over the last seconds, with steps that are no shorter than some seconds.
    Range { seconds: u64, min_step: u64 },
    /// For the values of a label.
    LabelValues,
}

/// A query, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) dashboard: String,
    /// The title of its panel, or the name of its annotation or variable.
    pub(super) place: String,
    /// The letter of the query in a panel.
    pub(super) letter: String,
    /// As it is written, with variables.
    pub(super) text: String,
    pub(super) way: Way,
}

impl Dashboard {
    pub(super) fn title(&self) -> &str {
        self.json["title"].as_str().unwrap()
    }

    /// All panels but the headings of rows. The panels of closed rows are included.
    pub(super) fn panels(&self) -> impl Iterator<Item = &Value> {
        let all = self.json["panels"].as_array().unwrap().iter();
        let with_closed =
            all.flat_map(|panel| std::iter::once(panel).chain(panel["panels"].as_array().into_iter().flatten()));
        with_closed.filter(|panel| panel["type"] != "row")
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = &Value> {
        self.json["templating"]["list"].as_array().unwrap().iter()
    }

    pub(super) fn variable(&self, name: &str) -> Option<&Value> {
        self.variables().find(|variable| variable["name"] == name)
    }

    fn query(&self, place: &Value, letter: &str, text: &Value, way: Way) -> Query {
        let [place, text] = [place, text].map(|value| value.as_str().unwrap().to_owned());
        Query { dashboard: self.title().to_owned(), place, letter: letter.to_owned(), text, way }
    }

    /// The queries of the panels.
    pub(super) fn panel_queries(&self) -> Vec<Query> {
        let of = |panel: &Value| {
            // A panel may have a time of its own.
            let from = panel["timeFrom"].as_str().or_else(|| self.json["time"]["from"].as_str()?.strip_prefix("now-"));
            let seconds = seconds(from.unwrap());
            let targets = panel["targets"].as_array().unwrap().iter();
            let queries = targets.map(|target| {
                let min_step = target["interval"].as_str().map_or(15, super::dashboard::seconds);
                let way = if target["instant"] == true { Way::Instant } else { Way::Range { seconds, min_step } };
                self.query(&panel["title"], target["refId"].as_str().unwrap(), &target["expr"], way)
            });
            queries.collect::<Vec<_>>()
        };
        self.panels().flat_map(of).collect()
    }

    /// The query of a panel with that letter.
    pub(super) fn panel_query(&self, panel: &str, letter: &str) -> Query {
        let query = self.panel_queries().into_iter().find(|query| query.place == panel && query.letter == letter);
        query.unwrap_or_else(|| panic!("no {panel} / {letter}"))
    }

    /// The queries of annotations.
    pub(super) fn annotation_queries(&self) -> Vec<Query> {
        let annotations = self.json["annotations"]["list"].as_array().unwrap().iter();
        let way = Way::Range { seconds: 86_400, min_step: 60 };
        annotations.map(|a| self.query(&a["name"], "annotation", &a["target"]["expr"], way)).collect()
    }

    /// The queries of variables.
    pub(super) fn variable_queries(&self) -> Vec<Query> {
        let variables = self.variables().filter(|variable| variable["type"] == "query");
        variables.map(|v| self.query(&v["name"], "variable", &v["query"], Way::LabelValues)).collect()
    }

    pub(super) fn queries(&self) -> Vec<Query> {
        [self.panel_queries(), self.annotation_queries(), self.variable_queries()].concat()
    }

    /// A text with the dashboard's variables filled in. `chosen` has the values of some; the others have all values, or their default.
    pub(super) fn fill(&self, text: &str, chosen: &[(&str, &str)]) -> String {
        self.variables().filter(|variable| variable["type"] != "datasource").fold(text.to_owned(), |text, variable| {
            let name = variable["name"].as_str().unwrap();
            let value = chosen.iter().find(|(chosen, _)| *chosen == name).map(|(_, value)| *value);
            // Without `allValue`, Grafana replaces "All" by the list of values.
            let all = (variable["includeAll"] == true).then(|| variable["allValue"].as_str().unwrap_or(".+"));
            let value = value.or(all).or_else(|| variable["current"]["value"].as_str());
            text.replace(&format!("${name}"), value.unwrap_or_else(|| panic!("no value for {name}")))
        })
    }
}

impl Query {
    /// Where the query stands, for people.
    pub(super) fn place(&self) -> String {
        format!("{} / {} / {}", self.dashboard, self.place, self.letter)
    }

    /// The step that Grafana takes for a panel that is 1000 points wide.
    pub(super) fn step(&self) -> u64 {
        match self.way {
            Way::Range { seconds, min_step } => min_step.max(seconds / 1000),
            Way::Instant | Way::LabelValues => 15,
        }
    }

    /// A text with Grafana's own variables filled in.
    pub(super) fn fill_intervals(&self, text: &str) -> String {
        let min_step = if let Way::Range { min_step, .. } = self.way { min_step } else { 15 };
        let rate_interval = (self.step() + min_step).max(4 * min_step);
        text.replace("$__rate_interval", &format!("{rate_interval}s")).replace("$__interval", &format!("{}s", self.step()))
    }
}

/// A time such as `14d`.
fn seconds(text: &str) -> u64 {
    let (number, unit) = text.split_at(text.len() - 1);
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => panic!("{text} has no known unit"),
    };
    number.parse::<u64>().unwrap() * unit
}
