//! `GET /1.0/pool/profit-rating`: the currencies, most profitable first.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Spec, of_pool};
use crate::answer::{List, Text, count};
use crate::metric::gauge;

/// The answer: currency codes.
pub type ProfitRating = List<Text>;

pub static SPEC: Spec<ProfitRating> = of_pool("profit_rating", "/1.0/pool/profit-rating")
    .former_path("/1.0/pool/profitRating")
    .every(Duration::from_secs(300))
    .sample(include_str!("profit_rating.json"))
    .metrics(&[gauge("pool_profit_rank", "Rank of the currency by profitability, 1 is the most profitable")
        .labels(&["currency"])
        .field("the order")
        .read(|rating, out| {
            let mut seen = BTreeSet::new();
            for (i, code) in rating.iter().enumerate() {
                // If the pool repeats a code, its first place counts, because a sample must not be repeated.
                if let Some(code) = code.get().filter(|code| seen.insert(*code)) {
                    out.put([code], count(i + 1));
                }
            }
        })]);
