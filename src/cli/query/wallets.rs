//! `query` at pools: answers about an account's wallets, about networks, and about top miners.

use std::sync::Arc;

use anyhow::{anyhow, bail};
use futures_util::future::join_all;
use minergate::api::{Error, Result};
use minergate::endpoints::{Endpoint, Scope};
use minergate_pools::{Answer, Pool, Wallet};
use serde_json::value::RawValue;

use crate::config::Config;
use crate::explanation::explanation;
use crate::gateway::join;
use crate::health::Health;
use crate::pipeline::Hosts;
use crate::poller::Plan;

/// The answer about all wallets of an account, or about those of one currency, as the API's JSON.
pub(super) async fn of_account(
    endpoint: &'static Endpoint,
    account: &str,
    currency: Option<&str>,
    config: &Config,
) -> anyhow::Result<Box<RawValue>> {
    let plan = Hosts::default().reconfigured(config, &Arc::new(Health::default()))?.plan(config, &Plan::default());
    let is_asked = |wallet: &&Arc<Wallet>| {
        let pool = wallet.pool();
        let has_currency = currency.is_none_or(|code| *pool.settings().currency == *code);
        **wallet.account() == *account && pool.fills(endpoint) && has_currency
    };
    let asked: Vec<_> = plan.wallets.iter().map(|(wallet, _)| wallet).filter(is_asked).collect();
    if asked.is_empty() {
        bail!(
            "{}: no pool of the account {account} has that; docs/pools.md says what each software can fill",
            endpoint.name
        );
    }
    let answers = join_all(asked.iter().map(|wallet| wallet.answer(endpoint, None))).await;
    joined(endpoint, asked.iter().map(|wallet| wallet.pool()).zip(answers))
}

/// The answer about a currency's network, or about all pools, as the API's JSON. `None` if no pool has it.
pub(super) async fn of_pools(
    endpoint: &'static Endpoint,
    currency: Option<&str>,
    config: &Config,
) -> anyhow::Result<Option<Box<RawValue>>> {
    let hosts = Hosts::default().reconfigured(config, &Arc::new(Health::default()))?;
    let is_asked = |pool: &&Arc<Pool>| {
        let own = &*pool.settings().currency;
        let is_first = config.pool_of(own).is_some_and(|first| config.pools[first].name == pool.settings().name);
        is_first && pool.fills(endpoint) && currency.is_none_or(|code| code == own)
    };
    let asked: Vec<_> = hosts.pools.iter().filter(is_asked).collect();
    if asked.is_empty() {
        return Ok(None);
    }
    let answers = join_all(asked.iter().map(|pool| pool.answer(endpoint, None))).await;
    joined(endpoint, asked.into_iter().zip(answers)).map(Some)
}

/// All answers joined into one, or the first error with the name of its pool.
fn joined<'a>(
    endpoint: &Endpoint,
    answers: impl Iterator<Item = (&'a Arc<Pool>, Result<Answer>)>,
) -> anyhow::Result<Box<RawValue>> {
    let explained = |pool: &Arc<Pool>, error: Error| {
        let pool = &*pool.settings().name;
        anyhow!("pool {pool}: {}: {}", endpoint.name, explanation(&error, Some(pool)))
    };
    let json = answers.map(|(pool, answer)| answer.map(|answer| answer.json).map_err(|error| explained(pool, error)));
    let json: Vec<String> = json.collect::<anyhow::Result<_>>()?;
    // There is only one answer about a network, and the nickname is a text, so there is nothing to join.
    let json = match &*json {
        [one, ..] if endpoint.scope == Scope::Network || endpoint.name == "nickname" => one.clone(),
        all => join(endpoint, all).map_err(|_| anyhow!("{}: the pools' answers do not fit together", endpoint.name))?,
    };
    Ok(RawValue::from_string(json)?)
}
