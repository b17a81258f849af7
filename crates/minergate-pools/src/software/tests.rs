//! What holds for every software of the table.

use std::collections::BTreeSet;
use std::time::Duration;

use minergate::endpoints;
use minergate::metric;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Stands abbreviated in the sample of `get_top10miners`.
const ADDRESS: &str = "4MadeUpWalletOfNobodyAddress";

fn context(software: &Software) -> Context<'static> {
    let currency = if software.name == "open-ethereum-pool" { "etc" } else { "xmr" };
    let decimals = software.decimals(currency).unwrap();
    Context { account: "rig", address: ADDRESS, currency, decimals, block_time: Duration::from_secs(120) }
}

fn software(name: &str) -> &'static Software {
    Software::find(name).unwrap_or_else(|| panic!("no {name}"))
}

/// The sample answers of an endpoint's paths.
fn samples(software: &Software, endpoint: &str) -> Vec<&'static str> {
    let (_, samples) = SOFTWARES.iter().zip(SAMPLES).find(|(one, _)| one.name == software.name).unwrap();
    let sample = |path: &str| samples.iter().find(|(of, _)| *of == path).unwrap_or_else(|| panic!("no sample of {path}")).1;
    software.paths(endpoint).map(sample).collect()
}

fn translate(software: &Software, endpoint: &str, bodies: &[&str]) -> Result<String> {
    let bodies: Vec<Option<&[u8]>> = bodies.iter().map(|body| Some(body.as_bytes())).collect();
    software.translate(endpoint, &bodies, &context(software))
}

/// The samples that the exporter would have of an answer: `name labels value`.
fn shown(endpoint: &str, json: &str) -> Vec<String> {
    let endpoint = endpoints::find(endpoint).unwrap();
    let samples = endpoint.read(json.as_bytes(), &metric::Context::default()).unwrap();
    let lines = samples.families().flat_map(|(family, samples)| {
        let line = |one: metric::Sample<'_>| format!("{} {} {}", family.sample_name(), one.labels, one.value);
        samples.map(line).collect::<Vec<_>>()
    });
    lines.collect()
}

#[test]
fn names_are_unique_and_endpoints_are_those_of_the_api() {
    let names: BTreeSet<_> = SOFTWARES.iter().map(|software| software.name).collect();
    assert_eq!(names.len(), SOFTWARES.len());
    for software in SOFTWARES {
        assert!(software.endpoints.iter().all(|name| endpoints::find(name).is_some()), "{}", software.name);
        let paths: BTreeSet<_> = software.sources.iter().map(|source| source.path).collect();
        assert_eq!(paths.len(), software.sources.len(), "{}: a path stands twice", software.name);
        for source in software.sources {
            assert!(source.path.starts_with('/'), "{}", source.path);
            for endpoint in source.fills.iter().chain(source.adds_to) {
                assert!(software.fills(endpoint), "{} fills {endpoint}", source.path);
            }
        }
    }
    assert!(Software::find("none").is_none());
}

#[test]
fn every_endpoint_is_filled_by_the_samples() {
    for software in SOFTWARES {
        for endpoint in software.endpoints {
            let json = translate(software, endpoint, &samples(software, endpoint)).unwrap();
            assert!(!shown(endpoint, &json).is_empty(), "{} {endpoint}: {json}", software.name);
        }
        let error = translate(software, "transfers", &[]).unwrap_err();
        assert_eq!(error, Error::NotFound);
    }
}

