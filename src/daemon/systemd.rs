//! Notifications to systemd (`Type=notify`): ready, reloading, stopping, a status line, and the watchdog's keep-alive.
//!
//! Without systemd, nothing is sent.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use sd_notify::{NotifyState, notify};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::{error, warn};

use super::watchdog::Watchdog;
use crate::health::Health;

/// Interval of the status line without a watchdog.
const STATUS: Duration = Duration::from_secs(15);

/// Maximum time for systemd to accept a message.
const TELL: Duration = Duration::from_secs(1);

/// The configuration is in force, and connections are accepted.
pub(crate) async fn ready() {
    tell(|| notify(&[NotifyState::Ready])).await;
}

/// A reload begins. It ends with the next [`ready`].
pub(super) async fn reloading() {
    tell(|| notify(&[NotifyState::Reloading, NotifyState::monotonic_usec_now()?])).await;
}

pub(crate) async fn stopping() {
    tell(|| notify(&[NotifyState::Stopping])).await;
}

/// Notifies systemd's watchdog as long as nothing hangs, and sends the status line, until the exporter stops.
pub(super) async fn report(watchdog: Watchdog, stopped: oneshot::Receiver<()>) -> Infallible {
    if std::env::var_os("NOTIFY_SOCKET").is_some() {
        tokio::select! {
            never = observe(watchdog) => match never {},
            // Not answering during shutdown is not a hang.
            _ = stopped => {}
        }
    }
    std::future::pending().await
}

async fn observe(watchdog: Watchdog) -> Infallible {
    let limit = sd_notify::watchdog_enabled();
    // Two notifications within the limit, even if the probes take their maximum time.
    let period = limit.map_or(STATUS, |limit| limit / 4);
    let mut reported = String::new();
    let mut hangs = false;
    loop {
        let hang = watchdog.look(period).await.err();
        match &hang {
            None if limit.is_some() => tell(|| notify(&[NotifyState::Watchdog])).await,
            Some(hang) if !hangs => error!(%hang, "systemd's watchdog is not notified"),
            _ => {}
        }
        hangs = hang.is_some();
        let status = status(&watchdog.health);
        if status != reported {
            reported.clone_from(&status);
            tell(move || notify(&[NotifyState::Status(&status)])).await;
        }
        tokio::time::sleep(period).await;
    }
}

/// The status line for `systemctl status`.
fn status(health: &Health) -> String {
    let (mut accounts, mut up, mut blocked) = (0, 0, 0);
    health.subjects.for_each(|account| {
        if account.subject.account().is_some() {
            accounts += 1;
            up += usize::from(account.is_up());
            blocked += usize::from(account.blocked.is_some());
        }
    });
    match blocked {
        0 => format!("{up} of {accounts} accounts up"),
        _ => format!("{up} of {accounts} accounts up, {blocked} logins blocked"),
    }
}

/// Sends a message, one at a time. systemd may accept it slowly; nothing waits for that.
async fn tell(send: impl FnOnce() -> io::Result<()> + Send + 'static) {
    static TURN: Semaphore = Semaphore::const_new(1);
    let message = async {
        let turn = TURN.acquire().await;
        let sending = spawn_blocking(move || {
            let _turn = turn;
            send()
        });
        sending.await.unwrap_or(Ok(()))
    };
    match timeout(TELL, message).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => warn!(%error, "can't notify systemd"),
        Err(_) => warn!("systemd accepts no messages"),
    }
}
