//! Warnings about pools and wallets: settings that work but should be changed.

use std::pin::pin;

use futures_util::StreamExt as _;
use futures_util::stream;
use minergate::{duration, file};
use minergate_pools::address;
use secrecy::ExposeSecret as _;
use tokio::time::{Instant, timeout_at};

use super::warnings::FILES_AT_ONCE;
use super::{Config, WalletConfig, warnings};

impl Config {
    /// Warnings about pools and wallets. An address that does not answer in time is left out.
    pub(super) async fn pool_warnings(&self) -> Vec<String> {
        let is_plain = |pool: &&minergate_pools::Settings| warnings::is_plain(&pool.http.base_url);
        let plain = self.pools.iter().filter(is_plain);
        let mut doubts: Vec<String> = plain
            .map(|pool| format!("pool {}: its url is not https: addresses can be read on the way", pool.name))
            .collect();
        doubts.extend(self.shared_hosts());
        doubts.extend(self.kept_too_long());
        doubts.extend(self.unfilled());
        let of_wallet = async |wallet: &WalletConfig| {
            let pool = &self.pools[wallet.pool];
            let address = self.address(wallet).await.ok()?;
            let doubt = address::doubt(&pool.currency, address.expose_secret())?;
            Some(format!("account {}: the address at {} {doubt}", wallet.account, pool.name))
        };
        let mut found = pin!(stream::iter(self.own_wallets()).map(of_wallet).buffered(FILES_AT_ONCE));
        let deadline = Instant::now() + file::TIMEOUT;
        while let Ok(Some(doubt)) = timeout_at(deadline, found.next()).await {
            doubts.extend(doubt);
        }
        doubts
    }

    /// Warnings about pools at the same host as another one.
    fn shared_hosts(&self) -> impl Iterator<Item = String> {
        self.pools.iter().enumerate().filter_map(|(place, pool)| {
            let host = pool.http.base_url.host_str();
            let other = self.pools[..place].iter().find(|other| other.http.base_url.host_str() == host)?;
            let (name, other) = (&pool.name, &other.name);
            Some(format!(
                "pool {name}: it is at the same host as {other}, which gets the requests of both; lower requests_per_second"
            ))
        })
    }

    /// Warnings about pools whose answers are reused longer than their values are shown.
    fn kept_too_long(&self) -> impl Iterator<Item = String> {
        let shown = self.plan.intervals.stale_after;
        self.pools.iter().filter(move |pool| pool.max_age > shown).map(move |pool| {
            let (name, kept, shown) = (&pool.name, duration::print(pool.max_age), duration::print(shown));
            format!("pool {name}: max_age ({kept}) is longer than poll.stale_after ({shown}), so values are missing in between; lower it")
        })
    }

    /// Warnings about endpoints that accounts name but none of their pools can fill.
    fn unfilled(&self) -> impl Iterator<Item = String> {
        self.wallets.chunk_by(|a, b| a.account == b.account).filter_map(|wallets| {
            let can = |name: &str| wallets.iter().any(|wallet| self.pools[wallet.pool].software.fills(name));
            let WalletConfig { account, endpoints, .. } = wallets.first()?;
            let unfilled: Vec<&str> = endpoints.iter().flatten().map(String::as_str).filter(|name| !can(name)).collect();
            let names = unfilled.join(", ");
            (!unfilled.is_empty())
                .then(|| format!("account {account}: its pools can't fill {names}; leave that out of endpoints"))
        })
    }
}
