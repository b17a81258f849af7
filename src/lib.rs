//! A Prometheus exporter for MinerGate mining pool accounts, and with it a client and a simulator of the MinerGate API.
//!
//! The program is the product; its metrics, flags and configuration are what is kept stable. Of the library, these parts are
//! meant for other programs:
//!
//! | module | what it is |
//! | --- | --- |
//! | [`api`] | the client: logins, tokens, TOTP, limits, retries, errors |
//! | [`endpoints`] | each method of the API with the type of its answer; `SPEC.fetch` asks for it |
//! | [`answer`] | what answers are made of: numbers, texts, lists and maps that bear with what the API sends |
//! | [`currency`] | the documented currencies |
//! | [`metric`] | what an answer becomes as metrics |
//! | [`simulator`] | the API, made up, for the tests of whatever speaks it |
//!
//! An account's balances:
//!
//! ```
//! use std::sync::Arc;
//!
//! use minergate_exporter::api::{self, AccountConfig, Client};
//! use minergate_exporter::endpoints::balance;
//!
//! async fn balances(base_url: &str, token: String) -> Result<(), Box<dyn std::error::Error>> {
//!     let config = api::Config { base_url: Some(api::parse_base_url(base_url)?), ..api::Config::default() };
//!     let client = Client::new(&config, Arc::new(|_| ()))?;
//!     let account = AccountConfig { name: "mine".to_owned(), token: Some(token.into()), ..AccountConfig::default() };
//!     let account = account.account(None).map_err(|(key, fault)| format!("{key}: {fault}"))?;
//!     for (currency, coins) in balance::SPEC.fetch(&client, Some(&account), None).await?.iter() {
//!         println!("{currency}: {:?}", coins.get());
//!     }
//!     Ok(())
//! }
//! ```
//!
//! `examples/account.rs` is a whole program. One client serves any number of accounts, and keeps within
//! [`api::Config::requests_per_second`] for all of them together.
//!
//! # Inside
//!
//! ```text
//! accounts x endpoints -> poller -> rows -> store -> exposition -> scrape
//! ```
//!
//! One direction, no shared registry: `poller` asks [`api`] for one of the [`endpoints`]' answers at a time, which becomes
//! the rows of the table's [`metric`]s; `store` keeps the newest rows of each loop; a scrape makes `exposition` write
//! them, and what `health` says of the polls, as text that `server` sends. [`simulator`] plays the API. These modules are public for
//! the program, its tests and its benchmarks only, and change without notice.

pub mod answer;
pub mod api;
#[doc(hidden)]
pub mod blocks;
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod clock;
#[doc(hidden)]
pub mod config;
pub mod currency;
#[doc(hidden)]
pub mod daemon;
#[doc(hidden)]
pub mod duration;
pub mod endpoints;
#[doc(hidden)]
pub mod exposition;
#[doc(hidden)]
pub mod file;
#[doc(hidden)]
pub mod gzip;
#[doc(hidden)]
pub mod health;
#[doc(hidden)]
pub mod log;
pub mod metric;
#[doc(hidden)]
pub mod poller;
#[doc(hidden)]
pub mod server;
pub mod simulator;
#[doc(hidden)]
pub mod spelling;
#[doc(hidden)]
pub mod store;
#[doc(hidden)]
pub mod text;
