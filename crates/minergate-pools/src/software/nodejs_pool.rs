//! `nodejs-pool`, run by SupportXMR, MoneroOcean and C3Pool. Amounts are in the coin's smallest unit, times of a wallet in seconds.

use minergate::answer::{FromJson, Integer, List, Map, Number, Text, object};
use minergate::api::{self, Error, decode};
use minergate::currency;
use minergate::endpoints::mining_stats::{Mining, Shares};
use minergate::endpoints::status::Status;
use minergate::endpoints::workers::{Miner, MinerShares, Worker};
use serde::Serialize;

use super::{Pages, Software, Source};
use crate::name::Names;
use crate::reading::{Context, Reading};
use crate::value::{active, is_online, milliseconds, network_hashrate, seconds};

/// Payments on one page: the most that the software allows.
const PAGE: usize = 100;

/// The key in `allWorkers` for all workers together.
const ALL: &str = "global";

pub(super) const SOFTWARE: Software = Software {
    name: "nodejs-pool",
    endpoints: &["workers", "mining_stats", "balance", "withdrawals", "nickname", "status"],
    root: "",
    decimals: currency::decimals,
    sources: &[
        // The list of payments is empty both for an unknown wallet and for one that was never paid. Only this path tells them apart.
        Source::of_wallet("/miner/{address}/stats", stats).fills(&["mining_stats", "balance", "withdrawals"]),
        Source::of_wallet("/miner/{address}/stats/allWorkers", all_workers).fills(&["workers", "mining_stats"]),
        Source::of_wallet("/miner/{address}/payments?page=0&limit=100", payments).fills(&["withdrawals"]),
        Source::of_wallet("/user/{address}", user).adds_to(&["mining_stats"]).seldom_changes(),
        Source::of_pool("/network/stats", network).fills(&["status"]),
    ],
    pages: Some(Pages {
        next: |pages, last| (last.len() >= PAGE).then(|| format!("/miner/{{address}}/payments?page={pages}&limit={PAGE}")),
        read: payments,
    }),
};

/// A number, or `false` if the pool has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Counted {
    number: Number,
    is_none: bool,
}

impl FromJson for Counted {
    fn number(number: f64) -> Option<Self> {
        Some(Counted { number: number.into(), is_none: false })
    }

    fn text(text: &str) -> Option<Self> {
        Number::text(text).map(|number| Counted { number, is_none: false })
    }

    fn boolean(boolean: bool) -> Option<Self> {
        (!boolean).then_some(Counted { number: Number::default(), is_none: true })
    }

    fn otherwise() -> Option<Self> {
        Some(Counted::default())
    }
}

/// Whether the pool does not know a wallet: at least one value is `false`, and none is a number.
fn is_unknown(counted: &[Counted]) -> bool {
    counted.iter().any(|counted| counted.is_none) && counted.iter().all(|counted| counted.number.get().is_none())
}

object! {
    /// A wallet's totals.
    pub struct Stats {
        pub hash: Counted = "hash",
        pub last_hash: Counted = "lastHash",
        pub total_hashes: Counted = "totalHashes",
        pub valid_shares: Counted = "validShares",
        pub invalid_shares: Counted = "invalidShares",
        pub amount_due: Integer = "amtDue",
        pub amount_paid: Integer = "amtPaid",
    }
}

fn stats(body: &[u8], context: &Context<'_>) -> api::Result<Reading> {
    let stats: Stats = decode(body)?;
    let counted = [stats.hash, stats.last_hash, stats.total_hashes, stats.valid_shares, stats.invalid_shares];
    let has_coins = [stats.amount_due, stats.amount_paid].iter().any(|amount| amount.get().unwrap_or(0) > 0);
    if is_unknown(&counted) && !has_coins {
        return Err(Error::WalletUnknown);
    }
    Ok(Reading {
        mining: Mining {
            shares: Shares {
                good: stats.valid_shares.number,
                good_eq: stats.total_hashes.number,
                invalid: stats.invalid_shares.number,
                ..Shares::default()
            },
            ..Mining::default()
        },
        balance: context.coins(stats.amount_due),
        ..Reading::default()
    })
}

