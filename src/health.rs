//! The exporter's own metrics, and whether it is healthy.
//!
//! Poller and client say here what happened; each part keeps what it is about.

mod exporter;
mod known;
mod liveness;
mod log;
mod own_metric;
mod pause;
mod process;
mod subject;
mod subjects;
mod table;
mod waits;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use minergate::api::{self, Event};
use tokio::time::Instant;

pub use self::exporter::ExporterMetrics;
pub use self::liveness::{BEAT, Liveness, Standstill, patience};
pub use self::own_metric::OwnMetric;
pub use self::subject::{Failing, LoopHealth, LoopName, SubjectHealth};
pub use self::subjects::Subjects;
pub use self::table::{EXPORTER_METRICS, SUBJECT_METRICS};
use self::table::{EndpointLabel, HostLabel, RequestLabels};
use self::waits::Waits;
use crate::explanation::explanation;
use crate::store::Key;

/// What the exporter knows of itself.
#[derive(Default)]
pub struct Health {
    pub subjects: Subjects,
    pub metrics: ExporterMetrics,
    pub liveness: Liveness,
    pub waits: Waits,
}

impl Health {
    /// A loop's next poll begins at that time. `late` says why that is not at its interval.
    pub fn next_poll(&self, key: &Key, at: Instant, late: Option<&'static str>) {
        self.subjects.next_poll(key, at, late);
        self.liveness.made();
    }

    /// Forgets a loop that has ended.
    pub fn forget_loop(&self, key: &Key) {
        self.subjects.forget_loop(key);
        self.liveness.made();
    }

    /// A poll succeeded with an answer of that time; `dropped` samples of it were left out.
    pub fn succeeded(&self, key: &Key, dropped: u64, time: SystemTime) {
        if dropped > 0 {
            self.metrics.instruments().dropped.get_or_create(&EndpointLabel { endpoint: key.endpoint }).inc_by(dropped);
        }
        self.subjects.change_loop(key, |l| {
            l.tried = true;
            l.up = true;
            l.last_success = Some(since_1970(time));
            l.failing = None;
        });
    }

    /// A poll of the API, or of a pool by its name, failed.
    pub fn failed(&self, key: &Key, pool: Option<&str>, error: &api::Error) {
        if let api::Error::Paused { .. } = error {
            self.metrics.instruments().skipped.get_or_create(&EndpointLabel { endpoint: key.endpoint }).inc();
        }
        self.subjects.change_loop(key, |l| {
            l.tried = true;
            l.up = false;
            let since = l.failing.as_ref().map_or_else(Instant::now, |failing| failing.since);
            l.failing = Some(Box::new(Failing { kind: error.kind(), words: explanation(error, pool), since, late: None }));
        });
    }

    /// Takes note of what a client did: that of a pool, by its name, or of the API.
    pub fn observe(&self, pool: Option<&Arc<str>>, event: Event<'_>) {
        match event {
            Event::Request { endpoint, outcome, duration } => {
                self.liveness.made();
                let instruments = self.metrics.instruments();
                instruments.requests.get_or_create(&RequestLabels { endpoint, outcome }).inc();
                instruments.durations.get_or_create(&HostLabel(pool.cloned())).observe(duration.as_secs_f64());
            }
            Event::Turn { waited } => {
                self.metrics.instruments().queue.inc_by(waited.as_secs_f64());
                self.waits.waited(pool, waited);
            }
            Event::Retry => {
                self.metrics.instruments().retries.inc();
            }
            Event::Paused { until } => self.metrics.instruments().paused_until.set(until),
            Event::Login { account, outcome } => {
                self.subjects.change_account(account, |account| *account.logins.entry(outcome).or_default() += 1.0);
            }
            Event::Token { account } => {
                self.subjects.change_account(account, |account| account.token_since = Some(unix_seconds()));
            }
            Event::Blocked { account, reason } => {
                let blocked = reason.map(|reason| (reason, unix_seconds()));
                self.subjects.change_account(account, |account| account.blocked = blocked);
            }
        }
    }

    /// Says how the poller stands still, if it does. A slow API is no reason for it, nor is one that refuses everything.
    pub fn standstill(&self) -> Option<Standstill> {
        self.liveness.standstill(|| self.subjects.planned().into_iter())
    }
}

fn unix_seconds() -> f64 {
    since_1970(SystemTime::now())
}

fn since_1970(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
