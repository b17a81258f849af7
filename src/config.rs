//! The configuration: from defaults, file, environment and flags, in this order; read and checked in one step, into what runs.
//!
//! A mistake is reported with its place (file and line, variable or flag), its key, what is wrong and what would be right. No message
//! quotes a value, which could be a secret.

mod account;
mod api;
mod codes;
mod doubts;
mod duration;
mod environment;
mod error;
mod file;
mod flags;
mod keys;
mod log;
mod poll;
mod pool;
mod raw;
pub mod reference;
pub mod schema;
mod shard;
mod sources;
mod tables;
mod wallets;
mod warnings;
mod web;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minergate::api::{Account, Credentials, Settings};
use serde::Deserialize;

pub use self::error::{ConfigError, Mistake};
pub use self::log::Log;
use self::raw::Raw;
pub use self::shard::Shard;
use self::sources::Parsed;
pub use self::sources::Sources;
pub use self::wallets::WalletConfig;
pub use self::web::Web;
use crate::poller::Plan;

/// What environment variables of the exporter begin with. The double underscore keeps it apart from variables that a
/// platform makes of the service's name, such as `MINERGATE_EXPORTER_PORT`.
pub const ENVIRONMENT_PREFIX: &str = "MINERGATE_EXPORTER__";

/// How the exporter names itself to the API and to pools.
const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// A configuration that is right, as what it makes run.
#[derive(Debug)]
pub struct Config {
    /// Settings of the client of the API. Nothing if `api.base_url` is left out and not needed.
    pub api: Option<Settings>,
    /// All accounts at the API, in the order of the file; the plan has those of this instance.
    pub accounts: Vec<Arc<Account>>,
    /// The pools, in the order of the file.
    pub pools: Vec<minergate_pools::Settings>,
    /// The wallets of all accounts, in the order of the accounts; those of one account in the order of the pools.
    pub wallets: Vec<WalletConfig>,
    /// Credentials that the gateway's clients log in with: those of accounts with wallets, by account name.
    pub logins: Vec<(Arc<str>, Credentials)>,
    /// What is polled at the API. Its currencies include those whose networks are polled at pools.
    pub plan: Plan,
    pub web: Web,
    pub log: Log,
    shard: Option<Shard>,
    /// If true, only accounts are polled: no networks and no endpoints of the pool.
    accounts_only: bool,
    state_directory: Option<PathBuf>,
    /// The file that was read.
    file: Option<PathBuf>,
}

/// What a configuration is read for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Ask,
    Poll,
    Gateway,
}

impl Config {
    /// Reads the configuration of a command that polls.
    ///
    /// # Errors
    /// Every mistake that was found, or that there is nothing to poll.
    pub fn load(sources: Sources<'_>) -> Result<Config, ConfigError> {
        Config::read(sources, Purpose::Poll)
    }

    /// Reads the configuration of a command that asks the API for one thing.
    ///
    /// # Errors
    /// Every mistake that was found.
    pub fn load_to_ask(sources: Sources<'_>) -> Result<Config, ConfigError> {
        Config::read(sources, Purpose::Ask)
    }

    /// Reads the configuration of the gateway, which serves the accounts that have wallets and credentials.
    ///
    /// # Errors
    /// Every mistake that was found, or that no account has both.
    pub fn load_gateway(sources: Sources<'_>) -> Result<Config, ConfigError> {
        Config::read(sources, Purpose::Gateway)
    }

    /// Reads `[web]` alone, for a command that only asks a running exporter: what is polled can be in a file or in variables that
    /// this command does not have.
    ///
    /// # Errors
    /// As [`Config::load`], of this table.
    pub fn load_web(sources: Sources<'_>) -> Result<Web, ConfigError> {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Part {
            web: Web,
        }
        let sources = Parsed::new(sources)?;
        let Part { mut web } = sources.extract()?;
        let mut wrong = Vec::new();
        web.check(&mut wrong);
        if !wrong.is_empty() {
            return Err(sources.locate(wrong));
        }
        web.config_file = web.config_file.map(|path| sources.file.resolve(&path, None));
        Ok(web)
    }

    /// Settings of the client of the API, for a command that needs the API.
    ///
    /// # Errors
    /// If `api.base_url` is left out.
    pub fn require_api(&self) -> Result<&Settings, ConfigError> {
        let mistake = || Mistake { place: String::new(), key: "api.base_url".to_owned(), message: api::MISSING.to_owned() };
        self.api.as_ref().ok_or_else(|| [mistake()].into_iter().collect())
    }

    /// The names of all accounts: first those at the API, then those with wallets.
    pub fn account_names(&self) -> Vec<&Arc<str>> {
        let mut names: Vec<_> = self.accounts.iter().map(|account| account.name()).collect();
        names.extend(self.wallets.chunk_by(|a, b| a.account == b.account).map(|wallets| &wallets[0].account));
        names
    }

    /// Whether this instance polls the account, at the API or with wallets.
    pub fn owns_account(&self, name: &str) -> bool {
        self.shard.is_none_or(|shard| shard.owns("account", name))
    }

    /// Whether this instance polls the network and the top miners of the currency, if a pool has them.
    pub fn owns_currency(&self, code: &str) -> bool {
        !self.accounts_only && self.shard.is_none_or(|shard| shard.owns("currency", code))
    }

    /// Polls only the accounts for which `is_kept` is true, and neither networks nor endpoints of the pool.
    pub fn keep_accounts(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.plan.accounts.retain(|(account, _)| is_kept(account.name()));
        self.wallets.retain(|wallet| is_kept(&wallet.account));
        (self.plan.pool, self.plan.currencies, self.accounts_only) = (false, Some(BTreeSet::new()), true);
    }

    /// The hosts of all requests, for messages: the API by its URL, pools by their names.
    pub fn hosts(&self) -> String {
        let api = self.api.iter().map(|api| api.base_url.to_string());
        api.chain(self.pools.iter().map(|pool| format!("pool {}", pool.name))).collect::<Vec<_>>().join(", ")
    }

    /// Index of the pool that has the currency's network and top miners: the first of this currency. Nothing if no pool has the currency.
    pub fn pool_of(&self, currency: &str) -> Option<usize> {
        self.pools.iter().position(|pool| *pool.currency == *currency)
    }

    fn read(sources: Sources<'_>, purpose: Purpose) -> Result<Config, ConfigError> {
        let credentials = environment::directory(&sources.environment, "CREDENTIALS_DIRECTORY").map(file::Credentials::list);
        let state_directory = environment::directory(&sources.environment, "STATE_DIRECTORY");
        let path = sources.file.map(Path::to_owned);
        let sources = Parsed::new(sources)?;
        let mut raw: Raw = sources.extract()?;
        let file = &sources.file;
        raw.state_directory = raw.state_directory.map(|path| file.resolve(&path, None)).or(state_directory);
        raw.web.config_file = raw.web.config_file.map(|path| file.resolve(&path, None));
        for account in &mut raw.accounts {
            let files = [&mut account.password_file, &mut account.totp_secret_file, &mut account.token_file];
            let files =
                files.into_iter().flatten().chain(account.wallet_files.iter_mut().flat_map(|files| files.values_mut()));
            files.for_each(|path| *path = file.resolve(path, credentials.as_ref()));
        }
        raw.checked(purpose, path).map_err(|wrong| sources.locate(wrong))
    }
}
