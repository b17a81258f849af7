//! Signals: SIGTERM or SIGINT stops the exporter, a second one stops it at once, SIGHUP reloads the configuration.

use std::process;
use std::thread;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info};

use crate::log;
use crate::server::Reload;

/// Maximum time from a signal to the end of the process. Requests in flight get 5 seconds of it. After that, the log has one
/// more second for its last lines. Docker kills after ten seconds.
const LIMIT: Duration = Duration::from_secs(8);

/// A future that resolves at the first signal. After that, the process ends within the limit in any case.
///
/// # Errors
/// If signal handlers can't be installed.
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
        // On its own thread, because hanging tasks may occupy all others.
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

/// Requests a reload at each SIGHUP.
///
/// # Errors
/// If the signal handler can't be installed.
pub(super) fn reload_at_sighup(reload: mpsc::Sender<Reload>) -> std::io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            // The result is logged, so it is not needed here.
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
