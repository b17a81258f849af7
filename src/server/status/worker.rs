//! An account's workers, at pools that name them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::blocks::Blocks;
use crate::exposition::Filter;

#[derive(Debug, Default, Serialize)]
pub(super) struct Worker {
    pub(super) currency: String,
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hashrate_hashes_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_share_timestamp_seconds: Option<f64>,
}

impl Worker {
    /// The workers of an account: those without a hashrate come first, then by currency and name.
    pub(super) fn all(sections: &[Arc<Blocks>], account: &str) -> Vec<Worker> {
        let filter = Filter::Some { accounts: BTreeSet::from([account.to_owned()]), others: false };
        let mut workers: BTreeMap<(String, String), Worker> = BTreeMap::new();
        for entry in sections.iter().flat_map(|blocks| filter.entries(blocks)) {
            for (family, samples) in entry.samples.families() {
                let field: fn(&mut Worker) -> &mut Option<f64> = match family.stem {
                    "worker_hashrate" => |worker| &mut worker.hashrate_hashes_per_second,
                    "worker_last_share_timestamp" => |worker| &mut worker.last_share_timestamp_seconds,
                    _ => continue,
                };
                for one in samples {
                    let (Some(currency), Some(name)) = (one.text("currency"), one.text("worker")) else { continue };
                    *field(workers.entry((currency, name)).or_default()) = Some(one.value);
                }
            }
        }
        let named = workers.into_iter().map(|((currency, name), worker)| Worker { currency, name, ..worker });
        let mut workers: Vec<Worker> = named.collect();
        workers.sort_by_key(|worker| worker.hashrate_hashes_per_second.is_some_and(|hashrate| hashrate > 0.0));
        workers
    }
}
