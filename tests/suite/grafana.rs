//! The dashboards that are committed in `grafana/dashboards`: held against the rules of Grafana's dashboard-linter and our own,
//! and every query of theirs run by a real Prometheus.
//!
//! That they are what the generator writes, and fit the types of Grafana's SDK, is checked by `npm run check` in `grafana`.

mod dashboard;
mod lint;
mod live;
mod promql;
