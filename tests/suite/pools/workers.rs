//! Workers over time: corrected counters, workers that disappear, and the limit.

use std::sync::{Arc, Mutex};

use super::fake_pool::{FakePool, nodejs};
use super::{ADDRESS, monero, poll, rig, scrape, write};
use crate::fake_api::Reply;
use crate::process::{daemon, wait};

/// A pool whose list of workers the test changes.
fn changing(workers: &str) -> (FakePool, Arc<Mutex<String>>) {
    let workers = Arc::new(Mutex::new(workers.to_owned()));
    let shown = workers.clone();
    let fake = FakePool::start(move |path| match path {
        path if path.ends_with("/allWorkers") => Reply::new(200, shown.lock().unwrap().as_str()),
        path => nodejs(path),
    });
    (fake, workers)
}

/// All workers, each with its valid shares.
fn workers(shares: &[(&str, u64)]) -> String {
    let one = |name: &str, valid: u64| {
        format!("\"{name}\":{{\"lts\":1763993402,\"hash\":10,\"validShares\":{valid},\"invalidShares\":0}}")
    };
    let all: Vec<String> = shares.iter().map(|(name, valid)| one(name, *valid)).collect();
    format!("{{{},{}}}", one("global", 5000), all.join(","))
}

#[test]
fn a_corrected_counter_is_held_and_a_worker_that_is_gone_has_no_samples() {
    let (fake, list) = changing(&workers(&[("attic", 1000), ("cellar", 200)]));
    let directory = tempfile::tempdir().unwrap();
    let config =
        write(directory.path(), &[&monero(&fake, "max_age = \"1s\""), &poll("1s", &["workers"]), &rig("rig", ADDRESS)]);
    let (_daemon, url) = daemon(&config, &[]);
    let shares = |name: &str| {
        let labels = format!("{{account=\"rig\",currency=\"xmr\",worker=\"{name}\",result=\"good\"}}");
        scrape(&url).get(&format!("minergate_worker_shares_total{labels}"))
    };
    let corrections = || scrape(&url).get("minergate_api_counter_corrections_total{endpoint=\"workers\"}");
    let becomes = |what: &str, attic: Option<f64>, cellar: Option<f64>| {
        wait(what, || ((shares("attic"), shares("cellar")) == (attic, cellar)).then_some(()));
    };
    becomes("the first values", Some(1000.0), Some(200.0));
    assert_eq!(corrections(), None);
    // A correction by less than 1 %. The other worker's counter rises, to show that the answer was read.
    *list.lock().unwrap() = workers(&[("attic", 999), ("cellar", 201)]);
    becomes("the correction", Some(1000.0), Some(201.0));
    wait("its count", || (corrections() == Some(1.0)).then_some(()));
    // The pool no longer names a worker. That is no error.
    *list.lock().unwrap() = workers(&[("cellar", 202)]);
    becomes("the end of a worker", None, Some(202.0));
    let shown = scrape(&url);
    assert!(!shown.0.keys().any(|series| series.contains("attic")));
    assert!(shown.is_up("rig"));
    // It comes back with a counter that is still below the held value.
    *list.lock().unwrap() = workers(&[("attic", 998), ("cellar", 203)]);
    becomes("its return", Some(1000.0), Some(203.0));
    // The counter of the other worker was reset.
    *list.lock().unwrap() = workers(&[("attic", 1001), ("cellar", 3)]);
    becomes("the reset", Some(1001.0), Some(3.0));
}

#[test]
fn workers_beyond_the_limit_are_cut_and_counted() {
    let (fake, _) = changing(&workers(&[("d", 4), ("a", 1), ("c", 3), ("b", 2)]));
    let directory = tempfile::tempdir().unwrap();
    let config = write(directory.path(), &["max_workers = 2\n", &monero(&fake, ""), &rig("rig", ADDRESS)]);
    let (_daemon, url) = daemon(&config, &[]);
    let shown = wait("the workers", || {
        let shown = scrape(&url);
        shown.get("minergate_workers{account=\"rig\",currency=\"xmr\"}").is_some().then_some(shown)
    });
    for (family, samples) in [
        ("minergate_worker_hashrate_hashes_per_second", 2),
        ("minergate_worker_last_share_timestamp_seconds", 2),
        ("minergate_worker_shares_total", 4),
    ] {
        let series: Vec<&str> = shown.of_family(family, "rig").map(|(series, _)| series).collect();
        assert_eq!(series.len(), samples, "{series:?}");
        assert!(series.iter().all(|series| ["worker=\"a\"", "worker=\"b\""].iter().any(|name| series.contains(name))));
    }
    // Two workers are left out, with four samples each: hashrate, last share, good and invalid shares.
    let dropped = "minergate_api_dropped_samples_total{endpoint=\"workers\"}";
    assert_eq!(wait("the count", || scrape(&url).get(dropped)), 8.0);
    assert_eq!(shown.get("minergate_workers{account=\"rig\",currency=\"xmr\"}"), Some(4.0));
}