#[test]
fn every_field_of_the_mapping_has_its_value() {
    let miners = json!([
        {"name": "attic", "hashrate": 7000, "lastShare": 1_763_993_402_000_i64, "shares": {"good": 3900, "invalid": 6}},
        {"name": "cellar.2", "hashrate": 0, "lastShare": 1_763_901_000_000_i64, "shares": {"good": 120, "invalid": 0}},
        {"name": "unnamed", "hashrate": 512.25, "lastShare": 1_763_993_377_000_i64, "shares": {"good": 1, "invalid": 0}},
    ]);
    let block = json!({
        "height": 3_551_200, "timestamp": 1_763_993_311, "difficulty": 480_123_456_789_i64, "reward": 0.601_234_567_89,
        "instantHashrate": 480_123_456_789.0 / 120.0,
    });
    for (name, endpoint, expected) in [
        ("nodejs-pool", "workers", json!({"xmr": {"minersCount": 2, "hashrate": 7512.25, "miners": miners}})),
        (
            "nodejs-pool",
            "mining_stats",
            json!({"xmr": {
                "minersCount": 2, "hashrate": 7512.25, "minerOnline": true, "payoutThreshold": 0.3,
                "shares": {"good": 4021, "goodEq": 918_273_645, "invalid": 6},
            }}),
        ),
        ("nodejs-pool", "balance", json!({"xmr": 0.038_123_456_789})),
        (
            "nodejs-pool",
            "withdrawals",
            json!([
                {"cc": "xmr", "amount": 0.5, "status": "finished", "created": 1_763_900_122},
                {"cc": "xmr", "amount": 0.400_000_000_001, "status": "finished", "created": 1_763_300_118},
                {"cc": "xmr", "amount": 0.349_999_999_999, "status": "finished", "created": 1_762_700_110},
            ]),
        ),
        ("nodejs-pool", "nickname", json!("rig")),
        ("nodejs-pool", "status", block.clone()),
        (
            "cryptonote-nodejs-pool",
            "workers",
            json!({"xmr": {"minersCount": 2, "hashrate": 4810, "hashrateRank": 2, "miners": [
                {"name": "attic", "hashrate": 4300, "lastShare": 1_763_993_402_000_i64,
                 "shares": {"good": 610, "bad": 5, "invalid": 2}},
                {"name": "unnamed", "hashrate": 510, "lastShare": 1_763_993_377_000_i64},
                {"name": "cellar.2", "hashrate": 0},
            ]}}),
        ),
        (
            "cryptonote-nodejs-pool",
            "mining_stats",
            json!({"xmr": {
                "minersCount": 2, "hashrate": 4810, "hashrateRank": 2, "minerOnline": true, "blocksFound": 2,
                "payoutThreshold": 0.3, "shares": {"goodEq": 5_120_000},
            }}),
        ),
        ("cryptonote-nodejs-pool", "balance", json!({"xmr": 0.038_123_456_789})),
        (
            "cryptonote-nodejs-pool",
            "withdrawals",
            json!([
                {"cc": "xmr", "amount": 0.5, "status": "finished", "created": 1_763_900_122},
                {"cc": "xmr", "amount": 0.75, "status": "finished", "created": 1_763_300_118},
            ]),
        ),
        ("cryptonote-nodejs-pool", "top_hashrate", json!({"xmr": [{"hashrate": 190_830}, {"hashrate": 4810}]})),
        ("cryptonote-nodejs-pool", "status", block),
        (
            "open-ethereum-pool",
            "workers",
            json!({"etc": {"minersCount": 1, "hashrate": 91_500_000, "miners": [
                {"name": "attic", "hashrate": 91_500_000, "lastShare": 1_763_993_402_000_i64,
                 "shares": {"good": 9000, "bad": 30, "invalid": 3}},
                {"name": "cellar", "hashrate": 0, "lastShare": 1_763_980_000_000_i64,
                 "shares": {"good": 120, "bad": 1, "invalid": 1}},
            ]}}),
        ),
        (
            "open-ethereum-pool",
            "mining_stats",
            json!({"etc": {
                "unconfirmedBalance": 4_500_000_000_000_000_i64, "minersCount": 1, "hashrate": 91_500_000,
                "minerOnline": true, "blocksFound": 1, "shares": {"good": 9120, "bad": 31, "invalid": 4},
            }}),
        ),
        ("open-ethereum-pool", "balance", json!({"etc": 0.381_234_567})),
        (
            "open-ethereum-pool",
            "withdrawals",
            json!([
                {"cc": "etc", "amount": 1.5, "fee": 0.000_021, "status": "finished", "created": 1_763_900_122},
                {"cc": "etc", "amount": 1.250_000_001, "fee": 0.000_02, "status": "finished", "created": 1_763_300_118},
            ]),
        ),
        (
            "open-ethereum-pool",
            "status",
            json!({"height": 21_345_678, "difficulty": 2_793_412_345_678_901_i64, "instantHashrate": 211_622_147_399_916_i64}),
        ),
    ] {
        let software = software(name);
        let made = translate(software, endpoint, &samples(software, endpoint)).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&made).unwrap(), expected, "{name} {endpoint}");
    }
}

