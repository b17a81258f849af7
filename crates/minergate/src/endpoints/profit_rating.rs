//! `GET /1.0/pool/profit-rating`: the currencies, most profitable first.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Scope, Spec};
use crate::answer::{List, Text, count};
use crate::metric::gauge;

/// The answer: currency codes.
pub type ProfitRating = List<Text>;

pub static SPEC: Spec<ProfitRating> = Spec {
    name: "profit_rating",
    path: "/1.0/pool/profit-rating",
    part: None,
    former_path: Some("/1.0/pool/profitRating"),
    scope: Scope::Pool,
    interval: Duration::from_secs(300),
    sample: include_str!("profit_rating.json"),
    metrics: &[gauge("pool_profit_rank", "Place of the currency by profitability, 1 is the most profitable")
        .labels(&["currency"])
        .field("the order")
        .read(|rating, out| {
            let mut seen = BTreeSet::new();
            for (i, code) in rating.iter().enumerate() {
                // A code that the pool repeats keeps its better place: a series can't stand twice.
                if let Some(code) = code.get().filter(|code| seen.insert(*code)) {
                    out.put([code], count(i + 1));
                }
            }
        })],
};
