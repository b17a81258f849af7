//! The result of `check`, in the form of its JSON.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use serde::Serialize;

use super::pools::{Pool, long_rounds};
use super::{alerts, pools};
use crate::config::{Config, ConfigError};
use crate::poller::{Plan, PollLoop};
use crate::server::Web;
use minergate::api::Credentials;
use minergate::duration;
use minergate::endpoints::{ENDPOINTS, Scope};

/// Maximum number of accounts whose secrets are read at once.
const FILES_AT_ONCE: usize = 64;

/// The whole result.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// There are no errors; there can be warnings.
    pub(super) ok: bool,
    pub(super) errors: Vec<String>,
    pub(super) warnings: Vec<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<ConfigSummary>,
    /// The result for each endpoint, with `--online`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) online: Option<Vec<Poll>>,
}

/// What was read from the configuration.
#[derive(Debug, Serialize)]
pub(super) struct ConfigSummary {
    /// URL of the API. `None` if no requests go to the API.
    pub(super) base_url: Option<String>,
    /// Requests to the API.
    pub(super) requests: Option<Requests>,
    pub(super) pools: Vec<Pool>,
    pub(super) accounts: Vec<Account>,
    pub(super) endpoints: Vec<Endpoint>,
    /// Currencies whose networks are polled; `None` means those that the accounts use.
    pub(super) currencies: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Requests {
    /// Requests of all loops together, without logins and without the networks of currencies in use.
    pub(super) per_second: f64,
    /// `requests_per_second` of the API or the pool.
    pub(super) limit: f64,
    /// Factor by which the intervals become longer than configured; 1 if the requests are within the limit.
    pub(super) stretch: f64,
    pub(super) first_round: FirstRound,
}

/// The requests from the start until everything was polled once, without the networks of currencies in use.
#[derive(Debug, Serialize)]
pub(super) struct FirstRound {
    pub(super) polls: usize,
    /// One for each account with a password.
    pub(super) logins: usize,
    /// How long this takes at the limit.
    pub(super) seconds: f64,
}

impl FirstRound {
    /// How long it takes, for people: rounded up to whole seconds.
    pub(super) fn takes(&self) -> String {
        duration::print(Duration::from_secs_f64(self.seconds.ceil()))
    }
}

impl Requests {
    fn of_api(plan: &Plan, loops: &[PollLoop]) -> Requests {
        let polled: BTreeSet<&str> = loops.iter().filter_map(|l| Some(&**l.target.account()?.name())).collect();
        let logs_in = |account: &minergate::api::Account| matches!(account.credentials(), Credentials::Password { .. });
        let logins = plan.accounts.iter().filter(|(a, _)| logs_in(a) && polled.contains(&**a.name())).count();
        Requests::new(plan.requests_per_second, loops.iter().map(|l| l.plan.interval), logins)
    }

