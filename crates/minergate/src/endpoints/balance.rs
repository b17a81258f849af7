//! `GET /1.0/balance`: the account's balances, by currency.

use std::time::Duration;

use super::{Spec, of_account};
use crate::answer::{Map, Number};
use crate::metric::Unit::Coins;
use crate::metric::gauge;

/// The answer: currency code to coins.
pub type Balance = Map<Number>;

pub static SPEC: Spec<Balance> = of_account("balance", "/1.0/balance")
    .every(Duration::from_secs(60))
    .sample(include_str!("balance.json"))
    .metrics(&[gauge("balance", "Balance of the account")
        .unit(Coins)
        .labels(&["currency"])
        .field("the values")
        .shows_use()
        .read(|balance, out| out.put_all(balance.iter().map(|(currency, coins)| ([currency], *coins))))]);
