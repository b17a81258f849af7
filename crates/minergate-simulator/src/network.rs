//! The networks and the pool as a whole: latest blocks, top miners, and the most profitable currencies.

use serde::Serialize;

use super::EPOCH;
use super::coin::{COINS, Coin};
use super::noise::{Seed, Wave, real, whole};

/// Size of an average transaction in bytes.
const TRANSACTION_SIZE: u64 = 420;

/// The latest block of a network and the network's state, as the API reports them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Block {
    pub(super) hash: String,
    pub(super) height: u64,
    orphan: bool,
    /// Seconds since 1970.
    pub(super) timestamp: u64,
    pub(super) difficulty: u64,
    prev_block_hash: String,
    size_median: u64,
    #[serde(rename = "blockSize")]
    size: u64,
    tx_cumulative_size: u64,
    tx_count: u64,
    base_reward: f64,
    penalty: f64,
    pub(super) reward: f64,
    fee_summ: f64,
    already_generated_coins: f64,
    cumulative_tx_count: u64,
    reward_blocks_window: u64,
    full_reward_max_block_size: u64,
    instant_hashrate: f64,
}

impl Block {
    pub(super) fn last(seed: Seed, coin: &Coin, now: f64) -> Block {
        let seed = seed.of("network").of(coin.code);
        let latest = whole((now - EPOCH) / coin.period);
        let index = if time(seed, coin, latest) <= now { latest } else { latest.saturating_sub(1) };
        let of_block = seed.of("block").nth(index);

        let time = time(seed, coin, index);
        let difficulty = whole(coin.hashrate * coin.period * Wave::new(seed.of("wave"), 0.1).at(time - EPOCH));
        let cumulative_tx_count = transactions(seed, coin, index);
        let tx_count = cumulative_tx_count - transactions(seed, coin, index.saturating_sub(1)).min(cumulative_tx_count);
        let tx_cumulative_size = tx_count * TRANSACTION_SIZE;
        let size = tx_cumulative_size + 44;
        let size_median = whole(coin.block_transactions * real(TRANSACTION_SIZE)) + 44;
        let full_reward_max_block_size = (size_median * 9 / 5).max(20_000);
        let excess = (real(size) / real(full_reward_max_block_size) - 1.0).max(0.0);
        let penalty = coin.reward * excess * excess;
        let fee_summ =
            coin.payable(coin.reward * real(tx_count - tx_count.min(1)) * of_block.of("fees").between(1e-5, 5e-5));
        Block {
            hash: hash(seed, index),
            height: coin.height + index,
            orphan: of_block.of("orphan").unit() < 0.002,
            timestamp: whole(time),
            difficulty,
            prev_block_hash: hash(seed, index.wrapping_sub(1)),
            size_median,
            size,
            tx_cumulative_size,
            tx_count,
            base_reward: coin.reward,
            penalty,
            reward: coin.reward - penalty + fee_summ,
            fee_summ,
            already_generated_coins: coin.supply + real(index) * coin.reward,
            cumulative_tx_count,
            reward_blocks_window: 100,
            full_reward_max_block_size,
            instant_hashrate: real(difficulty) / coin.period,
        }
    }
}

/// When a block was found. The delay is less than one period, so that blocks stay in order.
fn time(seed: Seed, coin: &Coin, index: u64) -> f64 {
    EPOCH + coin.period * (real(index) + seed.of("time").nth(index).between(0.0, 0.8))
}

fn hash(seed: Seed, index: u64) -> String {
    seed.of("hash").nth(index).hex(64)
}

/// Number of transactions up to a block. The deviation from the average is less than one block's transactions, so the number never falls.
fn transactions(seed: Seed, coin: &Coin, index: u64) -> u64 {
    let ahead = seed.of("transactions").nth(index).unit();
    coin.transactions + whole(coin.block_transactions * (real(index) + ahead))
}

/// One of the pool's top miners.
#[derive(Serialize)]
pub(super) struct Miner {
    hashrate: f64,
    nickname: String,
}

/// The ten top miners of a currency, highest hashrate first.
pub(super) fn strongest(seed: Seed, coin: &Coin, now: f64) -> Vec<Miner> {
    let seed = seed.of("strongest").of(coin.code);
    let miner = |place: u64| {
        let seed = seed.nth(place);
        let wave = Wave::new(seed, 0.15);
        Miner {
            hashrate: coin.worker * 200.0 / real(place) * wave.at(now - EPOCH),
            nickname: format!("miner-{}", seed.of("nickname").hex(4)),
        }
    };
    let mut miners: Vec<_> = (1..=10).map(miner).collect();
    miners.sort_by(|a, b| b.hashrate.total_cmp(&a.hashrate));
    miners
}

/// The currencies, most profitable first. The order changes over days.
pub(super) fn profit_rating(seed: Seed, now: f64) -> Vec<&'static str> {
    let profit = |coin: &Coin| {
        let seed = seed.of("profit").of(coin.code);
        seed.of("average").unit() + Wave::new(seed, 0.2).at((now - EPOCH) / 10.0)
    };
    let mut rating: Vec<_> = COINS.iter().map(|coin| (profit(coin), coin.code)).collect();
    rating.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    rating.into_iter().map(|(_, code)| code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_follow_each_other() {
        let seed = Seed::new(1);
        for coin in COINS {
            let mut last = Block::last(seed, coin, EPOCH + 5e7);
            for step in 1..300 {
                let now = EPOCH + 5e7 + 0.05 * coin.period * real(step);
                let block = Block::last(seed, coin, now);
                assert!(real(block.timestamp) <= now);
                assert!(now - real(block.timestamp) < 2.0 * coin.period + 1.0);
                if block.height != last.height {
                    assert_eq!(block.height, last.height + 1);
                    assert_eq!(block.prev_block_hash, last.hash);
                    assert_eq!(block.cumulative_tx_count, last.cumulative_tx_count + block.tx_count);
                }
                last = block;
            }
            assert!(last.tx_count >= 1, "a block holds its own reward's transaction");
        }
    }

    #[test]
    fn the_strongest_are_sorted() {
        let miners = strongest(Seed::new(1), &COINS[0], EPOCH + 5e7);
        assert_eq!(miners.len(), 10);
        assert!(miners.is_sorted_by(|a, b| a.hashrate >= b.hashrate));
    }
}
