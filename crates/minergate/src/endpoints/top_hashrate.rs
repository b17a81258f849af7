//! `GET /1.0/pool/top/hashrate`: the miners with the highest hashrates, by currency.

use std::time::Duration;

use super::{Spec, of_pool};
use crate::answer::{List, Map, Number, Text, object};
use crate::metric::Unit::HashesPerSecond;
use crate::metric::{Out, gauge, info};

/// Ranks: the documentation shows ten miners for each currency.
const PLACES: [&str; 10] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];

/// The answer: currency code to its miners, highest hashrate first.
pub type TopHashrate = Map<List<Miner>>;

object! {
    /// One of the pool's miners.
    pub struct Miner {
        /// Hashes per second.
        pub hashrate: Number = "hashrate",
        pub nickname: Text = "nickname",
    }
}

fn places(top: &TopHashrate, out: &mut Out<'_>, mut put: impl FnMut(&mut Out<'_>, &str, &str, &Miner)) {
    for (currency, miners) in top.iter() {
        for (place, miner) in PLACES.iter().zip(miners.iter()) {
            put(out, currency, place, miner);
        }
        out.cut(miners.iter().skip(PLACES.len()).map(|_| 1).sum());
    }
}

pub static SPEC: Spec<TopHashrate> = of_pool("top_hashrate", "/1.0/pool/top/hashrate")
    .every(Duration::from_secs(300))
    .sample(include_str!("top_hashrate.json"))
    .metrics(&[
        gauge("pool_top_hashrate", "Hashrate of the pool's top miners")
            .unit(HashesPerSecond)
            .labels(&["currency", "rank"])
            .field("hashrate")
            .read(|top, out| {
                places(top, out, |out, currency, rank, miner| out.put([currency, rank], miner.hashrate));
            }),
        info("pool_top_miner", "Nicknames of the pool's top miners")
            .labels(&["currency", "rank", "nickname"])
            .field("nickname")
            .optional()
            .read(|top, out| {
                places(top, out, |out, currency, rank, miner| {
                    if let Some(nickname) = miner.nickname.get() {
                        out.put([currency, rank, nickname], 1.0);
                    }
                });
            }),
    ]);
