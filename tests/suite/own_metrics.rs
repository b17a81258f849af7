//! The exporter's own metrics on /metrics have the types and labels of their table.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use minergate::api::{Error, Event};
use minergate_exporter::exposition::{Exposition, Filter, Format};
use minergate_exporter::health::{EXPORTER_METRICS, Health, SUBJECT_METRICS};
use minergate_exporter::store::{Key, Store};
use minergate_exporter::subject::Subject;
use openmetrics_parser::prometheus::parse_prometheus;
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

/// A health in which every counted event has happened.
fn eventful() -> Health {
    let health = Health::default();
    let (endpoint, account, until) = ("workers", "a", Instant::now() + MINUTE);
    let key = Key { subject: Subject::Account(account.into()), endpoint };
    health.subjects.expect_loop(&key, MINUTE, None);
    health.metrics.expect_endpoint(endpoint, MINUTE);
    health.observe(Some(&"supportxmr".into()), Event::Request { endpoint, outcome: "ok", duration: MINUTE });
    health.observe(None, Event::Paused { until });
    health.observe(None, Event::Login { account, outcome: "ok" });
    health.observe(None, Event::Token { account });
    health.succeeded(&key, 1, SystemTime::now());
    health.failed(&key, None, &Error::Paused { until });
    health.metrics.corrected(endpoint, 1);
    health.metrics.http_request("/metrics", 200);
    health
}

#[test]
fn every_row_has_samples_with_its_type_and_labels() {
    let exposition = Exposition::new(Arc::new(Store::default()), Arc::new(eventful()));
    let text = exposition.render(Format::Text, &Filter::default());
    let mut shown = parse_prometheus(&text).unwrap().families;
    let of_accounts = SUBJECT_METRICS.iter().map(|metric| {
        let family = &metric.family;
        let labels = ["account"].iter().chain(family.labels).copied().collect();
        (family.sample_name(), format!("{:?}", family.kind), labels)
    });
    // Other systems have no metrics of the process.
    let others =
        EXPORTER_METRICS.iter().filter(|metric| cfg!(target_os = "linux") || !metric.name().starts_with("process_"));
    let others = others.map(|metric| (metric.name(), metric.kind().to_owned(), metric.labels().iter().copied().collect()));
    for (name, kind, labels) in of_accounts.chain(others) {
        let family = shown.remove(&name).unwrap_or_else(|| panic!("{name} has no samples, or stands twice\n{text}"));
        let kind = kind.to_lowercase().replace("info", "gauge");
        assert_eq!(format!("{:?}", family.family_type).to_lowercase(), kind, "{name}");
        for sample in family.iter_samples() {
            let found = sample.get_labelset().unwrap();
            let found: BTreeSet<&str> = found.iter().map(|(label, _)| label.as_str()).collect();
            assert_eq!(found, labels, "{name}");
        }
    }
    assert!(shown.is_empty(), "not in the table: {:?}", shown.keys());
}
