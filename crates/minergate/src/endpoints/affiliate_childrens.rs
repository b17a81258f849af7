//! `GET /1.0/affiliate/childrens`: users who registered through the account's affiliate links.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Spec, of_account};
use crate::answer::{Map, Number, Sum, count, later, object};
use crate::metric::Unit::{Coins, Seconds};
use crate::metric::gauge;

/// The answer: e-mail address to affiliate.
pub type AffiliateChildrens = Map<Child>;

object! {
    /// One affiliate, without the link.
    pub struct Child {
        /// Milliseconds since 1970.
        pub registered: Number = "registered",
        /// Currency code to coins.
        pub profits: Map<Number> = "profits",
        /// Milliseconds since 1970.
        pub last_profit: Number = "lastProfit",
    }

    // An affiliate counts even if none of its fields can be read.
    fn otherwise() -> Option<Self> {
        Some(Child::default())
    }
}

fn newest(children: &AffiliateChildrens, time: fn(&Child) -> Number) -> Option<f64> {
    children.iter().map(|(_, child)| time(child).milliseconds_as_seconds()).fold(None, later)
}

pub static SPEC: Spec<AffiliateChildrens> = of_account("affiliate_childrens", "/1.0/affiliate/childrens")
    .every(Duration::from_secs(1800))
    .sample(include_str!("affiliate_childrens.json"))
    .metrics(&[
        gauge("affiliate_children", "Number of the account's affiliates")
            .field("the entries")
            .read(|children, out| out.put([], count(children.len()))),
        gauge("affiliate_children_profit", "Sum of the profit from the account's affiliates")
            .unit(Coins)
            .labels(&["currency"])
            .field("profits")
            .read(|children, out| {
                let mut sums: BTreeMap<&str, Sum> = BTreeMap::new();
                let profits = children.iter().map(|(_, child)| &child.profits);
                for (currency, coins) in profits.flat_map(Map::iter) {
                    sums.entry(currency).or_default().add(*coins);
                }
                out.put_all(sums.into_iter().map(|(currency, sum)| ([currency], sum)));
            }),
        gauge("affiliate_children_last_profit_timestamp", "When an affiliate last brought a profit")
            .unit(Seconds)
            .field("lastProfit")
            .read(|children, out| out.put([], newest(children, |child| child.last_profit))),
        gauge("affiliate_children_last_registered_timestamp", "When the newest affiliate registered")
            .unit(Seconds)
            .field("registered")
            .read(|children, out| out.put([], newest(children, |child| child.registered))),
    ]);
