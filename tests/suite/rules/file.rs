//! The checked parts of rule files and of promtool's tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use minergate::duration;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::repository::{files, read};

#[derive(Deserialize)]
struct RuleFile {
    groups: Vec<RuleGroup>,
}

#[derive(Deserialize)]
struct RuleGroup {
    rules: Vec<Rule>,
}

/// A recording rule or an alert.
#[derive(Deserialize)]
pub(crate) struct Rule {
    pub(crate) alert: Option<String>,
    pub(crate) record: Option<String>,
    pub(crate) expr: String,
    #[serde(rename = "for")]
    pub(super) pending: Option<String>,
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct TestFile {
    tests: Vec<Group>,
}

/// One of promtool's test groups.
#[derive(Deserialize)]
pub(super) struct Group {
    pub(super) name: String,
    interval: String,
    input_series: Vec<Series>,
    #[serde(default)]
    pub(super) alert_rule_test: Vec<AlertTest>,
    #[serde(default)]
    pub(super) promql_expr_test: Vec<ExpressionTest>,
}

#[derive(Deserialize)]
struct Series {
    series: String,
    values: String,
}

#[derive(Deserialize)]
pub(super) struct AlertTest {
    pub(super) alertname: String,
    eval_time: String,
    exp_alerts: Vec<Value>,
}

#[derive(Deserialize)]
pub(super) struct ExpressionTest {
    pub(super) expr: String,
    pub(super) exp_samples: Vec<Value>,
}

pub(super) fn parse<T: DeserializeOwned>(path: &Path) -> T {
    serde_saphyr::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All rules, file by file.
pub(crate) fn rules() -> Vec<Rule> {
    let files = files("deploy/prometheus/rules", ".rules.yml").into_iter().map(|path| parse::<RuleFile>(&path));
    files.flat_map(|file| file.groups).flat_map(|group| group.rules).collect()
}

/// The names of the files in tests/rules.
pub(super) fn test_files() -> BTreeSet<String> {
    let names = files("tests/rules", ".yml").into_iter();
    names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// The test groups of one file.
pub(super) fn tests_of(name: &str) -> Vec<Group> {
    parse::<TestFile>(Path::new(&format!("tests/rules/{name}.yml"))).tests
}

impl Rule {
    pub(super) fn name(&self) -> &str {
        self.alert.as_deref().or(self.record.as_deref()).unwrap()
    }

    /// An alert's.
    pub(super) fn severity(&self) -> &str {
        &self.labels["severity"]
    }
}

impl Group {
    /// Whether an alert is expected at some time.
    pub(super) fn fires(&self) -> bool {
        self.alert_rule_test.iter().any(|test| !test.exp_alerts.is_empty())
    }

    pub(super) fn series(&self) -> impl Iterator<Item = &str> {
        self.input_series.iter().map(|series| series.series.as_str())
    }

    /// The names of the metrics.
    pub(super) fn families(&self) -> BTreeSet<&str> {
        self.series().map(|series| series.split('{').next().unwrap()).collect()
    }

    /// Whether a series still has samples when the group is looked at last.
    pub(super) fn has_at_the_end(&self, series: &str) -> bool {
        let seconds = |text: &str| duration::parse(text).unwrap().as_secs();
        let end = self.alert_rule_test.iter().map(|test| seconds(&test.eval_time)).max().unwrap();
        let values = self.input_series.iter().filter(|one| one.series == series).map(|one| &one.values);
        values.map(|values| samples(values) * seconds(&self.interval)).any(|length| length >= end)
    }
}

/// The number of samples that promtool makes of values such as `0 1+2x10 _x5`.
fn samples(values: &str) -> u64 {
    let times = |value: &str| value.rsplit_once('x').map_or(0, |(_, times)| times.parse().unwrap());
    // `_x5` is five, `1x5` and `1+0x5` are six.
    values.split(' ').map(|value| times(value) + u64::from(!value.starts_with("_x"))).sum()
}
