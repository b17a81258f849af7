//! `GET /1.0/affiliate/profit`: the profit from the account's affiliates, by currency.

use std::time::Duration;

use super::{Spec, of_account};
use crate::answer::{Map, Number};
use crate::metric::Unit::Coins;
use crate::metric::counter;

/// The answer: currency code to coins.
pub type AffiliateProfit = Map<Number>;

pub static SPEC: Spec<AffiliateProfit> = of_account("affiliate_profit", "/1.0/affiliate/profit")
    .every(Duration::from_secs(1800))
    .sample(include_str!("affiliate_profit.json"))
    .metrics(&[counter("affiliate_profit", "Profit from the account's affiliates since it began")
        .unit(Coins)
        .labels(&["currency"])
        .field("the values")
        .read(|profit, out| out.put_all(profit.iter().map(|(currency, coins)| ([currency], *coins))))]);
