//! `GET /1.0/invoices`: invoices of the account.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::{FINISHED, PENDING, STATES, Scope, Spec};
use crate::answer::{Entry, Group, List, Number, Object, Text, earlier, group_by};
use crate::metric::Unit::{Coins, Seconds};
use crate::metric::gauge;

/// The answer: a list of invoices, or the one that was asked for by its id.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Invoices(pub List<Object<Invoice>>);

/// One invoice, less its address, comment and e-mail address, for which nothing here has a use.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Invoice {
    pub cc: Text,
    /// Coins.
    pub amount: Number,
    pub status: Text,
    /// Milliseconds since 1970.
    pub created: Number,
    /// Milliseconds since 1970.
    pub expired_date: Number,
    /// Milliseconds since 1970.
    pub finished: Number,
}

impl<'de> Deserialize<'de> for Invoices {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let list = match raw.as_bytes().first() {
            Some(b'{') => serde_json::from_str(raw).map(|invoice| [invoice].into_iter().collect()),
            _ => serde_json::from_str(raw),
        };
        list.map(Invoices).map_err(serde::de::Error::custom)
    }
}

impl Invoice {
    /// `finished`, `pending` or `other`. An invoice that has a time when it was finished is finished, whatever its status says:
    /// earlier versions of the API have a number there.
    pub fn state(&self) -> &'static str {
        let has_finished = self.finished.get().is_some_and(|milliseconds| milliseconds > 0.0);
        if has_finished { FINISHED } else { self.status.word(STATES) }
    }
}

/// The invoices by currency and status.
fn groups(Invoices(invoices): &Invoices) -> BTreeMap<(&str, &'static str), Group> {
    group_by(invoices.iter().map(|Object(invoice)| {
        let key = (invoice.cc.get().unwrap_or_default(), invoice.state());
        (key, Entry { amount: invoice.amount, created: invoice.created, ..Entry::default() })
    }))
}

pub static SPEC: Spec<Invoices> = Spec {
    name: "invoices",
    path: "/1.0/invoices",
    part: Some("/1.0/invoices/{id}"),
    former_path: None,
    scope: Scope::Account,
    interval: Duration::from_secs(600),
    sample: include_str!("invoices.json"),
    metrics: &[
        gauge("invoices", "Number of the account's invoices that the API lists")
            .labels(&["currency", "status"])
            .field("the entries")
            .read(|invoices, out| {
                out.put_all(groups(invoices).into_iter().map(|((currency, status), g)| ([currency, status], g.count)));
            }),
        gauge("invoices", "Sum of the account's invoices that the API lists")
            .unit(Coins)
            .labels(&["currency", "status"])
            .field("amount")
            .read(|invoices, out| {
                out.put_all(groups(invoices).into_iter().map(|((currency, status), g)| ([currency, status], g.amount)));
            }),
        gauge("invoices_last_timestamp", "When the newest invoice was made")
            .unit(Seconds)
            .labels(&["currency", "status"])
            .field("created")
            .read(|invoices, out| {
                for ((currency, status), group) in groups(invoices) {
                    out.put([currency, status], group.newest.map(|ms| ms / 1000.0));
                }
            }),
        gauge("invoices_next_expiry_timestamp", "When the first pending invoice expires")
            .unit(Seconds)
            .labels(&["currency"])
            .field("expiredDate")
            .read(|Invoices(invoices), out| {
                let mut next = BTreeMap::new();
                for Object(invoice) in invoices.iter().filter(|Object(invoice)| invoice.state() == PENDING) {
                    let first: &mut Option<f64> = next.entry(invoice.cc.get().unwrap_or_default()).or_default();
                    *first = earlier(*first, invoice.expired_date.milliseconds_as_seconds());
                }
                out.put_all(next.into_iter().map(|(currency, seconds)| ([currency], seconds)));
            }),
    ],
};
