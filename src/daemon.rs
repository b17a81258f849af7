//! The daemon: poller and server together, and what a reload changes.

mod systemd;
pub mod watchdog;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{error, info, warn};

use self::watchdog::Watchdog;
use crate::api::{Account, AccountConfig, Client, Event, Observer};
use crate::config::Config;
use crate::exposition::Exposition;
use crate::health::Health;
use crate::poller::{Plan, Poller, Update};
use crate::server::{self, App, Listener, Reload, Web};
use crate::store::Store;

/// Reads the configuration anew, from where it was read first.
pub type Load = Box<dyn Fn() -> anyhow::Result<Config> + Send>;

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
        path_prefix: server::path_prefix(config.web.external_url.as_deref()).unwrap_or_default(),
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
    let (patience_sender, patience) = watch::channel(watchdog::patience(&config.api));
    let doors = listeners.iter_mut().map(Listener::door).collect();
    let watchdog = Watchdog { doors, health: health.clone(), patience };
    let (stopping, stopped) = oneshot::channel();
    let shutdown = async {
        shutdown.await;
        systemd::stopping();
        let _ = stopping.send(());
    };
    let state = State { config, load, client, plan, health, observer, updates: updates_sender, patience: patience_sender };
    systemd::ready();
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
    config: Config,
    load: Load,
    client: Arc<Client>,
    plan: Plan,
    health: Arc<Health>,
    observer: Observer,
    updates: mpsc::Sender<Update<Client>>,
    /// How long the poller may stand still.
    patience: watch::Sender<Duration>,
}

impl State {
    /// Reloads whenever it is asked for; never ends.
    async fn reload_as_asked(mut self, mut reloads: mpsc::Receiver<Reload>) {
        while let Some(reload) = reloads.recv().await {
            systemd::reloading();
            let result = self.reload().await.map_err(|error| format!("{error:#}"));
            self.health.reloaded(result.is_ok());
            match &result {
                Ok(()) => info!(accounts = self.plan.accounts.len(), "configuration reloaded"),
                Err(error) => error!(error, "configuration not reloaded; the one before stays in force"),
            }
            systemd::ready();
            // Whoever asked may have gone.
            let _ = reload.send(result);
        }
        std::future::pending::<()>().await;
    }

    /// Changes to the configuration as it is now. Nothing changes when it is broken.
    async fn reload(&mut self) -> anyhow::Result<()> {
        let config = (self.load)()?;
        let plan = config.plan_with(|account| self.known(&config, account))?;
        if config.api == self.config.api {
            // The host may have moved in the DNS, or its certificate's authority may be new.
            self.client.renew_connections().await;
        } else {
            self.client = Arc::new(self.client.reconfigured(&config.api)?);
        }
        let before: BTreeMap<&str, &Arc<Account>> = self.plan.accounts.iter().map(|(a, _)| (&**a.name(), a)).collect();
        for (account, _) in &plan.accounts {
            let Some(known) = before.get(&**account.name()) else { continue };
            if !Arc::ptr_eq(known, account) {
                account.continues(known);
            } else if account.unblock() {
                // A captcha may have been solved, or the API be back: one more attempt.
                (self.observer)(Event::Stopped { account: account.name(), reason: None });
            }
        }
        if config.web != self.config.web || config.log != self.config.log {
            warn!("changes of web and log take effect at the next start");
        }
        self.patience.send_replace(watchdog::patience(&config.api));
        (self.config, self.plan) = (config, plan.clone());
        // The poller lives as long as this does.
        let _ = self.updates.send((self.client.clone(), plan)).await;
        Ok(())
    }

    /// The account that is there already, with its token, if its configuration is the same and so is the host.
    fn known(&self, config: &Config, account: &AccountConfig) -> Option<Arc<Account>> {
        let same_host = config.api.base_url == self.config.api.base_url;
        let unchanged = same_host && self.config.accounts.contains(account);
        let known = self.plan.accounts.iter().map(|(known, _)| known).find(|known| **known.name() == *account.name);
        known.filter(|_| unchanged).cloned()
    }
}
