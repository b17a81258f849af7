//! The committed dashboards in `grafana/dashboards`: they follow the rules of Grafana's dashboard-linter and our own,
//! and a real Prometheus runs each of their queries.
//!
//! `scripts/check/dashboards` checks that the generator writes the same files.

mod dashboard;
mod history;
mod lint;
mod live;
mod palette;
mod promql;
mod world;
