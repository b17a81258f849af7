//! The workers of one wallet: their shares, earnings and payouts. Everything is a function of the seed and the time.
//!
//! Times are whole seconds since 1970. Amounts are in Monero's smallest unit.

use minergate_pools::address;

use crate::EPOCH;
use crate::coin::Coin;
use crate::mine::{Mine, Shares};
use crate::noise::{Seed, real, whole};

/// Seconds over which the pool measures a hashrate.
const WINDOW: u64 = 600;

/// Seconds from one payment run of the pool to the next.
const RUN: u64 = 600;

/// The fee that the pool deducts for a payment's transaction.
const FEE: u64 = 400_000_000;

/// Payments are multiples of this amount.
const DENOMINATION: u64 = 1_000_000;

/// The pool's default payout threshold. In this simulation it is also the minimum.
pub(super) const THRESHOLD: u64 = 100_000_000_000;

/// Payout thresholds are multiples of this amount.
const THRESHOLD_STEP: u64 = 10_000_000_000;

const HOUR: f64 = 3600.0;

/// Names of workers. A wallet has at least the first two of them, and one worker without a name, which the pool calls `x`.
const NAMES: &[&str] = &["rig-a", "garage.2", "attic", "basement-1"];
const UNNAMED: &str = "x";

/// A wallet and its workers.
pub(super) struct Rig {
    pub(super) address: String,
    /// In the order of the pool's list.
    pub(super) workers: Vec<Worker>,
    /// The balance at which a payment is made: about the earnings of a day.
    pub(super) threshold: u64,
    /// Whether the pool sends the miner e-mails.
    pub(super) is_emailed: bool,
    seed: Seed,
    coin: &'static Coin,
    began: u64,
}

pub(super) struct Worker {
    pub(super) name: &'static str,
    /// Its mining, in a time that stops while it is off.
    mine: Mine,
    began: u64,
    /// Seconds from one start to the next, and how many of them it is off.
    period: f64,
    off: f64,
}

/// The work of one worker, or of all workers of a wallet.
#[derive(Clone, Copy, Default)]
pub(super) struct Work {
    /// Hashes per second.
    pub(super) hashrate: f64,
    pub(super) last_share: u64,
    pub(super) hashes: u64,
    pub(super) valid: u64,
    pub(super) invalid: u64,
}

/// A payment, as the pool sent it.
pub(super) struct Payment {
    pub(super) time: u64,
    pub(super) amount: u64,
    pub(super) transaction: String,
}

impl Rig {
    pub(super) fn new(seed: Seed, coin: &'static Coin) -> Rig {
        let began = whole(EPOCH + 24.0 * HOUR * seed.of("began").between(0.0, 180.0));
        let count = 2 + usize::try_from(seed.of("workers").below(NAMES.len() as u64 - 1)).unwrap_or_default();
        let names = NAMES.iter().take(count).copied().chain([UNNAMED]);
        let mut workers: Vec<Worker> = names.map(|name| Worker::new(seed.of(name), name, coin, began)).collect();
        workers.sort_by_key(|worker| worker.name);
        let is_emailed = seed.of("e-mail").unit() < 0.5;
        let key = |i: usize| u8::try_from(seed.of("address").nth(i as u64).below(256)).unwrap_or_default();
        // Made up: nobody has the private keys.
        let address = address::monero(&std::array::from_fn(key));
        let mut rig = Rig { address, workers, threshold: THRESHOLD, is_emailed, seed, coin, began };
        let day = rig.earned(began + 86_400);
        rig.threshold = (day / THRESHOLD_STEP * THRESHOLD_STEP).max(THRESHOLD);
        rig
    }

    pub(super) fn work(&self, now: u64) -> Work {
        self.workers.iter().map(|worker| worker.work(now)).fold(Work::default(), Work::and)
    }

    pub(super) fn hashes(&self, now: u64) -> u64 {
        self.workers.iter().map(|worker| worker.shares(now).good_eq).sum()
    }

    /// All earnings, paid or not.
    fn earned(&self, now: u64) -> u64 {
        whole(self.coin.atomic_units(self.workers.iter().map(|worker| worker.mine.mined(worker.own_time(now))).sum()))
    }

