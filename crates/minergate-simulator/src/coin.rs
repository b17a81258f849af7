//! The simulated networks: their properties, except code and decimals, which the `currency` module has.
//!
//! The magnitudes are from the years of the API's documentation.

use super::noise::real;
use minergate::currency::CURRENCIES;

/// One currency's network, as it was at the simulator's epoch.
#[derive(Debug)]
pub(super) struct Coin {
    pub(super) code: &'static str,
    /// Seconds from block to block.
    pub(super) period: f64,
    /// Coins paid for a block.
    pub(super) reward: f64,
    /// Hashes per second of the whole network.
    pub(super) hashrate: f64,
    /// Hashes per second of an ordinary worker.
    pub(super) worker: f64,
    pub(super) height: u64,
    /// Coins generated before the epoch.
    pub(super) supply: f64,
    /// Transactions before the epoch.
    pub(super) transactions: u64,
    /// Transactions in a block, on average.
    pub(super) block_transactions: f64,
}

#[rustfmt::skip]
pub(super) static COINS: &[Coin] = &[
    Coin { code: "aeon", period: 240.0, reward: 6.5,    hashrate: 3.0e6,  worker: 400.0, height: 600_000,   supply: 10.9e6,  transactions: 900_000,     block_transactions: 2.0 },
    Coin { code: "bcn",  period: 120.0, reward: 2500.0, hashrate: 4.0e7,  worker: 300.0, height: 940_000,   supply: 1.8e11,  transactions: 2_400_000,   block_transactions: 3.0 },
    Coin { code: "btc",  period: 600.0, reward: 25.0,   hashrate: 1.0e16, worker: 5.0e9, height: 395_000,   supply: 15.1e6,  transactions: 108_000_000, block_transactions: 1000.0 },
    Coin { code: "btg",  period: 600.0, reward: 12.5,   hashrate: 3.0e7,  worker: 300.0, height: 500_000,   supply: 16.7e6,  transactions: 280_000_000, block_transactions: 30.0 },
    Coin { code: "dsh",  period: 120.0, reward: 120.0,  hashrate: 1.0e6,  worker: 300.0, height: 600_000,   supply: 1.3e8,   transactions: 700_000,     block_transactions: 1.0 },
    Coin { code: "etc",  period: 14.0,  reward: 5.0,    hashrate: 5.0e11, worker: 2.0e7, height: 2_000_000, supply: 8.2e7,   transactions: 10_000_000,  block_transactions: 5.0 },
    Coin { code: "eth",  period: 14.0,  reward: 5.0,    hashrate: 2.0e12, worker: 2.0e7, height: 1_200_000, supply: 7.8e7,   transactions: 5_000_000,   block_transactions: 12.0 },
    Coin { code: "fcn",  period: 60.0,  reward: 4.0,    hashrate: 2.0e6,  worker: 300.0, height: 800_000,   supply: 5.1e6,   transactions: 900_000,     block_transactions: 1.0 },
    Coin { code: "inf8", period: 90.0,  reward: 3.0,    hashrate: 1.0e6,  worker: 300.0, height: 500_000,   supply: 4.2e6,   transactions: 600_000,     block_transactions: 1.0 },
    Coin { code: "ltc",  period: 150.0, reward: 25.0,   hashrate: 1.0e11, worker: 3.0e5, height: 925_000,   supply: 4.4e7,   transactions: 8_000_000,   block_transactions: 30.0 },
    Coin { code: "mcn",  period: 60.0,  reward: 15.0,   hashrate: 1.0e6,  worker: 300.0, height: 700_000,   supply: 1.5e8,   transactions: 800_000,     block_transactions: 1.0 },
    Coin { code: "qcn",  period: 120.0, reward: 7.0,    hashrate: 1.0e6,  worker: 300.0, height: 550_000,   supply: 5.5e6,   transactions: 650_000,     block_transactions: 1.0 },
    Coin { code: "xdn",  period: 240.0, reward: 300.0,  hashrate: 5.0e6,  worker: 300.0, height: 300_000,   supply: 5.2e9,   transactions: 500_000,     block_transactions: 2.0 },
    Coin { code: "xmr",  period: 120.0, reward: 7.2,    hashrate: 1.3e7,  worker: 300.0, height: 940_000,   supply: 1.09e7,  transactions: 1_480_000,   block_transactions: 5.0 },
    Coin { code: "zec",  period: 150.0, reward: 10.0,   hashrate: 1.0e8,  worker: 300.0, height: 150_000,   supply: 1.4e6,   transactions: 900_000,     block_transactions: 8.0 },
];

/// Every account mines at least one of these.
pub(super) const FAVOURITES: &[&str] = &["bcn", "fcn", "qcn", "xdn", "xmr"];

pub(super) fn find(code: &str) -> Option<&'static Coin> {
    COINS.iter().find(|coin| coin.code == code)
}

impl Coin {
    /// Average reward for one hash in coins, without the pool's fee.
    pub(super) fn per_hash(&self) -> f64 {
        0.985 * self.reward / (self.hashrate * self.period)
    }

    pub(super) fn decimals(&self) -> u8 {
        CURRENCIES.iter().find(|(code, ..)| *code == self.code).map_or(8, |(.., decimals)| *decimals)
    }

    /// Coins converted to the smallest unit.
    pub(super) fn atomic_units(&self, coins: f64) -> f64 {
        coins * 10f64.powi(self.decimals().into())
    }

    /// An amount that can be sent: a whole number of smallest units.
    pub(super) fn payable(&self, coins: f64) -> f64 {
        real(super::noise::whole(self.atomic_units(coins))) / self.atomic_units(1.0)
    }

    /// An amount as the API writes balances: `0`, or 20 fraction digits, with zeros after the coin's own decimals.
    pub(super) fn decimal_string(&self, coins: f64) -> String {
        if coins == 0.0 {
            return "0".to_owned();
        }
        let decimals = usize::from(self.decimals());
        format!("{coins:.decimals$}{:0<1$}", "", 20_usize.saturating_sub(decimals))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_currency_has_its_network() {
        let codes: Vec<_> = COINS.iter().map(|coin| coin.code).collect();
        assert_eq!(codes, CURRENCIES.iter().map(|(code, ..)| *code).collect::<Vec<_>>());
        assert!(FAVOURITES.iter().all(|code| find(code).is_some()));
    }

    #[test]
    fn a_balance_is_0_or_has_20_fraction_digits() {
        assert_eq!(find("xmr").unwrap().decimal_string(0.0), "0");
        assert_eq!(find("xmr").unwrap().decimal_string(0.5), "0.50000000000000000000");
        assert_eq!(find("eth").unwrap().decimal_string(2.25), "2.25000000000000000000");
    }
}
