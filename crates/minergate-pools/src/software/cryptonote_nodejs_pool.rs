//! `cryptonote-nodejs-pool`, run by HeroMiners, MoneroHash and others, and the older `node-cryptonote-pool`. The older software writes
//! hashrates as texts with a unit, and calls the workers `perWorkerStats`. Amounts are in the coin's smallest unit, times in seconds.

use minergate::answer::{FromJson as _, Integer, List, Number, Text, object};
use minergate::api::{self, decode};
use minergate::currency;
use minergate::endpoints::mining_stats::{Mining, Shares};
use minergate::endpoints::status::Status;
use minergate::endpoints::withdrawals::Withdrawal;
use minergate::endpoints::workers::{Miner, MinerShares, Worker};

use super::{Pages, Software, Source};
use crate::name::Names;
use crate::reading::{Context, Reading, TopMiner};
use crate::value::{Hashrate, Optional, Scalar, active, is_online, milliseconds, network_hashrate, seconds};

pub(super) const SOFTWARE: Software = Software {
    name: "cryptonote-nodejs-pool",
    endpoints: &["workers", "mining_stats", "balance", "withdrawals", "nickname", "top_hashrate", "status"],
    root: "",
    decimals: currency::decimals,
    sources: &[
        Source::of_wallet("/stats_address?address={address}&longpoll=false", stats_address).fills(&[
            "workers",
            "mining_stats",
            "balance",
            "withdrawals",
        ]),
        Source::of_wallet("/get_miner_payout_level?address={address}", payout_level)
            .adds_to(&["mining_stats"])
            .seldom_changes(),
        Source::of_pool("/get_top10miners", top10).fills(&["top_hashrate"]).adds_to(&["workers", "mining_stats"]),
        Source::of_pool("/stats", stats).fills(&["status"]),
    ],
    pages: Some(Pages { next: older_payments, read: get_payments }),
};

object! {
    /// A wallet, its workers and its latest payments.
    pub struct StatsAddress {
        pub stats: Stats = "stats",
        pub workers: Optional<List<OneWorker>> = "workers",
        /// The workers, in the older software.
        pub per_worker_stats: Optional<List<OneWorker>> = "perWorkerStats",
        pub payments: List<Scalar> = "payments",
    }
}

object! {
    /// A wallet's totals.
    pub struct Stats {
        pub hashes: Number = "hashes",
        /// Missing before the first block is unlocked.
        pub balance: Integer = "balance",
        pub hashrate: Hashrate = "hashrate",
        pub blocks_found: Number = "blocksFound",
    }
}

object! {
    /// One worker.
    pub struct OneWorker {
        pub name: Text = "name",
        /// The name, in the older software.
        pub worker_id: Text = "workerId",
        pub hashrate: Hashrate = "hashrate",
        /// Seconds since 1970.
        pub last_share: Number = "lastShare",
        pub shares_good: Number = "shares_good",
        pub shares_stale: Number = "shares_stale",
        pub shares_invalid: Number = "shares_invalid",
    }
}

fn stats_address(body: &[u8], context: &Context<'_>) -> api::Result<Reading> {
    let StatsAddress { stats, workers, per_worker_stats, payments } = decode(body)?;
    let names = Names::of(context.address);
    let workers = workers.0.or(per_worker_stats.0);
    let hashrate = stats.hashrate.0;
    // The older software leaves out the hashrate of a worker that is off.
    let idle = hashrate.get().map(|_| 0.0.into()).unwrap_or_default();
    let miner = |worker: &OneWorker| Miner {
        name: names.shown(worker.name.get().or(worker.worker_id.get()).unwrap_or_default()),
        hashrate: worker.hashrate.0,
        last_share: milliseconds(worker.last_share),
        shares: MinerShares { good: worker.shares_good, bad: worker.shares_stale, invalid: worker.shares_invalid },
    };
    Ok(Reading {
        worker: Worker {
            miners_count: workers
                .as_ref()
                .map(|workers| active(workers.iter().map(|worker| worker.hashrate.0.or(idle))))
                .unwrap_or_default(),
            hashrate,
            miners: workers.iter().flatten().map(miner).collect(),
            ..Worker::default()
        },
        mining: Mining {
            miner_online: is_online(hashrate),
            shares: Shares { good_eq: stats.hashes, ..Shares::default() },
            blocks_found: stats.blocks_found,
            ..Mining::default()
        },
        balance: context.coins(stats.balance),
        withdrawals: withdrawals(&payments, context),
        ..Reading::default()
    })
}

