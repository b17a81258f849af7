//! Every method's answer has the API's shape, and the same samples as the pools' answers.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use minergate::endpoints::{ENDPOINTS, Endpoint, Scope, find};
use minergate::metric::Context;
use minergate_exporter::config::{Config, Sources};
use minergate_pools::Pool;
use serde_json::{Value, json};

use super::{Served, account, answer, code, write};
use crate::fake_api::{Asked, Reply};
use crate::process::{daemon, get, wait};
use crate::scrape::Scrape;

const ALL: &[&str] = &["nodejs", "cryptonote", "ethereum"];

/// The samples of an answer: name, labels, value.
fn samples(endpoint: &Endpoint, body: &str) -> BTreeSet<(String, String, String)> {
    let samples = endpoint.read(body.as_bytes(), &Context::default()).unwrap();
    let families = samples.families();
    let all = families.flat_map(|(family, samples)| {
        samples.map(|one| (family.sample_name(), one.labels.to_owned(), one.value.to_string())).collect::<Vec<_>>()
    });
    all.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_method_is_answered_in_its_shape() {
    let served = Served::start(answer, &account("rig", ALL)).await;
    // An endpoint that no pool fills has an empty answer, and its row here.
    let expected = |endpoint: &Endpoint| match endpoint.name {
        "nickname" => json!("rig"),
        "transfers" | "invoices" | "profit_rating" => json!([]),
        "affiliate_links" | "affiliate_childrens" | "affiliate_profit" => json!({}),
        _ => Value::Null,
    };
    for endpoint in ENDPOINTS {
        for path in [Some(endpoint.path), endpoint.former_path, endpoint.part].into_iter().flatten() {
            let path = path.replace("{currency}", "xmr");
            let answer = served.get(&path, "token-of-rig");
            if path.contains("{id}") {
                assert_eq!((answer.status, &*code(&answer)), (404, "NotFound"), "{path}");
                continue;
            }
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8");
            let body: Value = serde_json::from_str(&answer.text()).unwrap();
            match expected(endpoint) {
                Value::Null => assert!(!samples(endpoint, &answer.text()).is_empty(), "{path}: {body}"),
                expected => assert_eq!(body, expected, "{path}"),
            }
            let sample: Value = serde_json::from_str(endpoint.sample).unwrap();
            assert_eq!(std::mem::discriminant(&body), std::mem::discriminant(&sample), "{path}: {body}");
        }
    }
    for path in ["/1.0/btc/status", "/1.0/withdrawals/btc", "/1.0/transfers/nothing", "/1.0/invoices/1"] {
        let answer = served.get(path, "token-of-rig");
        assert_eq!((answer.status, &*code(&answer)), (404, "NotFound"), "{path}");
    }
    assert_eq!(code(&served.get("/1.0/nothing", "")), "ResourceNotFound");
    let parts = served.json("/1.0/withdrawals/etc", "token-of-rig");
    assert!(parts.as_array().unwrap().iter().all(|entry| entry["cc"] == "etc"), "{parts}");
}

/// Many JSON parsers would round a number with so many digits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_balance_is_text_with_all_digits() {
    let stats = r#"{"hash": 1, "totalHashes": 5, "validShares": 5, "invalidShares": 0, "amtPaid": 0, "amtDue": 12345678901234567890}"#;
    let reply = move |asked: &Asked| {
        if asked.path.starts_with("/nodejs/miner") { Reply::new(200, stats) } else { answer(asked) }
    };
    let served = Served::start(reply, &account("rig", &["nodejs"])).await;
    assert_eq!(served.json("/1.0/balance", "token-of-rig"), json!({ "xmr": "12345678.90123456789" }));
}

/// An exporter that reads the gateway has the same samples as one that reads the pools.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_samples_are_those_of_the_pools() {
    let served = Served::start(answer, &account("rig", ALL)).await;
    let text = fs::read_to_string(served.directory.path().join("gateway.toml")).unwrap();
    let config = Config::load_gateway(Sources { text: Some(&text), ..Sources::default() }).unwrap();
    let pools: Vec<Arc<Pool>> =
        config.pools.iter().map(|settings| Arc::new(Pool::new(settings.clone(), Arc::new(|_| ())).unwrap())).collect();
    let wallets = config.wallets.iter().map(|wallet| pools[wallet.pool].wallet("rig".into(), wallet.address.clone()));
    let wallets: Vec<_> = wallets.collect();

    let mut expected = BTreeSet::new();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.scope == Scope::Account) {
        let mut direct = BTreeSet::new();
        for wallet in &wallets {
            if let Ok(answer) = wallet.answer(endpoint, None).await {
                direct.extend(samples(endpoint, &answer.json));
            }
        }
        let through = served.get(endpoint.path, "token-of-rig").text();
        let name = endpoint.name;
        if !name.starts_with("affiliate") {
            assert_eq!(samples(endpoint, &through), direct, "{name}");
        }
        let with_account = |(name, labels, value): (String, String, String)| {
            let labels = if labels.is_empty() { String::new() } else { format!(",{labels}") };
            (format!("{name}{{account=\"rig\"{labels}}}"), value)
        };
        expected.extend(direct.into_iter().map(with_account));
    }
    for (pool, currency) in pools.iter().zip(["xmr", "zeph", "etc"]) {
        let status = find("status").unwrap();
        let direct = samples(status, &pool.answer(status, None).await.unwrap().json);
        let through = served.get(&format!("/1.0/{currency}/status"), "").text();
        assert_eq!(samples(status, &through), direct, "{currency}");
    }
    let top = find("top_hashrate").unwrap();
    let direct = samples(top, &pools[1].answer(top, None).await.unwrap().json);
    assert!(!direct.is_empty());
    assert_eq!(samples(top, &served.get(top.path, "").text()), direct);

    assert!(expected.len() > 40, "{expected:?}");
    let client = "[[accounts]]\nname = \"rig\"\ntoken = \"token-of-rig\"\n";
    let client = format!("max_workers = 1000\n[api]\nbase_url = \"{}\"\nrequests_per_second = 50\n{client}", served.url);
    let directory = tempfile::tempdir().unwrap();
    let (_exporter, url) = daemon(&write(directory.path(), &client), &[]);
    let scrape = wait("all samples", || {
        let scrape = Scrape::read(&get(&format!("{url}/metrics"), &[]).text());
        (scrape.is_up("rig") && scrape.get("minergate_network_difficulty{currency=\"etc\"}").is_some()).then_some(scrape)
    });
    for (series, value) in expected {
        // The order of an info's labels can differ.
        if !series.contains("_info{") {
            assert_eq!(scrape.get(&series).map(|value| value.to_string()), Some(value), "{series}");
        }
    }
}