#[test]
fn older_versions_fill_what_they_say() {
    let oldest = include_str!("cryptonote_nodejs_pool/stats_address_oldest.json");
    let original = include_str!("open_ethereum_pool/accounts_original.json");
    for (name, endpoint, bodies, expected) in [
        (
            "cryptonote-nodejs-pool",
            "workers",
            vec![Some(oldest), None],
            json!({"xmr": {"minersCount": 1, "hashrate": 4810, "miners": [
                {"name": "attic", "hashrate": 4300, "lastShare": 1_763_993_402_000_i64},
                {"name": "cellar.2", "lastShare": 1_763_800_000_000_i64},
            ]}}),
        ),
        (
            "cryptonote-nodejs-pool",
            "mining_stats",
            vec![Some(oldest)],
            json!({"xmr": {"minersCount": 1, "hashrate": 4810, "minerOnline": true, "shares": {"goodEq": 5_120_000}}}),
        ),
        (
            "cryptonote-nodejs-pool",
            "status",
            vec![Some(r#"{"network":{"difficulty":"240","height":7,"timestamp":1763993311},"config":{}}"#)],
            json!({"height": 7, "timestamp": 1_763_993_311, "difficulty": 240, "instantHashrate": 2}),
        ),
        (
            "cryptonote-nodejs-pool",
            "status",
            vec![Some(
                r#"{"lastblock":{"height":"7","timestamp":"1763993311"},"network":{"height":8,"timestamp":1763993312}}"#,
            )],
            json!({"height": 7, "timestamp": 1_763_993_311}),
        ),
        (
            "nodejs-pool",
            "mining_stats",
            vec![
                Some(r#"{"hash":3570,"identifier":"global","validShares":21,"invalidShares":7,"amtDue":5}"#),
                Some("{}"),
                None,
            ],
            json!({"xmr": {"shares": {"good": 21, "invalid": 7}}}),
        ),
        (
            "open-ethereum-pool",
            "mining_stats",
            vec![Some(original)],
            json!({"etc": {
                "unconfirmedBalance": 4_500_000_000_000_000_i64, "minersCount": 1, "hashrate": 91_500_000,
                "minerOnline": true, "blocksFound": 1,
            }}),
        ),
        ("open-ethereum-pool", "withdrawals", vec![Some(original)], json!([])),
    ] {
        let software = software(name);
        let bodies: Vec<Option<&[u8]>> = bodies.iter().map(|body| body.map(str::as_bytes)).collect();
        let made = software.translate(endpoint, &bodies, &context(software)).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&made).unwrap(), expected, "{name} {endpoint}");
    }
}

#[test]
fn an_unknown_wallet_is_an_error_of_its_own() {
    let not_found = r#"{"error":"Not found"}"#;
    let stats = r#"{"hash":false,"hash2":false,"identifier":"global","lastHash":false,"lastShareAlgo":false,"totalHashes":false,"validShares":false,"invalidShares":false,"amtPaid":0,"amtDue":0,"txnCount":0}"#;
    let workers = r#"{"global":{"lts":false,"identifer":"global","hash":false,"hash2":false,"lastShareAlgo":false,"totalHash":false,"validShares":false,"invalidShares":false}}"#;
    for software in SOFTWARES {
        for endpoint in ["workers", "mining_stats", "balance", "withdrawals"] {
            let bodies: Vec<&str> = software
                .paths(endpoint)
                .map(|path| match path {
                    "/miner/{address}/stats" => stats,
                    "/miner/{address}/stats/allWorkers" => workers,
                    path if path.contains("payments") => "[]",
                    _ => not_found,
                })
                .collect();
            let made = translate(software, endpoint, &bodies);
            assert_eq!(made, Err(Error::WalletUnknown), "{} {endpoint}", software.name);
        }
    }
}

#[test]
fn a_wallet_that_only_has_coins_is_known() {
    let bodies = [
        r#"{"hash":false,"totalHashes":false,"validShares":false,"invalidShares":false,"amtPaid":5,"amtDue":"7000000000000"}"#,
    ];
    assert_eq!(translate(software("nodejs-pool"), "balance", &bodies).unwrap(), r#"{"xmr":7}"#);
}

#[test]
fn an_answer_that_says_nothing_has_no_samples() {
    for software in SOFTWARES {
        for endpoint in software.endpoints.iter().filter(|name| **name != "nickname") {
            let paths = software.paths(endpoint).count();
            for odd in [
                "{}",
                "[]",
                "{\"stats\":{}}",
                "{\"global\":7}",
                "{\"nodes\":[{}]}",
                "[{}]",
                "[null]",
                "{\"stats\":[],\"workers\":{}}",
            ] {
                match translate(software, endpoint, &vec![odd; paths]) {
                    Ok(json) => {
                        let shown = shown(endpoint, &json);
                        // That there is a payment is something, also where nothing else is known of it.
                        let counts: Vec<_> =
                            shown.iter().filter(|line| !line.starts_with("minergate_withdrawals ")).collect();
                        assert!(counts.is_empty(), "{} {endpoint} {odd}: {counts:?}", software.name);
                    }
                    Err(error) => assert_eq!(error.kind(), "shape", "{} {endpoint} {odd}", software.name),
                }
            }
            for no_json in ["", "<html>Not found</html>", "Invalid API call", "{\"stats\":", "7", "\"text\"", "null"] {
                let error = translate(software, endpoint, &vec![no_json; paths]).unwrap_err();
                assert_eq!(error.kind(), "shape", "{} {endpoint} {no_json:?}", software.name);
            }
        }
    }
}

#[test]
fn what_a_pool_may_lack_costs_nothing_else() {
    let software = software("nodejs-pool");
    let mut bodies = samples(software, "mining_stats");
    for missing in ["<html>", r#"{"error":"Not found"}"#, "[]"] {
        bodies[2] = missing;
        let made: Value = serde_json::from_str(&translate(software, "mining_stats", &bodies).unwrap()).unwrap();
        assert_eq!(made["xmr"]["hashrate"], json!(7512.25));
        assert_eq!(made["xmr"].get("payoutThreshold"), None);
    }
}

#[test]
fn no_address_and_no_transaction_is_passed_on() {
    for software in SOFTWARES {
        for endpoint in software.endpoints {
            let bodies: Vec<String> =
                samples(software, endpoint).iter().map(|body| body.replace("attic", ADDRESS)).collect();
            let made = translate(software, endpoint, &bodies.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
            let lower = made.to_ascii_lowercase();
            for secret in ["made-up", "wallet", "4madeup"] {
                assert!(!lower.contains(secret), "{} {endpoint}: {made}", software.name);
            }
            assert!(*endpoint != "workers" || made.contains(r#""name":"other""#), "{made}");
        }
    }
}

/// Every place of a JSON value, to be replaced.
fn places(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Object(fields) => fields.values_mut().flat_map(places).collect(),
        Value::Array(elements) => elements.iter_mut().flat_map(places).collect(),
        leaf => vec![leaf],
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "-?[0-9]{1,40}(\\.[0-9]{1,3})?( [KMGTP]?H(/s)?)?".prop_map(Value::from),
        ".{0,40}:-?[0-9]{1,40}:.{0,9}".prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-zA-Z0-9_]{1,12}", inner, 0..4)
                .prop_map(|fields| fields.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// A body that is made of an amount.
type OfAmount = fn(&str) -> String;

/// Where each software has amounts: endpoint, the place of the answer among its paths, and the answer.
const AMOUNTS: &[(&str, &str, usize, OfAmount)] = &[
    ("nodejs-pool", "balance", 0, |amount| format!(r#"{{"hash":1,"amtDue":{amount}}}"#)),
    ("nodejs-pool", "withdrawals", 1, |amount| format!(r#"[{{"ts":1,"amount":{amount}}}]"#)),
    ("cryptonote-nodejs-pool", "balance", 0, |amount| format!(r#"{{"stats":{{"balance":{amount}}}}}"#)),
    ("cryptonote-nodejs-pool", "withdrawals", 0, |amount| {
        format!(r#"{{"payments":["tx:{}:1:16","1"]}}"#, amount.trim_matches('"'))
    }),
    ("open-ethereum-pool", "balance", 0, |amount| format!(r#"{{"stats":{{"balance":{amount}}}}}"#)),
    ("open-ethereum-pool", "withdrawals", 0, |amount| format!(r#"{{"payments":[{{"amount":{amount},"timestamp":1}}]}}"#)),
];

proptest! {
    #[test]
    fn nearly_right_answers_become_valid_ones_or_errors(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any_json()), 1..5),
    ) {
        let endpoints: Vec<_> = SOFTWARES.iter().flat_map(|one| one.endpoints.iter().map(move |name| (one, *name))).collect();
        let (software, endpoint) = endpoints[which.index(endpoints.len())];
        let mut bodies: Vec<Value> =
            samples(software, endpoint).iter().map(|body| serde_json::from_str(body).unwrap()).collect();
        for (place, value) in changes {
            let mut places: Vec<_> = bodies.iter_mut().flat_map(places).collect();
            if !places.is_empty() {
                let place = place.index(places.len());
                *places[place] = value;
            }
        }
        let bodies: Vec<String> = bodies.iter().map(Value::to_string).collect();
        if let Ok(json) = translate(software, endpoint, &bodies.iter().map(String::as_str).collect::<Vec<_>>()) {
            shown(endpoint, &json);
        }
    }

    #[test]
    fn whatever_a_pool_sends_nothing_panics(body in prop_oneof![any_json().prop_map(|json| json.to_string()), ".{0,200}"]) {
        for software in SOFTWARES {
            for endpoint in software.endpoints {
                let bodies = vec![body.as_str(); software.paths(endpoint).count()];
                if let Ok(json) = translate(software, endpoint, &bodies) {
                    shown(endpoint, &json);
                }
            }
        }
    }

    #[test]
    fn amounts_keep_every_digit(units in any::<u64>(), is_text in any::<bool>()) {
        for (name, endpoint, place, body) in AMOUNTS {
            let software = software(name);
            let context = context(software);
            let body = body(&if is_text { format!("\"{units}\"") } else { units.to_string() });
            let mut bodies = samples(software, endpoint);
            bodies[*place] = &body;
            let json = translate(software, endpoint, &bodies).unwrap();
            let start = if *endpoint == "balance" { format!("\"{}\":", context.currency) } else { "\"amount\":".to_owned() };
            let (_, rest) = json.split_once(&start).unwrap();
            let amount = rest.split([',', '}']).next().unwrap();
            let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
            let digits = format!("{whole}{fraction:0<width$}", width = usize::from(context.decimals));
            prop_assert_eq!(digits.parse::<u128>().unwrap(), u128::from(units), "{} {}: {}", name, endpoint, json);
        }
    }

    #[test]
    fn the_unconfirmed_balance_is_in_the_smallest_unit(units in any::<u64>()) {
        let software = software("open-ethereum-pool");
        let body = format!(r#"{{"stats":{{"immature":{units}}}}}"#);
        let json = translate(software, "mining_stats", &[&body]).unwrap();
        let expected = u128::from(units) * 1_000_000_000;
        prop_assert_eq!(json, format!(r#"{{"etc":{{"unconfirmedBalance":{expected}}}}}"#));
    }
}
