//! The configuration: every module's own part put together, from defaults, file, environment and flags, in this order.
//!
//! What is wrong is said with its place (file, variable or flag), its key, the fault and the remedy, and never quotes a
//! value that could be a secret.

mod fault;
mod schema;
mod shard;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use figment::Figment;
use figment::value::Dict;
use schemars::JsonSchema;
use serde::Deserialize;

pub use self::fault::Fault;
pub use self::schema::schema;
pub use self::shard::Shard;
use self::source::{Accounts, Environment, File, Flags};
use crate::api::{self, Account, AccountConfig};
use crate::currency::{self, Decimals};
use crate::endpoints::{self, ENDPOINTS, Scope};
use crate::poller::{self, Plan, Reading};
use crate::{duration, log, server};

/// What environment variables of the exporter begin with. The double underscore keeps it apart from variables that a
/// platform makes of the service's name, such as `MINERGATE_EXPORTER_PORT`.
pub const ENVIRONMENT_PREFIX: &str = "MINERGATE_EXPORTER__";

/// Decimals that a currency's smallest unit can have.
const MAX_DECIMALS: u8 = 36;

/// The whole configuration.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "The configuration of minergate-exporter")]
pub struct Config {
    /// Currencies whose networks are polled; those that the accounts use when left out.
    #[schemars(inner(regex(pattern = "^[a-z0-9_-]{1,16}$")))]
    pub currencies: Option<BTreeSet<String>>,
    /// Decimals of the smallest unit, for coins that are not documented.
    #[schemars(extend("propertyNames" = {"pattern": "^[a-z0-9_-]{1,16}$"}))]
    pub decimals: BTreeMap<String, u8>,
    /// Metrics that are off by default and wanted all the same, by their full names.
    pub optional_metrics: BTreeSet<String>,
    /// Where what a restart should know is remembered: the TOTP codes that were sent. systemd's `$STATE_DIRECTORY` if left out.
    pub state_directory: Option<PathBuf>,
    /// Which part of the accounts is polled, where several instances share one configuration.
    pub shard: Option<Shard>,
    pub api: api::Config,
    pub poll: poller::Config,
    pub web: server::Config,
    pub log: log::Config,
    /// The accounts, each with its way in.
    pub accounts: Vec<AccountConfig>,
    /// The file that was read.
    #[serde(skip)]
    file: Option<PathBuf>,
}

/// What a configuration is read from.
#[derive(Debug, Default)]
pub struct Sources<'a> {
    pub file: Option<&'a Path>,
    /// A configuration in TOML, for one that comes from no file.
    pub text: Option<&'a str>,
    /// The process's environment.
    pub environment: Vec<(String, String)>,
    /// Flags by their key in the configuration, such as `web.telemetry_path`.
    pub flags: Dict,
}

impl Config {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// Every fault that was found, a line each.
    pub fn load(sources: Sources<'_>) -> anyhow::Result<Config> {
        let credentials = sources.environment.iter().find(|(name, _)| name == "CREDENTIALS_DIRECTORY");
        let credentials = credentials.map(|(_, directory)| PathBuf::from(directory));
        let state_directory = sources.environment.iter().find(|(name, _)| name == "STATE_DIRECTORY");
        let state_directory = state_directory.map(|(_, directory)| PathBuf::from(directory));
        let (file, accounts) = File::read(sources.file, sources.text)?;
        let (environment, account_variables) = Environment::split(sources.environment);
        let accounts = Accounts::merge(accounts, account_variables)?;
        let flags = Flags(sources.flags);
        let figment = Figment::new().merge(&file).merge(&environment).merge(&flags).merge(&accounts);
        let place = |path: &[String]| {
            let given = flags.place(path).or_else(|| environment.place(path)).or_else(|| accounts.place(path));
            given.unwrap_or_else(|| file.name())
        };
        let mut config: Config = figment.extract().map_err(|error| Fault::all(error, place))?;
        config.state_directory = config.state_directory.map(|path| file.resolve(&path, None)).or(state_directory);
        config.web.config_file = config.web.config_file.map(|path| file.resolve(&path, None));
        for account in &mut config.accounts {
            let files = [&mut account.password_file, &mut account.totp_secret_file, &mut account.token_file];
            files.into_iter().flatten().for_each(|path| *path = file.resolve(path, credentials.as_deref()));
        }
        config.file = sources.file.map(Path::to_owned);
        let faults = config.faults().into_iter();
        let faults: Vec<Fault> = faults.map(|(path, fault)| Fault::new(&place(&path), &path, fault)).collect();
        if faults.is_empty() { Ok(config) } else { Err(Fault::join(faults)) }
    }

