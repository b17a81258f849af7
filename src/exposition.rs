//! The store's rows and the exporter's own metrics as text, in the two formats that Prometheus reads.
//!
//! OpenMetrics 1.0.0 and text 0.0.4 differ in the lines about a family only; its samples are the same, to the letter.
//! A family stands once, with the samples of all accounts inside.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use prometheus_client::encoding::text::encode_registry;

use crate::currency::Decimals;
use crate::endpoints::{ENDPOINTS, Endpoint, Scope};
use crate::health::{ACCOUNT_METRICS, Health};
use crate::metric::{Family, Kind, Metric, Request, Rows, Series, Unit};
use crate::store::{Key, Store};

/// How the exposition is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// Prometheus' text format 0.0.4.
    Text,
}

impl Format {
    pub const fn content_type(self) -> &'static str {
        match self {
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// The name that stands for pool, networks and the exporter itself among the accounts'. None of those can have an `@`.
pub const EXPORTER: &str = "@exporter";

/// Which series are shown.
#[derive(Clone, Debug, Default)]
pub struct Filter(Option<BTreeSet<String>>);

impl Filter {
    /// Only these accounts, of which [`EXPORTER`] can be one; all when there are none.
    pub fn accounts(names: impl IntoIterator<Item = String>) -> Filter {
        Filter(Some(names.into_iter().collect::<BTreeSet<_>>()).filter(|names| !names.is_empty()))
    }

    fn shows(&self, account: &str) -> bool {
        let account = if account.is_empty() { EXPORTER } else { account };
        self.0.as_ref().is_none_or(|names| names.contains(account))
    }
}

/// What is exposed.
pub struct Exposition {
    pub store: Arc<Store>,
    pub health: Arc<Health>,
}

impl Exposition {
    /// The text of a scrape.
    pub fn render(&self, format: Format, filter: &Filter) -> String {
        let mut text = String::with_capacity(64 << 10);
        let fresh = self.store.fresh();
        for endpoint in ENDPOINTS {
            let rows: Vec<_> =
                fresh.iter().filter(|(key, _)| key.endpoint == endpoint.name && filter.shows(&key.account)).collect();
            for (i, family) in endpoint.families().enumerate() {
                let series = rows.iter().map(|(key, rows)| (scope_label(endpoint, key), &rows.families[i].1[..]));
                write_family(&mut text, format, family, &family.help(Some(endpoint.path)), series);
            }
        }
        self.write_accounts(&mut text, format, filter);
        if filter.shows("") {
            write_registry(&mut text, format, &self.health);
        }
        if format == Format::OpenMetrics {
            text.push_str("# EOF\n");
        }
        text
    }

    fn write_accounts(&self, text: &mut String, format: Format, filter: &Filter) {
        let request = Request { email: None, decimals: &Decimals::default() };
        let mut accounts: BTreeMap<String, Rows> = BTreeMap::new();
        self.health.for_each_account(|name, account| {
            if filter.shows(name) {
                accounts.insert(name.to_owned(), Rows::read(ACCOUNT_METRICS, account, &request));
            }
        });
        for (i, Metric { family, .. }) in ACCOUNT_METRICS.iter().enumerate() {
            let series = accounts.iter().map(|(name, rows)| (Some(("account", name.as_str())), &rows.families[i].1[..]));
            write_family(text, format, family, &family.help(None), series);
        }
    }
}

/// The label that the endpoint's scope puts before each sample's own.
fn scope_label<'a>(endpoint: &Endpoint, key: &'a Key) -> Option<(&'static str, &'a str)> {
    match endpoint.scope {
        Scope::Account => Some(("account", &key.account)),
        Scope::Pool => None,
        Scope::Network => Some(("currency", &key.currency)),
    }
}

fn write_family<'a>(
    text: &mut String,
    format: Format,
    family: &Family,
    help: &str,
    groups: impl Iterator<Item = (Option<(&'static str, &'a str)>, &'a [Series])>,
) {
    let name = family.sample_name();
    let mut groups = groups.filter(|(_, series)| !series.is_empty()).peekable();
    if groups.peek().is_some() {
        write_header(text, format, &family.name(), family.kind, family.unit.map(Unit::name), help);
    }
    for (scope, series) in groups {
        for one in series {
            text.push_str(&name);
            let own = family.labels.iter().copied().zip(one.labels.iter().map(|label| &**label));
            write_labels(text, scope.into_iter().chain(own));
            write_value(text, one.value);
        }
    }
}

fn write_header(text: &mut String, format: Format, name: &str, kind: Kind, unit: Option<&str>, help: &str) {
    // OpenMetrics names the family, text 0.0.4 its samples.
    let (name, kind) = match (format, kind) {
        (_, Kind::Gauge) => (name.to_owned(), "gauge"),
        (Format::OpenMetrics, Kind::Counter) => (name.to_owned(), "counter"),
        (Format::OpenMetrics, Kind::Info) => (name.to_owned(), "info"),
        (Format::Text, Kind::Counter) => (format!("{name}_total"), "counter"),
        (Format::Text, Kind::Info) => (format!("{name}_info"), "gauge"),
    };
    push(text, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    if let (Format::OpenMetrics, Some(unit)) = (format, unit) {
        push(text, format_args!("# UNIT {name} {unit}\n"));
    }
}

fn write_labels<'a>(text: &mut String, labels: impl Iterator<Item = (&'static str, &'a str)>) {
    let mut separator = '{';
    for (name, value) in labels {
        text.push(separator);
        text.push_str(name);
        text.push_str("=\"");
        for c in value.chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                _ => text.push(c),
            }
        }
        text.push('"');
        separator = ',';
    }
    if separator == ',' {
        text.push('}');
    }
}

/// The shortest text that reads back as the same number.
fn write_value(text: &mut String, value: f64) {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-5..1e17).contains(&magnitude) {
        push(text, format_args!(" {value:e}\n"));
    } else {
        push(text, format_args!(" {value}\n"));
    }
}

/// The exporter's own metrics that belong to no account. prometheus-client writes OpenMetrics; for text 0.0.4 the lines
/// about each family are said in its words.
fn write_registry(text: &mut String, format: Format, health: &Health) {
    let mut open_metrics = String::new();
    encode_registry(&mut open_metrics, health.registry())
        .unwrap_or_else(|_| unreachable!("a String takes all that is written"));
    if format == Format::OpenMetrics {
        text.push_str(&open_metrics);
        return;
    }
    let mut help = "";
    for line in open_metrics.lines() {
        if let Some(said) = line.strip_prefix("# HELP ") {
            help = said.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|said| said.split_once(' ')) {
            let (suffix, kind) = match kind {
                "counter" => ("_total", kind),
                "info" => ("_info", "gauge"),
                _ => ("", kind),
            };
            push(text, format_args!("# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}\n"));
        } else if !line.starts_with("# UNIT ") {
            text.push_str(line);
            text.push('\n');
        }
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String can't fail.
    let _ = text.write_fmt(arguments);
}
