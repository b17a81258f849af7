//! `GET /1.0/withdrawals`: coins that were sent from the account to a wallet.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{PENDING, STATES, Spec, of_account};
use crate::answer::{Entry, Group, List, Number, Text, earlier, group_by, object};
use crate::metric::Unit::{Coins, Seconds};
use crate::metric::gauge;

/// The answer.
pub type Withdrawals = List<Withdrawal>;

object! {
    /// One withdrawal, without its wallet address, transaction and payment id, which are not needed.
    pub struct Withdrawal {
        pub cc: Text = "cc",
        /// Coins.
        pub amount: Number = "amount",
        /// Coins.
        pub fee: Number = "fee",
        pub status: Text = "status",
        /// Seconds since 1970, with a fraction. The times in the account's other lists are in milliseconds.
        pub created: Number = "created",
    }
}

/// The withdrawals by currency and status.
fn groups(withdrawals: &Withdrawals) -> BTreeMap<(&str, &'static str), Group> {
    group_by(withdrawals.iter().map(|w| {
        let key = (w.cc.get().unwrap_or_default(), w.status.known_word(STATES));
        (key, Entry { amount: w.amount, fee: w.fee, created: w.created })
    }))
}

pub static SPEC: Spec<Withdrawals> = of_account("withdrawals", "/1.0/withdrawals")
    .part("/1.0/withdrawals/{currency}")
    .every(Duration::from_secs(600))
    .sample(include_str!("withdrawals.json"))
    .metrics(&[
        gauge("withdrawals", "Number of the account's withdrawals that the API lists")
            .labels(&["currency", "status"])
            .field("the entries")
            .read(|withdrawals, out| {
                out.put_all(groups(withdrawals).into_iter().map(|((currency, status), g)| ([currency, status], g.count)));
            }),
        gauge("withdrawals", "Sum of the account's withdrawals that the API lists")
            .unit(Coins)
            .labels(&["currency", "status"])
            .field("amount")
            .read(|withdrawals, out| {
                out.put_all(groups(withdrawals).into_iter().map(|((currency, status), g)| ([currency, status], g.amount)));
            }),
        gauge("withdrawals_fees", "Sum of the fees of the account's withdrawals that the API lists")
            .unit(Coins)
            .labels(&["currency", "status"])
            .field("fee")
            .read(|withdrawals, out| {
                out.put_all(groups(withdrawals).into_iter().map(|((currency, status), g)| ([currency, status], g.fee)));
            }),
        gauge("withdrawals_last_timestamp", "When the newest withdrawal was asked for")
            .unit(Seconds)
            .labels(&["currency", "status"])
            .field("created")
            .read(|withdrawals, out| {
                out.put_all(groups(withdrawals).into_iter().map(|((currency, status), g)| ([currency, status], g.newest)));
            }),
        gauge("withdrawals_oldest_pending_timestamp", "When the oldest pending withdrawal was asked for")
            .unit(Seconds)
            .labels(&["currency"])
            .field("created")
            .read(|withdrawals, out| {
                let mut oldest = BTreeMap::new();
                for w in withdrawals.iter().filter(|w| w.status.get() == Some(PENDING)) {
                    let first: &mut Option<f64> = oldest.entry(w.cc.get().unwrap_or_default()).or_default();
                    *first = earlier(*first, w.created.get());
                }
                out.put_all(oldest.into_iter().map(|(currency, seconds)| ([currency], seconds)));
            }),
    ]);
