//! `GET /1.0/{currency}/status`: the last block and the network of one currency.

use std::time::Duration;

use super::{Spec, of_network};
use crate::answer::{Flag, Number, object};
use crate::metric::Unit::{Blocks, Bytes, Coins, HashesPerSecond, Seconds};
use crate::metric::{counter, gauge};

object! {
    /// The answer, without the blocks' hashes.
    pub struct Status {
        pub height: Number = "height",
        /// Seconds since 1970.
        pub timestamp: Number = "timestamp",
        pub orphan: Flag = "orphan",
        pub difficulty: Number = "difficulty",
        /// Hashes per second.
        pub instant_hashrate: Number = "instantHashrate",
        /// Coins.
        pub base_reward: Number = "baseReward",
        /// Coins.
        pub reward: Number = "reward",
        /// Coins.
        pub penalty: Number = "penalty",
        /// Coins.
        pub fee_summ: Number = "feeSumm",
        /// Bytes.
        pub block_size: Number = "blockSize",
        /// Bytes.
        pub size_median: Number = "sizeMedian",
        /// Bytes.
        pub tx_cumulative_size: Number = "txCumulativeSize",
        pub tx_count: Number = "txCount",
        pub cumulative_tx_count: Number = "cumulativeTxCount",
        /// Coins.
        pub already_generated_coins: Number = "alreadyGeneratedCoins",
        /// Blocks.
        pub reward_blocks_window: Number = "rewardBlocksWindow",
        /// Bytes.
        pub full_reward_max_block_size: Number = "fullRewardMaxBlockSize",
    }
}

pub static SPEC: Spec<Status> = of_network("status", "/1.0/{currency}/status")
    .every(Duration::from_secs(60))
    .sample(include_str!("status.json"))
    .metrics(&[
        gauge("network_block_height", "Height of the network's last block")
            .field("height")
            .read(|status, out| out.put([], status.height)),
        gauge("network_block_timestamp", "When the network's last block was made")
            .unit(Seconds)
            .field("timestamp")
            .read(|status, out| out.put([], status.timestamp)),
        gauge("network_block_orphaned", "Whether the network's last block is an orphan, 1 or 0")
            .field("orphan")
            .read(|status, out| out.put([], status.orphan)),
        gauge("network_difficulty", "Difficulty of the network")
            .field("difficulty")
            .read(|status, out| out.put([], status.difficulty)),
        gauge("network_hashrate", "Hashrate of the whole network")
            .unit(HashesPerSecond)
            .field("instantHashrate")
            .read(|status, out| out.put([], status.instant_hashrate)),
        gauge("network_base_reward", "Reward for a block before penalty and fees")
            .unit(Coins)
            .field("baseReward")
            .read(|status, out| out.put([], status.base_reward)),
        gauge("network_block_reward", "Reward that the last block paid")
            .unit(Coins)
            .field("reward")
            .read(|status, out| out.put([], status.reward)),
        gauge("network_block_penalty", "Deduction from the last block's base reward because of its size")
            .unit(Coins)
            .field("penalty")
            .read(|status, out| out.put([], status.penalty)),
        gauge("network_block_fees", "Sum of the fees of the last block's transactions")
            .unit(Coins)
            .field("feeSumm")
            .read(|status, out| out.put([], status.fee_summ)),
        gauge("network_block_size", "Size of the last block")
            .unit(Bytes)
            .field("blockSize")
            .read(|status, out| out.put([], status.block_size)),
        gauge("network_block_size_median", "Median size of the recent blocks")
            .unit(Bytes)
            .field("sizeMedian")
            .read(|status, out| out.put([], status.size_median)),
        gauge("network_block_transactions_size", "Size of the last block's transactions")
            .unit(Bytes)
            .field("txCumulativeSize")
            .read(|status, out| out.put([], status.tx_cumulative_size)),
        gauge("network_block_transactions", "Number of the last block's transactions")
            .field("txCount")
            .read(|status, out| out.put([], status.tx_count)),
        counter("network_transactions", "Transactions since the network began")
            .field("cumulativeTxCount")
            .read(|status, out| out.put([], status.cumulative_tx_count)),
        gauge("network_supply", "Coins generated since the network began")
            .unit(Coins)
            .field("alreadyGeneratedCoins")
            .read(|status, out| out.put([], status.already_generated_coins)),
        gauge("network_reward_window", "Number of recent blocks used for the median size")
            .unit(Blocks)
            .field("rewardBlocksWindow")
            .read(|status, out| out.put([], status.reward_blocks_window)),
        gauge("network_full_reward_block_size", "Maximum size of a block that gets the whole reward")
            .unit(Bytes)
            .field("fullRewardMaxBlockSize")
            .read(|status, out| out.put([], status.full_reward_max_block_size)),
    ]);
