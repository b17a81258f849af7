//! `open-ethereum-pool`, run by Crazypool and others, and 2Miners' version of it. Amounts of ether and its like are in units of 9 decimals,
//! times in seconds.

use minergate::answer::{Integer, List, Map, Number, object};
use minergate::api::{self, decode};
use minergate::currency;
use minergate::endpoints::mining_stats::{Mining, Shares};
use minergate::endpoints::status::Status;
use minergate::endpoints::withdrawals::Withdrawal;
use minergate::endpoints::workers::{Miner, MinerShares, Worker};

use super::{Software, Source};
use crate::name::Names;
use crate::pool_error;
use crate::reading::{Context, Reading};
use crate::value::{Unsigned, is_online, milliseconds, rescaled};

pub(super) const SOFTWARE: Software = Software {
    name: "open-ethereum-pool",
    endpoints: &["workers", "mining_stats", "balance", "withdrawals", "nickname", "status"],
    root: "/api",
    decimals,
    sources: &[
        Source::of_wallet("/accounts/{address}", accounts).error(pool_error::of_wallet_or_empty).fills(&[
            "workers",
            "mining_stats",
            "balance",
            "withdrawals",
        ]),
        Source::of_pool("/stats", stats).fills(&["status"]),
    ],
    pages: None,
};

/// It counts ether in billionths of a coin, not in its smallest unit.
fn decimals(code: &str) -> Option<u8> {
    match code {
        "eth" | "etc" => Some(9),
        _ => currency::decimals(code),
    }
}

object! {
    /// A wallet, its workers and its payments.
    pub struct Accounts {
        pub current_hashrate: Number = "currentHashrate",
        pub workers_online: Number = "workersOnline",
        /// Shares: 2Miners only.
        pub shares_valid: Number = "sharesValid",
        pub shares_stale: Number = "sharesStale",
        pub shares_invalid: Number = "sharesInvalid",
        pub stats: Stats = "stats",
        pub workers: Map<OneWorker> = "workers",
        pub payments: List<Payment> = "payments",
    }
}

object! {
    /// A wallet's totals.
    pub struct Stats {
        pub balance: Integer = "balance",
        /// Earnings from blocks that are not confirmed yet.
        pub immature: Integer = "immature",
        pub blocks_found: Number = "blocksFound",
    }
}

object! {
    /// One worker.
    pub struct OneWorker {
        pub hashrate: Number = "hr",
        /// Seconds since 1970.
        pub last_beat: Number = "lastBeat",
        pub shares_valid: Number = "sharesValid",
        pub shares_stale: Number = "sharesStale",
        pub shares_invalid: Number = "sharesInvalid",
    }
}

object! {
    /// A payment to the wallet, without its transaction.
    pub struct Payment {
        pub amount: Unsigned = "amount",
        /// Seconds since 1970.
        pub timestamp: Number = "timestamp",
        /// 2Miners only.
        pub fee: Integer = "txFee",
    }
}

fn accounts(body: &[u8], context: &Context<'_>) -> api::Result<Reading> {
    let accounts: Accounts = decode(body)?;
    let names = Names::of(context.address);
    let miner = |(name, worker): (&str, &OneWorker)| Miner {
        name: names.shown(name),
        hashrate: worker.hashrate,
        last_share: milliseconds(worker.last_beat),
        shares: MinerShares { good: worker.shares_valid, bad: worker.shares_stale, invalid: worker.shares_invalid },
    };
    let payment = |payment: &Payment| Withdrawal {
        fee: context.coins(payment.fee),
        ..context.payment(payment.amount.0, payment.timestamp)
    };
    // If the currency's smallest unit is not known, the pool's unit is used.
    let smallest = currency::decimals(context.currency).unwrap_or(context.decimals);
    Ok(Reading {
        worker: Worker {
            miners_count: accounts.workers_online,
            hashrate: accounts.current_hashrate,
            miners: accounts.workers.iter().map(miner).collect(),
            ..Worker::default()
        },
        mining: Mining {
            unconfirmed_balance: rescaled(accounts.stats.immature, context.decimals, smallest),
            miner_online: is_online(accounts.workers_online),
            shares: Shares {
                good: accounts.shares_valid,
                bad: accounts.shares_stale,
                invalid: accounts.shares_invalid,
                ..Shares::default()
            },
            blocks_found: accounts.stats.blocks_found,
            ..Mining::default()
        },
        balance: context.coins(accounts.stats.balance),
        withdrawals: accounts.payments.iter().map(payment).collect(),
        ..Reading::default()
    })
}

object! {
    /// The pool and its network.
    pub struct PoolStats {
        pub nodes: List<Node> = "nodes",
    }
}

object! {
    /// A node of the pool. It reports the network's last block.
    pub struct Node {
        pub height: Number = "height",
        pub difficulty: Number = "difficulty",
        /// Hashes per second: 2Miners only.
        pub hashrate: Number = "networkhashps",
    }
}

fn stats(body: &[u8], _: &Context<'_>) -> api::Result<Reading> {
    let PoolStats { nodes } = decode(body)?;
    // The node with the highest block counts; the others lag behind.
    let heights = nodes.iter().filter_map(|node| Some((node.height.get()?, node)));
    let highest = heights.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, node)| node);
    let status = highest.map(|node| Status {
        height: node.height,
        difficulty: node.difficulty,
        instant_hashrate: node.hashrate,
        ..Status::default()
    });
    Ok(Reading { status: status.unwrap_or_default(), ..Reading::default() })
}

#[cfg(test)]
pub(super) const SAMPLES: &[(&str, &str)] = &[
    ("/accounts/{address}", include_str!("open_ethereum_pool/accounts.json")),
    ("/stats", include_str!("open_ethereum_pool/stats.json")),
];
