//! docs/prometheus.md and docs/history.md: their queries and the scrape configuration are valid, and their metrics exist.

use std::fs;

use crate::repository::{fenced, read};
use crate::rules::{check_queries, names_are_known, promtools, run};

const PAGES: &[&str] = &["docs/prometheus.md", "docs/history.md"];

#[test]
fn every_metric_in_a_query_exists() {
    for page in PAGES {
        assert!(!fenced(&read(page), "promql").is_empty(), "{page} has no queries");
        for block in fenced(&read(page), "promql") {
            names_are_known(page, &block);
        }
    }
    names_are_known("docs/prometheus.md", &read("docs/prometheus.md"));
}

#[test]
#[ignore = "scripts/test runs it: it needs Prometheus"]
fn the_queries_and_the_scrape_configuration_are_valid() {
    let lines = |page: &str| fenced(&read(page), "promql").concat().lines().map(str::to_owned).collect::<Vec<_>>();
    check_queries(PAGES.iter().flat_map(|page| lines(page)).filter(|line| !line.is_empty()));

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("prometheus.yml");
    let [config] = fenced(&read("docs/prometheus.md"), "yaml").try_into().unwrap();
    fs::write(&path, config).unwrap();
    for promtool in promtools() {
        run(&promtool, &["check", "config"], std::slice::from_ref(&path)).unwrap();
    }
}
