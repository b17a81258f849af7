//! Tests of when faults hit, and of the pages that control them. The tests over a socket check the effect of each fault.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http;
use tower::ServiceExt;

use super::*;
use minergate::api::LOGIN;

use crate::credentials;
use crate::{Config, Simulator};
use minergate::endpoints::{ENDPOINTS, Endpoint};
use minergate::metric::{Context, Kind};

fn rules(texts: &[&str]) -> Vec<Rule> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn faults(seed: u64, texts: &[&str]) -> Faults {
    Faults::new(Seed::new(seed), rules(texts))
}

/// For each of a thousand requests of farm-1 for its balance, the fault that it gets.
fn hits(faults: &Faults) -> Vec<Option<&'static str>> {
    (0..1000).map(|_| faults.hit("balance", "farm-1").map(|hit| hit.fault.name)).collect()
}

#[test]
fn rates_are_about_right_and_repeat_with_the_seed() {
    for (rate, expected) in [("0", 0..=0), ("0.1", 70..=130), ("0.5", 450..=550), ("1", 1000..=1000)] {
        let rule = format!("429:{rate}");
        let hit = hits(&faults(1, &[&rule]));
        let count = hit.iter().flatten().count();
        assert!(expected.contains(&count), "{count} of 1000 at {rate}");
        assert_eq!(hit, hits(&faults(1, &[&rule])));
        assert_eq!(hit != hits(&faults(2, &[&rule])), (1..1000).contains(&count), "{rate}");
    }
}

#[test]
fn the_first_rule_that_hits_wins() {
    let faults = faults(1, &["html:0.5", "429:0.5", "429:0.5", "500"]);
    let hits = hits(&faults);
    let count = |name| hits.iter().filter(|hit| **hit == Some(name)).count();
    // Two identical rules draw separately.
    assert!((440..560).contains(&count("html")) && (310..440).contains(&count("429")), "{hits:?}");
    assert_eq!(count("html") + count("429") + count("500"), 1000);
    let report = faults.report();
    assert_eq!((&report[0]["tried"], &report[3]["rule"]), (&json!(1000), &json!("500")));
    assert_eq!(report[3]["applied"], count("500"));
    faults.replace(rules(&["html"]));
    assert_eq!(faults.report(), json!([{"rule": "html", "tried": 0, "applied": 0}]));
}

#[test]
fn a_rule_is_for_its_endpoint_and_account() {
    for (rule, fitting) in [
        ("html", &[("login", "farm-1"), ("balance", "farm-1"), ("balance", "farm-2"), ("status", "")][..]),
        ("captcha", &[("login", "farm-1")]),
        ("expired-token", &[("balance", "farm-1"), ("balance", "farm-2")]),
        ("balance/html", &[("balance", "farm-1"), ("balance", "farm-2")]),
        ("html@farm-1", &[("login", "farm-1"), ("balance", "farm-1")]),
        ("balance/html@farm-2", &[("balance", "farm-2")]),
        ("login/html@farm-2", &[]),
    ] {
        let faults = faults(1, &[rule]);
        let asked = [("login", "farm-1"), ("balance", "farm-1"), ("balance", "farm-2"), ("status", "")];
        let hit: Vec<_> = asked.into_iter().filter(|(endpoint, account)| faults.hit(endpoint, account).is_some()).collect();
        assert_eq!(hit, fitting, "{rule}");
    }
}

#[test]
fn changed_json_repeats_with_the_seed() {
    let sample: Value = serde_json::from_str(minergate::endpoints::find("mining_stats").unwrap().sample).unwrap();
    for fault in FAULTS {
        let Effect::Changed(change) = fault.effect else { continue };
        let changed = |seed| {
            let mut value = sample.clone();
            change(&mut value, Seed::new(seed));
            value
        };
        assert_ne!(changed(1), sample, "{}", fault.name);
        assert_eq!(changed(1), changed(1), "{}", fault.name);
    }
}

#[test]
fn every_value_changes_its_type() {
    let mut value = json!([{"a": 1, "b": "2.5", "c": {"d": null}, "e": true}, "text", []]);
    change::wrong_types(&mut value, Seed::new(1));
    assert_eq!(value, json!([[{"number": 1}, ["2.5"], [[]], {"flag": true}], ["text"], []]));
    for (mut bare, other) in [(json!("text"), json!(["text"])), (json!(1.5), json!({"number": 1.5}))] {
        change::wrong_types(&mut bare, Seed::new(1));
        assert_eq!(bare, other);
    }
}

