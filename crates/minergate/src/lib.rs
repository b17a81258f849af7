//! A client of the MinerGate mining pool's API.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`api`] | the client: logins, tokens, TOTP, limits, retries, errors |
//! | [`endpoints`] | each method of the API with the type of its answer; `SPEC.fetch` asks for it |
//! | [`answer`] | what answers are made of: numbers, texts, lists and maps that bear with what the API sends |
//! | [`currency`] | the documented currencies |
//! | [`metric`] | what an answer becomes as metrics |
//! | [`duration`], [`file`](mod@file), [`spelling`] | durations as people write them; files on disks that may hang; misspelled words |
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
//! `examples/account.rs` is a complete program. One client serves all accounts of a host. [`api::Settings::requests_per_second`] limits the
//! requests of all of them together.

// `object!` names this crate from within and from without.
extern crate self as minergate;

pub mod answer;
pub mod api;
pub mod currency;
pub mod duration;
pub mod endpoints;
pub mod file;
pub mod metric;
pub mod spelling;
