//! What systemd is told (`Type=notify`): ready, reloading, stopping, how things are, and that the watchdog need not bark.
//!
//! Without systemd, nobody is told anything.

use std::convert::Infallible;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::oneshot;
use tracing::{error, warn};

use super::watchdog::Watchdog;
use crate::health::Health;

/// How often the status is brought up to date where there is no watchdog to feed.
const STATUS: Duration = Duration::from_secs(15);

/// Everything that the configuration says is in force, and connections are accepted.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// A reload begins; it ends with the next [`ready`].
pub(super) fn reloading() {
    let states = [Some(NotifyState::Reloading), NotifyState::monotonic_usec_now().ok()];
    tell(&states.into_iter().flatten().collect::<Vec<_>>());
}

pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
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
            None if limit.is_some() => tell(&[NotifyState::Watchdog]),
            Some(hang) if !hangs => error!(%hang, "systemd's watchdog is not fed"),
            _ => {}
        }
        hangs = hang.is_some();
        let status = status(&watchdog.health);
        if status != reported {
            tell(&[NotifyState::Status(&status)]);
            reported = status;
        }
        tokio::time::sleep(period).await;
    }
}

/// One line for `systemctl status`.
fn status(health: &Health) -> String {
    let (mut accounts, mut up, mut stopped) = (0, 0, 0);
    health.for_each_account(|name, account| {
        if !name.is_empty() {
            accounts += 1;
            up += usize::from(account.is_up());
            stopped += usize::from(account.stopped.is_some());
        }
    });
    match stopped {
        0 => format!("{up} of {accounts} accounts up"),
        _ => format!("{up} of {accounts} accounts up, {stopped} logins stopped"),
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "systemd can't be told");
    }
}
