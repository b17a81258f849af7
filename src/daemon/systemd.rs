//! What systemd is told (`Type=notify`): ready, reloading, stopping, how things are, and that the watchdog need not bark.
//!
//! Without systemd, nobody is told anything.

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

/// How often the status is brought up to date where there is no watchdog to feed.
const STATUS: Duration = Duration::from_secs(15);

/// How long systemd has to take a message.
const TELL: Duration = Duration::from_secs(1);

/// Everything that the configuration says is in force, and connections are accepted.
pub(crate) async fn ready() {
    tell(|| notify(&[NotifyState::Ready])).await;
}

/// A reload begins; it ends with the next [`ready`].
pub(super) async fn reloading() {
    tell(|| notify(&[NotifyState::Reloading, NotifyState::monotonic_usec_now()?])).await;
}

pub(crate) async fn stopping() {
    tell(|| notify(&[NotifyState::Stopping])).await;
}

/// Feeds systemd's watchdog as long as nothing hangs, and says how things are, until the exporter stops.
pub(super) async fn report(watchdog: Watchdog, stopped: oneshot::Receiver<()>) -> Infallible {
    if std::env::var_os("NOTIFY_SOCKET").is_some() {
        tokio::select! {
            never = observe(watchdog) => match never {},
            // What ends does not answer, and yet does not hang.
            _ = stopped => {}
        }
    }
    std::future::pending().await
}

async fn observe(watchdog: Watchdog) -> Infallible {
    let limit = sd_notify::watchdog_enabled();
    // Twice within the limit, even when the answers take all the time that they have.
    let period = limit.map_or(STATUS, |limit| limit / 4);
    let mut reported = String::new();
    let mut hangs = false;
    loop {
        let hang = watchdog.look(period).await.err();
        match &hang {
            None if limit.is_some() => tell(|| notify(&[NotifyState::Watchdog])).await,
            Some(hang) if !hangs => error!(%hang, "systemd's watchdog is not fed"),
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

/// One line for `systemctl status`.
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

/// Sends a message, one at a time. systemd may be slow to take it, and nobody waits for that.
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
        Ok(Err(error)) => warn!(%error, "systemd can't be told"),
        Err(_) => warn!("systemd takes no messages"),
    }
}
