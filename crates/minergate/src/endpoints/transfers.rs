//! `GET /1.0/transfers`: coins sent between users of the pool, to and from the account.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{STATES, Scope, Spec};
use crate::answer::{Entry, Group, List, Number, Object, Text, group_by, later};
use crate::metric::Unit::{Coins, Seconds};
use crate::metric::{Request, gauge};

/// The answer.
pub type Transfers = List<Object<Transfer>>;

/// One transfer, less what nothing here has a use for.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Transfer {
    pub cc: Text,
    /// Coins.
    pub amount: Number,
    /// The sender's e-mail address.
    pub from_user_id: Text,
    /// The recipient's e-mail address.
    pub to_user_id: Text,
    pub state: Text,
    /// Milliseconds since 1970.
    pub created: Number,
}

impl Transfer {
    /// Which way the coins went, seen from the account.
    pub fn direction(&self, request: &Request<'_>) -> &'static str {
        let is_account = |user: &Text| user.get().zip(request.email).is_some_and(|(user, me)| user.eq_ignore_ascii_case(me));
        match (is_account(&self.from_user_id), is_account(&self.to_user_id)) {
            (true, false) => "out",
            (false, true) => "in",
            _ => "unknown",
        }
    }
}

type Key<'a> = (&'a str, &'static str, &'static str);

/// The transfers by currency, direction and state.
fn groups<'a>(transfers: &'a Transfers, request: &Request<'_>) -> BTreeMap<Key<'a>, Group> {
    group_by(transfers.iter().map(|Object(t)| {
        let key = (t.cc.get().unwrap_or_default(), t.direction(request), t.state.word(STATES));
        (key, Entry { amount: t.amount, created: t.created, ..Entry::default() })
    }))
}

pub static SPEC: Spec<Transfers> = Spec {
    name: "transfers",
    path: "/1.0/transfers",
    part: Some("/1.0/transfers/{currency}"),
    former_path: None,
    scope: Scope::Account,
    interval: Duration::from_secs(600),
    sample: include_str!("transfers.json"),
    metrics: &[
        gauge("transfers", "Number of transfers between the account and other users that the API lists")
            .labels(&["currency", "direction", "state"])
            .field("the entries")
            .read(|transfers, out| {
                for ((currency, direction, state), group) in groups(transfers, out.request) {
                    out.put([currency, direction, state], group.count);
                }
            }),
        gauge("transfers", "Sum of the transfers between the account and other users that the API lists")
            .unit(Coins)
            .labels(&["currency", "direction", "state"])
            .field("amount")
            .read(|transfers, out| {
                for ((currency, direction, state), group) in groups(transfers, out.request) {
                    out.put([currency, direction, state], group.amount);
                }
            }),
        gauge("transfers_last_timestamp", "When the newest transfer was made")
            .unit(Seconds)
            .labels(&["currency", "direction"])
            .field("created")
            .read(|transfers, out| {
                let mut newest = BTreeMap::new();
                for ((currency, direction, _), group) in groups(transfers, out.request) {
                    let last: &mut Option<f64> = newest.entry((currency, direction)).or_default();
                    *last = later(*last, group.newest);
                }
                for ((currency, direction), milliseconds) in newest {
                    out.put([currency, direction], milliseconds.map(|ms| ms / 1000.0));
                }
            }),
    ],
};
