//! `gateway`: the MinerGate API, served from wallets at pools.

use std::process::ExitCode;

use clap::Args;
use tokio::sync::mpsc;
use tracing::warn;

use super::{flags, serve, shutdown};
use crate::gateway::{self, Gateway};
use crate::server::{self, Web};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Address to serve the API on; :10189 is every address of the machine
    #[arg(long, value_name = "ADDRESS", default_value = gateway::DEFAULT_ADDRESS, help_heading = flags::WEB)]
    listen: String,
}

pub(super) async fn run(flags: &Flags, all: &super::Flags) -> anyhow::Result<ExitCode> {
    serve::hide_memory();
    if let Some(fault) = server::address_fault(&flags.listen) {
        anyhow::bail!("--listen: {fault}");
    }
    let config = all.load_gateway()?;
    config.log.init();
    // Read before the port is bound: with a broken file, no port must be open.
    let web = Web::load(config.web.config_file.as_deref())?;
    let gateway = Gateway::new(&config)?;
    let listener = server::bind(&flags.listen, "--listen").await?;
    for warning in config.warnings().await {
        warn!(warning, "configuration");
    }
    let (reload, mut reloads) = mpsc::channel(1);
    shutdown::reload_at_sighup(reload)?;
    tokio::spawn(async move {
        while reloads.recv().await.is_some() {
            warn!("the gateway does not reload: a changed configuration takes effect at the next start");
        }
    });
    gateway::run(gateway, vec![listener], web, shutdown::requested()?).await;
    Ok(ExitCode::SUCCESS)
}
