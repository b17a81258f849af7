//! The MinerGate API, answered from wallets at pools, so that clients of that API work again.
//!
//! `join` joins the answers of an account's wallets; `source` requests answers from pools and stores them. Routes, logins
//! and errors are in `minergate-server`, connections and their limits in `server`.

mod join;
mod outage;
mod source;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use minergate::endpoints::{ENDPOINTS, Endpoint};
use minergate_pools::Pool;
use minergate_server::{Accounts, Api, Error, ReadRequest};
use tracing::{info, warn};

pub(crate) use self::join::join;
use self::outage::Outage;
use self::source::{Missing, Source, Upstream};
use crate::config::Config;
use crate::daemon;
use crate::server::{self, Listener, Web};

/// Default address: this machine only.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1:10189";

/// How long the token of a login is valid.
const TOKEN_LIFETIME: Duration = Duration::from_secs(86_400);

/// The source of the API's answers.
pub struct Gateway {
    accounts: Accounts,
    /// The answers of the accounts that can log in, by their index.
    answers: Vec<AccountAnswers>,
    /// The answers of pools and networks, each from the first pool that has the currency.
    networks: Vec<Arc<Source>>,
    currencies: BTreeSet<Arc<str>>,
}

/// The answers about one account.
struct AccountAnswers {
    name: Arc<str>,
    wallets: Vec<Arc<Source>>,
}

impl Gateway {
    /// The gateway of the accounts that have wallets and credentials.
    ///
    /// # Errors
    /// If TLS can't be used on this machine.
    pub fn new(config: &Config) -> anyhow::Result<Gateway> {
        let mut pools = Vec::new();
        for settings in &config.pools {
            let pool = Arc::new(Pool::new(settings.clone(), Arc::new(|_| ()))?);
            pools.push((pool, Arc::new(Outage::new("", &settings.name))));
        }
        let intervals = &config.plan.intervals;
        let lifetime = |endpoint: &Endpoint| intervals.lifetime(intervals.get(endpoint).unwrap_or(endpoint.interval));

        let mut answers = Vec::new();
        for (name, _) in &config.logins {
            let mut wallets = Vec::new();
            for own in config.wallets.iter().filter(|wallet| wallet.account == *name) {
                let (pool, outage) = &pools[own.pool];
                let wallet = Arc::new(pool.wallet(name.clone(), own.address.clone()));
                let own_outage = Arc::new(Outage::new(name, &pool.settings().name));
                // The pool is not asked for the nickname, which is the account's name.
                let asked = |row: &&Endpoint| row.is_of_account() && row.name != "nickname" && pool.fills(row);
                for row in ENDPOINTS.iter().filter(asked) {
                    let upstream = Upstream::Wallet(wallet.clone(), own_outage.clone());
                    wallets.push(Source::new(row, upstream, lifetime(row), outage.clone()));
                }
            }
            answers.push(AccountAnswers { name: name.clone(), wallets });
        }

        let mut networks = Vec::new();
        for (place, (pool, outage)) in pools.iter().enumerate() {
            let is_first = config.pool_of(&pool.settings().currency) == Some(place);
            let asked = |row: &&Endpoint| is_first && !row.is_of_account() && pool.fills(row);
            for row in ENDPOINTS.iter().filter(asked) {
                networks.push(Source::new(row, Upstream::Pool(pool.clone()), lifetime(row), outage.clone()));
            }
        }
        Ok(Gateway {
            answers,
            networks,
            accounts: Accounts::new(config.logins.iter().cloned(), TOKEN_LIFETIME).limit_failures(),
            currencies: config.pools.iter().map(|pool| pool.currency.clone()).collect(),
        })
    }

    /// The whole answer, from which the client may want only a part.
    async fn whole(&self, read: &ReadRequest) -> Result<String, Error> {
        let name = read.endpoint.name;
        match read.account.map(|account| &self.answers[account]) {
            Some(account) if name == "nickname" => serde_json::to_string(&*account.name).map_err(|_| Error::Internal),
            Some(account) => together(read.endpoint, &account.wallets).await,
            None if name == "status" => {
                let currency = read.argument.as_deref().unwrap_or_default();
                let mut sources = self.networks.iter().filter(|source| source.endpoint.name == name);
                let source = sources.find(|source| source.currency() == currency).ok_or(Error::NotFound)?;
                source.get().await.map_err(unavailable)
            }
            None => together(read.endpoint, &self.networks).await,
        }
    }
}

/// The answers to an endpoint joined into one. Wallets that are unknown to their pool are left out. If a pool can't be read, there is no
/// answer: without its part, clients would calculate wrong sums.
async fn together(endpoint: &Endpoint, sources: &[Arc<Source>]) -> Result<String, Error> {
    let asked = sources.iter().filter(|source| source.endpoint.name == endpoint.name);
    let mut answers = Vec::new();
    for answer in join_all(asked.map(Source::get)).await {
        match answer {
            Ok(answer) => answers.push(answer),
            Err(Missing::Wallet) => {}
            Err(missing @ Missing::Pool(_)) => return Err(unavailable(missing)),
        }
    }
    join(endpoint, &answers)
}

fn unavailable(missing: Missing) -> Error {
    match missing {
        Missing::Wallet => Error::NotFound,
        Missing::Pool(wait) => Error::Unavailable(wait),
    }
}

impl Api for Gateway {
    fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    async fn read(&self, read: &ReadRequest, _: Duration) -> Result<String, Error> {
        let whole = self.whole(read).await?;
        read.select(whole, |code| self.currencies.contains(code))
    }
}

/// Serves until `shutdown` resolves.
pub async fn run(gateway: Gateway, listeners: Vec<Listener>, web: Web, shutdown: impl Future<Output = ()>) {
    for warning in web.warnings() {
        warn!(warning, "web configuration");
    }
    for listener in &listeners {
        info!(address = listener.address(), tls = web.is_tls(), "listening");
        if !web.is_tls() && !listener.is_local() {
            let warning = "passwords and tokens can be read on the way; give tls_server_config in --web.config.file";
            warn!(warning, "web configuration");
        }
    }
    let accounts = gateway.answers.len();
    info!(version = env!("CARGO_PKG_VERSION"), revision = env!("REVISION"), accounts, "started");
    let routes = minergate_server::router().with_state(Arc::new(gateway));
    let shutdown = async {
        shutdown.await;
        daemon::systemd::stopping().await;
    };
    daemon::systemd::ready().await;
    server::serve_api(listeners, routes, Arc::new(web), shutdown).await;
    info!("stopped");
}
