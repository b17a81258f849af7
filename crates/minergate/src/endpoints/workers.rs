//! `GET /1.0/workers`: the account's active workers, by currency.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Scope, Spec};
use crate::answer::{Map, Number, Object};
use crate::metric::Unit::HashesPerSecond;
use crate::metric::gauge;

/// The answer: currency code to its workers.
pub type Workers = Map<Object<Worker>>;

/// The workers of one currency.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Worker {
    pub miners_count: Number,
    /// Hashes per second.
    pub hashrate: Number,
    pub hashrate_rank: Number,
}

pub static SPEC: Spec<Workers> = Spec {
    name: "workers",
    path: "/1.0/workers",
    part: None,
    former_path: None,
    scope: Scope::Account,
    interval: Duration::from_secs(30),
    sample: include_str!("workers.json"),
    metrics: &[
        gauge("workers", "Number of the account's active workers")
            .labels(&["currency"])
            .field("minersCount")
            .shows_use()
            .read(|workers, out| out.put_all(workers.iter().map(|(currency, Object(w))| ([currency], w.miners_count)))),
        gauge("workers_hashrate", "Hashrate of the account's active workers")
            .unit(HashesPerSecond)
            .labels(&["currency"])
            .field("hashrate")
            .shows_use()
            .read(|workers, out| out.put_all(workers.iter().map(|(currency, Object(w))| ([currency], w.hashrate)))),
        gauge("workers_hashrate_rank", "Place of the account among the pool's miners by hashrate of its workers")
            .labels(&["currency"])
            .field("hashrateRank")
            .read(|workers, out| out.put_all(workers.iter().map(|(currency, Object(w))| ([currency], w.hashrate_rank)))),
    ],
};