object! {
    /// One worker, or all of them together.
    pub struct WorkerStats {
        /// Hashes per second of the pool's main coin. `hash2` is not read: it is weighted by profit.
        pub hash: Counted = "hash",
        /// Seconds since 1970.
        pub last_share: Counted = "lts",
        pub total_hash: Counted = "totalHash",
        pub valid_shares: Counted = "validShares",
        pub invalid_shares: Counted = "invalidShares",
    }
}

fn all_workers(body: &[u8], context: &Context<'_>) -> api::Result<Reading> {
    let all: Map<WorkerStats> = decode(body)?;
    // Without this key it is not a list of workers. The number of workers is then unknown, not 0.
    let Some(total) = all.get(ALL) else { return Ok(Reading::default()) };
    let counted = [total.hash, total.last_share, total.total_hash, total.valid_shares, total.invalid_shares];
    if is_unknown(&counted) && all.len() == 1 {
        return Err(Error::WalletUnknown);
    }
    let names = Names::of(context.address);
    let workers = || all.iter().filter(|(name, _)| *name != ALL);
    let hashrate = total.hash.number;
    Ok(Reading {
        worker: Worker {
            miners_count: active(workers().map(|(_, worker)| worker.hash.number)),
            hashrate,
            miners: workers().map(|(name, worker)| miner(names.shown(name), worker)).collect(),
            ..Worker::default()
        },
        mining: Mining { miner_online: is_online(hashrate), ..Mining::default() },
        ..Reading::default()
    })
}

fn miner(name: Text, worker: &WorkerStats) -> Miner {
    Miner {
        name,
        hashrate: worker.hash.number,
        last_share: milliseconds(worker.last_share.number),
        shares: MinerShares {
            good: worker.valid_shares.number,
            invalid: worker.invalid_shares.number,
            ..MinerShares::default()
        },
    }
}

object! {
    /// A payment to a wallet, without its transaction.
    pub struct Payment {
        /// Seconds since 1970.
        pub time: Number = "ts",
        pub amount: Integer = "amount",
    }
}

fn payments(body: &[u8], context: &Context<'_>) -> api::Result<Reading> {
    let payments: List<Payment> = decode(body)?;
    let payment = |payment: &Payment| context.payment(payment.amount, payment.time);
    Ok(Reading { withdrawals: payments.iter().map(payment).collect(), ..Reading::default() })
}

object! {
    /// A wallet's settings.
    pub struct User {
        pub payout_threshold: Integer = "payout_threshold",
    }
}

fn user(body: &[u8], context: &Context<'_>) -> api::Result<Reading> {
    let user: User = decode(body)?;
    let payout_threshold = context.coins(user.payout_threshold);
    Ok(Reading { mining: Mining { payout_threshold, ..Mining::default() }, ..Reading::default() })
}

object! {
    /// The last block of the pool's main coin.
    pub struct Network {
        pub difficulty: Number = "difficulty",
        pub height: Number = "height",
        /// The block's reward.
        pub value: Integer = "value",
        /// Seconds since 1970.
        pub time: Number = "ts",
    }
}

fn network(body: &[u8], context: &Context<'_>) -> api::Result<Reading> {
    let network: Network = decode(body)?;
    let status = Status {
        height: network.height,
        timestamp: seconds(network.time),
        difficulty: network.difficulty,
        instant_hashrate: network_hashrate(network.difficulty, context.block_time.as_secs_f64().into()),
        reward: context.coins(network.value),
        ..Status::default()
    };
    Ok(Reading { status, ..Reading::default() })
}

#[cfg(test)]
pub(super) const SAMPLES: &[(&str, &str)] = &[
    ("/miner/{address}/stats", include_str!("nodejs_pool/stats.json")),
    ("/miner/{address}/stats/allWorkers", include_str!("nodejs_pool/all_workers.json")),
    ("/miner/{address}/payments?page=0&limit=100", include_str!("nodejs_pool/payments.json")),
    ("/user/{address}", include_str!("nodejs_pool/user.json")),
    ("/network/stats", include_str!("nodejs_pool/network.json")),
];
