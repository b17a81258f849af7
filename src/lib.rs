//! A Prometheus exporter for MinerGate mining pool accounts.
//!
//! The program is the product: its metrics, flags and configuration are stable. Other programs can use the crates
//! `minergate`, the API's client, and `minergate-simulator`, the simulated API. The modules here are public only for the program, its tests
//! and its benchmarks, and change without notice.
//!
//! ```text
//! accounts x endpoints -> poller -> samples -> store -> exposition -> scrape
//! ```
//!
//! Data flows in one direction, without a shared registry. `poller` fetches an endpoint's answer, and the endpoint's table of metrics turns it
//! into samples. `store` keeps the newest samples of each loop. At a scrape, `exposition` writes them and the metrics of `health` as text, and
//! `server` sends it.

pub mod blocks;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod document;
pub mod explanation;
pub mod exposition;
pub mod gateway;
pub mod gzip;
pub mod health;
pub mod log;
pub mod pipeline;
pub mod poller;
pub mod server;
pub mod store;
pub mod subject;
pub mod text;
