//! Tests of the simulated pool, from the view of its clients and over time.

use std::collections::BTreeMap;

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::header;
use proptest::prelude::*;
use serde_json::json;
use tower::ServiceExt;

use super::rig::{Payment, Work};
use super::*;
use crate::connection::Peer;
use crate::faults::{FAULTS, Rule};
use crate::{Config, EPOCH};

/// A time in seconds since 1970 at which every wallet has mined for more than a year.
const NOW: u64 = 1_760_000_000;

struct Client {
    router: Router,
    wallets: Vec<String>,
}

fn client(rules: &[&str]) -> Client {
    let faults = rules.iter().map(|rule| rule.parse().unwrap()).collect();
    let simulator = Simulator::new(Config { wallets: 2, faults, ..Config::default() });
    let wallets = simulator.pool.wallets().map(|(_, address)| address.to_owned()).collect();
    Client { router: simulator.router(), wallets }
}

impl Client {
    async fn ask(&self, method: &str, path: &str, body: String) -> (u16, String, String) {
        let request = axum::http::Request::builder().method(method).uri(path).extension(ConnectInfo(Peer::at("::1")));
        let response = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let content_type = response.headers().get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap().to_owned());
        let body = to_bytes(response.into_body(), 1 << 24).await.map(|body| body.to_vec()).unwrap_or_default();
        (status, content_type.unwrap_or_default(), String::from_utf8(body).unwrap())
    }

    async fn get(&self, path: &str) -> (u16, String, String) {
        self.ask("GET", &format!("{PREFIX}{path}"), String::new()).await
    }

    async fn json(&self, path: &str) -> Value {
        let (status, content_type, body) = self.get(path).await;
        assert_eq!((status, content_type.as_str()), (200, "application/json; charset=utf-8"), "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// The path of a route, for the first wallet.
    fn path(&self, route: &Route) -> String {
        route.path.replace("{address}", &self.wallets[0])
    }

    async fn requests(&self) -> String {
        self.ask("GET", "/-/requests", String::new()).await.2
    }
}

/// The types in a value. Lists, and objects with workers' names as keys, have the types of all their entries.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("bool"),
        Value::Number(number) => json!(if number.is_f64() { "fraction" } else { "whole" }),
        Value::String(_) => json!("text"),
        Value::Array(entries) => {
            let mut shapes: Vec<Value> = entries.iter().map(shape).collect();
            shapes.dedup();
            shapes.into()
        }
        Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), shape(field))).collect(),
    }
}

/// The shape, without the difference between whole numbers and other numbers, because a hashrate can be either.
fn rough_shape(value: &Value) -> String {
    let mut shape = shape(value);
    shape.sort_all_objects();
    shape.to_string().replace("\"fraction\"", "\"number\"").replace("\"whole\"", "\"number\"")
}

