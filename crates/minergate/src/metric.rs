//! Metrics: a family (name, kind, unit, labels, help), and how its samples are read from an answer.
//!
//! A row of an endpoint's table is one expression:
//!
//! ```
//! use minergate::metric::{Metric, Unit::HashesPerSecond, gauge};
//!
//! static ROW: Metric<f64> = gauge("workers_hashrate", "Hashrate of the account's active workers")
//!     .unit(HashesPerSecond)
//!     .field("hashrate")
//!     .read(|hashrate, out| out.put([], *hashrate));
//! assert_eq!(ROW.family.name(), "minergate_workers_hashrate_hashes_per_second");
//! ```
//!
//! The exporter's `text` module writes samples as lines; each endpoint says which samples it has.

mod label;
mod samples;

pub use self::label::{is_printable, printable, worker_name, write_label};
pub use self::samples::{Layout, Out, Sample, Samples};
use crate::currency::{DOCUMENTED, Decimals};

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Counts up since the account (or the exporter) began; its samples end in `_total`.
    Counter,
    /// A value at one point in time.
    Gauge,
    /// A 1 that carries labels; its samples end in `_info`.
    Info,
}

impl Kind {
    /// Whether a sample of this kind can have the value. OpenMetrics parsers reject the whole scrape because of one counter that is
    /// negative, infinite or NaN. A gauge can be NaN or infinite in both formats, but no field of the API means that.
    pub fn allows(self, value: f64) -> bool {
        match self {
            Kind::Counter => value.is_finite() && value >= 0.0,
            Kind::Gauge => value.is_finite(),
            Kind::Info => value.to_bits() == 1_f64.to_bits(),
        }
    }
}

/// Base units. The unit is the last part of a family's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Whole coins of a currency.
    Coins,
    /// A currency's smallest unit, such as a satoshi.
    AtomicUnits,
    /// Seconds; for a timestamp, since 1970-01-01 UTC.
    Seconds,
    Bytes,
    Blocks,
    HashesPerSecond,
}

impl Unit {
    /// The unit in a family's name and in OpenMetrics' `# UNIT`.
    pub const fn name(self) -> &'static str {
        match self {
            Unit::Coins => "coins",
            Unit::AtomicUnits => "atomic_units",
            Unit::Seconds => "seconds",
            Unit::Bytes => "bytes",
            Unit::Blocks => "blocks",
            Unit::HashesPerSecond => "hashes_per_second",
        }
    }

    /// The unit in HELP. All times of the API are points in time.
    const fn description(self) -> &'static str {
        match self {
            Unit::Coins => "coins",
            Unit::AtomicUnits => "the currency's smallest unit",
            Unit::Seconds => "seconds since 1970",
            Unit::Bytes => "bytes",
            Unit::Blocks => "blocks",
            Unit::HashesPerSecond => "hashes per second",
        }
    }
}

/// A metric family: the properties that all its samples share.
#[derive(Clone, Debug)]
#[must_use]
pub struct Family {
    /// The name without prefix, unit and the suffix of its kind.
    pub stem: &'static str,
    /// The description, without unit and source, which are appended.
    pub help: &'static str,
    pub kind: Kind,
    pub unit: Option<Unit>,
    /// Label names, without those of the endpoint's scope (`account`, or the `currency` of a network).
    pub labels: &'static [&'static str],
    /// The field of the API's answer that the value comes from.
    pub field: &'static str,
    /// Off unless the configuration asks for it.
    pub optional: bool,
    /// A sample above zero shows that the account uses the sample's currency.
    pub shows_use: bool,
}

impl Family {
    /// The family's name: prefix, stem and unit, without `_total` or `_info`.
    pub fn name(&self) -> String {
        match self.unit {
            Some(unit) => format!("minergate_{}_{}", self.stem, unit.name()),
            None => format!("minergate_{}", self.stem),
        }
    }

    /// The HELP text: description, unit, and the field and path that it is polled from, if it comes from the API.
    pub fn help(&self, path: Option<&str>) -> String {
        let unit = self.unit.map(|unit| format!(", in {}", unit.description())).unwrap_or_default();
        let source =
            path.map(|path| format!(" From {} of GET {path}, polled on a schedule.", self.field)).unwrap_or_default();
        format!("{}{unit}.{source}", self.help)
    }

    /// The name of the family's samples.
    pub fn sample_name(&self) -> String {
        self.name() + self.suffix()
    }

    /// The suffix of the samples' name.
    pub const fn suffix(&self) -> &'static str {
        match self.kind {
            Kind::Counter => "_total",
            Kind::Gauge => "",
            Kind::Info => "_info",
        }
    }
}

/// A family, and how its samples are read from a decoded answer `B`.
pub struct Metric<B: 'static> {
    pub family: Family,
    pub(crate) read: fn(&B, &mut Out<'_>),
}

/// A counter named `minergate_{stem}[_{unit}]_total`.
pub const fn counter(stem: &'static str, help: &'static str) -> Family {
    family(Kind::Counter, stem, help)
}

/// A gauge named `minergate_{stem}[_{unit}]`.
pub const fn gauge(stem: &'static str, help: &'static str) -> Family {
    family(Kind::Gauge, stem, help)
}

/// An info metric named `minergate_{stem}_info`.
pub const fn info(stem: &'static str, help: &'static str) -> Family {
    family(Kind::Info, stem, help)
}

const fn family(kind: Kind, stem: &'static str, help: &'static str) -> Family {
    Family { stem, help, kind, unit: None, labels: &[], field: "", optional: false, shows_use: false }
}

impl Family {
    pub const fn unit(mut self, unit: Unit) -> Self {
        self.unit = Some(unit);
        self
    }

    pub const fn labels(mut self, labels: &'static [&'static str]) -> Self {
        self.labels = labels;
        self
    }

    pub const fn field(mut self, field: &'static str) -> Self {
        self.field = field;
        self
    }

    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    pub const fn shows_use(mut self) -> Self {
        self.shows_use = true;
        self
    }

    pub const fn read<B>(self, read: fn(&B, &mut Out<'_>)) -> Metric<B> {
        Metric { family: self, read }
    }
}

/// What the reading of an answer can use in addition to the answer.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The account's e-mail address, if it is known. It tells the direction of transfers.
    pub email: Option<&'a str>,
    /// Decimals of the currencies' smallest units.
    pub decimals: &'a Decimals,
    /// Maximum number of named workers of one currency that get samples.
    pub max_workers: usize,
}

impl<'a> Context<'a> {
    /// Default limit of named workers of one currency.
    pub const MAX_WORKERS: usize = 1000;

    /// A context with these decimals and nothing else.
    pub fn of(decimals: &'a Decimals) -> Context<'a> {
        Context { email: None, decimals, max_workers: Context::MAX_WORKERS }
    }
}

impl Default for Context<'_> {
    /// A context with only the documented decimals.
    fn default() -> Self {
        Context::of(&DOCUMENTED)
    }
}
