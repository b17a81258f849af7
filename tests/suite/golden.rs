//! The documented answers on /metrics, as snapshots.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use minergate::currency::Decimals;
use minergate::endpoints::{ENDPOINTS, Scope};
use minergate::metric::Context;
use minergate_exporter::exposition::{Exposition, Filter, Format};
use minergate_exporter::health::Health;
use minergate_exporter::store::{Key, Store};
use minergate_exporter::subject::Subject;

fn documented() -> Exposition {
    let store = Store::default();
    let decimals = Decimals::default();
    let request = Context { email: Some("user1@example.com"), ..Context::of(&decimals) };
    for endpoint in ENDPOINTS {
        let subject = match endpoint.scope {
            Scope::Account => Subject::Account("documented".into()),
            Scope::Pool => Subject::Pool,
            Scope::Network => Subject::Network("xmr".into()),
        };
        let rows = endpoint.read(endpoint.sample.as_bytes(), &request).unwrap();
        let key = Key { subject, endpoint: endpoint.name };
        assert_eq!(store.replace(&key, rows, Duration::from_secs(60)).dropped, 0, "{}", endpoint.name);
    }
    Exposition::new(Arc::new(store), Arc::new(Health::default()))
}

/// The samples of the API's answers, without the exporter's own metrics, which change from run to run.
fn of_the_api(text: &str) -> &str {
    text.split_once("# HELP minergate_exporter_").unwrap().0
}

#[test]
fn the_documented_answers_as_open_metrics() {
    insta::assert_snapshot!(of_the_api(&documented().render(Format::OpenMetrics, &Filter::default())));
}

#[test]
fn the_documented_answers_as_text() {
    insta::assert_snapshot!(of_the_api(&documented().render(Format::Text, &Filter::default())));
}

#[test]
fn the_formats_differ_only_in_lines_about_families() {
    let samples = |format| {
        let text = documented().render(format, &Filter::default());
        let own = |line: &&str| line.starts_with("minergate_") && !line.contains("_config_") && !line.contains("_build_");
        text.lines().filter(own).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(samples(Format::OpenMetrics), samples(Format::Text));
}

#[test]
fn no_personal_data_of_the_documented_answers_is_shown() {
    let text = documented().render(Format::OpenMetrics, &Filter::default());
    for personal in ["@", "acaef201", "44872a9e", "5bb3f705", "c5d7b9d3", "/a/", "Some text", "paymentId", "04ab3e8b"] {
        assert!(!text.contains(personal), "{personal} is on /metrics");
    }
}

#[test]
fn the_metrics_are_the_promised_ones() {
    // Name, type and labels of every metric of the API, which dashboards and users depend on.
    let promised: BTreeSet<&str> = include_str!("promised_metrics.txt").lines().collect();
    let mut found = BTreeSet::new();
    for endpoint in ENDPOINTS {
        let scope: &[&str] = match endpoint.scope {
            Scope::Account => &["account"],
            Scope::Pool => &[],
            Scope::Network => &["currency"],
        };
        for family in endpoint.families() {
            let labels: Vec<&str> = scope.iter().chain(family.labels).copied().collect();
            found.insert(format!("{} {:?} {}", family.sample_name(), family.kind, labels.join(",")).trim_end().to_owned());
        }
    }
    for promise in &promised {
        assert!(found.contains(*promise), "{promise} is promised and not there");
    }
    for metric in &found {
        assert!(promised.contains(metric.as_str()), "add this line to tests/suite/promised_metrics.txt: {metric}");
    }
}
