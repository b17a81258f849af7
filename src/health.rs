//! The exporter's own metrics, and whether it is healthy.
//!
//! Poller and clients report events here, and each part stores what it is about.

mod exporter;
mod liveness;
mod log;
mod optional_value;
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
pub use self::liveness::{BEAT, Liveness, Stall, patience};
pub use self::own_metric::OwnMetric;
pub use self::subject::{Failing, LoopHealth, LoopName, SubjectHealth};
pub use self::subjects::Subjects;
pub use self::table::{EXPORTER_METRICS, SUBJECT_METRICS};
use self::table::{EndpointLabel, HostLabel, RequestLabels};
use self::waits::Waits;
use crate::explanation::explanation;
use crate::store::Key;

/// The state of the exporter itself.
#[derive(Default)]
pub struct Health {
    pub subjects: Subjects,
    pub metrics: ExporterMetrics,
    pub liveness: Liveness,
    pub waits: Waits,
}

impl Health {
    /// Records when a loop's next poll begins. `late` says why it is later than the interval, if it is.
    pub fn next_poll(&self, key: &Key, at: Instant, late: Option<&'static str>) {
        self.subjects.next_poll(key, at, late);
        self.liveness.progressed();
    }

    /// Forgets a loop that has ended.
    pub fn forget_loop(&self, key: &Key) {
        self.subjects.forget_loop(key);
        self.liveness.progressed();
    }

    /// Records a successful poll with an answer of this time; `dropped` samples of it were left out.
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

    /// Records a failed poll of the API, or of the pool with this name.
    pub fn failed(&self, key: &Key, pool: Option<&str>, error: &api::Error) {
        if let api::Error::Paused { .. } = error {
            self.metrics.instruments().skipped.get_or_create(&EndpointLabel { endpoint: key.endpoint }).inc();
        }
        self.subjects.change_loop(key, |l| {
            l.tried = true;
            l.up = false;
            let since = l.failing.as_ref().map_or_else(Instant::now, |failing| failing.since);
            l.failing = Some(Box::new(Failing { kind: error.kind(), message: explanation(error, pool), since, late: None }));
        });
    }

    /// Records an event of a client: that of the pool with this name, or of the API.
    pub fn observe(&self, pool: Option<&Arc<str>>, event: Event<'_>) {
        match event {
            Event::Request { endpoint, outcome, duration } => {
                self.liveness.progressed();
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

    /// How the poller has stalled, if it has. A slow API, or one that refuses everything, does not count.
    pub fn stall(&self) -> Option<Stall> {
        self.liveness.stall(|| self.subjects.planned().into_iter())
    }
}

fn unix_seconds() -> f64 {
    since_1970(SystemTime::now())
}

fn since_1970(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
