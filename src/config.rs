//! The configuration: every module's own part put together, from defaults, file, environment and flags, in this order.
//!
//! A mistake is reported with its place (file and line, variable or flag), its key, what is wrong and what would be right. No message
//! quotes a value, which could be a secret.

mod accounts;
mod codes;
mod environment;
mod error;
mod file;
mod flags;
mod keys;
mod lines;
mod schema;
mod shard;
mod sources;
mod warnings;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

pub use self::error::ConfigError;
use self::file::Credentials;
pub use self::schema::schema;
pub use self::shard::Shard;
use self::sources::Parsed;
pub use self::sources::Sources;
use crate::poller::{self, Plan, Reading};
use crate::{log, server};
use minergate::api::{self, Account, AccountConfig};
use minergate::currency::Decimals;
use minergate::endpoints::{ENDPOINTS, Scope};

/// What environment variables of the exporter begin with. The double underscore keeps it apart from variables that a
/// platform makes of the service's name, such as `MINERGATE_EXPORTER_PORT`.
pub const ENVIRONMENT_PREFIX: &str = "MINERGATE_EXPORTER__";

/// The whole configuration.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "The configuration of minergate-exporter")]
pub struct Config {
    /// Currencies whose networks are polled; those that the accounts use when left out.
    #[serde(deserialize_with = "codes::currencies")]
    #[schemars(inner(regex(pattern = "^[a-z0-9_-]{1,16}$")))]
    pub currencies: Option<BTreeSet<String>>,
    /// Decimals of the smallest unit, for coins that are not documented.
    #[serde(deserialize_with = "codes::decimals")]
    #[schemars(extend("propertyNames" = {"pattern": "^[a-z0-9_-]{1,16}$"}))]
    pub decimals: BTreeMap<String, u8>,
    /// Metrics that are off by default and wanted all the same, by their full names.
    #[serde(deserialize_with = "codes::optional_metrics")]
    pub optional_metrics: BTreeSet<String>,
    /// An existing directory for state that is kept across restarts (used TOTP steps, hashes of rejected credentials). systemd's `$STATE_DIRECTORY` if left out.
    pub state_directory: Option<PathBuf>,
    /// Which part of the accounts is polled, where several instances share one configuration.
    pub shard: Option<Shard>,
    pub api: api::Config,
    pub poll: poller::Config,
    pub web: server::Config,
    pub log: log::Config,
    /// The accounts, each with its credentials.
    pub accounts: Vec<AccountConfig>,
    /// The file that was read.
    #[serde(skip)]
    file: Option<PathBuf>,
}

