//! Tests of the exporter from outside: its process, HTTP and files. tests/README.md says where a new one goes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::float_cmp, reason = "values come through unchanged, or are wrong")]

mod alerting;
mod architecture;
mod bytes;
mod chaos;
mod check;
mod chromium;
mod client;
mod commands;
mod config;
mod corpus;
mod daemon;
mod deploy;
mod documentation;
mod example;
mod exposition;
mod failures;
mod fake_api;
mod faults;
mod gateway;
mod github;
mod golden;
mod grafana;
mod healthy;
mod history;
mod hung_files;
mod isolation;
mod log;
mod logins;
mod messages;
mod own_metrics;
mod poller;
mod pools;
mod process;
mod prometheus;
mod query;
mod reference;
mod release;
mod reload;
mod repository;
mod rules;
mod scrape;
mod secrets;
mod served;
mod source;
mod stalled_log;
mod status;
mod systemd;
mod values;
mod wallet_commands;
mod web;
mod web_attack;
mod web_config;
mod web_tls;
