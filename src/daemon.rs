//! The daemon: poller and server together, and the reload of the configuration.

pub(crate) mod systemd;
pub mod watchdog;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;
use tracing::{error, info, warn};

use self::watchdog::Watchdog;
use crate::config::{Config, ConfigError, Log, Web as WebConfig};
use crate::exposition::Exposition;
use crate::pipeline::{Hosts, Pipeline};
use crate::poller::{Plan, Update};
use crate::server::{self, App, Listener, Reload, Web};
use minergate::api::{Account, Client, Event};

/// Reads the configuration again from its sources.
pub type LoadConfig = Arc<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>;

/// A configuration and its clients.
type LoadedConfig = (Config, Hosts);

/// Maximum time of a reload. Ten thousand accounts take a second; more means that a file does not answer.
const RELOAD: Duration = Duration::from_secs(15);

/// Polls and serves until `shutdown` resolves. Each requested reload reads the configuration again and applies it.
///
/// # Errors
/// If the poller breaks down, or the clients can't be created.
pub async fn run(
    config: Config,
    load: LoadConfig,
    (mut listeners, web): (Vec<Listener>, Web),
    (reload, reloads): (mpsc::Sender<Reload>, mpsc::Receiver<Reload>),
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let Pipeline { hosts, plan, poller, exposition } = Pipeline::new(&config)?;
    let Config { web: served, log, .. } = config;
    let app = App {
        exposition: exposition.clone(),
        telemetry_path: served.telemetry_path.clone(),
        external_url: served.external_url.clone(),
        max_requests: served.max_requests,
        reload: served.enable_lifecycle.then_some(reload),
    };
    for warning in web.warnings() {
        warn!(warning, "web configuration");
    }
    for listener in &listeners {
        info!(address = listener.address(), path = served.telemetry_path, tls = web.is_tls(), "listening");
    }
    info!(
        version = env!("CARGO_PKG_VERSION"),
        revision = env!("REVISION"),
        accounts = plan.account_names().len(),
        "started"
    );
    let (updates_sender, updates) = mpsc::channel(1);
    let self_probes = listeners.iter_mut().map(Listener::self_probe).collect();
    let watchdog = Watchdog { self_probes, health: exposition.health.clone() };
    let (stopping, stopped) = oneshot::channel();
    let shutdown = async {
        shutdown.await;
        systemd::stopping().await;
        let _ = stopping.send(());
    };
    let state = RunningConfig { hosts, plan, web: served, log, load, overdue: None, exposition, updates: updates_sender };
    systemd::ready().await;
    tokio::select! {
        broken = poller.run_on_own_thread(updates) => match broken.context("polling ended")? {},
        () = state.handle_reloads(reloads) => {}
        never = systemd::report(watchdog, stopped) => match never {},
        () = server::serve(listeners, app, Arc::new(web), shutdown) => {}
    }
    info!("stopped");
    Ok(())
}

/// The configuration in force.
struct RunningConfig {
    hosts: Hosts,
    plan: Plan,
    web: WebConfig,
    log: Log,
    load: LoadConfig,
    /// A read of the configuration that did not end in time.
    overdue: Option<JoinHandle<anyhow::Result<LoadedConfig>>>,
    exposition: Arc<Exposition>,
    updates: mpsc::Sender<Update<Option<Arc<Client>>>>,
}

impl RunningConfig {
    /// Handles each request to reload. Never returns.
    async fn handle_reloads(mut self, mut reloads: mpsc::Receiver<Reload>) {
        while let Some(reload) = reloads.recv().await {
            systemd::reloading().await;
            let result = self.reload().await.map_err(|error| format!("{error:#}"));
            self.exposition.health.metrics.reloaded(result.is_ok());
            // A scrape right after the reload must show its result.
            self.exposition.refresh();
            match &result {
                Ok(()) => info!(accounts = self.plan.account_names().len(), "configuration reloaded"),
                Err(error) => error!(error, "configuration not reloaded; the previous one stays in force"),
            }
            systemd::ready().await;
            // The receiver may be gone.
            let _ = reload.send(result);
        }
        std::future::pending::<()>().await;
    }

    /// Reads and applies the configuration. If it is invalid, nothing changes.
    async fn reload(&mut self) -> anyhow::Result<()> {
        let (config, hosts) = self.read().await?;
        let mut plan = hosts.plan(&config, &self.plan);
        let Config { web, log, .. } = config;
        let Ok(update) = timeout(RELOAD, self.updates.reserve()).await else {
            bail!("the poller has stalled and accepts no configuration; restart the exporter");
        };
        let base_url = |hosts: &Hosts| hosts.api.as_ref().as_ref().map(|client| client.settings().base_url.clone());
        let same_host = base_url(&hosts) == base_url(&self.hosts);
        hosts.renew_connections().await;
        let running: HashMap<&str, &Arc<Account>> = self.plan.accounts.iter().map(|(a, _)| (&**a.name(), a)).collect();
        for (account, _) in &mut plan.accounts {
            let Some(known) = running.get(&**account.name()) else { continue };
            // With the same credentials at the same host, the account keeps its token.
            if !same_host || known.credentials() != account.credentials() {
                account.take_over(known);
                continue;
            }
            *account = (*known).clone();
            if account.unblock() {
                // One more attempt: the captcha may have been solved, or the API may work again.
                self.exposition.health.observe(None, Event::Blocked { account: account.name(), reason: None });
            }
        }
        if web != self.web || log != self.log {
            warn!("changes of web and log take effect at the next start");
        }
        let liveness = &self.exposition.health.liveness;
        hosts.patience().into_iter().for_each(|patience| liveness.set_patience(patience));
        (self.hosts, self.plan, self.web, self.log) = (hosts, plan.clone(), web, log);
        // The poller lives as long as this object.
        if let Ok(update) = update {
            update.send((self.hosts.api.clone(), plan));
        }
        Ok(())
    }

    /// Reads the configuration on its own thread, because its files and the system's certificates may hang, and many accounts take
    /// time. While one read has not returned, no other is started.
    async fn read(&mut self) -> anyhow::Result<LoadedConfig> {
        if self.overdue.as_ref().is_some_and(|reading| !reading.is_finished()) {
            bail!("the last reload has not returned: a file that the configuration is read from does not answer");
        }
        let (load, hosts, health) = (self.load.clone(), self.hosts.clone(), self.exposition.health.clone());
        let mut reading = spawn_blocking(move || {
            let config = load()?;
            let hosts = hosts.reconfigured(&config, &health)?;
            Ok((config, hosts))
        });
        let Ok(loaded) = timeout(RELOAD, &mut reading).await else {
            self.overdue = Some(reading);
            bail!("not read within {} s: a file that the configuration is read from does not answer", RELOAD.as_secs());
        };
        loaded.context("reading the configuration panicked")?
    }
}
