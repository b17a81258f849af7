//! A real Prometheus scrapes the demo, where one account has a wallet.

use crate::process::{Process, exporter, get, wait};
use crate::prometheus::{both_formats_pass, prometheus, query};

#[test]
#[ignore = "scripts/test runs it: it needs Prometheus and Python"]
fn prometheus_takes_every_scrape_of_the_demo_with_a_wallet() {
    let mut demo = Process::start(exporter().args(["demo", "--web.listen-address", "127.0.0.1:0"]));
    let url = demo.wait_for("status page").trim().trim_end_matches('/').to_owned();
    let metrics = format!("{url}/metrics");
    let workers = "minergate_worker_hashrate_hashes_per_second{account=\"rig-1\"";
    wait("everything", || {
        let text = get(&metrics, &[]).text();
        let mut up = text.lines().filter(|line| line.starts_with("minergate_endpoint_up{"));
        (text.contains(workers) && up.all(|line| line.ends_with(" 1"))).then_some(())
    });
    both_formats_pass(&metrics);

    let directory = tempfile::tempdir().unwrap();
    let (prometheus, api) = prometheus(directory.path(), url.strip_prefix("http://").unwrap());
    wait("scrapes", || (query(&api, "count_over_time(up[1m]) > 5").len() == 1).then_some(()));
    assert_eq!(query(&api, "min_over_time(up[1m])").into_values().collect::<Vec<_>>(), [1.0], "every scrape was taken");
    for (expression, count) in [
        ("minergate_account_info", 4.0),
        ("minergate_account_info{account=\"rig-1\"}", 1.0),
        ("minergate_auth_blocked{account=\"rig-1\"}", 0.0),
        ("minergate_endpoint_up{account=\"rig-1\", currency=\"xmr\"} == 1", 5.0),
        ("minergate_network_block_height{currency=\"xmr\"}", 1.0),
    ] {
        let found = query(&api, &format!("count({expression}) or vector(0)"));
        assert_eq!(found.into_values().collect::<Vec<_>>(), [count], "{expression}");
    }
    // The hashrates of the workers add up to that of the wallet.
    let difference = "abs(sum(minergate_worker_hashrate_hashes_per_second{account=\"rig-1\"}) - sum(minergate_workers_hashrate_hashes_per_second{account=\"rig-1\"})) < 0.001";
    assert_eq!(query(&api, difference).len(), 1);
    let rising = "sum(increase(minergate_worker_shares_total{account=\"rig-1\"}[1m])) > 0";
    wait("rising shares", || (query(&api, rising).len() == 1).then_some(()));
    assert!(query(&api, "resets(minergate_worker_shares_total[1m]) > 0").is_empty());
    let log = prometheus.output();
    assert!(!["duplicate", "out of order", "Error on ingesting"].iter().any(|fault| log.contains(fault)), "{log}");
}
