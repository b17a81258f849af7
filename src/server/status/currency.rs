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
    fn shows(stem: &str) -> bool {
        ["mining_workers", "mining_hashrate", "workers", "workers_hashrate", "balance", "mining_shares"].contains(&stem)
    }

    /// Whether the account has, or had, something in this currency.
    fn is_used(&self) -> bool {
        let values = [self.hashrate_hashes_per_second, self.workers, self.balance_coins];
        values.into_iter().flatten().any(|value| value != 0.0) || self.shares.1 > 0.0
    }

    fn set(&mut self, stem: &str, one: Sample<'_>) {
        match stem {
            "workers" => self.workers = Some(one.value),
            "workers_hashrate" => self.hashrate_hashes_per_second = Some(one.value),
            "balance" => self.balance_coins = Some(one.value),
            // Values of the mining statistics are only used if the newer ones of the workers' endpoint are missing.
            "mining_workers" => drop(self.workers.get_or_insert(one.value)),
            "mining_hashrate" => drop(self.hashrate_hashes_per_second.get_or_insert(one.value)),
            _ => {
                let (good, all) = &mut self.shares;
                *all += one.value;
                *good += if one.label("result") == Some("good") { one.value } else { 0.0 };
                self.good_share_ratio = (*all > 0.0).then_some(*good / *all);
            }
        }
    }
}

/// The currencies that each account uses, by the account's name.
pub(super) fn by_account(sections: &[Arc<Blocks>]) -> BTreeMap<Arc<str>, Currencies> {
    let mut accounts: BTreeMap<Arc<str>, Currencies> = BTreeMap::new();
    for entry in sections.iter().flat_map(|blocks| blocks.entries()) {
        let Some(name) = entry.subject.account() else { continue };
        for (family, samples) in entry.samples.families().filter(|(family, _)| Currency::shows(family.stem)) {
            for one in samples {
                let Some(code) = one.label("currency") else { continue };
                let currencies = accounts.entry(name.clone()).or_default();
                match currencies.get_mut(code) {
                    Some(currency) => currency.set(family.stem, one),
                    None => currencies.entry(code.to_owned()).or_default().set(family.stem, one),
                }
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
        match totals.get_mut(code) {
            Some(total) => total.add(currency),
            None => totals.entry(code.clone()).or_default().add(currency),
        }
    }
    totals
}
