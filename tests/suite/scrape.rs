//! A scrape of the daemon, read by an independent parser and checked for what holds for every scrape.

use std::collections::BTreeMap;

use minergate::currency;
use openmetrics_parser::openmetrics::parse_openmetrics;
use openmetrics_parser::prometheus::parse_prometheus;
use openmetrics_parser::{MetricsExposition, OpenMetricsType, OpenMetricsValue};

use crate::process::get;

/// The format and encoding of a request.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Format {
    OpenMetrics,
    Text,
}

/// The samples of a scrape: series to value.
pub(crate) struct Scrape(pub(crate) BTreeMap<String, f64>);

/// Parses OpenMetrics, and panics if it is not valid.
pub(crate) fn parsed_open_metrics(text: &str) -> MetricsExposition<OpenMetricsType, OpenMetricsValue> {
    // The parser rejects the unit of a histogram, which the standard allows.
    let accepted = text.replace("# UNIT minergate_api_request_duration_seconds seconds\n", "");
    parse_openmetrics(&accepted).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

impl Scrape {
    /// Scrapes, and checks that the text can be parsed, that no series is repeated, that no value is NaN, and that no label has personal data.
    pub(crate) fn of(url: &str, format: Format) -> Scrape {
        let open_metrics = [("accept", "application/openmetrics-text;version=1.0.0")];
        let is_open_metrics = format == Format::OpenMetrics;
        let answer = get(&format!("{url}/metrics"), if is_open_metrics { &open_metrics } else { &[] });
        assert_eq!(answer.status, 200);
        let text = answer.text();
        if is_open_metrics {
            parsed_open_metrics(&text);
        } else {
            parse_prometheus(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        }
        assert!(!text.contains('@'), "an e-mail address is in\n{text}");
        Scrape::read(&text)
    }

    /// The samples of a text.
    pub(crate) fn read(text: &str) -> Scrape {
        let mut samples = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
            let value: f64 = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
            assert!(value.is_finite() || series.contains("le=\"+Inf\""), "{line}");
            assert!(["minergate_", "process_"].iter().any(|prefix| series.starts_with(prefix)), "{line}");
            let code = label(series, "currency").unwrap_or_default();
            assert!(code.is_empty() || currency::is_valid(code), "{line}");
            assert!(samples.insert(series.to_owned(), value).is_none(), "{series} stands twice");
        }
        Scrape(samples)
    }

    pub(crate) fn get(&self, series: &str) -> Option<f64> {
        self.0.get(series).copied()
    }

    /// Whether the account is up.
    pub(crate) fn is_up(&self, account: &str) -> bool {
        self.get(&format!("minergate_up{{account=\"{account}\"}}")) == Some(1.0)
    }

    /// Whether the account's logins are blocked.
    pub(crate) fn is_blocked(&self, account: &str) -> bool {
        self.of_family("minergate_auth_blocked", account).any(|(_, value)| value == 1.0)
    }

    /// The samples of a family and an account.
    pub(crate) fn of_family(&self, family: &str, account: &str) -> impl Iterator<Item = (&str, f64)> {
        let (family, account) = (format!("{family}{{"), account.to_owned());
        let samples = self.0.iter().filter(move |(series, _)| series.starts_with(&family));
        let samples = samples.filter(move |(series, _)| label(series, "account") == Some(&account));
        samples.map(|(series, value)| (&**series, *value))
    }

    /// The number of logins of an account with matching outcomes.
    pub(crate) fn logins(&self, account: &str, outcome: impl Fn(&str) -> bool) -> f64 {
        let logins = self.of_family("minergate_auth_logins_total", account);
        logins.filter(|(series, _)| outcome(label(series, "outcome").unwrap())).map(|(_, count)| count).sum()
    }
}

/// Whether a text of /metrics says that the account is up.
pub(crate) fn is_up(text: &str, account: &str) -> bool {
    text.contains(&format!("minergate_up{{account=\"{account}\"}} 1\n"))
}

/// The value of a label. Quotes in other values are escaped, so this finds only the label.
pub(crate) fn label<'a>(series: &'a str, name: &str) -> Option<&'a str> {
    let start = ["{", ","].iter().find_map(|before| series.split_once(&format!("{before}{name}=\"")))?.1;
    start.split_once('"').map(|(value, _)| value)
}
