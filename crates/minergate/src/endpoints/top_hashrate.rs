//! `GET /1.0/pool/top/hashrate`: the miners with the highest hashrates, by currency.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Scope, Spec};
use crate::answer::{List, Map, Number, Object, Text};
use crate::metric::Unit::HashesPerSecond;
use crate::metric::{Out, gauge, info};

/// Places that the documentation gives a currency.
const PLACES: [&str; 10] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];

/// The answer: currency code to its miners, highest hashrate first.
pub type TopHashrate = Map<List<Object<Miner>>>;

/// One of the pool's miners.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Miner {
    /// Hashes per second.
    pub hashrate: Number,
    pub nickname: Text,
}

fn places(top: &TopHashrate, out: &mut Out<'_>, mut put: impl FnMut(&mut Out<'_>, &str, &str, &Miner)) {
    for (currency, miners) in top.iter() {
        for (place, Object(miner)) in PLACES.iter().zip(miners.iter()) {
            put(out, currency, place, miner);
        }
        out.cut(miners.iter().skip(PLACES.len()).map(|_| 1).sum());
    }
}

pub static SPEC: Spec<TopHashrate> = Spec {
    name: "top_hashrate",
    path: "/1.0/pool/top/hashrate",
    part: None,
    former_path: None,
    scope: Scope::Pool,
    interval: Duration::from_secs(300),
    sample: include_str!("top_hashrate.json"),
    metrics: &[
        gauge("pool_top_hashrate", "Hashrate of the pool's strongest miners")
            .unit(HashesPerSecond)
            .labels(&["currency", "rank"])
            .field("hashrate")
            .read(|top, out| {
                places(top, out, |out, currency, rank, miner| out.put([currency, rank], miner.hashrate));
            }),
        info("pool_top_miner", "Nicknames of the pool's strongest miners")
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
    ],
};