/// The values of an endpoint's counters in an answer, by metric and labels.
fn counters(endpoint: &Endpoint, answer: &Value) -> Vec<(String, f64)> {
    let request = Context::default();
    let samples = endpoint.read(answer.to_string().as_bytes(), &request).unwrap();
    let counters = samples.families().filter(|(family, _)| family.kind == Kind::Counter);
    counters
        .flat_map(|(family, series)| series.map(|one| (format!("{} {}", family.name(), one.labels), one.value)))
        .collect()
}

#[test]
fn corrections_and_resets_change_every_counter_and_nothing_else() {
    let rule: Rule = "correction".parse().unwrap();
    let mut changed = Vec::new();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| rule.fits(endpoint.name, "")) {
        changed.push(endpoint.name);
        let sample: Value = serde_json::from_str(endpoint.sample).unwrap();
        let before = counters(endpoint, &sample);
        let (mut corrected, mut restarted) = (sample.clone(), sample.clone());
        change::corrected(&mut corrected, Seed::new(1));
        let after = counters(endpoint, &corrected);
        assert!(after.len() == before.len() && after.iter().zip(&before).any(|(after, before)| after.1 < before.1));
        for ((name, after), (_, before)) in after.iter().zip(&before) {
            assert!((0.99 * before..=*before).contains(after), "{name}: {before} became {after}");
        }
        change::restarted(&mut restarted, &sample);
        for (name, after) in counters(endpoint, &restarted) {
            assert!(after.abs() < f64::EPSILON, "{name}: {after}");
        }
        // Except for the fields of counters, nothing has changed.
        for (name, field) in sample.as_object().unwrap() {
            for changed in [&corrected, &restarted] {
                let gauges = ["hashrate", "minersCount", "unconfirmedBalance", "minerOnline"];
                assert!(gauges.iter().all(|gauge| changed[name].get(*gauge) == field.get(*gauge)), "{name}");
                assert!(
                    !["timestamp", "height", "difficulty"].contains(&name.as_str()) || changed[name] == *field,
                    "{name}"
                );
            }
        }
    }
    assert_eq!(changed, ["mining_stats", "affiliate_profit", "status"]);
}

