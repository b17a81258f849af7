//! The table of pool softwares. To add one, write `software/x.rs`, put answers of it beside it, and add its line here.

/// A software that pools run.
#[derive(Debug)]
pub struct Software {
    /// Its name in the configuration.
    pub name: &'static str,
    /// The endpoints of the MinerGate API that it can fill.
    pub endpoints: &'static [&'static str],
}

impl Software {
    /// The software of that name.
    pub fn find(name: &str) -> Option<&'static Software> {
        SOFTWARES.iter().find(|software| software.name == name)
    }

    /// Decimals of the unit that it counts a currency's coins in, where that is known.
    pub fn decimals(&self, currency: &str) -> Option<u8> {
        match currency {
            "etc" | "eth" if self.name == "open-ethereum-pool" => Some(9),
            _ => minergate::currency::decimals(currency),
        }
    }
}

/// Every software.
pub static SOFTWARES: &[Software] = &[
    Software {
        name: "nodejs-pool",
        endpoints: &["workers", "mining_stats", "balance", "withdrawals", "nickname", "status"],
    },
    Software {
        name: "cryptonote-nodejs-pool",
        endpoints: &["workers", "mining_stats", "balance", "withdrawals", "nickname", "top_hashrate", "status"],
    },
    Software {
        name: "open-ethereum-pool",
        endpoints: &["workers", "mining_stats", "balance", "withdrawals", "nickname", "status"],
    },
];
