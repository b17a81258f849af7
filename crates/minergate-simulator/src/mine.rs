//! One user's mining of one currency: hashrate, shares, earnings and payouts.

use serde::Serialize;

use super::coin::Coin;
use super::noise::{Seed, Wave, real, whole};

/// Seconds that a withdrawal is pending.
const PENDING: f64 = 120.0;

/// One of this many withdrawals is cancelled.
const CANCELLED: u64 = 5;

/// Number of withdrawals that the API lists.
pub(super) const LISTED_WITHDRAWALS: u64 = 20;

/// Seconds for which mined coins stay unconfirmed.
const CONFIRMATION: f64 = 600.0;

/// Seconds from one measurement of the hashrate to the next.
const MEASUREMENT: f64 = 30.0;

/// The properties that do not change with time. Times are Unix seconds.
pub(super) struct Mine {
    pub(super) coin: &'static Coin,
    seed: Seed,
    wave: Wave,
    began: f64,
    workers: u64,
    /// Average hashes per second.
    hashrate: f64,
    /// Chosen by the pool so that a share is found every few seconds.
    share_difficulty: u64,
    /// Seconds between payouts. They are short, so that a new user sees a payout soon.
    payout_period: f64,
}

/// Shares since the account began.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shares {
    pub(super) good: u64,
    pub(super) good_eq: u64,
    pub(super) bad: u64,
    bad_eq: u64,
    pub(super) invalid: u64,
    invalid_eq: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Withdrawal {
    cc: &'static str,
    address: String,
    transaction_hash: String,
    amount: f64,
    fee: f64,
    payment_id: String,
    transaction_id_hash: String,
    status: &'static str,
    /// Seconds since 1970 with a fraction, unlike all other times of the API.
    pub(super) created: f64,
}

impl Mine {
    pub(super) fn new(seed: Seed, coin: &'static Coin, began: f64) -> Mine {
        let seed = seed.of(coin.code);
        let workers = 1 + seed.of("workers").below(12);
        let hashrate = coin.worker * real(workers) * seed.of("hashrate").between(0.7, 1.4);
        Mine {
            coin,
            seed,
            wave: Wave::new(seed.of("wave"), 0.12),
            began,
            workers,
            hashrate,
            share_difficulty: whole(hashrate * seed.of("share").between(6.0, 15.0)).max(1),
            payout_period: seed.of("payout").between(600.0, 1800.0),
        }
    }

    fn age(&self, now: f64) -> f64 {
        (now - self.began).max(0.0)
    }

    /// The active workers. Sometimes the weakest one is missing, which hardly changes the hashrate.
    pub(super) fn workers(&self, now: f64) -> u64 {
        let one_is_missing = self.workers > 1 && self.seed.of("missing").nth(whole(now / 600.0)).unit() < 0.15;
        self.workers - u64::from(one_is_missing)
    }

    pub(super) fn hashrate(&self, now: f64) -> f64 {
        let noise = self.seed.of("measurement").nth(whole(now / MEASUREMENT)).between(-0.02, 0.02);
        self.hashrate * self.wave.at(self.age(now)) * (1.0 + noise)
    }

    /// The rank among the pool's miners: a lower hashrate has a higher number.
    pub(super) fn rank(&self, now: f64) -> u64 {
        1 + whole(400.0 * self.coin.worker / self.hashrate(now))
    }

    /// Hashes since the account began.
    fn hashes(&self, now: f64) -> f64 {
        self.hashrate * self.wave.integral(self.age(now))
    }

    pub(super) fn shares(&self, now: f64) -> Shares {
        let difficulty = self.share_difficulty;
        let count = |part: f64| whole(part * self.hashes(now) / real(difficulty));
        let (bad_part, invalid_part) = (self.seed.of("bad").between(0.004, 0.006), 0.0003);
        let (good, bad, invalid) = (count(1.0 - bad_part - invalid_part), count(bad_part), count(invalid_part));
        Shares {
            good,
            good_eq: good.saturating_mul(difficulty),
            bad,
            bad_eq: bad.saturating_mul(difficulty),
            invalid,
            invalid_eq: invalid.saturating_mul(difficulty),
        }
    }

    pub(super) fn blocks_found(&self, now: f64) -> u64 {
        whole(self.hashes(now) / (self.coin.hashrate * self.coin.period))
    }

    /// Coins since the account began.
    pub(super) fn mined(&self, now: f64) -> f64 {
        self.hashes(now) * self.coin.per_hash()
    }

    /// Coins since the account began: by the current payment model, and by the other model, which was used in the first month.
    pub(super) fn mined_by_model(&self, now: f64) -> (f64, f64) {
        let before = self.mined(now.min(self.began + 30.0 * 86_400.0));
        (self.mined(now) - before, before)
    }

    /// In the smallest unit.
    pub(super) fn unconfirmed(&self, now: f64) -> u64 {
        whole(self.coin.atomic_units(self.mined(now) - self.mined(now - CONFIRMATION)))
    }

    /// Coins that are not paid out. Transfers and invoices are ignored.
    pub(super) fn balance(&self, now: f64) -> f64 {
        let last = self.payouts(now);
        let taken = if self.status(last, now) == "cancelled" { last - 1 } else { last };
        self.mined(now) - self.mined(self.payout_time(taken))
    }

