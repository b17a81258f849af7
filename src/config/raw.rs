//! The configuration as it is written: the top-level keys, and the sections.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minergate::api::{self, Credentials, Secret, Settings};
use minergate::currency::{self, Decimals};
use minergate::metric::Context;
use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::account::Account;
use super::api::Api;
use super::error::KeyError;
use super::log::Log;
use super::poll::Poll;
use super::pool::Pool;
use super::shard::Shard;
use super::wallets::{WalletConfig, wallets};
use super::web::Web;
use super::{Config, Purpose, codes};
use crate::poller::{Plan, ReadOptions};

/// Maximum number of entries that are read from a list in an answer. There can't be more workers.
const MOST_WORKERS: usize = 50_000;

/// The whole configuration.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "The configuration of minergate-exporter")]
pub(super) struct Raw {
    /// Currencies whose networks are polled, each at the first of `[[pools]]` that has it, or else at the API. Left out: those for which the
    /// accounts' workers, mining statistics or balances have a value above zero.
    #[serde(deserialize_with = "codes::currencies")]
    #[schemars(inner(regex(pattern = "^[a-z0-9_-]{1,16}$")), extend("examples" = [["xmr", "bcn"]]))]
    pub(super) currencies: Option<BTreeSet<String>>,
    /// Decimals of the smallest unit of coins that the exporter does not know, for `minergate_mining_unconfirmed_balance_coins` and for
    /// `[[pools]]`.
    #[serde(deserialize_with = "codes::decimals")]
    #[schemars(extend("propertyNames" = {"pattern": "^[a-z0-9_-]{1,16}$"}, "examples" = [{"newcoin": 8}]))]
    pub(super) decimals: BTreeMap<String, u8>,
    /// Metrics to show although they are off by default, by their full names: docs/metrics.md marks them.
    #[serde(deserialize_with = "codes::optional_metrics")]
    pub(super) optional_metrics: BTreeSet<String>,
    /// Maximum number of named workers of one wallet that get samples; others are counted in `minergate_api_dropped_samples_total`.
    #[serde(default = "max_workers")]
    #[schemars(range(max = MOST_WORKERS))]
    pub(super) max_workers: usize,
    /// An existing directory for state that is kept across restarts: which TOTP codes were sent and which credentials were rejected,
    /// so that neither is sent again. The exporter does not create it, and warns if it can't write to it. Left out: systemd's
    /// `$STATE_DIRECTORY`, or no state is kept.
    #[schemars(extend("examples" = ["/var/lib/minergate-exporter"]))]
    pub(super) state_directory: Option<PathBuf>,
    /// The part of the accounts that this instance polls, if several instances share one configuration: `1/3` is the first of three. Left
    /// out: all.
    #[schemars(extend("x-flag" = "shard I/N"))]
    pub(super) shard: Option<Shard>,
    pub(super) api: Api,
    pub(super) pools: Vec<Pool>,
    pub(super) poll: Poll,
    pub(super) web: Web,
    pub(super) log: Log,
    pub(super) accounts: Vec<Account>,
}

impl Raw {
    /// The configuration as the exporter runs with it, or all mistakes in it.
    pub(super) fn checked(self, purpose: Purpose, file: Option<PathBuf>) -> Result<Config, Vec<KeyError>> {
        let mut errors = Vec::new();
        let api = self.api.settings(&mut errors);
        let intervals = self.poll.intervals(&mut errors);
        self.web.check(&mut errors);
        if self.max_workers > MOST_WORKERS {
            errors.push(KeyError::new(["max_workers"], format!("out of range; give 0 to {MOST_WORKERS}")));
        }
        let pools = self.pools(&mut errors);
        let Accounts { at_api, wallets, logins } = self.accounts(&mut errors);
        errors.extend(match purpose {
            Purpose::Gateway => errors.is_empty().then(|| missing_for_gateway(&wallets, &logins)).flatten(),
            Purpose::Query | Purpose::Poll => self.nothing_to_poll(purpose, errors.is_empty()),
        });
        if !errors.is_empty() {
            return Err(errors);
        }
        let owns = |kind: &str, name: &str| self.shard.is_none_or(|shard| shard.owns(kind, name));
        let mut decimals = self.decimals;
        for pool in pools.iter().filter(|pool| !currency::is_documented(&pool.currency)) {
            decimals.entry(pool.currency.to_string()).or_insert(pool.decimals);
        }
        let plan = Plan {
            intervals,
            currencies: self.currencies.map(|codes| codes.into_iter().filter(|code| owns("currency", code)).collect()),
            api: api.is_some(),
            pool: owns("pool", ""),
            reading: Arc::new(ReadOptions {
                decimals: Decimals::new(decimals),
                optional_metrics: self.optional_metrics,
                max_workers: self.max_workers,
                currencies_of_pools: pools.iter().map(|pool| pool.currency.clone()).collect(),
            }),
            requests_per_second: api.as_ref().map_or(Settings::REQUESTS_PER_SECOND, |api| api.requests_per_second),
            accounts: at_api.iter().filter(|(account, _)| owns("account", account.name())).cloned().collect(),
            // Wallets and pools need clients, which the pipeline makes.
            wallets: Vec::new(),
            pools: BTreeMap::new(),
            used_elsewhere: BTreeSet::new(),
        };
        let accounts = at_api.into_iter().map(|(account, _)| account).collect();
        let Raw { web, log, shard, state_directory, .. } = self;
        Ok(Config {
            api,
            accounts,
            pools,
            wallets,
            logins,
            plan,
            web,
            log,
            shard,
            accounts_only: false,
            state_directory,
            file,
        })
    }

