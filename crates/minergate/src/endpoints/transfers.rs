//! `GET /1.0/transfers`: coins sent between users of the pool, to and from the account.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{STATES, Spec, of_account};
use crate::answer::{Entry, Group, List, Number, Text, group_by, later, object};
use crate::metric::Unit::{Coins, Seconds};
use crate::metric::gauge;

/// The answer.
pub type Transfers = List<Transfer>;

object! {
    /// One transfer, without the fields that are not needed.
    pub struct Transfer {
        pub cc: Text = "cc",
        /// Coins.
        pub amount: Number = "amount",
        /// The sender's e-mail address.
        pub from_user_id: Text = "fromUserId",
        /// The recipient's e-mail address.
        pub to_user_id: Text = "toUserId",
        pub state: Text = "state",
        /// Milliseconds since 1970.
        pub created: Number = "created",
    }
}

impl Transfer {
    /// The direction of the transfer for the account with this e-mail address.
    pub fn direction(&self, email: Option<&str>) -> &'static str {
        let is_account = |user: &Text| user.get().zip(email).is_some_and(|(user, me)| user.eq_ignore_ascii_case(me));
        match (is_account(&self.from_user_id), is_account(&self.to_user_id)) {
            (true, false) => "out",
            (false, true) => "in",
            _ => "unknown",
        }
    }
}

type Key<'a> = (&'a str, &'static str, &'static str);

/// The transfers by currency, direction and state.
fn groups<'a>(transfers: &'a Transfers, email: Option<&str>) -> BTreeMap<Key<'a>, Group> {
    group_by(transfers.iter().map(|t| {
        let key = (t.cc.get().unwrap_or_default(), t.direction(email), t.state.known_word(STATES));
        (key, Entry { amount: t.amount, created: t.created, ..Entry::default() })
    }))
}

pub static SPEC: Spec<Transfers> = of_account("transfers", "/1.0/transfers")
    .part("/1.0/transfers/{currency}")
    .every(Duration::from_secs(600))
    .sample(include_str!("transfers.json"))
    .metrics(&[
        gauge("transfers", "Number of transfers between the account and other users that the API lists")
            .labels(&["currency", "direction", "state"])
            .field("the entries")
            .read(|transfers, out| {
                for ((currency, direction, state), group) in groups(transfers, out.context.email) {
                    out.put([currency, direction, state], group.count);
                }
            }),
        gauge("transfers", "Sum of the transfers between the account and other users that the API lists")
            .unit(Coins)
            .labels(&["currency", "direction", "state"])
            .field("amount")
            .read(|transfers, out| {
                for ((currency, direction, state), group) in groups(transfers, out.context.email) {
                    out.put([currency, direction, state], group.amount);
                }
            }),
        gauge("transfers_last_timestamp", "When the newest transfer was made")
            .unit(Seconds)
            .labels(&["currency", "direction"])
            .field("created")
            .read(|transfers, out| {
                let mut newest = BTreeMap::new();
                for ((currency, direction, _), group) in groups(transfers, out.context.email) {
                    let last: &mut Option<f64> = newest.entry((currency, direction)).or_default();
                    *last = later(*last, group.newest);
                }
                for ((currency, direction), milliseconds) in newest {
                    out.put([currency, direction], milliseconds.map(|ms| ms / 1000.0));
                }
            }),
    ]);
