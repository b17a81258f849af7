//! How often each endpoint is polled, and how long values are shown without a new answer.

use std::collections::BTreeMap;
use std::time::Duration;

use minergate::endpoints::{ENDPOINTS, Endpoint};

/// If an interval is shorter than the default divided by this, the additional requests bring no new values.
const HASTY: u32 = 10;

/// The intervals, and how long values are shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Intervals {
    /// How long values are shown after their last poll; at least three of the endpoint's intervals.
    pub stale_after: Duration,
    /// Endpoints with another interval than the default; `None` means off.
    changed: BTreeMap<&'static str, Option<Duration>>,
}

impl Default for Intervals {
    fn default() -> Self {
        Intervals { stale_after: Duration::from_secs(300), changed: BTreeMap::new() }
    }
}

impl Intervals {
    /// Time from one poll of the endpoint to the next; `None` if it is off.
    pub fn get(&self, endpoint: &Endpoint) -> Option<Duration> {
        self.changed.get(endpoint.name).copied().unwrap_or(Some(endpoint.interval))
    }

    pub fn set(&mut self, endpoint: &'static Endpoint, interval: Option<Duration>) {
        self.changed.insert(endpoint.name, interval);
    }

    /// Endpoints that are polled too often, with their intervals.
    pub fn hasty(&self) -> impl Iterator<Item = (&'static Endpoint, Duration)> {
        let polled = ENDPOINTS.iter().filter_map(|endpoint| Some((endpoint, self.get(endpoint)?)));
        polled.filter(|(endpoint, interval)| *interval * HASTY < endpoint.interval)
    }

    /// How long the endpoint's values are shown without a new answer.
    pub fn lifetime(&self, interval: Duration) -> Duration {
        self.stale_after.max(3 * interval)
    }
}