/// Payments come as pairs of `"transaction:amount:fee:mixin"` and a time in seconds. The fee is left out: it belongs to the whole
/// transaction, which pays many wallets.
fn withdrawals(payments: &List<Scalar>, context: &Context<'_>) -> Vec<Withdrawal> {
    let payments: Vec<&str> = payments.iter().map(|Scalar(text)| text.as_str()).collect();
    let (pairs, _) = payments.as_chunks::<2>();
    let payment = |[payment, time]: &[&str; 2]| {
        let amount = payment.split(':').nth(1).and_then(Integer::text);
        context.payment(amount.unwrap_or_default(), Number::text(time).unwrap_or_default())
    };
    pairs.iter().map(payment).collect()
}

fn get_payments(body: &[u8], context: &Context<'_>) -> api::Result<Reading> {
    Ok(Reading { withdrawals: withdrawals(&decode(body)?, context), ..Reading::default() })
}

/// The payments before the oldest one of the last page. If a page ends between two payments of the same second, the second one is missed.
fn older_payments(_: usize, last: &[Withdrawal]) -> Option<String> {
    let oldest = last.iter().filter_map(|payment| payment.created.get()).min_by(f64::total_cmp)?;
    Some(format!("/get_payments?time={oldest:.0}&address={{address}}"))
}

object! {
    /// The balance from which a wallet is paid.
    pub struct PayoutLevel {
        /// Coins.
        pub level: Number = "level",
    }
}

fn payout_level(body: &[u8], _: &Context<'_>) -> api::Result<Reading> {
    let PayoutLevel { level } = decode(body)?;
    Ok(Reading { mining: Mining { payout_threshold: level, ..Mining::default() }, ..Reading::default() })
}

object! {
    /// One of the pool's miners.
    pub struct OneTopMiner {
        pub miner: Text = "miner",
        pub hashrate: Hashrate = "hashrate",
    }
}

fn top10(body: &[u8], _: &Context<'_>) -> api::Result<Reading> {
    let miners: List<OneTopMiner> = decode(body)?;
    let miner = |miner: &OneTopMiner| TopMiner {
        address: miner.miner.get().unwrap_or_default().to_owned(),
        hashrate: miner.hashrate.0,
    };
    Ok(Reading { top: miners.iter().map(miner).collect(), ..Reading::default() })
}

object! {
    /// The pool and its network.
    pub struct PoolStats {
        pub config: Config = "config",
        pub last_block: Block = "lastblock",
        /// Newer versions: the number of blocks, one more than the last block's height. The older software: the last block itself.
        pub network: Block = "network",
    }
}

object! {
    /// How the pool is configured.
    pub struct Config {
        /// Seconds from one block to the next.
        pub block_seconds: Number = "coinDifficultyTarget",
    }
}

object! {
    /// A block.
    pub struct Block {
        pub difficulty: Number = "difficulty",
        pub height: Number = "height",
        /// Seconds since 1970.
        pub timestamp: Number = "timestamp",
        pub reward: Integer = "reward",
    }
}

fn stats(body: &[u8], context: &Context<'_>) -> api::Result<Reading> {
    let PoolStats { config, last_block, network } = decode(body)?;
    // Newer versions have the last block in `lastblock`, the older software in `network`. Only a block has a time.
    let last = [last_block, network].into_iter().find(|block| block.timestamp.get().is_some()).unwrap_or_default();
    let block_seconds = config.block_seconds.or(context.block_time.as_secs_f64().into());
    let status = Status {
        height: last.height,
        timestamp: seconds(last.timestamp),
        difficulty: last.difficulty,
        instant_hashrate: network_hashrate(last.difficulty, block_seconds),
        reward: context.coins(last.reward),
        ..Status::default()
    };
    Ok(Reading { status, ..Reading::default() })
}

#[cfg(test)]
pub(super) const SAMPLES: &[(&str, &str)] = &[
    ("/stats_address?address={address}&longpoll=false", include_str!("cryptonote_nodejs_pool/stats_address.json")),
    ("/get_miner_payout_level?address={address}", include_str!("cryptonote_nodejs_pool/payout_level.json")),
    ("/get_top10miners", include_str!("cryptonote_nodejs_pool/top10.json")),
    ("/stats", include_str!("cryptonote_nodejs_pool/stats.json")),
];
