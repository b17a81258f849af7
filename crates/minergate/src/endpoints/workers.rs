//! `GET /1.0/workers`: the account's active workers, by currency.

use std::time::Duration;

use super::{Spec, of_account};
use crate::answer::{Map, Number, object};
use crate::metric::Unit::HashesPerSecond;
use crate::metric::gauge;

/// The answer: currency code to its workers.
pub type Workers = Map<Worker>;

object! {
    /// The workers of one currency.
    pub struct Worker {
        pub miners_count: Number = "minersCount",
        /// Hashes per second.
        pub hashrate: Number = "hashrate",
        pub hashrate_rank: Number = "hashrateRank",
    }
}

pub static SPEC: Spec<Workers> = of_account("workers", "/1.0/workers")
    .every(Duration::from_secs(30))
    .sample(include_str!("workers.json"))
    .metrics(&[
        gauge("workers", "Number of the account's active workers")
            .labels(&["currency"])
            .field("minersCount")
            .shows_use()
            .read(|workers, out| out.put_all(workers.iter().map(|(currency, w)| ([currency], w.miners_count)))),
        gauge("workers_hashrate", "Hashrate of the account's active workers")
            .unit(HashesPerSecond)
            .labels(&["currency"])
            .field("hashrate")
            .shows_use()
            .read(|workers, out| out.put_all(workers.iter().map(|(currency, w)| ([currency], w.hashrate)))),
        gauge("workers_hashrate_rank", "Place of the account among the pool's miners by hashrate of its workers")
            .labels(&["currency"])
            .field("hashrateRank")
            .read(|workers, out| out.put_all(workers.iter().map(|(currency, w)| ([currency], w.hashrate_rank)))),
    ]);