fn fixture(name: &str) -> Value {
    let text = match name {
        "miner_stats" => include_str!("fixtures/miner_stats.json"),
        "miner_payments" => include_str!("fixtures/miner_payments.json"),
        "miner_unknown_stats" => include_str!("fixtures/miner_unknown_stats.json"),
        "miner_unknown_allworkers" => include_str!("fixtures/miner_unknown_allworkers.json"),
        "user" => include_str!("fixtures/user.json"),
        "user_unknown" => include_str!("fixtures/user_unknown.json"),
        "network_stats" => include_str!("fixtures/network_stats.json"),
        "pool_stats" => include_str!("fixtures/pool_stats.json"),
        _ => include_str!("fixtures/miner_stats_allworkers.json"),
    };
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn answers_have_the_shape_of_the_software_s_own() {
    let client = client(&[]);
    let wallet = &client.wallets[0];
    for (path, name) in [
        (format!("/miner/{wallet}/stats"), "miner_stats"),
        (format!("/miner/{wallet}/payments?page=0&limit=100"), "miner_payments"),
        (format!("/user/{wallet}"), "user"),
        ("/network/stats".to_owned(), "network_stats"),
        ("/pool/stats".to_owned(), "pool_stats"),
    ] {
        assert_eq!(rough_shape(&client.json(&path).await), rough_shape(&fixture(name)), "{path}");
    }
    let answer = client.json(&format!("/miner/{wallet}/stats/allWorkers")).await;
    let workers = answer.as_object().unwrap();
    assert!(["global", "rig-a", "garage.2", "x"].iter().all(|name| workers.contains_key(*name)), "{answer}");
    for (name, worker) in workers {
        assert_eq!(rough_shape(worker), rough_shape(&fixture("")["x"]), "{name}");
        assert_eq!(worker["identifer"], *name);
    }
}

#[tokio::test]
async fn units_are_the_software_s_own() {
    let client = client(&[]);
    let stats = client.json(&format!("/miner/{}/stats", client.wallets[0])).await;
    let network = client.json("/network/stats").await;
    let now = minergate_server::unix_time().as_secs();
    let at_most = |value: &Value, age| (now - age..=now).contains(&value.as_u64().unwrap());
    assert!(at_most(&stats["lastHash"], 60) && at_most(&network["ts"], 300), "seconds: {stats} {network}");
    // The balance is a few XMR with 12 decimals, and the value is a block's reward.
    let threshold = client.json(&format!("/user/{}", client.wallets[0])).await["payout_threshold"].as_u64().unwrap();
    assert!(stats["amtDue"].as_u64().unwrap() < 2 * threshold && threshold.is_multiple_of(10_000_000_000));
    assert!((7_000_000_000_000..8_000_000_000_000).contains(&network["value"].as_u64().unwrap()), "{network}");
    assert_eq!((&network["18081"]["height"], &network["main_height"]), (&network["height"], &network["height"]));
}

#[tokio::test]
async fn an_unknown_wallet_has_false_for_every_number() {
    let client = client(&[]);
    let almost = client.wallets[0].to_lowercase();
    for wallet in ["none", almost.as_str(), "%FF", "%22"] {
        assert_eq!(client.json(&format!("/miner/{wallet}/stats")).await, fixture("miner_unknown_stats"));
        assert_eq!(client.json(&format!("/miner/{wallet}/stats/allWorkers")).await, fixture("miner_unknown_allworkers"));
        assert_eq!(client.json(&format!("/miner/{wallet}/payments?limit=100")).await, json!([]));
        assert_eq!(client.json(&format!("/user/{wallet}")).await, fixture("user_unknown"));
    }
}

#[tokio::test]
async fn an_unknown_path_is_html() {
    let client = client(&[]);
    let html = "text/html; charset=utf-8";
    let page = include_str!("fixtures/unknown_path.html");
    assert_eq!(client.get("/miner/none").await, (404, html.to_owned(), page.to_owned()));
    for path in ["", "/1.0/balance", "/miner/a/b/stats"] {
        let (status, content_type, body) = client.get(path).await;
        assert_eq!((status, content_type.as_str(), body.contains("<pre>Cannot GET /")), (404, html, true), "{path}: {body}");
    }
    let (status, _, body) = client.ask("POST", &format!("{PREFIX}/network/stats"), String::new()).await;
    assert_eq!((status, body.contains("<pre>Cannot POST /network/stats</pre>")), (404, true));
    assert!(client.get("/%3Cb%3E/'&\"").await.2.contains("<pre>Cannot GET /%3Cb%3E/&#39;&amp;&quot;</pre>"));
    // The API's own paths keep the API's errors.
    assert!(client.ask("GET", "/2.0/balance", String::new()).await.2.contains("ResourceNotFound"));
}

#[tokio::test]
async fn each_payment_is_on_one_page() {
    let client = client(&[]);
    for wallet in &client.wallets {
        let stats = client.json(&format!("/miner/{wallet}/stats")).await;
        for limit in LIMITS {
            let mut payments: Vec<Value> = Vec::new();
            for page in 0.. {
                let answer = client.json(&format!("/miner/{wallet}/payments?page={page}&limit={limit}")).await;
                let entries = answer.as_array().unwrap();
                assert!(entries.len() <= *limit);
                payments.extend(entries.iter().cloned());
                if entries.len() < *limit {
                    break;
                }
            }
            // A payout may have been made in the meantime.
            let count = stats["txnCount"].as_u64().unwrap();
            assert!(count > 200 && (count..=count + 1).contains(&(payments.len() as u64)), "{count}");
            assert!(payments.is_sorted_by(|a, b| a["ts"].as_u64() > b["ts"].as_u64()));
            let hashes: std::collections::BTreeSet<_> = payments.iter().map(|payment| payment["txnHash"].as_str()).collect();
            assert_eq!(hashes.len(), payments.len());
        }
    }
}

#[tokio::test]
async fn a_page_has_one_of_three_sizes() {
    let client = client(&[]);
    for (query, length) in [
        ("", 15),
        ("?limit=50", 50),
        ("?limit=100", 100),
        ("?limit=100.9&page=-1", 100),
        ("?limit=10", 15),
        ("?limit=101", 15),
        ("?limit=many&page=x", 15),
        ("?limit=1e99&page=1e99", 0),
        ("?limit=NaN&page=NaN", 15),
        ("?page=1000&limit=100", 0),
        ("?%FF=%FF", 15),
    ] {
        let answer = client.json(&format!("/miner/{}/payments{query}", client.wallets[1])).await;
        assert_eq!(answer.as_array().unwrap().len(), length, "{query}");
    }
}

#[tokio::test]
async fn faults_hit_the_pool_s_paths() {
    for fault in FAULTS {
        for route in ROUTES {
            let rule = format!("{}/{}", route.endpoint, fault.name);
            let possible = match fault.name {
                "wrong-password" | "totp-required" | "captcha" | "login-internal" | "expired-token" => false,
                "frozen" | "wallet-unknown" => route.is_of_wallet(),
                "correction" | "counter-reset" => ["wallet_stats", "wallet_workers"].contains(&route.endpoint),
                _ => true,
            };
            assert_eq!(rule.parse::<Rule>().is_ok(), possible, "{rule}");
            // These need time or a connection, and are covered by the tests over a socket.
            if !possible || ["latency", "timeout", "slow-body", "endless", "truncated"].contains(&fault.name) {
                continue;
            }
            let faulty = client(&[&rule]);
            let path = faulty.path(route);
            let answer = faulty.get(&path).await;
            let unchanged = matches!(fault.name, "frozen" | "correction")
                || (fault.name == "hostile-labels" && route.endpoint == "wallet_user")
                || (fault.name == "many-currencies" && route.endpoint == "wallet_user");
            assert!(unchanged || answer != client(&[]).get(&path).await, "{rule}: {answer:?}");
            assert!(faulty.requests().await.contains(&format!("\"outcome\":\"{}\"", fault.name)), "{rule}");
            let other = if route.endpoint == "pool_stats" { "/network/stats" } else { "/pool/stats" };
            assert_eq!(faulty.get(other).await.0, 200, "{rule}");
        }
    }
}

#[tokio::test]
async fn a_rule_selects_a_wallet_by_its_account() {
    let client = client(&["wallet-unknown@rig-2", "wallet_workers/429=7s@rig-1"]);
    let ask = async |wallet: usize, path: &str| client.get(&format!("/miner/{}{path}", client.wallets[wallet])).await;
    assert_eq!((ask(0, "/stats/allWorkers").await.0, ask(0, "/stats").await.0), (429, 200));
    assert_eq!(serde_json::from_str::<Value>(&ask(1, "/stats").await.2).unwrap(), fixture("miner_unknown_stats"));
    assert_eq!(ask(1, "/payments").await.2, "[]");
    assert_eq!(client.json(&format!("/user/{}", client.wallets[1])).await, fixture("user_unknown"));
    client.get("/network/stats").await;
    client.get("/miner/none/stats").await;
    let requests = client.requests().await;
    let row = |account, endpoint, outcome| json!({"account": account, "endpoint": endpoint, "outcome": outcome, "count": 1});
    let expected = json!([
        row("", "network_stats", "200"),
        row("", "wallet_stats", "200"),
        row("rig-1", "wallet_stats", "200"),
        row("rig-1", "wallet_workers", "429"),
        row("rig-2", "wallet_payments", "wallet-unknown"),
        row("rig-2", "wallet_stats", "wallet-unknown"),
        row("rig-2", "wallet_user", "wallet-unknown"),
    ]);
    assert_eq!(serde_json::from_str::<Value>(&requests).unwrap(), expected);
    let faults = client.ask("GET", "/-/faults", String::new()).await.2;
    for wallet in &client.wallets {
        assert!(!requests.contains(wallet) && !faults.contains(wallet));
    }
}

fn pool(seed: u64) -> Pool {
    Pool::new(Seed::new(seed), 3)
}

/// Values that never fall: of a wallet, and of each of its workers.
fn totals(rig: &Rig, now: u64) -> Vec<u64> {
    let of = |work: Work| [work.last_share, work.hashes, work.valid, work.invalid];
    let wallet = of(rig.work(now)).into_iter().chain([rig.paid(now), rig.payouts(now), rig.hashes(now)]);
    wallet.chain(rig.workers.iter().flat_map(|worker| of(worker.work(now)))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn totals_never_fall(seed: u64, start in 0_u64..100_000_000, step in 1_u64..100_000, bits in 0..12_u32) {
        let step = (step >> bits).max(1);
        for rig in &pool(seed).rigs {
            let begin = whole(EPOCH) + start;
            let mut before = totals(rig, begin);
            for i in 1..40 {
                let after = totals(rig, begin + i * step);
                prop_assert!(before.iter().zip(&after).all(|(before, after)| before <= after), "{before:?} {after:?}");
                before = after;
            }
        }
    }

    #[test]
    fn the_paid_amount_is_the_sum_of_the_payments(seed: u64, age in 0_u64..100_000_000) {
        let now = whole(EPOCH) + age;
        for rig in &pool(seed).rigs {
            let payments: Vec<Payment> = rig.payments(now).collect();
            prop_assert_eq!(payments.len() as u64, rig.payouts(now));
            prop_assert_eq!(payments.iter().map(|payment| payment.amount).sum::<u64>(), rig.paid(now));
            for payment in payments.iter().take(50) {
                prop_assert!(payment.time <= now);
                // The balance was at the threshold, and fell by the amount and a fee.
                let [before, after] = [payment.time - 1, payment.time].map(|time| rig.due(time));
                let fee = before.saturating_sub(after + payment.amount);
                prop_assert!(before >= rig.threshold && fee < rig.threshold / 100, "{before} {after}");
                prop_assert!(after < rig.threshold / 10 && payment.amount.is_multiple_of(1_000_000), "{after}");
            }
        }
    }

    #[test]
    fn any_time_has_answers(seed: u64, now in 0..1_000_000_000_000_u64, bits in 0..40_u32) {
        let pool = pool(seed);
        for route in ROUTES {
            (route.answer)(&PoolRequest { pool: &pool, rig: pool.rigs.first(), skip: 0, limit: 15, now: now >> bits });
        }
    }
}

#[test]
fn a_worker_goes_off_and_comes_back() {
    let pool = pool(1);
    let rig = &pool.rigs[0];
    let mut states: BTreeMap<&str, Vec<bool>> = BTreeMap::new();
    for now in (NOW..NOW + 200_000).step_by(60) {
        let work = rig.work(now);
        let workers: Vec<_> = rig.workers.iter().map(|worker| (worker.name, worker.work(now))).collect();
        let sum: f64 = workers.iter().map(|(_, work)| work.hashrate).sum();
        assert!((work.hashrate - sum).abs() < 1e-6 && work.hashrate > 0.0);
        for (name, work) in workers {
            // A share comes every few seconds, as long as the worker is on.
            let is_on = now - work.last_share < 60;
            assert!(work.last_share <= now && (!is_on || work.hashrate > 0.0));
            assert!(work.hashrate > 0.0 || now - work.last_share >= 600, "{name}");
            states.entry(name).or_default().push(work.hashrate > 0.0);
        }
    }
    for (name, states) in states {
        let changes = states.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert_eq!(changes > 4, name != "rig-a", "{name} {changes}");
    }
}

#[test]
fn addresses_are_well_formed() {
    for seed in 0..100 {
        for (_, address) in pool(seed).wallets() {
            assert_eq!((address.len(), minergate_pools::address::doubt(CURRENCY, address)), (95, None), "{address}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_wallets_and_answers() {
    let answers = |seed| {
        let pool = pool(seed);
        let ask = |route: &Route| {
            (route.answer)(&PoolRequest { pool: &pool, rig: pool.rigs.first(), skip: 0, limit: 15, now: NOW })
        };
        ROUTES.iter().map(ask).collect::<Vec<Value>>()
    };
    assert_eq!(answers(1), answers(1));
    assert!(answers(1).iter().zip(&answers(2)).all(|(one, other)| one != other));
    let addresses = |seed| pool(seed).wallets().map(|(_, address)| address.to_owned()).collect::<Vec<_>>();
    assert!(addresses(1) == addresses(1) && addresses(1).iter().all(|address| !addresses(2).contains(address)));
}

#[test]
fn the_exporter_s_configuration_has_the_pool_and_each_wallet() {
    let simulator = Simulator::new(Config { wallets: 2, ..Config::default() });
    let config: toml::Table = simulator.exporter_config("http://127.0.0.1:10188").parse().unwrap();
    let pool = &config["pools"][0];
    assert_eq!(pool["url"].as_str(), Some("http://127.0.0.1:10188/nodejs-pool"));
    assert_eq!((pool["software"].as_str(), pool["currency"].as_str()), (Some("nodejs-pool"), Some("xmr")));
    let name = pool["name"].as_str().unwrap();
    for ((account, address), configured) in simulator.pool.wallets().zip(&config["accounts"].as_array().unwrap()[3..]) {
        assert_eq!(configured["name"].as_str(), Some(account.as_str()));
        assert_eq!(configured["wallets"][name].as_str(), Some(address));
    }
}
