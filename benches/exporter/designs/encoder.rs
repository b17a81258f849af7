//! A simple design: at each scrape, prometheus-client encodes all samples and zlib-rs compresses the text.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;
use minergate::metric::{Kind, Samples};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::SECTIONS;

/// For each family of one account's answer: label sets and values.
type Families = Vec<Vec<(Vec<(&'static str, String)>, f64)>>;

type Accounts = BTreeMap<Arc<str>, Families>;

/// The samples of each section.
#[derive(Clone, Debug)]
struct Table(Arc<Mutex<Vec<Accounts>>>);

pub(crate) struct Encoder {
    table: Table,
    registry: Registry,
}

impl Encoder {
    pub(crate) fn new() -> Encoder {
        let table = Table(Arc::new(Mutex::new(vec![BTreeMap::new(); SECTIONS.len()])));
        let mut registry = Registry::default();
        registry.register_collector(Box::new(table.clone()));
        Encoder { table, registry }
    }

    pub(crate) fn put(&mut self, section: usize, account: &Arc<str>, samples: &Samples) {
        let families = SECTIONS[section].families.iter().enumerate().map(|(place, family)| {
            let sets = samples.layout().labels(place).map(|set| {
                let values = set.split('"').skip(1).step_by(2).map(str::to_owned);
                family.labels.iter().copied().zip(values).collect()
            });
            sets.zip(samples.values(place).iter().copied()).collect()
        });
        self.table.0.lock().expect("no panic")[section].insert(account.clone(), families.collect());
    }

    pub(crate) fn scrape(&self, own: &str) -> Vec<u8> {
        let mut text = String::new();
        text::encode_registry(&mut text, &self.registry).expect("text");
        text.push_str(own);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(text.as_bytes()).expect("memory");
        gzip.finish().expect("memory")
    }
}

impl Collector for Table {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (section, accounts) in SECTIONS.iter().zip(&*self.0.lock().expect("no panic")) {
            for (place, family) in section.families.iter().enumerate() {
                if accounts.values().all(|families| families[place].is_empty()) {
                    continue;
                }
                let kind = match family.kind {
                    Kind::Counter => MetricType::Counter,
                    Kind::Gauge => MetricType::Gauge,
                    Kind::Info => MetricType::Info,
                };
                let (name, unit) =
                    (format!("minergate_{}", family.stem), family.unit.map(|unit| Unit::Other(unit.name().into())));
                let mut metric = encoder.encode_descriptor(&name, &family.help(section.path), unit.as_ref(), kind)?;
                for (account, families) in accounts {
                    for (labels, value) in &families[place] {
                        let labels = ([("account", &**account)], labels.as_slice());
                        match family.kind {
                            Kind::Counter => {
                                let mut counter = metric.encode_family(&labels)?;
                                counter.encode_counter::<NoLabelSet, _, u64>(value, None)
                            }
                            Kind::Gauge => metric.encode_family(&labels)?.encode_gauge(value),
                            Kind::Info => metric.encode_info(&labels),
                        }?;
                    }
                }
            }
        }
        Ok(())
    }
}
