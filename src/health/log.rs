//! The log's own metric, read at each scrape.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;

use crate::log;

#[derive(Debug)]
pub(super) struct DroppedLines;

impl Collector for DroppedLines {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let metric = ConstCounter::new(log::dropped_lines());
        let (name, help) = ("minergate_exporter_log_lines_dropped", "Log lines lost because nobody read the log.");
        metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
    }
}