impl Config {
    /// Reads `[web]` alone, for a command that only asks a running exporter: what is polled can be in a file or in variables that
    /// this command does not have.
    ///
    /// # Errors
    /// As [`Config::load`], of this table.
    pub fn load_web(sources: Sources<'_>) -> anyhow::Result<server::Config> {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Part {
            web: server::Config,
        }
        let sources = Parsed::new(sources)?;
        let Part { mut web } = sources.extract()?;
        web.config_file = web.config_file.map(|path| sources.file.resolve(&path, None));
        sources.check(web.faults().map(|(key, fault)| (vec!["web".to_owned(), key.to_owned()], fault)).collect())?;
        Ok(web)
    }

    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// Every mistake that was found, a line each.
    pub fn load(sources: Sources<'_>) -> anyhow::Result<Config> {
        let credentials = environment::directory(&sources.environment, "CREDENTIALS_DIRECTORY").map(Credentials::list);
        let state_directory = environment::directory(&sources.environment, "STATE_DIRECTORY");
        let path = sources.file.map(Path::to_owned);
        let sources = Parsed::new(sources)?;
        let mut config: Config = sources.extract()?;
        let file = &sources.file;
        config.state_directory = config.state_directory.map(|path| file.resolve(&path, None)).or(state_directory);
        config.web.config_file = config.web.config_file.map(|path| file.resolve(&path, None));
        for account in &mut config.accounts {
            let files = [&mut account.password_file, &mut account.totp_secret_file, &mut account.token_file];
            files.into_iter().flatten().for_each(|path| *path = file.resolve(path, credentials.as_ref()));
        }
        concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")).clone_into(&mut config.api.user_agent);
        config.file = path;
        sources.check(config.mistakes())?;
        Ok(config)
    }

    /// What the values' types can't rule out, each with its path.
    fn mistakes(&self) -> Vec<(Vec<String>, String)> {
        let mut mistakes = Vec::new();
        let mut say =
            |path: &[&str], sentence: String| mistakes.push((path.iter().map(|&key| key.to_owned()).collect(), sentence));
        self.api.faults().for_each(|(key, fault)| say(&["api", key], fault));
        self.poll.faults().for_each(|(key, fault)| say(&["poll", key], fault));
        self.web.faults().for_each(|(key, fault)| say(&["web", key], fault));
        let mut names = BTreeSet::new();
        for (i, account) in self.accounts.iter().enumerate() {
            let i = i.to_string();
            if let Err((key, fault)) = account.account(None) {
                say(&["accounts", &i, key], fault);
            }
            if !names.insert(&account.name) {
                say(&["accounts", &i, "name"], "stands twice; every account needs a name of its own".to_owned());
            }
            let known: Vec<&str> =
                ENDPOINTS.iter().filter(|endpoint| endpoint.scope == Scope::Account).map(|endpoint| endpoint.name).collect();
            let endpoints = account.endpoints.iter().flatten().enumerate();
            for (place, _) in endpoints.filter(|(_, name)| !known.contains(&name.as_str())) {
                let sentence = format!("not an endpoint of an account; those are {}", known.join(", "));
                say(&["accounts", &i, "endpoints", &place.to_string()], sentence);
            }
            if account.endpoints.as_ref().is_some_and(Vec::is_empty) {
                say(&["accounts", &i, "endpoints"], "is empty; name at least one, or leave it out for all".to_owned());
            }
        }
        let is_empty = self.accounts.is_empty() && self.currencies.as_ref().is_none_or(BTreeSet::is_empty);
        if !is_empty && self.api.base_url.is_none() {
            let remedy = "give the URL of the API that you use, such as \"https://api.example.com\"";
            let reason = "there is no default, since the public host is discontinued";
            say(&["api", "base_url"], format!("missing; {remedy}; {reason}"));
        }
        if is_empty && mistakes.is_empty() {
            let remedy = "give [[accounts]] or currencies, with --config.file or in the environment, or try the demo";
            mistakes.push((Vec::new(), format!("nothing to poll; {remedy}")));
        }
        mistakes
    }

    /// What the poller is to poll.
    ///
    /// # Errors
    /// A fault of an account, as [`Config::load`] would have said.
    pub fn plan(&self) -> anyhow::Result<Plan> {
        self.plan_with(|_| None)
    }

    /// The same, with accounts that are there already.
    ///
    /// # Errors
    /// As [`Config::plan`].
    pub fn plan_with(&self, known: impl Fn(&AccountConfig) -> Option<Arc<Account>>) -> anyhow::Result<Plan> {
        let account = |config: &AccountConfig| {
            let account = match known(config) {
                Some(account) => account,
                None => Arc::new(
                    config
                        .account(self.state_directory.as_deref())
                        .map_err(|(key, fault)| anyhow::anyhow!("{}: {key}: {fault}", config.name))?,
                ),
            };
            Ok((account, config.endpoints.clone()))
        };
        let currencies =
            self.currencies.clone().map(|codes| codes.into_iter().filter(|code| self.owns("currency", code)).collect());
        Ok(Plan {
            poll: self.poll.clone(),
            accounts: self
                .accounts
                .iter()
                .filter(|a| self.owns("account", &a.name))
                .map(account)
                .collect::<anyhow::Result<_>>()?,
            currencies,
            pool: self.owns("pool", ""),
            reading: Arc::new(Reading {
                decimals: Decimals::new(self.decimals.clone()),
                optional_metrics: self.optional_metrics.clone(),
            }),
            requests_per_second: self.api.requests_per_second,
        })
    }

    /// Whether something of that kind and name is this instance's to poll.
    fn owns(&self, kind: &str, name: &str) -> bool {
        self.shard.is_none_or(|shard| shard.owns(kind, name))
    }
}
