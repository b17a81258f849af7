//! The values of an upstream answer, and the API's JSON that is made from one or more of them.

use std::sync::Arc;
use std::time::Duration;

use minergate::answer::{Integer, List, Map, Number, is_default};
use minergate::api::{Error, Result};
use minergate::endpoints::mining_stats::{Mining, MiningStats, Shares};
use minergate::endpoints::status::Status;
use minergate::endpoints::top_hashrate;
use minergate::endpoints::withdrawals::Withdrawal;
use minergate::endpoints::workers::{Miner, Worker};
use serde::Serialize;

use super::value::seconds;

/// An abbreviated address identifies a wallet if it has at least this many characters.
const ENOUGH: usize = 8;

/// The account and the wallet of a request, and the units of the pool.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The account's name; empty in a request about the pool.
    pub account: &'a str,
    /// The wallet's address; empty in a request about the pool.
    pub address: &'a str,
    /// The code of the pool's coin.
    pub currency: &'a str,
    /// Decimals of the unit in which the pool counts coins.
    pub decimals: u8,
    /// The average time between two blocks of the currency.
    pub block_time: Duration,
}

impl Context<'_> {
    /// An amount in the pool's unit, as coins.
    pub(crate) fn coins(&self, units: Integer) -> Number {
        units.get().map(|units| Number::of_units(units, self.decimals)).unwrap_or_default()
    }

    /// A payment of an amount in the pool's unit, at a time in seconds.
    pub(crate) fn payment(&self, amount: Integer, time: Number) -> Withdrawal {
        Withdrawal {
            cc: self.currency.into(),
            amount: self.coins(amount),
            status: "finished".into(),
            created: seconds(time),
            ..Withdrawal::default()
        }
    }
}

/// The values read from an upstream answer. A value that the answer does not contain is missing.
#[derive(Default)]
pub(crate) struct Reading {
    /// The account's workers, without its rank.
    pub(crate) worker: Worker,
    /// The further values of mining/stats.
    pub(crate) mining: Mining,
    /// Coins.
    pub(crate) balance: Number,
    pub(crate) withdrawals: Vec<Withdrawal>,
    pub(crate) status: Status,
    /// The pool's miners, highest hashrate first.
    pub(crate) top: Vec<TopMiner>,
}

/// One of the pool's miners.
pub(crate) struct TopMiner {
    /// The beginning and the end of its address, with dots between.
    pub(crate) address: String,
    pub(crate) hashrate: Number,
}

impl TopMiner {
    /// Whether this is the miner with that address.
    fn is(&self, address: &str) -> bool {
        match self.address.split_once("...") {
            Some((start, end)) => start.len() + end.len() >= ENOUGH && address.starts_with(start) && address.ends_with(end),
            None => !address.is_empty() && self.address == address,
        }
    }
}

/// The JSON of an endpoint's answer. If two readings have the same value, the first counts.
pub(crate) fn compose(endpoint: &str, readings: &[Arc<Reading>], context: &Context<'_>) -> Result<String> {
    match endpoint {
        "workers" => json(&by_currency(context, worker(readings, context))),
        "mining_stats" => {
            let currencies = by_currency(context, mining(readings, context));
            json(&MiningStats { currencies, ..MiningStats::default() })
        }
        "balance" => json(&by_currency(context, first(readings, |reading| reading.balance))),
        "withdrawals" => json(&readings.iter().flat_map(|reading| &reading.withdrawals).collect::<List<_>>()),
        "nickname" => json(&context.account),
        "top_hashrate" => json(&by_currency(context, top(readings))),
        "status" => json(&readings.first().map(|reading| &reading.status)),
        _ => Err(Error::NotFound),
    }
}

fn worker(readings: &[Arc<Reading>], context: &Context<'_>) -> Worker {
    Worker {
        miners_count: first(readings, |reading| reading.worker.miners_count),
        hashrate: first(readings, |reading| reading.worker.hashrate),
        hashrate_rank: rank(readings, context.address),
        miners: readings.iter().flat_map(|reading| &reading.worker.miners).cloned().collect::<List<Miner>>(),
    }
}

fn mining(readings: &[Arc<Reading>], context: &Context<'_>) -> Mining {
    let online = readings.iter().map(|reading| reading.mining.miner_online).find(|flag| !is_default(flag));
    Mining {
        unconfirmed_balance: first(readings, |reading| reading.mining.unconfirmed_balance),
        miners_count: first(readings, |reading| reading.worker.miners_count),
        hashrate: first(readings, |reading| reading.worker.hashrate),
        hashrate_rank: rank(readings, context.address),
        miner_online: online.unwrap_or_default(),
        shares: Shares {
            good: first(readings, |reading| reading.mining.shares.good),
            good_eq: first(readings, |reading| reading.mining.shares.good_eq),
            bad: first(readings, |reading| reading.mining.shares.bad),
            invalid: first(readings, |reading| reading.mining.shares.invalid),
            ..Shares::default()
        },
        blocks_found: first(readings, |reading| reading.mining.blocks_found),
        payout_threshold: first(readings, |reading| reading.mining.payout_threshold),
        ..Mining::default()
    }
}

/// The pool's miners. They have no nickname, since it would be a part of an address.
fn top(readings: &[Arc<Reading>]) -> List<top_hashrate::Miner> {
    let miners = readings.iter().flat_map(|reading| &reading.top);
    miners.map(|miner| top_hashrate::Miner { hashrate: miner.hashrate, ..top_hashrate::Miner::default() }).collect()
}

/// The wallet's place in the pool's list of miners, if it is in the list.
fn rank(readings: &[Arc<Reading>], address: &str) -> Number {
    let mut places = (1..).zip(readings.iter().flat_map(|reading| &reading.top));
    places.find(|(_, miner)| miner.is(address)).map(|(place, _)| f64::from(place).into()).unwrap_or_default()
}

fn first(readings: &[Arc<Reading>], field: fn(&Reading) -> Number) -> Number {
    readings.iter().fold(Number::default(), |number, reading| number.or(field(reading)))
}

/// The value with the code of the pool's coin as its key. Empty if nothing of the value is given.
fn by_currency<T: Default + PartialEq>(context: &Context<'_>, value: T) -> Map<T> {
    let given = Some(value).filter(|value| !is_default(value));
    given.map(|value| (context.currency.to_owned(), value)).into_iter().collect()
}

pub(crate) fn json(answer: &impl Serialize) -> Result<String> {
    serde_json::to_string(answer).map_err(|_| Error::Shape { line: 0, column: 0 })
}