    /// Earnings that are not paid yet.
    pub(super) fn due(&self, now: u64) -> u64 {
        self.earned(now).saturating_sub(self.taken(self.payouts(now)))
    }

    /// The amount that the wallet got: the amount taken from the balance, minus fees.
    pub(super) fn paid(&self, now: u64) -> u64 {
        let payouts = self.payouts(now);
        self.taken(payouts).saturating_sub(payouts.saturating_mul(FEE))
    }

    /// Number of payouts so far.
    pub(super) fn payouts(&self, now: u64) -> u64 {
        let earned = self.earned(self.run(self.runs(now)));
        let most = whole(real(earned) / (MORE * real(self.threshold)));
        most - u64::from(self.taken(most) > earned)
    }

    /// The payments, newest first.
    pub(super) fn payments(&self, now: u64) -> impl DoubleEndedIterator<Item = Payment> {
        (1..=self.payouts(now)).rev().map(move |payout| {
            let run = first(0, self.runs(now), |run| self.earned(self.run(run)) >= self.taken(payout));
            Payment {
                time: self.run(run),
                amount: (self.taken(payout) - self.taken(payout - 1)).saturating_sub(FEE),
                transaction: self.seed.of("payment").nth(payout).hex(64),
            }
        })
    }

    /// The amount that this number of payouts took from the balance. Each takes a little more than the threshold, because payments are not made
    /// continuously.
    fn taken(&self, payouts: u64) -> u64 {
        if payouts == 0 {
            return 0;
        }
        let chance = self.seed.of("payout").nth(payouts).between(0.0, 0.02);
        whole(real(self.threshold) * (MORE * real(payouts) + chance)).div_ceil(DENOMINATION).saturating_mul(DENOMINATION)
    }

    /// Number of payment runs since the wallet began.
    fn runs(&self, now: u64) -> u64 {
        now.saturating_sub(self.began) / RUN
    }

    fn run(&self, run: u64) -> u64 {
        self.began + run * RUN
    }
}

/// Average amount of a payout, in thresholds. The random differences between payouts are smaller than the part above 1.
const MORE: f64 = 1.03;

impl Worker {
    fn new(seed: Seed, name: &'static str, coin: &'static Coin, began: u64) -> Worker {
        let period = HOUR * seed.of("period").between(4.0, 12.0);
        // Longer than the window, so that its hashrate is 0 for a while. The first worker is never off.
        let off = if name == NAMES[0] { 0.0 } else { seed.of("off").between(1200.0, 2400.0) };
        Worker { name, mine: Mine::new(seed, coin, real(began)), began, period, off }
    }

    /// The time in the worker's mining. It stops at the end of each period.
    fn own_time(&self, now: u64) -> f64 {
        let age = real(now.saturating_sub(self.began));
        let on = self.period - self.off;
        real(self.began) + (age / self.period).floor() * on + (age % self.period).min(on)
    }

    fn shares(&self, now: u64) -> Shares {
        self.mine.shares(self.own_time(now))
    }

    pub(super) fn work(&self, now: u64) -> Work {
        let Shares { good, good_eq, bad, invalid, .. } = self.shares(now);
        let before = self.shares(now.saturating_sub(WINDOW)).good_eq;
        Work {
            hashrate: real(good_eq.saturating_sub(before)) / real(WINDOW),
            last_share: first(self.began.min(now), now, |time| self.shares(time).good == good),
            hashes: good_eq,
            valid: good,
            invalid: bad + invalid,
        }
    }
}

impl Work {
    pub(super) fn and(self, other: Work) -> Work {
        Work {
            hashrate: self.hashrate + other.hashrate,
            last_share: self.last_share.max(other.last_share),
            hashes: self.hashes + other.hashes,
            valid: self.valid + other.valid,
            invalid: self.invalid + other.invalid,
        }
    }
}

/// The first number from `low` to `high` for which a condition holds. From there on, the condition must hold for all numbers.
pub(super) fn first(mut low: u64, mut high: u64, is_so: impl Fn(u64) -> bool) -> u64 {
    while low < high {
        let middle = low + (high - low) / 2;
        if is_so(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}