    /// The requests of loops with these intervals to a host with this limit.
    pub(super) fn new(limit: f64, intervals: impl Iterator<Item = Duration>, logins: usize) -> Requests {
        let (polls, per_second) =
            intervals.fold((0, 0.0), |(polls, sum), interval| (polls + 1, sum + 1.0 / interval.as_secs_f64()));
        #[expect(clippy::cast_precision_loss, reason = "no configuration has 2^52 loops")]
        let seconds = (polls + logins) as f64 / limit;
        let first_round = FirstRound { polls, logins, seconds };
        Requests { per_second, limit, stretch: (per_second / limit).max(1.0), first_round }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Account {
    pub(super) name: String,
    /// A description of how the account logs in. For an account with wallets: how clients of the gateway log in; `None` if they can't.
    pub(super) login: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) wallets: Vec<Wallet>,
    /// Its endpoints; `None` means all.
    pub(super) endpoints: Option<Vec<String>>,
}

/// A wallet, without its address.
#[derive(Debug, Serialize)]
pub(super) struct Wallet {
    pub(super) pool: String,
    pub(super) currency: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Endpoint {
    pub(super) name: &'static str,
    /// What it is polled for: `account`, `pool` or `network`.
    pub(super) scope: &'static str,
    /// `None` if it is off.
    pub(super) interval_seconds: Option<f64>,
    /// Number of loops: one for each account and wallet. For an endpoint of the pool: one for the API and one for each of `[[pools]]` that
    /// fills it. For networks: those that are known before the first answer.
    pub(super) loops: usize,
    /// The number of these loops that are at pools: one for each wallet, or for each of `[[pools]]`.
    pub(super) at_pools: usize,
}

/// The result of reading one endpoint.
#[derive(Debug, Serialize)]
pub(super) struct Poll {
    /// Empty for pool and networks.
    pub(super) account: String,
    pub(super) endpoint: &'static str,
    /// Empty except for networks.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) currency: String,
    pub(super) ok: bool,
    pub(super) seconds: f64,
    /// The kind of the failure, as in the log and the metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<&'static str>,
    /// A description of the values that were read, or the error.
    pub(super) words: String,
}

impl Report {
    /// The report about a configuration, without requests to the API.
    pub(super) async fn new(config: Result<Config, ConfigError>) -> (Report, Option<Config>) {
        let mut report = Report::default();
        let summary = async {
            let config = config?;
            anyhow::Ok((report.summarize(&config).await?, config))
        };
        let config = match summary.await {
            Ok((summary, config)) => {
                report.summary = Some(summary);
                Some(config)
            }
            Err(error) => {
                report.errors.extend(format!("{error:#}").lines().map(|line| line.trim().to_owned()));
                None
            }
        };
        report.ok = report.errors.is_empty();
        (report, config)
    }

