//! `GET /1.0/invoices`: invoices of the account.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde::de::{MapAccess, SeqAccess};

use super::{FINISHED, PENDING, STATES, Spec, of_account};
use crate::answer::{Entry, FromJson, Group, List, Number, Text, earlier, group_by, object};
use crate::metric::Unit::{Coins, Seconds};
use crate::metric::gauge;

/// The answer: a list of invoices, or the one with the requested id.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Invoices(pub List<Invoice>);

object! {
    /// One invoice, without its address, comment and e-mail address, which are not needed.
    pub struct Invoice {
        pub cc: Text = "cc",
        /// Coins.
        pub amount: Number = "amount",
        pub status: Text = "status",
        /// Milliseconds since 1970.
        pub created: Number = "created",
        /// Milliseconds since 1970.
        pub expired_date: Number = "expiredDate",
        /// Milliseconds since 1970.
        pub finished: Number = "finished",
    }
}

impl FromJson for Invoices {
    fn array<'de, A: SeqAccess<'de>>(elements: A) -> Result<Option<Self>, A::Error> {
        Ok(List::array(elements)?.map(Invoices))
    }

    fn object<'de, A: MapAccess<'de>>(fields: A) -> Result<Option<Self>, A::Error> {
        Ok(Invoice::object(fields)?.map(|invoice| Invoices([invoice].into_iter().collect())))
    }
}

impl Invoice {
    /// `finished`, `pending` or `other`. An invoice with a finish time counts as finished, whatever its status is:
    /// in earlier versions of the API, the status is a number.
    pub fn state(&self) -> &'static str {
        let has_finished = self.finished.get().is_some_and(|milliseconds| milliseconds > 0.0);
        if has_finished { FINISHED } else { self.status.known_word(STATES) }
    }
}

/// The invoices by currency and status.
fn groups(Invoices(invoices): &Invoices) -> BTreeMap<(&str, &'static str), Group> {
    group_by(invoices.iter().map(|invoice| {
        let key = (invoice.cc.get().unwrap_or_default(), invoice.state());
        (key, Entry { amount: invoice.amount, created: invoice.created, ..Entry::default() })
    }))
}

pub static SPEC: Spec<Invoices> = of_account("invoices", "/1.0/invoices")
    .part("/1.0/invoices/{id}")
    .every(Duration::from_secs(600))
    .sample(include_str!("invoices.json"))
    .metrics(&[
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
                for invoice in invoices.iter().filter(|invoice| invoice.state() == PENDING) {
                    let first: &mut Option<f64> = next.entry(invoice.cc.get().unwrap_or_default()).or_default();
                    *first = earlier(*first, invoice.expired_date.milliseconds_as_seconds());
                }
                out.put_all(next.into_iter().map(|(currency, seconds)| ([currency], seconds)));
            }),
    ]);
