//! `query`, `history` and `once` of an account with a wallet, against the simulator's pool.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::process::{exporter, simulator};

fn run(config: &Path, arguments: &[&str]) -> Output {
    exporter().args(arguments).arg("--config.file").arg(config).output().unwrap()
}

fn json(config: &Path, arguments: &[&str]) -> Value {
    let output = run(config, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn query_history_and_once_read_wallets_from_pools() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &["--accounts", "1", "--wallets", "1"]);
    let of_wallet = |method: &str| json(&config, &["query", method, "--account", "rig-1"]);
    assert!(of_wallet("workers")["xmr"]["miners"].as_array().is_some_and(|miners| miners.len() > 1));
    assert!(of_wallet("balance")["xmr"].as_str().is_some_and(|coins| coins.parse::<f64>().is_ok()));
    assert_eq!(of_wallet("nickname"), "rig-1");
    assert!(json(&config, &["query", "status", "xmr"])["difficulty"].is_number());
    // A method that pools have no values for.
    let output = run(&config, &["query", "transfers", "--account", "rig-1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no pool of the account rig-1 has that"));
    // The API's account is read as before.
    assert!(json(&config, &["query", "workers", "--account", "farm-1"]).is_object());
    assert!(json(&config, &["query", "status", "bcn"])["hash"].is_string());

    let listed = of_wallet("withdrawals").as_array().unwrap().len();
    let history = run(&config, &["history", "--account", "rig-1", "--every", "8760h"]);
    assert!(history.status.success());
    let text = String::from_utf8(history.stdout).unwrap();
    let mut counts = text.lines().filter_map(|line| {
        line.strip_prefix("minergate_history_withdrawals_total{account=\"rig-1\",currency=\"xmr\"} ")?
            .split(' ')
            .next()?
            .parse()
            .ok()
    });
    let count: usize = counts.next_back().unwrap();
    assert!(count > listed, "a page has {listed}, and all pages have {count}");

    let once = run(&config, &["once", "--account", "rig-1"]);
    assert!(once.status.success());
    let text = String::from_utf8(once.stdout).unwrap();
    assert!(text.contains("minergate_worker_hashrate_hashes_per_second{account=\"rig-1\",currency=\"xmr\",worker=\""));
    assert!(!text.contains("minergate_network_"));
}
