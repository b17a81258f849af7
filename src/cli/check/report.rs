//! What `check` found, as its JSON has it.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use serde::Serialize;

use super::alerts;
use crate::config::{Config, ConfigError};
use crate::poller::{Loop, Plan};
use crate::server::Web;
use minergate::api::Credentials;
use minergate::duration;
use minergate::endpoints::{ENDPOINTS, Scope};

/// Accounts whose secrets are read at once.
const FILES_AT_ONCE: usize = 64;

/// The whole of it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// Nothing is wrong; there may be warnings.
    pub(super) ok: bool,
    pub(super) errors: Vec<String>,
    pub(super) warnings: Vec<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) understood: Option<Understood>,
    /// How each endpoint was read, with `--online`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) online: Option<Vec<Poll>>,
}

/// What the configuration was understood as.
#[derive(Debug, Serialize)]
pub(super) struct Understood {
    pub(super) base_url: String,
    pub(super) requests: Requests,
    pub(super) accounts: Vec<Account>,
    pub(super) endpoints: Vec<Endpoint>,
    /// Currencies whose networks are polled; nothing stands for those that the accounts use.
    pub(super) currencies: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Requests {
    /// Of all loops together, without logins, and without the networks of currencies in use.
    pub(super) per_second: f64,
    /// `api.requests_per_second`.
    pub(super) limit: f64,
    /// How many times as long as configured the intervals become; 1 where the requests are within the limit.
    pub(super) stretch: f64,
    pub(super) first_round: FirstRound,
}

/// What is sent after a start until everything was polled once, without the networks of currencies in use.
#[derive(Debug, Serialize)]
pub(super) struct FirstRound {
    pub(super) polls: usize,
    /// One for each account with a password.
    pub(super) logins: usize,
    /// How long that takes at the limit.
    pub(super) seconds: f64,
}

impl Requests {
    fn of(plan: &Plan, loops: &[Loop]) -> Requests {
        let polled: BTreeSet<&str> = loops.iter().filter_map(|l| Some(&**l.account.as_ref()?.name())).collect();
        let logs_in = |account: &minergate::api::Account| matches!(account.credentials(), Credentials::Password { .. });
        let logins = plan.accounts.iter().filter(|(a, _)| logs_in(a) && polled.contains(&**a.name())).count();
        let per_second: f64 = loops.iter().map(|l| 1.0 / l.plan.interval.as_secs_f64()).sum();
        let limit = plan.requests_per_second;
        #[expect(clippy::cast_precision_loss, reason = "no configuration has 2^52 loops")]
        let seconds = (loops.len() + logins) as f64 / limit;
        let first_round = FirstRound { polls: loops.len(), logins, seconds };
        Requests { per_second, limit, stretch: (per_second / limit).max(1.0), first_round }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Account {
    pub(super) name: String,
    /// How it logs in, in words.
    pub(super) login: &'static str,
    /// Its endpoints; nothing stands for all.
    pub(super) endpoints: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Endpoint {
    pub(super) name: &'static str,
    /// What it is polled for: `account`, `pool` or `network`.
    pub(super) scope: &'static str,
    /// Nothing when it is off.
    pub(super) interval_seconds: Option<f64>,
    /// Accounts that it is polled for; 1 or 0 for the pool's; networks that are known before the first answer.
    pub(super) loops: usize,
}

/// How one endpoint was read.
#[derive(Debug, Serialize)]
pub(super) struct Poll {
    /// Empty for pool and networks.
    pub(super) account: String,
    pub(super) endpoint: &'static str,
    /// Empty for all but networks.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) currency: String,
    pub(super) ok: bool,
    pub(super) seconds: f64,
    /// The kind of the failure, as in the log and the metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<&'static str>,
    /// What was read, or why not.
    pub(super) words: String,
}

impl Report {
    /// What is to be said of a configuration without asking the API.
    pub(super) async fn new(config: Result<Config, ConfigError>) -> (Report, Option<Config>) {
        let mut report = Report::default();
        let understood = async {
            let config = config?;
            anyhow::Ok((report.understand(&config).await?, config))
        };
        let config = match understood.await {
            Ok((understood, config)) => {
                report.understood = Some(understood);
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

    async fn understand(&mut self, config: &Config) -> anyhow::Result<Understood> {
        let plan = &config.plan;
        let web = Web::load(config.web.config_file.as_deref())?;
        self.warnings = config.warnings().await.into_iter().chain(web.warnings()).collect();
        self.warnings.extend(unseen_by_alerts(plan)?);
        let reads = plan.accounts.iter().map(async |(account, _)| (account.name(), account.read_secrets().await));
        let reads: Vec<_> = stream::iter(reads).buffered(FILES_AT_ONCE).collect().await;
        let unreadable = reads.into_iter().filter_map(|(name, read)| Some((name, read.err()?)));
        self.errors.extend(unreadable.map(|(name, error)| format!("account {name}: {error}")));
        let loops: Vec<_> = plan.loops().collect();
        let endpoint = |endpoint: &'static minergate::endpoints::Endpoint| Endpoint {
            name: endpoint.name,
            scope: match endpoint.scope {
                Scope::Account => "account",
                Scope::Pool => "pool",
                Scope::Network => "network",
            },
            interval_seconds: plan.intervals.get(endpoint).as_ref().map(Duration::as_secs_f64),
            loops: loops.iter().filter(|l| l.plan.endpoint.name == endpoint.name).count(),
        };
        let requests = Requests::of(plan, &loops);
        self.warnings.extend(long_first_round(&requests, &loops));
        let account = |(account, endpoints): &(std::sync::Arc<minergate::api::Account>, Option<Vec<String>>)| Account {
            name: account.name().to_string(),
            login: account.credentials().words(),
            endpoints: endpoints.clone(),
        };
        Ok(Understood {
            base_url: config.api.base_url.to_string(),
            requests,
            accounts: plan.accounts.iter().map(account).collect(),
            endpoints: ENDPOINTS.iter().map(endpoint).collect(),
            currencies: plan.currencies.as_ref().map(|codes| codes.iter().cloned().collect()),
        })
    }
}

/// A first round that takes longer than the shortest interval of an account. Where intervals stretch, it always does.
fn long_first_round(requests: &Requests, loops: &[Loop]) -> Option<String> {
    let FirstRound { polls, logins, seconds } = requests.first_round;
    let shortest = loops.iter().filter(|l| l.account.is_some()).min_by_key(|l| l.plan.interval)?;
    let (key, interval) = (shortest.plan.endpoint.name, shortest.plan.interval);
    if seconds <= interval.as_secs_f64() {
        return None;
    }
    let takes = duration::print(Duration::from_secs_f64(seconds.ceil()));
    let enough = (seconds * requests.limit / interval.as_secs_f64()).ceil();
    let interval = duration::print(interval);
    Some(format!(
        "after a start, {polls} polls and {logins} logins take {takes} at api.requests_per_second = {}, longer than the shortest interval of \
         an account ({interval} of poll.{key}), and until then values are missing; set it to {enough} or more if the host allows it, or \
         poll less",
        requests.limit
    ))
}

/// Endpoints that are off, and that shipped alerts look at.
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
