//! The gateway with the simulator's pool and its faults behind it, and an exporter as its client.

use std::fmt::Write as _;
use std::fs;

use serde_json::{Value, json};

use super::{code, gateway, write};
use crate::process::{daemon, get, put_faults, simulator, wait};
use crate::scrape::Scrape;

/// Faults of a wallet's answers, and the possible HTTP status of its balance. 200 is also the status of a balance without entries.
const FAULTS: &[(&str, &[u16])] = &[
    ("latency=1s", &[200]),
    ("500", &[503]),
    ("502", &[503]),
    ("html", &[503]),
    ("truncated", &[503]),
    ("reset", &[503]),
    ("deep", &[503]),
    ("error-200", &[503]),
    ("redirect", &[503]),
    ("forbidden", &[503]),
    ("wallet-unknown", &[200]),
    ("wrong-types", &[200, 503]),
    ("missing-fields", &[200, 503]),
    ("nulls", &[200, 503]),
    ("nan", &[200, 503]),
    ("hostile-labels", &[200, 503]),
];

/// The number of the wallet that has no fault.
const HEALTHY: usize = FAULTS.len() + 1;

const TOTP: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// The simulator's configuration with a token for each account. The healthy account has a password instead.
fn with_credentials(text: &str) -> String {
    let login = format!("email = \"rig@example.com\"\npassword = \"correct horse\"\ntotp_secret = \"{TOTP}\"");
    (1..=HEALTHY).fold(text.to_owned(), |text, i| {
        let name = format!("name = \"rig-{i}\"\n");
        let credentials = if i == HEALTHY { login.clone() } else { format!("token = \"token-{i}\"") };
        text.replace(&name, &format!("{name}{credentials}\n"))
    })
}

#[test]
fn a_fault_affects_only_its_own_wallet() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, simulated) = simulator(directory.path(), &["--accounts", "0", "--wallets", &HEALTHY.to_string()]);
    let simulated = fs::read_to_string(simulated).unwrap();
    let pool = simulated.split('"').find(|word| word.starts_with("http://")).unwrap().to_owned();
    let (mut process, url) = gateway(&write(directory.path(), &with_credentials(&simulated)), &["--log.level", "debug"]);
    let rules: Vec<String> = (1..).zip(FAULTS).map(|(i, (fault, _))| format!("{fault}@rig-{i}")).collect();
    put_faults(&pool, &rules);
    for (i, (fault, statuses)) in (1..).zip(FAULTS) {
        let token = format!("token-{i}");
        let answer = get(&format!("{url}/1.0/balance"), &[("token", &token)]);
        assert!(statuses.contains(&answer.status), "{fault}: {} {}", answer.status, answer.text());
        match answer.status {
            200 => {
                let balance: Value = serde_json::from_str(&answer.text()).unwrap();
                let is_known = *fault != "wallet-unknown";
                assert!(if is_known { balance.is_object() } else { balance == json!({}) }, "{fault}: {balance}");
            }
            _ => assert_eq!(code(&answer), "ServiceUnavailable", "{fault}"),
        }
    }

    let mut client = format!("[api]\nbase_url = \"{url}\"\nrequests_per_second = 50\n[[accounts]]\nname = \"rig\"\n");
    write!(client, "email = \"RIG@example.com\"\npassword = \"correct horse\"\ntotp_secret = \"{TOTP}\"\n").unwrap();
    let path = directory.path().join("client.toml");
    fs::write(&path, client).unwrap();
    let (exporter, metrics) = daemon(&path, &[]);
    let scrape = wait("the account", || {
        let scrape = Scrape::read(&get(&format!("{metrics}/metrics"), &[]).text());
        scrape.is_up("rig").then_some(scrape)
    });
    for name in ["workers", "workers_hashrate_hashes_per_second", "balance_coins", "mining_shares_total"] {
        assert!(scrape.of_family(&format!("minergate_{name}"), "rig").next().is_some(), "{name}");
    }
    assert!(scrape.of_family("minergate_worker_hashrate_hashes_per_second", "rig").count() > 1, "workers have names");
    drop(exporter);
    process.signal("TERM");
    assert_eq!(process.exit_code(), Some(0));
    assert!(!process.output().contains("panicked"), "{}", process.output());
}

/// Clients are told to wait too, but at most a minute: their other wallets may be at other pools.
#[test]
fn a_pause_that_the_pool_asks_for_is_passed_on() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, simulated) = simulator(directory.path(), &["--accounts", "0", "--wallets", "1", "--fault", "429=200s"]);
    let text = fs::read_to_string(simulated).unwrap().replace("name = \"rig-1\"\n", "name = \"rig-1\"\ntoken = \"t\"\n");
    let (_process, url) = gateway(&write(directory.path(), &text), &[]);
    for path in ["balance", "workers"] {
        let answer = get(&format!("{url}/1.0/{path}"), &[("token", "t")]);
        let seconds: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!(answer.status == 503 && (30..=60).contains(&seconds), "{path}: {} {seconds}", answer.status);
    }
}
