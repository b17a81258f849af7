//! The daemon: poller and server together, and what a reload changes.

mod systemd;
pub mod watchdog;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;
use tracing::{error, info, warn};

use self::watchdog::Watchdog;
use crate::config::Config;
use crate::exposition::Exposition;
use crate::health::{Health, patience};
use crate::poller::{Plan, Poller, Update};
use crate::server::{self, App, Listener, Reload, Web};
use crate::store::Store;
use minergate::api::{Account, AccountConfig, Client, Event, Observer};

/// Reads the configuration anew, from where it was read first.
pub type Load = Arc<dyn Fn() -> anyhow::Result<Config> + Send + Sync>;

/// How long a reload may take. Ten thousand accounts take a second; more is a file that does not answer.
const RELOAD: Duration = Duration::from_secs(15);

/// Polls and serves until `shutdown` resolves. Each reload that is asked for reads the configuration anew and changes to it.
///
/// # Errors
/// A configuration that can't be started with, or a listener that failed.
pub async fn run(
    config: Config,
    load: Load,
    (mut listeners, web): (Vec<Listener>, Web),
    (reload, reloads): (mpsc::Sender<Reload>, mpsc::Receiver<Reload>),
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let store = Arc::new(Store::default());
    let health = Arc::new(Health::default());
    let watched = health.clone();
    let observer: Observer = Arc::new(move |event| watched.observe(event));
    let client = Arc::new(Client::new(&config.api, observer.clone())?);
    let plan = config.plan()?;
    let poller = Poller::new(client.clone(), plan.clone(), store.clone(), health.clone());
    let app = App {
        exposition: Exposition::new(store, health.clone()),
        telemetry_path: config.web.telemetry_path.clone(),
        external_url: config.web.external_url.as_deref().and_then(server::external_url),
        max_requests: config.web.max_requests,
        reload: config.web.enable_lifecycle.then_some(reload),
    };
    for warning in web.warnings() {
        warn!(warning, "web configuration");
    }
    for listener in &listeners {
        info!(address = listener.address(), path = config.web.telemetry_path, tls = web.is_tls(), "listening");
    }
    info!(version = env!("CARGO_PKG_VERSION"), revision = env!("REVISION"), accounts = plan.accounts.len(), "started");
    let (updates_sender, updates) = mpsc::channel(1);
    health.liveness.set_patience(patience(&config.api));
    let doors = listeners.iter_mut().map(Listener::door).collect();
    let watchdog = Watchdog { doors, health: health.clone() };
    let (stopping, stopped) = oneshot::channel();
    let shutdown = async {
        shutdown.await;
        systemd::stopping().await;
        let _ = stopping.send(());
    };
    let config = Arc::new(config);
    let state = State { config, load, overdue: None, client, plan, health, observer, updates: updates_sender };
    systemd::ready().await;
    tokio::select! {
        broken = poller.run_apart(updates) => match broken.context("polling ended")? {},
        () = state.reload_as_asked(reloads) => {}
        never = systemd::report(watchdog, stopped) => match never {},
        () = server::serve(listeners, app, Arc::new(web), shutdown) => {}
    }
    info!("stopped");
    Ok(())
}

/// What is in force.
struct State {
    config: Arc<Config>,
    load: Load,
    /// A reading of the configuration that did not end in time.
    overdue: Option<JoinHandle<anyhow::Result<Loaded>>>,
    client: Arc<Client>,
    plan: Plan,
    health: Arc<Health>,
    observer: Observer,
    updates: mpsc::Sender<Update<Client>>,
}

impl State {
    /// Reloads whenever it is asked for; never ends.
    async fn reload_as_asked(mut self, mut reloads: mpsc::Receiver<Reload>) {
        while let Some(reload) = reloads.recv().await {
            systemd::reloading().await;
            let result = self.reload().await.map_err(|error| format!("{error:#}"));
            self.health.metrics.reloaded(result.is_ok());
            match &result {
                Ok(()) => info!(accounts = self.plan.accounts.len(), "configuration reloaded"),
                Err(error) => error!(error, "configuration not reloaded; the one before stays in force"),
            }
            systemd::ready().await;
            // Whoever asked may have gone.
            let _ = reload.send(result);
        }
        std::future::pending::<()>().await;
    }

    /// Changes to the configuration as it is now. Nothing changes when it is broken.
    async fn reload(&mut self) -> anyhow::Result<()> {
        let Loaded { config, plan, client } = self.read().await?;
        let Ok(update) = timeout(RELOAD, self.updates.reserve()).await else {
            bail!("the poller stands still and takes no configuration; restart the exporter");
        };
        match client {
            Some(client) => self.client = client,
            // The host may have moved in the DNS, or its certificate's authority may be new.
            None => self.client.renew_connections().await,
        }
        let before: BTreeMap<&str, &Arc<Account>> = self.plan.accounts.iter().map(|(a, _)| (&**a.name(), a)).collect();
        for (account, _) in &plan.accounts {
            let Some(known) = before.get(&**account.name()) else { continue };
            if !Arc::ptr_eq(known, account) {
                account.continues(known);
            } else if account.unblock() {
                // A captcha may have been solved, or the API be back: one more attempt.
                (self.observer)(Event::Blocked { account: account.name(), reason: None });
            }
        }
        if config.web != self.config.web || config.log != self.config.log {
            warn!("changes of web and log take effect at the next start");
        }
        self.health.liveness.set_patience(patience(&config.api));
        (self.config, self.plan) = (Arc::new(config), plan.clone());
        // The poller lives as long as this does.
        if let Ok(update) = update {
            update.send((self.client.clone(), plan));
        }
        Ok(())
    }

    /// Reads the configuration on a thread of its own: its files may not answer, and many accounts are much work. While one reading
    /// has not returned, there is no other.
    async fn read(&mut self) -> anyhow::Result<Loaded> {
        if self.overdue.as_ref().is_some_and(|reading| !reading.is_finished()) {
            bail!("the last reload has not returned: a file that the configuration is read from does not answer");
        }
        let (load, previous, plan) = (self.load.clone(), self.config.clone(), self.plan.clone());
        let client = self.client.clone();
        let mut reading = spawn_blocking(move || Loaded::read(load()?, &previous, &plan, &client));
        let Ok(loaded) = timeout(RELOAD, &mut reading).await else {
            self.overdue = Some(reading);
            bail!("not read within {} s: a file that the configuration is read from does not answer", RELOAD.as_secs());
        };
        loaded.context("reading the configuration broke down")?
    }
}

/// A configuration, and what runs by it.
struct Loaded {
    config: Config,
    plan: Plan,
    /// Nothing where the one in force will do.
    client: Option<Arc<Client>>,
}

impl Loaded {
    fn read(config: Config, previous: &Config, plan: &Plan, client: &Client) -> anyhow::Result<Loaded> {
        let same_host = config.api.base_url == previous.api.base_url;
        let before: BTreeMap<&str, &AccountConfig> = previous.accounts.iter().map(|a| (a.name.as_str(), a)).collect();
        let running: BTreeMap<&str, &Arc<Account>> = plan.accounts.iter().map(|(a, _)| (&**a.name(), a)).collect();
        // The account that is there already, with its token, if its configuration is the same and so is the host.
        let known = |account: &AccountConfig| {
            let is_same = same_host && before.get(account.name.as_str()) == Some(&account);
            running.get(account.name.as_str()).filter(|_| is_same).map(|account| (*account).clone())
        };
        let plan = config.plan_with(known)?;
        let client = if config.api == previous.api { None } else { Some(Arc::new(client.reconfigured(&config.api)?)) };
        Ok(Loaded { config, plan, client })
    }
}
