//! The configuration as it is written: the keys at the top, and the sections.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use minergate::currency::Decimals;
use schemars::JsonSchema;
use serde::Deserialize;

use super::account::Account;
use super::api::Api;
use super::error::Wrong;
use super::log::Log;
use super::poll::Poll;
use super::shard::Shard;
use super::web::Web;
use super::{Config, Purpose, codes};
use crate::poller::{Plan, Reading};

/// The whole configuration.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "The configuration of minergate-exporter")]
pub(super) struct Raw {
    /// Currencies whose networks are polled. Left out: those that the accounts' workers, mining statistics or balances name with
    /// something in them.
    #[serde(deserialize_with = "codes::currencies")]
    #[schemars(inner(regex(pattern = "^[a-z0-9_-]{1,16}$")), extend("examples" = [["xmr", "bcn"]]))]
    pub(super) currencies: Option<BTreeSet<String>>,
    /// Decimals of the smallest unit of coins that the exporter does not know, for `minergate_mining_unconfirmed_balance_coins`.
    #[serde(deserialize_with = "codes::decimals")]
    #[schemars(extend("propertyNames" = {"pattern": "^[a-z0-9_-]{1,16}$"}, "examples" = [{"newcoin": 8}]))]
    pub(super) decimals: BTreeMap<String, u8>,
    /// Metrics that are off by default and wanted all the same, by their full names: docs/metrics.md marks them.
    #[serde(deserialize_with = "codes::optional_metrics")]
    pub(super) optional_metrics: BTreeSet<String>,
    /// An existing directory for state that is kept across restarts: which TOTP codes were sent and which credentials were rejected,
    /// so that neither is sent again. The exporter does not create it, and warns where it can't write to it. Left out: systemd's
    /// `$STATE_DIRECTORY`, or no state is kept.
    #[schemars(extend("examples" = ["/var/lib/minergate-exporter"]))]
    pub(super) state_directory: Option<PathBuf>,
    /// The part of the accounts that this instance polls, where several share one configuration: `1/3` is the first of three. Left
    /// out: all.
    #[schemars(extend("flag" = "shard I/N"))]
    pub(super) shard: Option<Shard>,
    pub(super) api: Api,
    pub(super) poll: Poll,
    pub(super) web: Web,
    pub(super) log: Log,
    pub(super) accounts: Vec<Account>,
}

impl Raw {
    /// The configuration as what it makes run, or all that is wrong with it.
    pub(super) fn checked(self, purpose: Purpose, file: Option<PathBuf>) -> Result<Config, Vec<Wrong>> {
        let mut wrong = Vec::new();
        let api = self.api.settings(&mut wrong);
        let intervals = self.poll.intervals(&mut wrong);
        self.web.check(&mut wrong);
        let mut accounts = Vec::new();
        let mut names = BTreeSet::new();
        for (i, raw) in self.accounts.iter().enumerate() {
            let mut own = Vec::new();
            let account = raw.account(self.state_directory.as_deref(), &mut own);
            accounts.extend(account.map(|account| (Arc::new(account), raw.endpoints.clone())));
            if !names.insert(&raw.name) {
                own.push(Wrong::new(["name"], "stands twice; every account needs a name of its own"));
            }
            wrong.extend(own.into_iter().map(|one| one.within(&["accounts", &i.to_string()])));
        }
        let is_empty = self.accounts.is_empty() && self.currencies.as_ref().is_none_or(BTreeSet::is_empty);
        if !is_empty || purpose == Purpose::Ask {
            wrong.extend(self.api.missing());
        } else if wrong.is_empty() {
            let remedy = "give [[accounts]] or currencies, with --config.file or in the environment, or try the demo";
            wrong.push(Wrong::new([], format!("nothing to poll; {remedy}")));
        }
        let Some(api) = api.filter(|_| wrong.is_empty()) else { return Err(wrong) };
        let owns = |kind: &str, name: &str| self.shard.is_none_or(|shard| shard.owns(kind, name));
        let plan = Plan {
            intervals,
            currencies: self.currencies.map(|codes| codes.into_iter().filter(|code| owns("currency", code)).collect()),
            pool: owns("pool", ""),
            reading: Arc::new(Reading {
                decimals: Decimals::new(self.decimals),
                optional_metrics: self.optional_metrics,
                ..Reading::default()
            }),
            requests_per_second: api.requests_per_second,
            accounts: accounts.iter().filter(|(account, _)| owns("account", account.name())).cloned().collect(),
        };
        let accounts = accounts.into_iter().map(|(account, _)| account).collect();
        Ok(Config { api, accounts, plan, web: self.web, log: self.log, state_directory: self.state_directory, file })
    }
}
