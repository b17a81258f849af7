//! Whether the exporter gets on with its work, which is what systemd's watchdog is fed by.
//!
//! A timer would go on feeding it while everything else hangs. Here each sign of life is earned: every listener's loop has
//! to answer a request, and the poller must not stand still, as `/-/healthy` has it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;

use crate::health::{Health, Standstill};
use crate::server::SelfProbe;

/// Looks after server and poller.
pub struct Watchdog {
    pub self_probes: Vec<SelfProbe>,
    pub health: Arc<Health>,
}

/// What hangs.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Hang {
    #[error("the server does not answer on {address}: {error}")]
    Server { address: String, error: std::io::ErrorKind },
    #[error(transparent)]
    Poller(#[from] Standstill),
}

impl Watchdog {
    /// Says what hangs, if anything does; `time` is what the server has to answer on all its listeners.
    ///
    /// # Errors
    /// [`Hang`].
    pub async fn look(&self, time: Duration) -> Result<(), Hang> {
        let probe = async |listener: &SelfProbe| {
            let answer = listener.probe(time).await;
            answer.map_err(|error| Hang::Server { address: listener.address().to_owned(), error: error.kind() })
        };
        try_join_all(self.self_probes.iter().map(probe)).await?;
        match self.health.standstill() {
            Some(standstill) => Err(standstill.into()),
            None => Ok(()),
        }
    }
}