    async fn summarize(&mut self, config: &Config) -> anyhow::Result<ConfigSummary> {
        let plan = &config.plan;
        let web = Web::load(config.web.config_file.as_deref())?;
        self.warnings = config.warnings().await.into_iter().chain(web.warnings()).collect();
        self.warnings.extend(unseen_by_alerts(plan)?);
        self.errors.extend(unreadable_secrets(config).await);
        // Without a URL, the API has no loops. It has none for the networks of currencies that a pool has.
        let is_at_api = |l: &PollLoop| l.key.subject.currency().is_none_or(|code| config.pool_of(code).is_none());
        let loops: Vec<_> = plan.loops().filter(|l| config.api.is_some() && is_at_api(l)).collect();
        let pool_loops = pools::loops(config);
        let pools = pools::pools(config, &pool_loops);
        let endpoint = |endpoint: &'static minergate::endpoints::Endpoint| {
            let at_pools = pool_loops.iter().filter(|(_, at_pool, _)| at_pool.name == endpoint.name).count();
            Endpoint {
                name: endpoint.name,
                scope: match endpoint.scope {
                    Scope::Account => "account",
                    Scope::Pool => "pool",
                    Scope::Network => "network",
                },
                interval_seconds: plan.intervals.get(endpoint).as_ref().map(Duration::as_secs_f64),
                loops: loops.iter().filter(|l| l.plan.endpoint.name == endpoint.name).count() + at_pools,
                at_pools,
            }
        };
        let requests = config.api.is_some().then(|| Requests::of_api(plan, &loops));
        self.warnings.extend(requests.iter().filter_map(|requests| long_first_round(requests, &loops)));
        self.warnings.extend(long_rounds(&pools, plan.intervals.stale_after));
        Ok(ConfigSummary {
            base_url: config.api.as_ref().map(|api| api.base_url.to_string()),
            requests,
            pools,
            accounts: accounts(config),
            endpoints: ENDPOINTS.iter().map(endpoint).collect(),
            currencies: plan.currencies.as_ref().map(|codes| codes.iter().cloned().collect()),
        })
    }
}

/// Errors of the secrets and addresses that can't be read, with their accounts.
async fn unreadable_secrets(config: &Config) -> Vec<String> {
    let accounts = config.plan.accounts.iter();
    let accounts = accounts.map(async |(account, _)| (account.name(), account.read_secrets().await));
    let logins = config.logins.iter().flat_map(|(name, login)| login.secrets().map(move |secret| (name, secret)));
    let logins = logins.map(async |(name, secret)| (name, secret.read().await.map(drop)));
    let of_accounts = all(accounts).await.into_iter().chain(all(logins).await);
    let of_accounts = of_accounts.filter_map(|(name, read)| Some(format!("account {name}: {}", read.err()?)));
    let addresses = all(config.own_wallets().map(|wallet| config.address(wallet))).await;
    of_accounts.chain(addresses.into_iter().filter_map(Result::err)).collect()
}

/// The results of reading secrets, in their order.
async fn all<F: Future>(reads: impl Iterator<Item = F>) -> Vec<F::Output> {
    stream::iter(reads).buffered(FILES_AT_ONCE).collect().await
}

/// The accounts of this instance: those at the API, and those with wallets.
fn accounts(config: &Config) -> Vec<Account> {
    let at_api = config.plan.accounts.iter().map(|(account, endpoints)| Account {
        name: account.name().to_string(),
        login: Some(account.credentials().description()),
        wallets: Vec::new(),
        endpoints: endpoints.clone(),
    });
    let mut accounts: Vec<Account> = at_api.collect();
    for wallet in config.own_wallets() {
        let pool = &config.pools[wallet.pool];
        let of_pool = Wallet { pool: pool.name.to_string(), currency: pool.currency.to_string() };
        match accounts.last_mut().filter(|last| *last.name == *wallet.account) {
            Some(account) => account.wallets.push(of_pool),
            None => accounts.push(Account {
                name: wallet.account.to_string(),
                login: config.logins.iter().find(|(name, _)| *name == wallet.account).map(|(_, login)| login.description()),
                wallets: vec![of_pool],
                endpoints: wallet.endpoints.clone(),
            }),
        }
    }
    accounts
}

/// A warning if the first round takes longer than the shortest interval of an account. If intervals are stretched, this is always so.
fn long_first_round(requests: &Requests, loops: &[PollLoop]) -> Option<String> {
    let FirstRound { polls, logins, seconds } = requests.first_round;
    let shortest = loops.iter().filter(|l| l.target.account().is_some()).min_by_key(|l| l.plan.interval)?;
    let (key, interval) = (shortest.plan.endpoint.name, shortest.plan.interval);
    if seconds <= interval.as_secs_f64() {
        return None;
    }
    let takes = requests.first_round.takes();
    let enough = (seconds * requests.limit / interval.as_secs_f64()).ceil();
    let interval = duration::print(interval);
    Some(format!(
        "after a start, {polls} polls and {logins} logins take {takes} at api.requests_per_second = {}, longer than the shortest interval of \
         an account ({interval} of poll.{key}), and until then values are missing; set it to {enough} or more if the host allows it, or \
         poll less",
        requests.limit
    ))
}

/// Warnings about endpoints that are off although shipped alerts use them.
fn unseen_by_alerts(plan: &Plan) -> anyhow::Result<Vec<String>> {
    let alerts = alerts::by_endpoint()?;
    let off = ENDPOINTS.iter().filter(|endpoint| plan.intervals.get(endpoint).is_none());
    let warnings = off.filter_map(|endpoint| {
        let alerts: Vec<&str> = alerts.get(endpoint.name)?.iter().map(String::as_str).collect();
        let default = duration::print(endpoint.interval);
        let (key, names) = (endpoint.name, alerts.join(", "));
        Some(format!(
            "poll.{key} is off, and the shipped alerts that look at it see nothing: {names}; its default is {default}"
        ))
    });
    Ok(warnings.collect())
}
