//! `GET /1.0/mining/stats`: the account's mining statistics by currency, with the additional keys `paymentModels` and `timestamp`.

use std::time::Duration;

use serde::Serialize;
use serde::de::MapAccess;

use super::{Spec, of_account};
use crate::answer::{Flag, FromJson, Map, Number, Text, is_default, next, object};
use crate::metric::Unit::{AtomicUnits, Coins, HashesPerSecond, Seconds};
use crate::metric::{counter, gauge, info};

/// Payment models in the API's documentation.
const MODELS: &[&str] = &["pplns", "pps"];

/// The answer.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MiningStats {
    /// Currency code to its statistics.
    #[serde(flatten)]
    pub currencies: Map<Mining>,
    /// Currency code to payment model.
    #[serde(rename = "paymentModels", skip_serializing_if = "is_default")]
    pub payment_models: Map<Text>,
    /// When the statistics were made, in milliseconds since 1970.
    #[serde(skip_serializing_if = "is_default")]
    pub timestamp: Number,
}

object! {
    /// The mining of one currency since the account began.
    pub struct Mining {
        /// In the currency's smallest unit.
        pub unconfirmed_balance: Number = "unconfirmedBalance",
        /// The former name of `unconfirmedBalance`.
        pub pool_balance: Number = "poolBalance",
        pub miners_count: Number = "minersCount",
        /// Hashes per second.
        pub hashrate: Number = "hashrate",
        pub hashrate_rank: Number = "hashrateRank",
        pub miner_online: Flag = "minerOnline",
        pub shares: Shares = "shares",
        /// Coins.
        pub pps_total_mined: Number = "ppsTotalMined",
        /// Coins.
        pub pplns_total_mined: Number = "pplnsTotalMined",
        pub blocks_found: Number = "blocksFound",
        /// Coins.
        pub total_mined: Number = "totalMined",
        /// Coins. Only at other pools than MinerGate: the balance that is paid out automatically.
        pub payout_threshold: Number = "payoutThreshold",
    }
}

object! {
    /// Shares since the account began: their number, and (`Eq`) their number weighted by difficulty.
    pub struct Shares {
        pub good: Number = "good",
        pub good_eq: Number = "goodEq",
        pub bad: Number = "bad",
        pub bad_eq: Number = "badEq",
        pub invalid: Number = "invalid",
        pub invalid_eq: Number = "invalidEq",
    }
}

