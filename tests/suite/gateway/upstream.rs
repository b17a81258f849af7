//! Pools that fail, are slow, or do not know a wallet; and the number of their requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::{Served, account, answer, code, gateway, pools, write};
use crate::fake_api::{Asked, FakeApi, Reply};
use crate::process::{get, wait};

/// A pool that fails with this HTTP status; 0 lets it answer.
fn failing(fails: Arc<AtomicUsize>) -> impl Fn(&Asked) -> Reply + Send + Sync {
    move |asked| match fails.load(Ordering::SeqCst) {
        0 => answer(asked),
        status if asked.path.starts_with("/nodejs/") => Reply::new(status.try_into().unwrap(), "<html>"),
        _ => answer(asked),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_pool_is_503_unless_there_is_a_recent_answer() {
    let fails = Arc::new(AtomicUsize::new(404));
    let pool = FakeApi::start(failing(fails.clone())).await;
    let directory = tempfile::tempdir().unwrap();
    let intervals = "[poll]\nstale_after = \"1s\"\nworkers = \"4s\"\nbalance = \"1h\"\n";
    let text = format!("{intervals}{}{}", pools(&pool.base_url), account("rig", &["nodejs", "ethereum"]));
    let (process, url) = gateway(&write(directory.path(), &text), &["--log.level", "debug"]);
    let served = Served { pool, process, url, directory };

    let workers = || served.get("/1.0/workers", "token-of-rig");
    let refused = workers();
    assert_eq!((refused.status, &*code(&refused)), (503, "ServiceUnavailable"));
    let wait_for: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=5).contains(&wait_for), "{wait_for}");
    assert_eq!(served.get("/1.0/xmr/status", "").status, 503);
    assert_eq!(served.get("/1.0/etc/status", "").status, 200, "another pool's network does not depend on it");

    // An answer has the workers of both wallets.
    fails.store(0, Ordering::SeqCst);
    let both = wait("the pool", || Some(workers()).filter(|answer| answer.status == 200)).text();
    let currencies: serde_json::Value = serde_json::from_str(&both).unwrap();
    assert!(currencies["xmr"].is_object() && currencies["etc"].is_object(), "{both}");
    let balance = served.json("/1.0/balance", "token-of-rig");
    fails.store(404, Ordering::SeqCst);
    let mut kept = 0;
    wait("the end of the kept answer", || match workers() {
        answer if answer.status == 200 => {
            assert_eq!(answer.text(), both);
            kept += 1;
            None
        }
        refused => Some(code(&refused)).filter(|code| code == "ServiceUnavailable"),
    });
    assert!(kept > 0);
    assert_eq!(served.json("/1.0/balance", "token-of-rig"), balance, "each endpoint has its own age limit");
    let log = served.process.output();
    assert_eq!(log.matches("pool not read").count(), 1, "{log}");
    assert!(log.contains("pool read again"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wallet_that_the_pool_does_not_know_has_no_entry() {
    let reply = |asked: &Asked| {
        if asked.path.starts_with("/ethereum/api/accounts") { Reply::new(404, "") } else { answer(asked) }
    };
    let accounts = account("rig", &["nodejs", "ethereum"]) + &account("new", &["ethereum"]);
    let served = Served::start(reply, &accounts).await;
    for path in ["/1.0/workers", "/1.0/mining/stats", "/1.0/balance"] {
        let known = served.json(path, "token-of-rig");
        assert!(known["xmr"] != json!(null) && known.get("etc").is_none(), "{path}: {known}");
        assert_eq!(served.json(path, "token-of-new"), json!({}), "{path}");
    }
    assert_eq!(served.json("/1.0/withdrawals/etc", "token-of-new"), json!([]));
    let asked = served.pool.asked("/ethereum/api/accounts/new-at-ethereum").len();
    assert!(asked <= 4, "each answer asks once: {asked}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_clients_at_once_cause_one_request_to_the_pool() {
    let reply = |asked: &Asked| {
        thread::sleep(Duration::from_millis(200));
        answer(asked)
    };
    let pool = FakeApi::start(reply).await;
    let directory = tempfile::tempdir().unwrap();
    let slow = pools(&pool.base_url).replace("max_age = \"1s\"", "max_age = \"1m\"");
    let config = write(directory.path(), &format!("{slow}{}", account("rig", &["nodejs"])));
    let (_process, url) = gateway(&config, &[]);
    let clients: Vec<_> = (0..60)
        .map(|i| {
            let path = ["/1.0/workers", "/1.0/mining/stats", "/1.0/balance"][i % 3];
            let url = format!("{url}{path}");
            thread::spawn(move || get(&url, &[("token", "token-of-rig")]).status)
        })
        .collect();
    for client in clients {
        assert_eq!(client.join().unwrap(), 200);
    }
    for path in ["stats", "stats/allWorkers"] {
        assert_eq!(pool.asked(&format!("/nodejs/miner/rig-at-nodejs/{path}")).len(), 1, "{path}");
    }
}

/// With an earlier answer at hand, a client waits for a slow pool for 2 s only. The pool's answer is kept for the next client.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_pool_s_answer_is_kept_for_the_next_client() {
    let asked = AtomicUsize::new(0);
    let reply = move |request: &Asked| {
        if !request.path.ends_with("allWorkers") {
            return answer(request);
        }
        let place = asked.fetch_add(1, Ordering::SeqCst) + 1;
        if place == 2 {
            thread::sleep(Duration::from_secs(6));
        }
        Reply::new(200, json!({ "global": { "hash": place.min(2) } }).to_string())
    };
    let pool = FakeApi::start(reply).await;
    let directory = tempfile::tempdir().unwrap();
    let patient = pools(&pool.base_url).replace("timeout = \"3s\"", "timeout = \"30s\"");
    let (process, url) = gateway(&write(directory.path(), &format!("{patient}{}", account("rig", &["nodejs"]))), &[]);
    let served = Served { pool, process, url, directory };
    let hashrate = || served.json("/1.0/workers", "token-of-rig")["xmr"]["hashrate"].clone();
    assert_eq!(hashrate(), 1);
    // Beyond `max_age`, the pool is asked again.
    thread::sleep(Duration::from_millis(1100));
    assert_eq!(hashrate(), 1);
    wait("the pool's second answer", || (hashrate() == 2).then_some(()));
}
