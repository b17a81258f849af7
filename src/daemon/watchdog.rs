//! Whether the exporter makes progress, for systemd's watchdog.
//!
//! A timer would keep notifying systemd while everything else hangs. Here every listener's loop must
//! answer a request, and the poller must not have stalled, as for `/-/healthy`.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;

use crate::health::{Health, Stall};
use crate::server::SelfProbe;

/// Checks server and poller.
pub struct Watchdog {
    pub self_probes: Vec<SelfProbe>,
    pub health: Arc<Health>,
}

/// The part that hangs.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Hang {
    #[error("the server does not answer on {address}: {error}")]
    Server { address: String, error: std::io::ErrorKind },
    #[error(transparent)]
    Poller(#[from] Stall),
}

impl Watchdog {
    /// Checks whether anything hangs; `time` is the limit for the server to answer on all its listeners.
    ///
    /// # Errors
    /// [`Hang`].
    pub async fn look(&self, time: Duration) -> Result<(), Hang> {
        let probe = async |listener: &SelfProbe| {
            let answer = listener.probe(time).await;
            answer.map_err(|error| Hang::Server { address: listener.address().to_owned(), error: error.kind() })
        };
        try_join_all(self.self_probes.iter().map(probe)).await?;
        match self.health.stall() {
            Some(stall) => Err(stall.into()),
            None => Ok(()),
        }
    }
}
