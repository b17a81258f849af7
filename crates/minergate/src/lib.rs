//! A client of the MinerGate mining pool's API.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`api`] | the client: logins, tokens, TOTP, limits, retries, errors |
//! | [`endpoints`] | each method of the API and the type of its answer; `SPEC.fetch` requests it |
//! | [`answer`] | the parts of answers: numbers, texts, lists and maps that tolerate malformed values |
//! | [`currency`] | the documented currencies |
//! | [`metric`] | the metrics made from an answer |
//! | [`duration`], [`file`](mod@file), [`spelling`] | human-readable durations; files on disks that may hang; misspelled words |
//!
//! An account's balances:
//!
//! ```
//! use std::sync::Arc;
//!
//! use minergate::api::{self, Account, Client, Credentials, Secret, Settings};
//! use minergate::endpoints::{Request, balance};
//!
//! async fn balances(base_url: &str, token: &str) -> Result<(), Box<dyn std::error::Error>> {
//!     let client = Client::new(&Settings::new(api::parse_base_url(base_url)?), Arc::new(|_| ()))?;
//!     let credentials = Credentials::Token { token: Secret::of_text(token)?, email: None };
//!     let account = Account::new("mine", credentials, None);
//!     for (currency, coins) in balance::SPEC.fetch(&client, Request::of(&account)).await?.iter() {
//!         println!("{currency}: {:?}", coins.get());
//!     }
//!     Ok(())
//! }
//! ```
//!
//! `examples/account.rs` is a complete program. One client serves all accounts of a host, and [`api::Settings::requests_per_second`]
//! limits their requests together.

// Inside this crate too, the `object!` macro refers to it as `minergate`.
extern crate self as minergate;

pub mod answer;
pub mod api;
pub mod currency;
pub mod duration;
pub mod endpoints;
pub mod file;
pub mod metric;
pub mod spelling;
