//! The pool's answers. For an unknown wallet, each number is `false` and each amount is 0.

use serde_json::{Value, json};

use super::rig::{Rig, THRESHOLD, Work, first};
use super::{CURRENCY, PoolRequest};
use crate::EPOCH;
use crate::coin;
use crate::network::Block;
use crate::noise::{real, whole};

/// The port of Monero's daemon, which the software uses as the key of the currency.
const PORT: u64 = 18081;

const ALGORITHM: &str = "rx/0";

/// Number of decoys in Monero's transactions.
const MIXIN: u64 = 15;

pub(super) fn wallet_stats(request: &PoolRequest) -> Value {
    let [hashrate, last_share, algorithm, hashes, valid, invalid] = fields(request.rig.map(|rig| rig.work(request.now)));
    let amount = |amount: fn(&Rig, u64) -> u64| request.rig.map_or(0, |rig| amount(rig, request.now));
    json!({
        "hash": hashrate,
        "hash2": hashrate,
        "identifier": "global",
        "lastHash": last_share,
        "lastShareAlgo": algorithm,
        "totalHashes": hashes,
        "validShares": valid,
        "invalidShares": invalid,
        "amtPaid": amount(Rig::paid),
        "amtDue": amount(Rig::due),
        "txnCount": amount(Rig::payouts),
    })
}

/// All workers that the wallet ever had. A worker that is off has the hashrate 0.
pub(super) fn wallet_workers(request: &PoolRequest) -> Value {
    let all = ("global", request.rig.map(|rig| rig.work(request.now)));
    let workers = request.rig.iter().flat_map(|rig| &rig.workers);
    let workers = workers.map(|worker| (worker.name, Some(worker.work(request.now))));
    std::iter::once(all).chain(workers).map(|(name, work)| (name, worker(name, work))).collect()
}

fn worker(name: &str, work: Option<Work>) -> Value {
    let [hashrate, last_share, algorithm, hashes, valid, invalid] = fields(work);
    json!({
        "lts": last_share,
        // The misspelling is the software's.
        "identifer": name,
        "hash": hashrate,
        "hash2": hashrate,
        "lastShareAlgo": algorithm,
        "totalHash": hashes,
        "validShares": valid,
        "invalidShares": invalid,
    })
}

/// Hashrate, last share, algorithm, hashes, valid and invalid shares.
fn fields(work: Option<Work>) -> [Value; 6] {
    work.map_or([const { Value::Bool(false) }; 6], |work| {
        let Work { hashrate, last_share, hashes, valid, invalid } = work;
        [number(hashrate), last_share.into(), ALGORITHM.into(), hashes.into(), valid.into(), invalid.into()]
    })
}

/// A number as JavaScript writes it: without a point if it has no fraction.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { whole(value).into() } else { value.into() }
}

pub(super) fn wallet_payments(request: &PoolRequest) -> Value {
    let payments = request.rig.iter().flat_map(|rig| rig.payments(request.now).skip(request.skip).take(request.limit));
    let payment = payments.map(|payment| {
        json!({
            "pt": "pplns",
            "ts": payment.time,
            "amount": payment.amount,
            "txnHash": payment.transaction,
            "mixin": MIXIN,
        })
    });
    payment.collect()
}

/// An unknown wallet has the default threshold.
pub(super) fn wallet_user(request: &PoolRequest) -> Value {
    let (threshold, is_emailed) = request.rig.map_or((THRESHOLD, false), |rig| (rig.threshold, rig.is_emailed));
    json!({ "payout_threshold": threshold, "email_enabled": u8::from(is_emailed) })
}

pub(super) fn network_stats(request: &PoolRequest) -> Value {
    let Some(coin) = coin::find(CURRENCY) else { return Value::Null };
    let block = Block::last(request.pool.seed, coin, real(request.now));
    let network = json!({
        "difficulty": block.difficulty,
        "hash": block.hash,
        "height": block.height,
        "value": whole(coin.atomic_units(block.reward)),
        "ts": block.timestamp,
    });
    let mut answer = network.clone();
    answer["main_height"] = block.height.into();
    answer[PORT.to_string()] = network;
    answer
}

/// The wallets are the pool's only miners. Of the currencies that the software supports, the answer lists only its own.
pub(super) fn pool_stats(request: &PoolRequest) -> Value {
    let PoolRequest { pool, now, .. } = *request;
    let Some(coin) = coin::find(CURRENCY) else { return Value::Null };
    let hashes = |now| pool.rigs.iter().map(|rig| rig.hashes(now)).sum::<u64>();
    let blocks = |now| whole(real(hashes(now)) / (coin.hashrate * coin.period));
    let found = first(whole(EPOCH).min(now), now, |time| blocks(time) == blocks(now));
    let round = hashes(now) - hashes(found);
    let hashrate = number(pool.rigs.iter().map(|rig| rig.work(now).hashrate).sum());
    let payouts: Vec<u64> = pool.rigs.iter().map(|rig| rig.payouts(now)).collect();
    let due: u64 = pool.rigs.iter().map(|rig| rig.due(now)).sum();
    let (miners, port) = (pool.rigs.len(), PORT.to_string());
    let monero = json!({
        "port": PORT,
        "symbol": "XMR",
        "displayName": "XMR",
        "algo": ALGORITHM,
        "active": true,
        "profit": 0,
        "comment": "",
        "disabledReason": "",
        "hashrate": hashrate,
        "miners": miners,
        "pplnsShare": 0,
        "altBlocksFound": 0,
        "blockTime": whole(coin.period),
        "atomicUnits": whole(coin.atomic_units(1.0)),
        "exchangeConfigured": false,
    });
    let statistics = json!({
        "hashRate": hashrate,
        "miners": miners,
        "totalHashes": hashes(now),
        "lastBlockFoundTime": found,
        "lastBlockFound": Block::last(pool.seed, coin, real(found)).height,
        "totalBlocksFound": blocks(now),
        "totalMinersPaid": payouts.iter().filter(|payouts| **payouts > 0).count(),
        "totalPayments": payouts.iter().sum::<u64>(),
        "roundHashes": round,
        "totalAltBlocksFound": 0,
        "altBlocksFound": {},
        "activePort": PORT,
        "activePorts": [],
        "activePortProfit": 0,
        "coinProfit": {},
        "coinComment": {},
        "minBlockRewards": { &port: 0 },
        "pending": number(real(due) / coin.atomic_units(1.0)),
        "price": { "btc": 0, "usd": 0, "eur": 0 },
        "currentEfforts": { &port: round },
        "pplnsPortShares": {},
        "pplnsWindowTime": 0,
        "portHash": { &port: hashrate },
        "portMinerCount": { &port: miners },
        "portCoinAlgo": { &port: ALGORITHM },
        "coins": { &port: monero },
        "updatedAt": now,
    });
    json!({ "pool_list": ["pplns"], "pool_statistics": statistics, "last_payment": 0 })
}
