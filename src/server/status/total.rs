//! The totals of all accounts in one currency. Different currencies are never added.

use serde::Serialize;

use super::currency::Currency;

/// Sums of the known values.
#[derive(Debug, Default, Serialize)]
pub(super) struct Total {
    /// Number of accounts that use the currency, as far as it is known.
    pub(super) accounts: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hashrate_hashes_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) workers: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) balance_coins: Option<f64>,
}

impl Total {
    pub(super) fn add(&mut self, currency: &Currency) {
        self.accounts += 1;
        for (sum, value) in [
            (&mut self.hashrate_hashes_per_second, currency.hashrate_hashes_per_second),
            (&mut self.workers, currency.workers),
            (&mut self.balance_coins, currency.balance_coins),
        ] {
            if let Some(value) = value {
                *sum.get_or_insert_default() += value;
            }
        }
    }
}
