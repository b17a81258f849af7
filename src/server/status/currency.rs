//! The values of accounts by currency, from their samples.

use std::collections::BTreeMap;
use std::sync::Arc;

use minergate::metric::Sample;
use serde::Serialize;

use super::total::Total;
use crate::blocks::Blocks;

/// By currency.
pub(super) type Currencies = BTreeMap<String, Currency>;

/// The values of an account in one currency. Unknown values are left out.
#[derive(Debug, Default, Serialize)]
pub(super) struct Currency {
    /// The name of the pool, if the account has a wallet there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pool: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hashrate_hashes_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) workers: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) balance_coins: Option<f64>,
    /// The ratio of good shares since the account began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) good_share_ratio: Option<f64>,
    /// Number of good shares, and of all shares.
    #[serde(skip)]
    shares: (f64, f64),
}

impl Currency {
    /// How a sample of a family is taken over. `None` if the family is not shown.
    fn setter(stem: &str) -> Option<fn(&mut Currency, Sample<'_>)> {
        Some(match stem {
            "workers" => |currency, one| currency.workers = Some(one.value),
            "workers_hashrate" => |currency, one| currency.hashrate_hashes_per_second = Some(one.value),
            "balance" => |currency, one| currency.balance_coins = Some(one.value),
            // Values of the mining statistics are only used if the newer ones of the workers' endpoint are missing.
            "mining_workers" => |currency, one| _ = currency.workers.get_or_insert(one.value),
            "mining_hashrate" => |currency, one| _ = currency.hashrate_hashes_per_second.get_or_insert(one.value),
            "mining_shares" => Currency::add_shares,
            _ => return None,
        })
    }

    fn add_shares(&mut self, one: Sample<'_>) {
        let (good, all) = &mut self.shares;
        *all += one.value;
        *good += if one.label("result") == Some("good") { one.value } else { 0.0 };
        self.good_share_ratio = (*all > 0.0).then_some(*good / *all);
    }

    /// Whether the account has, or had, something in this currency.
    fn is_used(&self) -> bool {
        let values = [self.hashrate_hashes_per_second, self.workers, self.balance_coins];
        values.into_iter().flatten().any(|value| value != 0.0) || self.shares.1 > 0.0
    }
}

/// The currencies that each account uses, by the account's name.
pub(super) fn by_account(sections: &[Arc<Blocks>]) -> BTreeMap<Arc<str>, Currencies> {
    let mut accounts: BTreeMap<Arc<str>, Currencies> = BTreeMap::new();
    for entry in sections.iter().flat_map(|blocks| blocks.entries()) {
        let Some(name) = entry.subject.account() else { continue };
        for (family, samples) in entry.samples.families() {
            let Some(set) = Currency::setter(family.stem) else { continue };
            for one in samples {
                let Some(code) = one.label("currency") else { continue };
                let currencies = accounts.entry(name.clone()).or_default();
                set(currencies.entry(code.to_owned()).or_default(), one);
            }
        }
    }
    // A balance lists every coin of the pool, so unused ones are removed.
    for currencies in accounts.values_mut() {
        currencies.retain(|_, currency| currency.is_used());
    }
    accounts
}

/// The totals of each currency.
pub(super) fn totals<'a>(accounts: impl Iterator<Item = &'a Currencies>) -> BTreeMap<String, Total> {
    let mut totals: BTreeMap<String, Total> = BTreeMap::new();
    for (code, currency) in accounts.flatten() {
        totals.entry(code.clone()).or_default().add(currency);
    }
    totals
}
