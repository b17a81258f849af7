//! A row of the exporter's own metrics, and how it is written.

use std::fmt;

use minergate::metric::Unit;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry;

use super::process::Process;
use super::table::Instruments;

/// A metric of the exporter's own that belongs to no subject.
pub struct OwnMetric {
    description: Description,
    value: Value,
}

/// What is said of a metric before its first sample.
pub(super) struct Description {
    /// Without the unit, and without the suffix of the kind.
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    unit: Option<Unit>,
    labels: &'static [&'static str],
}

enum Value {
    Instrument(fn(&Instruments) -> &dyn EncodeMetric),
    Process(fn(&Process) -> Option<f64>),
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

    /// Writes the lines about the metric.
    fn encode<'a>(
        &self,
        encoder: &'a mut DescriptorEncoder<'_>,
        unit: Option<&'a registry::Unit>,
    ) -> Result<MetricEncoder<'a>, fmt::Error> {
        encoder.encode_descriptor(self.name, &format!("{}.", self.help), unit, self.kind)
    }

    pub(super) const fn of_instrument(self, instrument: fn(&Instruments) -> &dyn EncodeMetric) -> OwnMetric {
        OwnMetric { description: self, value: Value::Instrument(instrument) }
    }

    pub(super) const fn of_process(self, value: fn(&Process) -> Option<f64>) -> OwnMetric {
        OwnMetric { description: self, value: Value::Process(value) }
    }
}

impl OwnMetric {
    /// The name as rules and dashboards know it; a histogram's samples have another suffix each.
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

    /// Writes the metric, unless it has no samples.
    pub(super) fn encode(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        instruments: &Instruments,
        process: &Process,
    ) -> fmt::Result {
        let unit = self.description.unit.map(|unit| registry::Unit::Other(unit.name().to_owned()));
        let unit = unit.as_ref();
        match &self.value {
            Value::Instrument(instrument) => match instrument(instruments) {
                empty if empty.is_empty() => Ok(()),
                instrument => instrument.encode(self.description.encode(encoder, unit)?),
            },
            Value::Process(value) => match (value(process), self.description.kind) {
                (None, _) => Ok(()),
                (Some(value), MetricType::Counter) => {
                    ConstCounter::new(value).encode(self.description.encode(encoder, unit)?)
                }
                (Some(value), _) => ConstGauge::new(value).encode(self.description.encode(encoder, unit)?),
            },
        }
    }
}

/// Makes a table of metrics, and the instruments that hold their values: each row is the instrument's name, its type, how it begins, and
/// what is said of it.
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

        static EXPORTER_METRICS: &[OwnMetric] =
            &[$($description.of_instrument(|instruments| &instruments.$name),)*];
    };
}
pub(super) use exporter_metrics;
