//! `serve`: the daemon.

use std::process::ExitCode;

use tokio::sync::mpsc;

use super::{Flags, shutdown};
use crate::{daemon, log, server};

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let config = flags.load()?;
    log::init(config.log);
    let listeners = server::bind(&config.web.listen_address).await?;
    for warning in config.warnings()? {
        tracing::warn!(warning, "configuration");
    }
    let (reload, reloads) = mpsc::channel(1);
    shutdown::reload_at_sighup(reload.clone())?;
    let load = Box::new(move || flags.load());
    daemon::run(config, load, listeners, (reload, reloads), shutdown::requested()?).await?;
    Ok(ExitCode::SUCCESS)
}
