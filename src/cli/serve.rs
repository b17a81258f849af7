//! `serve`: the daemon.

use std::process::ExitCode;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Flags, shutdown};
use crate::daemon;
use crate::server::{self, Web};

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    hide_memory();
    let config = flags.load()?;
    config.log.init();
    // Read before anything is bound: with a broken file, no port must be open.
    let web = Web::load(config.web.config_file.as_deref())?;
    let listeners = server::listen(config.web.systemd_socket, &config.web.listen_address).await?;
    for warning in config.warnings().await {
        tracing::warn!(warning, "configuration");
    }
    let (reload, reloads) = mpsc::channel(1);
    shutdown::reload_at_sighup(reload.clone())?;
    let load = Arc::new(move || flags.load());
    daemon::run(config, load, (listeners, web), (reload, reloads), shutdown::requested()?).await?;
    Ok(ExitCode::SUCCESS)
}

/// Protects the memory, which holds secrets, from core dumps and from other processes of the same user.
pub(super) fn hide_memory() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // If the kernel does not support it, the exporter still works.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