    /// What the values' types can't rule out.
    fn faults(&self) -> Vec<(Vec<String>, String)> {
        let mut faults = Vec::new();
        let mut say = |path: &[&str], fault: String| faults.push((path.iter().map(|&key| key.to_owned()).collect(), fault));
        for code in self.currencies.iter().flatten().chain(self.decimals.keys()).filter(|code| !currency::is_valid(code)) {
            let key = if self.decimals.contains_key(code) { "decimals" } else { "currencies" };
            say(&[key], format!("`{code}` can't be a currency's code; give one such as \"xmr\""));
        }
        for (code, decimals) in self.decimals.iter().filter(|(_, decimals)| **decimals > MAX_DECIMALS) {
            say(&["decimals", code], format!("{decimals} is too many; give 0 to {MAX_DECIMALS}"));
        }
        let optional: Vec<String> = endpoints::optional_metrics().collect();
        for name in self.optional_metrics.iter().filter(|name| !optional.contains(name)) {
            say(
                &["optional_metrics"],
                format!("`{name}` is no metric that is off by default; those are {}", optional.join(", ")),
            );
        }
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
            let known =
                || ENDPOINTS.iter().filter(|endpoint| endpoint.scope == Scope::Account).map(|endpoint| endpoint.name);
            for name in account.endpoints.iter().flatten().filter(|name| !known().any(|known| known == *name)) {
                let known: Vec<_> = known().collect();
                say(
                    &["accounts", &i, "endpoints"],
                    format!("`{name}` is no endpoint of an account; those are {}", known.join(", ")),
                );
            }
            if account.endpoints.as_ref().is_some_and(Vec::is_empty) {
                say(&["accounts", &i, "endpoints"], "is empty; name at least one, or leave it out for all".to_owned());
            }
        }
        if faults.is_empty() && self.accounts.is_empty() && self.currencies.as_ref().is_none_or(BTreeSet::is_empty) {
            let remedy = "give [[accounts]] or currencies, with --config.file or in the environment, or try the demo";
            faults.push((Vec::new(), format!("nothing to poll; {remedy}")));
        }
        faults
    }

    /// What works and yet should not stay as it is, a sentence each.
    ///
    /// # Errors
    /// As [`Config::plan`].
    pub fn warnings(&self) -> anyhow::Result<Vec<String>> {
        let mut warnings = Vec::new();
        let mut exposed = |path: &Path| {
            warnings
                .push(format!("{} holds a secret, and everybody on this machine can read it; chmod o-r it", path.display()));
        };
        let has_secret = |a: &AccountConfig| a.password.is_some() || a.token.is_some() || a.totp_secret.is_some();
        if self.accounts.iter().any(has_secret) {
            self.file.iter().filter(|path| api::is_exposed(path)).for_each(|path| exposed(path));
        }
        for (account, _) in self.plan()?.accounts {
            account.exposed_files().for_each(&mut exposed);
        }
        if self.api.base_url.as_str().trim_end_matches('/') == api::PUBLIC_BASE_URL {
            warnings.push(format!("{} has answered ApiDiscontinued since 2019; set api.base_url", api::PUBLIC_BASE_URL));
        }
        for (endpoint, interval) in self.poll.hasty() {
            let (interval, default) = (duration::print(interval), duration::print(endpoint.interval));
            let key = endpoint.name;
            warnings
                .push(format!("poll.{key}: every {interval} is oftener than the pool has news; the default is {default}"));
        }
        for code in self.currencies.iter().flatten().filter(|code| !currency::is_documented(code)) {
            warnings.push(format!("currencies: `{code}` is none that the API's documentation knows; is it written right?"));
        }
        let host = self.api.base_url.host_str().unwrap_or_default();
        let is_here = host == "localhost" || host.starts_with("127.") || host == "[::1]";
        if self.api.base_url.scheme() == "http" && !is_here {
            warnings.push("api.base_url is not https: passwords and tokens can be read on the way".to_owned());
        }
        Ok(warnings)
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
        let ours = |kind: &str, name: &str| self.shard.is_none_or(|shard| shard.owns(kind, name));
        let currencies =
            self.currencies.clone().map(|codes| codes.into_iter().filter(|code| ours("currency", code)).collect());
        Ok(Plan {
            poll: self.poll.clone(),
            accounts: self
                .accounts
                .iter()
                .filter(|a| ours("account", &a.name))
                .map(account)
                .collect::<anyhow::Result<_>>()?,
            currencies,
            pool: ours("pool", ""),
            reading: Arc::new(Reading {
                decimals: Decimals::new(self.decimals.clone()),
                optional_metrics: self.optional_metrics.clone(),
            }),
            requests_per_second: self.api.requests_per_second,
        })
    }
}
