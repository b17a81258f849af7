//! Clients, poller, store, health and exposition, connected.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use minergate::api::{self, Client, Event, Observer};
use minergate_pools::{Pool, Wallet};

use crate::config::{Config, WalletConfig};
use crate::exposition::Exposition;
use crate::health::{Health, patience};
use crate::poller::{Plan, Poller};
use crate::store::Store;

/// The poller's clients: of the API, if it is configured, and of the pools in the order of the configuration.
#[derive(Clone, Default)]
pub struct Hosts {
    pub api: Arc<Option<Arc<Client>>>,
    pub pools: Vec<Arc<Pool>>,
}

pub struct Pipeline {
    pub hosts: Hosts,
    /// What is polled at the hosts.
    pub plan: Plan,
    pub poller: Poller<Option<Arc<Client>>>,
    pub exposition: Arc<Exposition>,
}

impl Pipeline {
    /// # Errors
    /// As [`Client::new`].
    pub fn new(config: &Config) -> api::Result<Pipeline> {
        let (store, health) = (Arc::new(Store::default()), Arc::new(Health::default()));
        let hosts = Hosts::default().reconfigured(config, &health)?;
        hosts.patience().into_iter().for_each(|patience| health.liveness.set_patience(patience));
        let plan = hosts.plan(config, &Plan::default());
        let poller = Poller::new(hosts.api.clone(), plan.clone(), store.clone(), health.clone());
        Ok(Pipeline { hosts, plan, poller, exposition: Arc::new(Exposition::new(store, health)) })
    }
}

impl Hosts {
    /// The hosts of a configuration. A host whose settings are unchanged keeps its connections, its pauses and its answers.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn reconfigured(&self, config: &Config, health: &Arc<Health>) -> api::Result<Hosts> {
        let api = match (&config.api, &*self.api) {
            (None, _) => None,
            (Some(settings), None) => Some(Arc::new(Client::new(settings, observer(health, None))?)),
            (Some(settings), Some(client)) if client.settings() == settings => Some(client.clone()),
            (Some(settings), Some(client)) => Some(Arc::new(client.reconfigured(settings)?)),
        };
        let is_same = match (&api, &*self.api) {
            (Some(new), Some(old)) => Arc::ptr_eq(new, old),
            (None, None) => true,
            _ => false,
        };
        let pool = |settings: &minergate_pools::Settings| match self
            .pools
            .iter()
            .find(|pool| pool.settings().name == settings.name)
        {
            Some(pool) if pool.settings() == settings => Ok(pool.clone()),
            Some(pool) => pool.reconfigured(settings.clone()).map(Arc::new),
            None => Pool::new(settings.clone(), observer(health, Some(settings.name.clone()))).map(Arc::new),
        };
        let pools = config.pools.iter().map(pool).collect::<api::Result<_>>()?;
        Ok(Hosts { api: if is_same { self.api.clone() } else { Arc::new(api) }, pools })
    }

    /// Maximum number of requests in flight, of all hosts together.
    pub fn concurrency(&self) -> usize {
        let api = self.api.iter().map(|client| client.settings().concurrency);
        api.chain(self.pools.iter().map(|pool| pool.settings().http.concurrency)).sum::<usize>().max(1)
    }

    /// Maximum time without any result before the poller counts as stalled. `None` without hosts.
    pub fn patience(&self) -> Option<Duration> {
        let api = self.api.iter().map(|client| client.settings());
        let limits = api.chain(self.pools.iter().map(|pool| &pool.settings().http));
        limits.map(|settings| patience(settings.timeout, settings.requests_per_second)).max()
    }

    /// The plan for polling these hosts. Wallets that the previous plan also has are taken from it.
    pub fn plan(&self, config: &Config, before: &Plan) -> Plan {
        let key = |wallet: &Wallet| (wallet.account().clone(), wallet.pool().settings().currency.clone());
        let before: HashMap<_, _> = before.wallets.iter().map(|(wallet, _)| (key(wallet), wallet)).collect();
        let wallet = |wallet: &WalletConfig| {
            let WalletConfig { account, pool, address, endpoints } = wallet;
            let pool = &self.pools[*pool];
            let known = before.get(&(account.clone(), pool.settings().currency.clone()));
            let known = known.filter(|known| Arc::ptr_eq(known.pool(), pool) && known.address_is(address));
            let new = || Arc::new(pool.wallet(account.clone(), address.clone()));
            (known.map_or_else(new, |known| (*known).clone()), endpoints.clone())
        };
        let mut plan = config.plan.clone();
        plan.wallets = config.own_wallets().map(wallet).collect();
        for pool in &self.pools {
            let currency = pool.settings().currency.clone();
            let own = config.owns_currency(&currency).then(|| pool.clone());
            plan.pools.entry(currency).or_insert(own);
        }
        let elsewhere = config.wallets.iter().filter(|wallet| !config.owns_account(&wallet.account));
        let currencies = elsewhere.map(|wallet| self.pools[wallet.pool].settings().currency.clone());
        plan.used_elsewhere = currencies.filter(|currency| config.owns_currency(currency)).collect();
        plan
    }

    /// Opens new connections for the next requests, because the host's address or its certificate authority may have changed.
    pub async fn renew_connections(&self) {
        if let Some(client) = &*self.api {
            client.renew_connections().await;
        }
        for pool in &self.pools {
            pool.renew_connections().await;
        }
    }
}

/// Reports a client's events to health. `pool` is the pool's name; `None` means the API.
fn observer(health: &Arc<Health>, pool: Option<Arc<str>>) -> Observer {
    let health = health.clone();
    Arc::new(move |event: Event<'_>| health.observe(pool.as_ref(), event))
}
