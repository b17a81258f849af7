//! A row in the table of the exporter's own metrics, and its encoding.

use std::fmt;

use minergate::metric::Unit;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry;

use super::table::Instruments;

/// A metric of the exporter that belongs to no subject.
pub struct OwnMetric {
    description: Description,
    instrument: fn(&Instruments) -> &dyn EncodeMetric,
}

/// The properties of a metric that all its samples share.
pub(super) struct Description {
    /// Without the unit, and without the suffix of the kind.
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    unit: Option<Unit>,
    labels: &'static [&'static str],
}

pub(super) const fn counter(name: &'static str, help: &'static str) -> Description {
    Description { name, help, kind: MetricType::Counter, unit: None, labels: &[] }
}

pub(super) const fn gauge(name: &'static str, help: &'static str) -> Description {
    Description { kind: MetricType::Gauge, ..counter(name, help) }
}

pub(super) const fn histogram(name: &'static str, help: &'static str) -> Description {
    Description { kind: MetricType::Histogram, ..counter(name, help) }
}

pub(super) const fn info(name: &'static str, help: &'static str) -> Description {
    Description { kind: MetricType::Info, ..counter(name, help) }
}

impl Description {
    pub(super) const fn unit(self, unit: Unit) -> Self {
        Description { unit: Some(unit), ..self }
    }

    pub(super) const fn labels(self, labels: &'static [&'static str]) -> Self {
        Description { labels, ..self }
    }

    pub(super) const fn held_by(self, instrument: fn(&Instruments) -> &dyn EncodeMetric) -> OwnMetric {
        OwnMetric { description: self, instrument }
    }
}

impl OwnMetric {
    /// The name in rules and dashboards; a histogram's samples have further suffixes.
    pub fn name(&self) -> String {
        let Description { name, unit, kind, .. } = &self.description;
        let unit = unit.map(|unit| format!("_{}", unit.name())).unwrap_or_default();
        let suffix = match kind {
            MetricType::Counter => "_total",
            MetricType::Info => "_info",
            _ => "",
        };
        format!("{name}{unit}{suffix}")
    }

    pub fn kind(&self) -> &str {
        self.description.kind.as_str()
    }

    pub fn labels(&self) -> &'static [&'static str] {
        self.description.labels
    }

    pub fn help(&self) -> &'static str {
        self.description.help
    }

    /// Encodes the metric, unless it has no samples.
    pub(super) fn encode(&self, encoder: &mut DescriptorEncoder<'_>, instruments: &Instruments) -> fmt::Result {
        let instrument = (self.instrument)(instruments);
        if instrument.is_empty() {
            return Ok(());
        }
        let Description { name, help, unit, .. } = &self.description;
        let unit = unit.map(|unit| registry::Unit::Other(unit.name().to_owned()));
        let kind = instrument.metric_type();
        instrument.encode(encoder.encode_descriptor(name, &format!("{help}."), unit.as_ref(), kind)?)
    }
}

/// Makes a table of metrics, and the instruments that hold their values. Each row is the instrument's name, its type, its initial value, and
/// the metric's description.
macro_rules! exporter_metrics {
    ($($name:ident: $instrument:ty = $new:expr => $description:expr,)*) => {
        #[derive(Debug)]
        pub(super) struct Instruments {
            $(pub(super) $name: $instrument,)*
        }

        impl Default for Instruments {
            fn default() -> Self {
                Instruments { $($name: $new,)* }
            }
        }

        /// All metrics that belong to no subject, in the order of the exposition.
        pub static EXPORTER_METRICS: &[OwnMetric] =
            &[$($description.held_by(|instruments| &instruments.$name),)*];
    };
}
pub(super) use exporter_metrics;
