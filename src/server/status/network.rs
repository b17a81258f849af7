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
            let own = entry.subject.currency();
            for (family, samples) in entry.samples.families() {
                let field: fn(&mut Network) -> &mut Option<f64> = match family.stem {
                    "pool_profit_rank" => |network| &mut network.profit_rank,
                    "network_block_height" => |network| &mut network.block_height,
                    "network_block_timestamp" => |network| &mut network.block_timestamp_seconds,
                    "network_difficulty" => |network| &mut network.difficulty,
                    "network_hashrate" => |network| &mut network.hashrate_hashes_per_second,
                    "network_block_reward" => |network| &mut network.block_reward_coins,
                    _ => continue,
                };
                for one in samples {
                    let Some(code) = one.label("currency").or(own.map(|code| &**code)) else { continue };
                    *field(networks.entry(code.to_owned()).or_default()) = Some(one.value);
                }
            }
        }
        networks
    }
}
