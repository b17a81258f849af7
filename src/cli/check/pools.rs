//! The pools in the report of `check`: their wallets, their requests, and the duration of a round.

use std::time::Duration;

use serde::Serialize;

use super::report::Requests;
use crate::config::Config;
use minergate::duration;
use minergate::endpoints::{ENDPOINTS, Endpoint, Scope};

/// A pool. Only the host of its URL is shown, because the path could contain personal data.
#[derive(Debug, Serialize)]
pub(super) struct Pool {
    pub(super) name: String,
    pub(super) software: &'static str,
    /// The host of its URL, with the port if the URL has one.
    pub(super) host: String,
    pub(super) currency: String,
    /// Wallets that this instance polls there.
    pub(super) wallets: usize,
    /// An upper limit, because several polls can share an answer.
    pub(super) requests: Requests,
    pub(super) burst: f64,
    pub(super) concurrency: usize,
}

/// A loop at a pool: the pool's index in the configuration, the endpoint, the interval.
pub(super) type PoolLoop = (usize, &'static Endpoint, Duration);

/// All loops of this instance at pools.
pub(super) fn loops(config: &Config) -> Vec<PoolLoop> {
    let mut loops = Vec::new();
    for endpoint in ENDPOINTS {
        let Some(interval) = config.plan.intervals.get(endpoint) else { continue };
        let can = |place: &usize| config.pools[*place].software.fills(endpoint.name);
        let places: Vec<usize> = if endpoint.scope == Scope::Account {
            let wants =
                |names: &Option<Vec<String>>| names.as_ref().is_none_or(|names| names.iter().any(|n| n == endpoint.name));
            config.own_wallets().filter(|wallet| wants(&wallet.endpoints)).map(|wallet| wallet.pool).collect()
        } else {
            (0..config.pools.len()).filter(|place| has_network(config, *place)).collect()
        };
        loops.extend(places.into_iter().filter(can).map(|place| (place, endpoint, interval)));
    }
    loops
}

/// Whether this instance polls the network of the pool's currency at this pool.
fn has_network(config: &Config, place: usize) -> bool {
    let currency = &*config.pools[place].currency;
    let is_in_use = match &config.plan.currencies {
        Some(codes) => codes.contains(currency),
        // Wallets that another instance polls count too.
        None => config.wallets.iter().any(|wallet| *config.pools[wallet.pool].currency == *currency),
    };
    is_in_use && config.pool_of(currency) == Some(place) && config.owns_currency(currency)
}

/// The pools, in the order of the configuration.
pub(super) fn pools(config: &Config, loops: &[PoolLoop]) -> Vec<Pool> {
    let pool = |(place, pool): (usize, &minergate_pools::Settings)| {
        let intervals = loops.iter().filter(|(at, ..)| *at == place).map(|(.., interval)| *interval);
        let url = &pool.http.base_url;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Pool {
            name: pool.name.to_string(),
            software: pool.software.name,
            host: format!("{}{port}", url.host_str().unwrap_or_default()),
            currency: pool.currency.to_string(),
            wallets: config.own_wallets().filter(|wallet| wallet.pool == place).count(),
            requests: Requests::new(pool.http.requests_per_second, intervals, 0),
            burst: pool.http.burst(),
            concurrency: pool.http.concurrency,
        }
    };
    config.pools.iter().enumerate().map(pool).collect()
}

/// Warnings about pools where a round of all polls takes longer than `poll.stale_after`.
pub(super) fn long_rounds(pools: &[Pool], stale_after: Duration) -> impl Iterator<Item = String> {
    pools.iter().filter_map(move |Pool { name, requests, .. }| {
        let (round, limit) = (&requests.first_round, requests.limit);
        if round.seconds <= stale_after.as_secs_f64() {
            return None;
        }
        let takes = round.takes();
        let enough = (round.seconds * limit / stale_after.as_secs_f64()).ceil();
        Some(format!(
            "pool {name}: a round of {} polls takes up to {takes} at requests_per_second = {limit}, longer than poll.stale_after ({}), and \
             until it ends values are missing; set requests_per_second to {enough} or more if the pool allows it, or poll less",
            round.polls,
            duration::print(stale_after),
        ))
    })
}