    fn pools(&self, errors: &mut Vec<KeyError>) -> Vec<minergate_pools::Settings> {
        let mut names = BTreeSet::new();
        let mut pools = Vec::new();
        for (i, raw) in self.pools.iter().enumerate() {
            let mut own = Vec::new();
            pools.extend(raw.settings(&self.decimals, &mut own));
            if !names.insert(&raw.name) {
                own.push(KeyError::new(["name"], "is used twice; every pool needs a name of its own"));
            }
            errors.extend(own.into_iter().map(|one| one.within(&["pools", &i.to_string()])));
        }
        pools
    }

    fn accounts(&self, errors: &mut Vec<KeyError>) -> Accounts {
        let mut found = Accounts::default();
        let (mut names, mut places) = (BTreeSet::new(), Vec::new());
        for (i, raw) in self.accounts.iter().enumerate() {
            let mut own = Vec::new();
            if raw.has_wallets() {
                found.wallets.extend(wallets(raw, &self.pools, &mut own));
                if let Some(login) = raw.login(&mut own) {
                    found.logins.push((raw.name.as_str().into(), login));
                    places.push(i.to_string());
                }
            } else {
                let account = raw.account(self.state_directory.as_deref(), &mut own);
                found.at_api.extend(account.map(|account| (Arc::new(account), raw.endpoints.clone())));
            }
            if !names.insert(&raw.name) {
                own.push(KeyError::new(["name"], "is used twice; every account needs a name of its own"));
            }
            errors.extend(own.into_iter().map(|one| one.within(&["accounts", &i.to_string()])));
        }
        let mut identities = HashSet::new();
        for (place, (_, login)) in places.iter().zip(&found.logins) {
            let identity = Identity::of(login);
            let key = if let Identity::Email(_) = identity { "email" } else { "token" };
            if !identities.insert(identity) {
                let message = "another account with wallets has the same; the gateway could not distinguish the two";
                errors.push(KeyError::new(["accounts", place, key], message));
            }
        }
        found
    }

    /// The mistake if there is nothing to poll, or if the API is needed but its URL is not given.
    fn nothing_to_poll(&self, purpose: Purpose, is_right: bool) -> Option<KeyError> {
        let is_empty = self.accounts.is_empty() && self.currencies.as_ref().is_none_or(BTreeSet::is_empty);
        if is_empty && purpose == Purpose::Poll {
            let remedy = "give [[accounts]] or currencies, with --config.file or in the environment, or try the demo";
            return is_right.then(|| KeyError::new([], format!("nothing to poll; {remedy}")));
        }
        let is_covered = |code: &String| self.pools.iter().any(|pool| pool.currency == *code);
        let is_at_api = |account: &Account| !account.has_wallets();
        if self.accounts.iter().any(is_at_api) || self.accounts.is_empty() && self.pools.is_empty() {
            self.api.missing()
        } else if self.currencies.iter().flatten().all(is_covered) {
            None
        } else {
            let message = "no pool of [[pools]] has one of them; add a pool for it, or give api.base_url";
            self.api.missing().map(|_| KeyError::new(["currencies"], message))
        }
    }
}

/// The accounts, at the API and at pools.
#[derive(Default)]
struct Accounts {
    at_api: Vec<(Arc<api::Account>, Option<Vec<String>>)>,
    wallets: Vec<WalletConfig>,
    logins: Vec<(Arc<str>, Credentials)>,
}

/// What the gateway needs but is missing, if anything.
fn missing_for_gateway(wallets: &[WalletConfig], logins: &[(Arc<str>, Credentials)]) -> Option<KeyError> {
    let message = if wallets.is_empty() {
        "the gateway has nothing to serve: no account has wallets; give [[pools]], and [[accounts]] with wallets or wallet_files"
    } else {
        "nobody could log in to the gateway: no account with wallets has credentials; beside the wallets, give email with \
         password or password_file, or token or token_file"
    };
    logins.is_empty().then(|| KeyError::new([], message))
}

/// What a client of the gateway sends to identify its account.
#[derive(PartialEq, Eq, Hash)]
enum Identity<'a> {
    /// In lower case.
    Email(String),
    Token(&'a str),
    TokenFile(&'a Path),
}

impl Identity<'_> {
    fn of(login: &Credentials) -> Identity<'_> {
        match login {
            Credentials::Password { email, .. } => Identity::Email(email.to_ascii_lowercase()),
            Credentials::Token { token: Secret::Value(token), .. } => Identity::Token(token.expose_secret()),
            Credentials::Token { token: Secret::File { path, .. }, .. } => Identity::TokenFile(path),
        }
    }
}

fn max_workers() -> usize {
    Context::MAX_WORKERS
}
