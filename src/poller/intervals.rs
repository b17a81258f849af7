//! How often each endpoint is polled, and how long values are shown without news.

use std::collections::BTreeMap;
use std::time::Duration;

use minergate::endpoints::{ENDPOINTS, Endpoint};

/// An interval that is shorter than the default by more than this brings requests and no news.
const HASTY: u32 = 10;

/// The intervals, and how long values are shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Intervals {
    /// How long values are shown after their last poll; at least three of the endpoint's intervals.
    pub stale_after: Duration,
    /// Endpoints whose interval is not the default; nothing stands for "off".
    changed: BTreeMap<&'static str, Option<Duration>>,
}

impl Default for Intervals {
    fn default() -> Self {
        Intervals { stale_after: Duration::from_secs(300), changed: BTreeMap::new() }
    }
}

impl Intervals {
    /// Time from one poll of the endpoint to the next; nothing when it is off.
    pub fn get(&self, endpoint: &Endpoint) -> Option<Duration> {
        self.changed.get(endpoint.name).copied().unwrap_or(Some(endpoint.interval))
    }

    pub fn set(&mut self, endpoint: &'static Endpoint, interval: Option<Duration>) {
        self.changed.insert(endpoint.name, interval);
    }

    /// Endpoints that are polled more often than makes sense, with their intervals.
    pub fn hasty(&self) -> impl Iterator<Item = (&'static Endpoint, Duration)> {
        let polled = ENDPOINTS.iter().filter_map(|endpoint| Some((endpoint, self.get(endpoint)?)));
        polled.filter(|(endpoint, interval)| *interval * HASTY < endpoint.interval)
    }

    /// How long the endpoint's values are shown without news.
    pub fn lifetime(&self, interval: Duration) -> Duration {
        self.stale_after.max(3 * interval)
    }
}
