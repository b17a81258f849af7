//! The networks of the currencies, from their samples.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::blocks::Blocks;

/// The known values of a network.
#[derive(Debug, Default, Serialize)]
pub(super) struct Network {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) block_height: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) block_timestamp_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) difficulty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hashrate_hashes_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) block_reward_coins: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) profit_rank: Option<f64>,
}

impl Network {
    /// The networks, by currency.
    pub(super) fn all(sections: &[Arc<Blocks>]) -> BTreeMap<String, Network> {
        let mut networks: BTreeMap<String, Network> = BTreeMap::new();
        // Pool and networks come before all accounts in the order.
        let entries = sections.iter().flat_map(|blocks| blocks.entries().take_while(|e| e.subject.account().is_none()));
        for entry in entries {
            for (family, samples) in entry.samples.families() {
                for one in samples {
                    let code = one.label("currency").or(entry.subject.currency().map(|code| &**code));
                    let Some(code) = code.filter(|_| Network::default().field(family.stem).is_some()) else { continue };
                    let network = networks.entry(code.to_owned()).or_default();
                    network.field(family.stem).into_iter().for_each(|field| *field = Some(one.value));
                }
            }
        }
        networks
    }

    /// The field for a family.
    fn field(&mut self, stem: &str) -> Option<&mut Option<f64>> {
        match stem {
            "pool_profit_rank" => Some(&mut self.profit_rank),
            "network_block_height" => Some(&mut self.block_height),
            "network_block_timestamp" => Some(&mut self.block_timestamp_seconds),
            "network_difficulty" => Some(&mut self.difficulty),
            "network_hashrate" => Some(&mut self.hashrate_hashes_per_second),
            "network_block_reward" => Some(&mut self.block_reward_coins),
            _ => None,
        }
    }
}
