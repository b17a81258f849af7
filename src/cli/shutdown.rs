//! When to stop: at SIGTERM or SIGINT. A second one ends the process at once.

use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::info;

/// The exit code of a process that a second signal ended, as a shell says it of SIGINT.
const IMPATIENT: i32 = 130;

/// A future that resolves at the first signal.
///
/// # Errors
/// When the signals can't be caught.
pub(super) fn requested() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (sender, receiver) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let signal = next(&mut terminate, &mut interrupt).await;
        info!(signal, "stopping");
        let _ = sender.send(());
        let signal = next(&mut terminate, &mut interrupt).await;
        info!(signal, "stopping at once");
        process::exit(IMPATIENT);
    });
    Ok(async {
        let _ = receiver.await;
    })
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
