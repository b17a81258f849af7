//! `serve`: the daemon.

use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;
use tracing::info;

use super::shutdown;
use crate::api::Client;
use crate::config::Config;
use crate::exposition::Exposition;
use crate::health::Health;
use crate::poller::Poller;
use crate::server::{self, App};
use crate::store::Store;

pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let listeners = server::bind(&config.web.listen_address).await?;
    for warning in config.warnings()? {
        tracing::warn!(warning, "configuration");
    }
    daemon(&config, listeners, shutdown::requested()?).await?;
    Ok(ExitCode::SUCCESS)
}

/// Polls and serves until `shutdown` resolves.
pub(super) async fn daemon(
    config: &Config,
    listeners: Vec<TcpListener>,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let store = Arc::new(Store::default());
    let health = Arc::new(Health::default());
    let observer = health.clone();
    let client = Client::new(&config.api, Arc::new(move |event| observer.observe(event)))?;
    let poller = Poller::new(client, config.plan()?, store.clone(), health.clone());
    let app = App {
        exposition: Exposition { store, health, optional_metrics: config.optional_metrics.clone() },
        accounts: config.accounts.iter().map(|account| account.name.clone()).collect(),
        telemetry_path: config.web.telemetry_path.clone(),
    };
    for listener in &listeners {
        info!(address = %listener.local_addr()?, path = config.web.telemetry_path, "listening");
    }
    info!(version = env!("CARGO_PKG_VERSION"), revision = env!("REVISION"), accounts = config.accounts.len(), "started");
    tokio::select! {
        never = poller.run() => match never {},
        served = server::serve(listeners, app, shutdown) => served?,
    }
    info!("stopped");
    Ok(())
}
