//! What signals ask for: SIGTERM or SIGINT to stop, a second one at once; SIGHUP to read the configuration anew.

use std::process;
use std::thread;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info};

use crate::log;
use crate::server::Reload;

/// From a signal to the end of the process, whatever hangs: requests under way have 5 seconds of it. The log's last lines have one
/// second more, and Docker kills after ten.
const LIMIT: Duration = Duration::from_secs(8);

/// A future that resolves at the first signal. The process ends soon after it in any case.
///
/// # Errors
/// When the signals can't be caught.
pub(super) fn requested() -> std::io::Result<impl Future<Output = ()>> {
    requested_within(LIMIT)
}

/// The same, with another limit.
///
/// # Errors
/// As [`requested`].
pub(super) fn requested_within(limit: Duration) -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (sender, receiver) = oneshot::channel();
    tokio::spawn(async move {
        let signal = next(&mut terminate, &mut interrupt).await;
        info!(signal, "stopping");
        // On a thread of its own: whatever hangs may keep all others busy.
        let _ = thread::Builder::new().name("stop".to_owned()).spawn(move || {
            thread::sleep(limit);
            error!("stopping took too long, and was cut short");
            end();
        });
        let _ = sender.send(());
        let signal = next(&mut terminate, &mut interrupt).await;
        info!(signal, "stopping at once");
        end();
    });
    Ok(async {
        let _ = receiver.await;
    })
}

/// Asks for a reload at each SIGHUP.
///
/// # Errors
/// When the signal can't be caught.
pub(super) fn reload_at_sighup(reload: mpsc::Sender<Reload>) -> std::io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            // The answer is in the log; nobody waits for it here.
            let _ = reload.send(oneshot::channel().0).await;
        }
    });
    Ok(())
}

fn end() -> ! {
    log::flush();
    process::exit(super::STOPPED.into())
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