#[tokio::test]
async fn a_frozen_account_does_not_change_and_others_do() {
    let pool = pool(&["frozen@farm-3"]);
    let later = async || {
        let began = unix_time().as_millis();
        while unix_time().as_millis() < began + 5 {
            tokio::task::yield_now().await;
        }
    };
    let stats = async || pool.json("GET", "/1.0/mining/stats", "").await;
    later().await;
    let first = stats().await;
    later().await;
    assert_eq!(stats().await, first);
    assert!(u128::from(first["timestamp"].as_u64().unwrap()) + 5 <= unix_time().as_millis());
    // A rule for another account does not apply to this one.
    pool.json("PUT", "/-/faults", r#"["frozen@farm-1"]"#).await;
    assert_ne!(stats().await, first);
}

#[tokio::test]
async fn a_counter_that_was_reset_grows_from_0() {
    let pool = pool(&["counter-reset"]);
    let (before, now) = (pool.json("GET", "/1.0/mining/stats", "").await, unix_time());
    let mined = before.as_object().unwrap().values().find_map(|stats| stats["totalMined"].as_f64()).unwrap();
    pool.json("DELETE", "/-/faults", "").await;
    let after = pool.json("GET", "/1.0/mining/stats", "").await;
    let whole = after.as_object().unwrap().values().find_map(|stats| stats["totalMined"].as_f64()).unwrap();
    assert!((0.0..whole / 1000.0).contains(&mined), "{mined} of {whole} at {now:?}");
}

#[test]
fn made_up_currencies_are_added_to_objects_and_lists() {
    for (mut value, path, expected) in [
        (json!({"xmr": {"hashrate": 5}}), "/fake7/hashrate", json!(5)),
        (json!([{"cc": "xmr", "amount": 5}]), "/8/cc", json!("fake7")),
        (json!([{"cc": "xmr", "amount": 5}]), "/8/amount", json!(5)),
        (json!(["xmr"]), "/8", json!("fake7")),
    ] {
        change::many_currencies(&mut value, Seed::new(1));
        assert_eq!(value.pointer(path), Some(&expected), "{path}");
    }
}

/// A simulator that is called without sockets.
struct Pool(Router);

impl Pool {
    /// Sends a request from a client at this address.
    async fn ask(&self, peer: &str, method: &str, path: &str, body: &str) -> (u16, String) {
        let token = credentials::of(&Simulator::new(Config::default()).world, 2).token.unwrap();
        let request = http::Request::builder().method(method).uri(path).header("token", token);
        let request = request.extension(ConnectInfo(Peer::at(peer))).body(Body::from(body.to_owned())).unwrap();
        let response = self.0.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        (status, String::from_utf8(to_bytes(response.into_body(), 1 << 24).await.unwrap().to_vec()).unwrap())
    }

    async fn json(&self, method: &str, path: &str, body: &str) -> Value {
        serde_json::from_str(&self.ask("::1", method, path, body).await.1).unwrap()
    }
}

fn pool(texts: &[&str]) -> Pool {
    Pool(Simulator::new(Config { faults: rules(texts), ..Config::default() }).router())
}

#[tokio::test]
async fn only_the_same_machine_controls_it() {
    let pool = pool(&[]);
    for (peer, status) in
        [("127.0.0.1", 200), ("127.9.9.9", 200), ("::1", 200), ("::ffff:127.0.0.1", 200), ("192.0.2.1", 403), ("::", 403)]
    {
        for path in ["/-/faults", "/-/requests"] {
            for method in ["GET", "DELETE"] {
                assert_eq!(pool.ask(peer, method, path, "").await.0, status, "{method} {path} from {peer}");
            }
        }
        assert_eq!(pool.ask(peer, "PUT", "/-/faults", "[]").await.0, status, "PUT from {peer}");
        assert_eq!(pool.ask(peer, "GET", "/1.0/balance", "").await.0, 200);
    }
}

#[tokio::test]
async fn rules_are_shown_replaced_and_removed_while_it_runs() {
    let pool = pool(&["balance/500"]);
    let balance = async || pool.ask("::1", "GET", "/1.0/balance", "").await.0;
    assert_eq!(balance().await, 500);
    let shown = pool.json("GET", "/-/faults", "").await;
    assert_eq!(shown["rules"], json!([{"rule": "balance/500", "tried": 1, "applied": 1}]));
    assert_eq!(shown["faults"].as_array().unwrap().len(), FAULTS.len());
    assert_eq!(shown["endpoints"][0], LOGIN);
    let shown = pool.json("PUT", "/-/faults", r#"["html:0", "forbidden@farm-3"]"#).await;
    assert_eq!(shown["rules"][1], json!({"rule": "forbidden@farm-3", "tried": 0, "applied": 0}));
    assert_eq!(balance().await, 403);
    for (body, sentence) in [
        ("429", "the body is not a list of rules; write JSON, such as [\"429:0.1\", \"login/captcha\"]\n"),
        (r#"["500", "429:2"]"#, "`429:2`: `2` is not a rate; write a number from 0 to 1\n"),
        (r#"["500@farm-9"]"#, "`500@farm-9`: there is no account `farm-9`; accounts are farm-1 to farm-3 and rig-1\n"),
    ] {
        assert_eq!(pool.ask("::1", "PUT", "/-/faults", body).await, (400, sentence.to_owned()));
        assert_eq!(balance().await, 403, "a wrong list changes nothing");
    }
    assert_eq!(pool.json("DELETE", "/-/faults", "").await["rules"], json!([]));
    assert_eq!(balance().await, 200);
}

#[tokio::test]
async fn requests_are_counted_by_account_endpoint_and_outcome() {
    let pool = pool(&["workers/html", "login/captcha@farm-2"]);
    for path in ["/1.0/balance", "/1.0/balance/", "/1.0/workers", "/1.0/transfers/xmr", "/nothing"] {
        pool.ask("::1", "GET", path, "").await;
    }
    for email in ["farm-1@example.com", "farm-2@example.com", "nobody@example.com"] {
        let body = json!({ "email": email, "password": "wrong" }).to_string();
        pool.ask("::1", "POST", "/1.0/auth/login", &body).await;
    }
    let row = |account, endpoint, outcome, count| json!({"account": account, "endpoint": endpoint, "outcome": outcome, "count": count});
    let expected = json!([
        row("", "login", "400", 1),
        row("farm-1", "login", "400", 1),
        row("farm-2", "login", "captcha", 1),
        row("farm-3", "balance", "200", 2),
        row("farm-3", "transfers", "200", 1),
        row("farm-3", "workers", "html", 1),
    ]);
    assert_eq!(pool.json("GET", "/-/requests", "").await, expected);
    assert_eq!(pool.json("DELETE", "/-/requests", "").await, json!([]));
}

#[tokio::test]
async fn documented_answers_have_faults_too() {
    let config = Config { documented: true, faults: rules(&["balance/nulls"]), ..Config::default() };
    let (status, body) = Pool(Simulator::new(config).router()).ask("::1", "GET", "/1.0/balance", "").await;
    assert!(status == 200 && body.contains("\"xmr\":null"), "{body}");
}
