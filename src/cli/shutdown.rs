//! What signals ask for: SIGTERM or SIGINT to stop, a second one at once; SIGHUP to read the configuration anew.

use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tracing::info;

use crate::server::Reload;

/// A future that resolves at the first signal.
///
/// # Errors
/// When the signals can't be caught.
pub(super) fn requested() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (sender, receiver) = oneshot::channel();
    tokio::spawn(async move {
        let signal = next(&mut terminate, &mut interrupt).await;
        info!(signal, "stopping");
        let _ = sender.send(());
        let signal = next(&mut terminate, &mut interrupt).await;
        info!(signal, "stopping at once");
        process::exit(super::STOPPED.into());
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

async fn next(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
