//! Rules that all supported software must follow.

mod arbitrary;
mod values;

use std::collections::BTreeSet;
use std::time::Duration;

use minergate::endpoints;
use minergate::metric;
use serde_json::{Value, json};

use super::*;

/// The sample of `get_top10miners` has this address in abbreviated form.
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

fn translate(software: &Software, endpoint: &str, bodies: &[impl AsRef<[u8]>]) -> Result<String> {
    let bodies: Vec<Option<&[u8]>> = bodies.iter().map(|body| Some(body.as_ref())).collect();
    software.translate(endpoint, &bodies, &context(software))
}

/// The samples that the exporter makes from an answer: `name labels value`.
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
        assert_eq!(paths.len(), software.sources.len(), "{}: a path appears twice", software.name);
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
        let error = translate(software, "transfers", &[""; 0]).unwrap_err();
        assert_eq!(error, Error::NotFound);
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
fn an_answer_without_values_has_no_samples() {
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
                        // A payment is counted even if nothing else is known of it.
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
fn a_path_that_the_pool_lacks_removes_no_other_value() {
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
            let made = translate(software, endpoint, &bodies).unwrap();
            let lower = made.to_ascii_lowercase();
            for secret in ["made-up", "wallet", "4madeup"] {
                assert!(!lower.contains(secret), "{} {endpoint}: {made}", software.name);
            }
            assert!(*endpoint != "workers" || made.contains(r#""name":"other""#), "{made}");
        }
    }
}