impl FromJson for MiningStats {
    fn object<'de, A: MapAccess<'de>>(fields: A) -> Result<Option<Self>, A::Error> {
        let mut stats = MiningStats::default();
        let currencies = Map::beside(fields, |key, fields| {
            match key {
                "paymentModels" => stats.payment_models = next(fields)?.unwrap_or_default(),
                "timestamp" => stats.timestamp = next(fields)?.unwrap_or_default(),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(currencies.map(|currencies| MiningStats { currencies, ..stats }))
    }
}

impl Mining {
    fn unconfirmed(&self) -> Number {
        self.unconfirmed_balance.or(self.pool_balance)
    }
}

pub static SPEC: Spec<MiningStats> = of_account("mining_stats", "/1.0/mining/stats")
    .every(Duration::from_secs(60))
    .sample(include_str!("mining_stats.json"))
    .metrics(&[
        gauge("mining_workers", "Number of the account's workers")
            .labels(&["currency"])
            .field("minersCount")
            .shows_use()
            .read(|stats, out| out.put_all(stats.currencies.iter().map(|(currency, m)| ([currency], m.miners_count)))),
        gauge("mining_hashrate", "Hashrate of the account")
            .unit(HashesPerSecond)
            .labels(&["currency"])
            .field("hashrate")
            .shows_use()
            .read(|stats, out| out.put_all(stats.currencies.iter().map(|(currency, m)| ([currency], m.hashrate)))),
        gauge("mining_hashrate_rank", "Rank of the account among the pool's miners by hashrate")
            .labels(&["currency"])
            .field("hashrateRank")
            .read(|stats, out| out.put_all(stats.currencies.iter().map(|(currency, m)| ([currency], m.hashrate_rank)))),
        gauge("mining_online", "Whether the account's miner is online, 1 or 0")
            .labels(&["currency"])
            .field("minerOnline")
            .shows_use()
            .read(|stats, out| out.put_all(stats.currencies.iter().map(|(currency, m)| ([currency], m.miner_online)))),
        gauge("mining_unconfirmed_balance", "Balance of the account that is not confirmed yet")
            .unit(AtomicUnits)
            .labels(&["currency"])
            .field("unconfirmedBalance")
            .shows_use()
            .read(|stats, out| out.put_all(stats.currencies.iter().map(|(currency, m)| ([currency], m.unconfirmed())))),
        gauge("mining_unconfirmed_balance", "Balance of the account that is not confirmed yet")
            .unit(Coins)
            .labels(&["currency"])
            .field("unconfirmedBalance")
            .read(|stats, out| {
                for (currency, m) in stats.currencies.iter() {
                    let coins = m.unconfirmed().get().and_then(|units| out.context.decimals.coins(currency, units));
                    out.put([currency], coins);
                }
            }),
        counter("mining_shares", "Shares of the account since it began, by result")
            .labels(&["currency", "result"])
            .field("shares.good, bad, invalid")
            .shows_use()
            .read(|stats, out| {
                for (currency, Mining { shares, .. }) in stats.currencies.iter() {
                    out.put([currency, "good"], shares.good);
                    out.put([currency, "bad"], shares.bad);
                    out.put([currency, "invalid"], shares.invalid);
                }
            }),
        counter("mining_share_difficulty", "Shares of the account since it began, each weighted by its difficulty")
            .labels(&["currency", "result"])
            .field("shares.goodEq, badEq, invalidEq")
            .read(|stats, out| {
                for (currency, Mining { shares, .. }) in stats.currencies.iter() {
                    out.put([currency, "good"], shares.good_eq);
                    out.put([currency, "bad"], shares.bad_eq);
                    out.put([currency, "invalid"], shares.invalid_eq);
                }
            }),
        counter("mining_blocks_found", "Blocks that the account found since it began")
            .labels(&["currency"])
            .field("blocksFound")
            .shows_use()
            .read(|stats, out| out.put_all(stats.currencies.iter().map(|(currency, m)| ([currency], m.blocks_found)))),
        counter("mining_mined", "Coins that the account mined since it began")
            .unit(Coins)
            .labels(&["currency"])
            .field("totalMined")
            .shows_use()
            .read(|stats, out| out.put_all(stats.currencies.iter().map(|(currency, m)| ([currency], m.total_mined)))),
        counter("mining_mined_by_model", "Coins that the account mined since it began, by payment model")
            .unit(Coins)
            .labels(&["currency", "model"])
            .field("ppsTotalMined, pplnsTotalMined")
            .read(|stats, out| {
                for (currency, m) in stats.currencies.iter() {
                    out.put([currency, "pps"], m.pps_total_mined);
                    out.put([currency, "pplns"], m.pplns_total_mined);
                }
            }),
        info("mining_payment_model", "Payment model of the account's shares")
            .labels(&["currency", "model"])
            .field("paymentModels")
            .read(|stats, out| {
                for (currency, model) in stats.payment_models.iter() {
                    out.put([currency, model.known_word(MODELS)], model.get().map(|_| 1.0));
                }
            }),
        gauge("mining_payout_threshold", "Balance at which the pool pays out automatically; MinerGate does not give it")
            .unit(Coins)
            .labels(&["currency"])
            .field("payoutThreshold")
            .read(|stats, out| out.put_all(stats.currencies.iter().map(|(currency, m)| ([currency], m.payout_threshold)))),
        gauge("mining_stats_timestamp", "When the pool made the account's mining statistics")
            .unit(Seconds)
            .field("timestamp")
            .read(|stats, out| out.put([], stats.timestamp.milliseconds_as_seconds())),
    ]);
