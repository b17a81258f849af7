//! A daemon that polls the MinerGate API for one or many accounts and serves Prometheus metrics.
//!
//! ```text
//! accounts x endpoints -> poller -> rows -> store -> exposition -> scrape
//! ```
//!
//! One direction, no shared registry: [`poller`] asks [`api`] for one of the [`endpoints`]' answers at a time, which becomes
//! the rows of the table's [`metric`]s; [`store`] keeps the newest rows of each loop; a scrape makes [`exposition`] write
//! them, and what [`health`] says of the polls, as text that [`server`] sends. [`simulator`] plays the API.

pub mod answer;
pub mod api;
pub mod blocks;
pub mod cli;
pub mod clock;
pub mod config;
pub mod currency;
pub mod daemon;
pub mod duration;
pub mod endpoints;
pub mod exposition;
pub mod gzip;
pub mod health;
pub mod log;
pub mod metric;
pub mod poller;
pub mod server;
pub mod simulator;
pub mod store;
pub mod text;