    /// The status of a payout. The first payout is finished, and so is the last one before a cancelled payout.
    fn status(&self, payout: u64, now: f64) -> &'static str {
        if now - self.payout_time(payout) < PENDING {
            "pending"
        } else if is_cancelled(payout) {
            "cancelled"
        } else {
            "finished"
        }
    }

    /// Number of payouts so far.
    fn payouts(&self, now: f64) -> u64 {
        whole(self.age(now) / self.payout_period)
    }

    fn payout_time(&self, payout: u64) -> f64 {
        self.began + real(payout) * self.payout_period
    }

    /// The latest payouts, newest first.
    pub(super) fn withdrawals(&self, now: f64) -> impl Iterator<Item = Withdrawal> {
        let last = self.payouts(now);
        (last.saturating_sub(LISTED_WITHDRAWALS) + 1..=last).rev().map(move |payout| self.withdrawal(payout, now))
    }

    fn withdrawal(&self, payout: u64, now: f64) -> Withdrawal {
        let seed = self.seed.of("withdrawal").nth(payout);
        let created = self.payout_time(payout);
        let before = payout.saturating_sub(1);
        // The next payout also sends the amount of a cancelled one.
        let before = if is_cancelled(before) { before - 1 } else { before };
        let coins = self.mined(created) - self.mined(self.payout_time(before));
        Withdrawal {
            cc: self.coin.code,
            address: format!("made-up-{}-address-{}", self.coin.code, self.seed.of("address").hex(8)),
            transaction_hash: seed.of("transaction").hex(64),
            amount: self.coin.payable(coins * 0.99),
            fee: self.coin.payable(coins * 0.01),
            payment_id: format!("made-up-payment-{}", seed.of("payment").hex(8)),
            transaction_id_hash: uuid(seed),
            status: self.status(payout, now),
            created: (created * 1000.0).floor() / 1000.0,
        }
    }
}

/// Whether a payout is cancelled; never the first.
fn is_cancelled(payout: u64) -> bool {
    payout % CANCELLED == CANCELLED - 1
}

/// An id that looks like a UUID.
pub(super) fn uuid(seed: Seed) -> String {
    let part = |name, digits| seed.of(name).hex(digits);
    format!("{}-{}-{}-{}-{}", part("a", 8), part("b", 4), part("c", 4), part("d", 4), part("e", 12))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coin;

    const BEGAN: f64 = 1_704_067_200.0;

    #[test]
    fn the_hashrate_stays_near_its_average() {
        let mine = Mine::new(Seed::new(3), coin::find("xmr").unwrap(), BEGAN);
        for i in 0..5000 {
            let factor = mine.hashrate(BEGAN + 1e7 + 17.0 * real(i)) / mine.hashrate;
            assert!((0.85..=1.15).contains(&factor), "{factor}");
        }
    }

    #[test]
    fn a_payout_takes_the_balance() {
        let mine = Mine::new(Seed::new(3), coin::find("xmr").unwrap(), BEGAN);
        let payout = 1002;
        let (before, after) = (mine.payout_time(payout) - 1.0, mine.payout_time(payout) + 1.0);
        assert!(mine.balance(after) < mine.balance(before) / 100.0);
        let [old, new] = [before, after].map(|time| mine.withdrawals(time).next().unwrap());
        assert!(new.created > old.created);
        assert_eq!((old.status, new.status), ("finished", "pending"));
        assert!((new.amount + new.fee - mine.balance(before)).abs() < mine.balance(before) / 100.0);
        assert_eq!(mine.withdrawals(after + PENDING).next().unwrap().status, "finished");
        assert_eq!(mine.withdrawals(after).count(), 20);
    }

    #[test]
    fn a_cancelled_payout_gives_the_balance_back_to_the_next_one() {
        let mine = Mine::new(Seed::new(3), coin::find("xmr").unwrap(), BEGAN);
        let time = |payout| mine.payout_time(payout);
        let status = |now| mine.withdrawals(now).next().unwrap().status;
        assert_eq!((status(time(1004) + 1.0), status(time(1004) + PENDING)), ("pending", "cancelled"));
        let (pending, cancelled) = (mine.balance(time(1004) + 1.0), mine.balance(time(1004) + PENDING));
        assert!(pending < cancelled / 3.0, "{pending} {cancelled}");
        let next = mine.withdrawals(time(1005) + 1.0).next().unwrap();
        let expected = mine.mined(time(1005)) - mine.mined(time(1003));
        assert!((next.amount + next.fee - expected).abs() < expected / 1e6);
        assert!(mine.balance(time(1005) + 1.0) < expected / 100.0);
        assert!(mine.withdrawals(time(1005)).filter(|withdrawal| withdrawal.status == "cancelled").count() >= 3);
    }

    #[test]
    fn before_its_beginning_an_account_has_no_values() {
        let mine = Mine::new(Seed::new(3), coin::find("xmr").unwrap(), BEGAN);
        assert_eq!((mine.payouts(0.0), mine.blocks_found(0.0), mine.unconfirmed(0.0)), (0, 0, 0));
        assert_eq!(mine.withdrawals(0.0).count(), 0);
    }
}
