//! The values that each software's sample answers become.

use serde_json::{Value, json};

use super::*;

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
fn older_versions_fill_the_values_that_they_have() {
    let oldest = include_str!("../cryptonote_nodejs_pool/stats_address_oldest.json");
    let original = include_str!("../open_ethereum_pool/accounts_original.json");
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
