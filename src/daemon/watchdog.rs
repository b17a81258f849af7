//! Whether the exporter gets on with its work, which is what systemd's watchdog is fed by.
//!
//! A timer would go on feeding it while everything else hangs. Here each sign of life is earned: every listener's loop has
//! to answer a request, and the poller has to have got on with its polls since the last one was due.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::sync::watch;

use crate::api;
use crate::health::Health;
use crate::server::Door;

/// What a poll may take beside its requests: a login may wait for a TOTP code that was not sent, and for another when that is rejected.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long the poller may stand still: no request takes longer, and there is at least one in that time.
pub fn patience(api: &api::Config) -> Duration {
    PATIENCE + api.timeout + Duration::from_secs_f64(1.0 / api.requests_per_second)
}

/// Looks after server and poller.
pub struct Watchdog {
    pub doors: Vec<Door>,
    pub health: Arc<Health>,
    /// As [`patience`] has it for the configuration in force.
    pub patience: watch::Receiver<Duration>,
}

/// What hangs.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Hang {
    #[error("the server does not answer on {address}: {error}")]
    Server { address: String, error: std::io::ErrorKind },
    #[error("no poll has ended for {}, though one is due", crate::duration::print(*.0))]
    Poller(Duration),
}

impl Watchdog {
    /// Says what hangs, if anything does; `time` is what the server has to answer on all its listeners.
    ///
    /// # Errors
    /// [`Hang`].
    pub async fn look(&self, time: Duration) -> Result<(), Hang> {
        let knock = async |door: &Door| {
            let answer = door.knock(time).await;
            answer.map_err(|error| Hang::Server { address: door.address().to_owned(), error: error.kind() })
        };
        try_join_all(self.doors.iter().map(knock)).await?;
        let standstill = self.health.standstill();
        if standstill > *self.patience.borrow() { Err(Hang::Poller(standstill)) } else { Ok(()) }
    }
}
