//! The dashboards that are committed in `grafana/dashboards`: held against the rules of Grafana's dashboard-linter and our own,
//! and every query of theirs run by a real Prometheus.
//!
//! That they are what the generator writes is checked by `scripts/check/dashboards`.

mod dashboard;
mod history;
mod lint;
mod live;
mod promql;
mod world;
