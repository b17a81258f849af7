//! The pages of a thousand accounts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use minergate::api;
use minergate::endpoints::{ENDPOINTS, Endpoint, Scope};
use minergate::metric::Context;
use minergate_exporter::exposition::Exposition;
use minergate_exporter::store::Key;
use minergate_exporter::subject::Subject;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::read_json;
use crate::process::get;
use crate::served::{listener, serve_exposition};

const MINUTE: Duration = Duration::from_secs(60);

/// An account's values: four currencies that are mined, others with a balance, and named workers of a pool.
fn answer(endpoint: &Endpoint, named: usize) -> Option<String> {
    let miners: Vec<Value> = (0..named)
        .map(|i| json!({"name": format!("worker-{i}.\"<of a long name>\""), "hashrate": i, "lastShare": 1.7e12}))
        .collect();
    let workers = json!({"minersCount": 300, "hashrate": 12_345.5, "miners": miners});
    let mining = json!({"minersCount": 300, "hashrate": 12_345.5, "shares": {"good": 9_000, "bad": 9, "invalid": 1}});
    let answer = match endpoint.name {
        "workers" => json!({"xmr": workers, "etc": {"minersCount": 2, "hashrate": 3e8}}),
        "mining_stats" => json!({"xmr": mining, "etc": mining, "bcn": mining, "zec": mining}),
        "balance" => {
            let coins = (0..30).map(|i| (format!("coin{i}"), 1234.5));
            let coins: BTreeMap<_, _> =
                coins.chain(["xmr", "etc", "bcn", "zec"].map(|code| (code.to_owned(), 1.5))).collect();
            json!(coins)
        }
        _ => return None,
    };
    Some(answer.to_string())
}

/// A thousand accounts, the first with more workers than a page lists. 300 fail, each with as many errors as it has endpoints.
fn exposition() -> Exposition {
    let exposition = Exposition::new(Arc::default(), Arc::default());
    let health = &exposition.health;
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.scope == Scope::Account) {
        let read = |named| Some(endpoint.read(answer(endpoint, named)?.as_bytes(), &Context::default()).unwrap());
        let (first, others) = (read(300), read(12));
        for account in 0..1000 {
            let subject = Subject::Account(format!("account-{account:03}-of-a-customer").into());
            let key = Key { subject, endpoint: endpoint.name };
            health.subjects.expect_loop(&key, MINUTE, None);
            if let Some(samples) = if account == 0 { first.clone() } else { others.clone() } {
                exposition.store.replace(&key, samples, MINUTE);
            }
            if account < 300 {
                let status = 500 + u16::try_from(endpoint.name.len()).unwrap();
                health.failed(&key, None, &api::Error::Server { status });
            } else {
                health.succeeded(&key, 0, SystemTime::now());
            }
        }
    }
    exposition
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_a_thousand_accounts_is_small() {
    let (listener, url) = listener().await;
    tokio::spawn(serve_exposition(listener, exposition(), None));
    for page in [1, 6, 7, 20] {
        let start = Instant::now();
        let html = get(&format!("{url}/?page={page}"), &[]).text();
        println!("page {page}: {} bytes in {:?}", html.len(), start.elapsed());
        assert!(html.len() < 200_000, "page {page} has {} bytes", html.len());
        assert_eq!(html.matches("<details data-key=\"account-").count(), if page <= 6 { 100 } else { 50 });
    }
    let html = get(&format!("{url}/?account=account-000-of-a-customer"), &[]).text();
    let shown = ["worker-", "<span>coin29</span>", "<p class=\"fault\">"].map(|part| html.matches(part).count());
    assert_eq!((shown, html.len() < 200_000), ([300, 1, 8], true));

    let status = read_json(&format!("{url}/api/v1/status"));
    assert_eq!(status["counts"], json!({"failing": 300, "blocked": 0, "waiting": 0, "ok": 700}));
    assert_eq!(
        status["totals"]["xmr"],
        json!({
            "accounts": 1000, "hashrate_hashes_per_second": 12_345.5 * 1000.0, "workers": 300_000.0, "balance_coins": 1500.0,
        })
    );
    assert_eq!(status["accounts"].as_array().unwrap().len(), 50);
    assert_eq!(
        (&status["accounts"][0]["worker_count"], status["accounts"][0]["workers"].as_array().unwrap().len()),
        (&json!(300), 10)
    );
}
