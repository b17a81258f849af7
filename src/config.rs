//! The configuration: defaults, file, environment and flags, in this order. It is read and checked in one step, and becomes the types that
//! the exporter runs with.
//!
//! An error names the place of a mistake (file and line, variable or flag), its key, what is wrong and what would be right. No message
//! quotes a value, because it could be a secret.

mod account;
mod api;
mod codes;
mod duration;
mod environment;
mod error;
mod file;
mod flags;
mod keys;
mod log;
mod poll;
mod pool;
mod pool_warnings;
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
use self::sources::ParsedSources;
pub use self::sources::Sources;
pub use self::wallets::WalletConfig;
pub use self::web::Web;
use crate::poller::Plan;

/// Prefix of the exporter's environment variables. The double underscore distinguishes them from variables that a
/// platform derives from the service's name, such as `MINERGATE_EXPORTER_PORT`.
pub const ENVIRONMENT_PREFIX: &str = "MINERGATE_EXPORTER__";

/// The User-Agent header in requests to the API and to pools.
const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// A valid configuration, in the form that the exporter runs with.
#[derive(Debug)]
pub struct Config {
    /// Settings of the API client. `None` if `api.base_url` is left out and not needed.
    pub api: Option<Settings>,
    /// All accounts at the API, in the order of the file; the plan contains only those of this instance.
    pub accounts: Vec<Arc<Account>>,
    /// The pools, in the order of the file.
    pub pools: Vec<minergate_pools::Settings>,
    /// The wallets of all accounts, in the order of the accounts; those of one account in the order of the pools.
    pub wallets: Vec<WalletConfig>,
    /// Credentials of the gateway's clients: those of accounts with wallets, by account name.
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

/// What a configuration is used for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Query,
    Poll,
    Gateway,
}

impl Config {
    /// Reads the configuration of a command that polls.
    ///
    /// # Errors
    /// All mistakes that were found, or that there is nothing to poll.
    pub fn load(sources: Sources<'_>) -> Result<Config, ConfigError> {
        Config::read(sources, Purpose::Poll)
    }

    /// Reads the configuration of a command that sends a single request.
    ///
    /// # Errors
    /// All mistakes that were found.
    pub fn load_for_query(sources: Sources<'_>) -> Result<Config, ConfigError> {
        Config::read(sources, Purpose::Query)
    }

    /// Reads the configuration of the gateway, which serves the accounts that have wallets and credentials.
    ///
    /// # Errors
    /// All mistakes that were found, or that no account has both.
    pub fn load_gateway(sources: Sources<'_>) -> Result<Config, ConfigError> {
        Config::read(sources, Purpose::Gateway)
    }

    /// Reads only `[web]`, for a command that only asks a running exporter. The accounts may be in a file or in variables that
    /// were not passed to this command.
    ///
    /// # Errors
    /// As [`Config::load`], for this table only.
    pub fn load_web(sources: Sources<'_>) -> Result<Web, ConfigError> {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Part {
            web: Web,
        }
        let sources = ParsedSources::new(sources)?;
        let Part { mut web } = sources.extract()?;
        let mut wrong = Vec::new();
        web.check(&mut wrong);
        if !wrong.is_empty() {
            return Err(sources.locate(wrong));
        }
        web.config_file = web.config_file.map(|path| sources.file.resolve(&path, None));
        Ok(web)
    }

    /// Settings of the API client, for a command that needs the API.
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

    /// Index of the pool that has the currency's network and top miners: the first of this currency. `None` if no pool has the currency.
    pub fn pool_of(&self, currency: &str) -> Option<usize> {
        self.pools.iter().position(|pool| *pool.currency == *currency)
    }

    fn read(sources: Sources<'_>, purpose: Purpose) -> Result<Config, ConfigError> {
        let credentials = environment::directory(&sources.environment, "CREDENTIALS_DIRECTORY").map(file::Credentials::list);
        let state_directory = environment::directory(&sources.environment, "STATE_DIRECTORY");
        let path = sources.file.map(Path::to_owned);
        let sources = ParsedSources::new(sources)?;
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
