//! The table of the counters in a history.

use rust_decimal::Decimal;

use super::event::Event;
use minergate::metric::Unit::Coins;
use minergate::metric::{Family, counter};

/// A counter, and how much one event adds to it.
pub(in crate::cli) struct Counter {
    pub(in crate::cli) family: Family,
    /// The endpoint whose list it counts.
    pub(in crate::cli) endpoint: &'static str,
    /// `None` if the API did not give the value.
    pub(super) adds: fn(&Event) -> Option<Decimal>,
}

/// All counters of a history. Their names differ from those of scraped metrics, which are gauges of what the API lists at the time.
pub(in crate::cli) static COUNTERS: &[Counter] = &[
    Counter {
        family: counter("history_withdrawals", "Number of finished withdrawals so far")
            .labels(&["currency"])
            .field("the entries"),
        endpoint: "withdrawals",
        adds: |_| Some(Decimal::ONE),
    },
    Counter {
        family: counter("history_withdrawals", "Sum of finished withdrawals so far")
            .unit(Coins)
            .labels(&["currency"])
            .field("amount"),
        endpoint: "withdrawals",
        adds: |event| event.amount,
    },
    Counter {
        family: counter("history_withdrawals_fees", "Sum of the fees of finished withdrawals so far")
            .unit(Coins)
            .labels(&["currency"])
            .field("fee"),
        endpoint: "withdrawals",
        adds: |event| event.fee,
    },
    Counter {
        family: counter("history_transfers", "Number of finished transfers so far")
            .labels(&["currency", "direction"])
            .field("the entries"),
        endpoint: "transfers",
        adds: |_| Some(Decimal::ONE),
    },
    Counter {
        family: counter("history_transfers", "Sum of finished transfers so far")
            .unit(Coins)
            .labels(&["currency", "direction"])
            .field("amount"),
        endpoint: "transfers",
        adds: |event| event.amount,
    },
    Counter {
        family: counter("history_invoices", "Number of finished invoices so far").labels(&["currency"]).field("the entries"),
        endpoint: "invoices",
        adds: |_| Some(Decimal::ONE),
    },
    Counter {
        family: counter("history_invoices", "Sum of finished invoices so far")
            .unit(Coins)
            .labels(&["currency"])
            .field("amount"),
        endpoint: "invoices",
        adds: |event| event.amount,
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use minergate::endpoints::{self, ENDPOINTS, Endpoint};

    #[test]
    fn names_are_unique_and_none_is_scraped() {
        let mut names: BTreeSet<String> = ENDPOINTS.iter().flat_map(Endpoint::families).map(Family::name).collect();
        for counter in COUNTERS {
            assert!(names.insert(counter.family.name()), "{} appears twice", counter.family.name());
            assert!(endpoints::find(counter.endpoint).is_some(), "{}", counter.endpoint);
        }
    }
}
