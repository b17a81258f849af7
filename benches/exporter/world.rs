//! Made-up accounts of large miners: nine currencies each, and about 300 samples with the exporter's metrics about them.

use std::sync::Arc;
use std::time::Duration;

use minergate::endpoints::{ENDPOINTS, Endpoint, Scope};
use minergate::metric::{Context, Samples};
use minergate_exporter::exposition::Exposition;
use minergate_exporter::health::Health;
use minergate_exporter::store::{Key, Store};
use minergate_exporter::subject::Subject;
use serde_json::{Map, Value, json};

/// The accounts' currencies.
const CODES: [&str; 9] = ["aeon", "bcn", "dsh", "eth", "fcn", "inf8", "qcn", "xdn", "xmr"];

/// No value becomes stale during a measurement.
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// Accounts, and their endpoints.
#[derive(Clone, Copy)]
pub(crate) struct World {
    pub(crate) accounts: usize,
    pub(crate) endpoints: &'static [&'static str],
}

/// Every endpoint of an account.
pub(crate) const ALL: &[&str] = &[
    "workers",
    "mining_stats",
    "balance",
    "transfers",
    "withdrawals",
    "invoices",
    "affiliate_links",
    "affiliate_childrens",
    "affiliate_profit",
    "nickname",
];

/// The answer of an account's endpoint in a round. Numbers differ between accounts and rounds.
pub(crate) fn answer(endpoint: &str, account: usize, round: usize) -> String {
    // Realistic digits, the same in each run.
    let number = |scale: f64, i: usize| {
        let mixed = (account * 31 + i * 17 + round * 7919).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as usize) >> 11;
        mixed as f64 / (1_u64 << 53) as f64 * scale
    };
    let whole = |scale: f64, i| number(scale, i).floor();
    let by_code = |value: &dyn Fn(usize) -> Value| -> Map<String, Value> {
        CODES.iter().enumerate().map(|(i, code)| ((*code).to_owned(), value(i))).collect()
    };
    let shares = |i| json!({"good": whole(1e7, i), "goodEq": whole(1e12, i), "bad": whole(1e4, i), "badEq": whole(1e9, i), "invalid": whole(1e4, i), "invalidEq": whole(1e9, i)});
    let mining = |i| {
        json!({
            "unconfirmedBalance": whole(1e10, i), "minersCount": whole(50.0, i), "hashrate": number(1e6, i), "hashrateRank": whole(1e4, i),
            "minerOnline": true, "shares": shares(i), "ppsTotalMined": number(1e3, i), "pplnsTotalMined": number(1e3, i + 9),
            "blocksFound": whole(100.0, i), "totalMined": number(2e3, i),
        })
    };
    let entry = |i: usize, status: &str| {
        json!({
            "cc": CODES[i], "amount": number(10.0, i), "fee": 0.01, "status": status, "state": status, "created": 1.7e9 + whole(1e6, i),
            "fromUserId": "me@example.com", "toUserId": "you@example.com", "expiredDate": 1.8e12,
        })
    };
    match endpoint {
        "workers" => {
            json!(by_code(
                &|i| json!({"minersCount": whole(50.0, i), "hashrate": number(1e6, i), "hashrateRank": whole(1e4, i)})
            ))
        }
        "mining_stats" => {
            let mut stats = by_code(&mining);
            stats.insert("paymentModels".to_owned(), json!(by_code(&|_| json!("pplns"))));
            stats.insert("timestamp".to_owned(), json!(1.7e12 + (round * 60_000) as f64));
            Value::Object(stats)
        }
        "balance" | "affiliate_profit" => json!(by_code(&|i| json!(format!("{:.12}", number(100.0, i))))),
        "transfers" | "invoices" => json!([entry(1, "finished")]),
        "withdrawals" => json!([entry(0, "finished"), entry(8, "finished"), entry(8, "pending")]),
        "affiliate_links" => json!({"/a/1": "one"}),
        "affiliate_childrens" => {
            json!({"child@example.com": {"registered": 1.6e12, "profits": {"xmr": number(1.0, 0)}, "lastProfit": 1.7e12}})
        }
        _ => json!(format!("miner-{account}")),
    }
    .to_string()
}

/// The samples of an account's answer.
pub(crate) fn read(endpoint: &'static Endpoint, body: &str) -> Samples {
    let request = Context { email: Some("me@example.com"), ..Context::default() };
    endpoint.read(body.as_bytes(), &request).expect("a made-up answer is one of the API's")
}

impl World {
    /// The loops of an account.
    pub(crate) fn loops(self, account: usize) -> impl Iterator<Item = (&'static Endpoint, Key)> {
        let subject = Subject::Account(format!("farm-{account:05}").into());
        let endpoints = ENDPOINTS.iter().filter(move |e| e.scope == Scope::Account && self.endpoints.contains(&e.name));
        endpoints.map(move |e| (e, Key { subject: subject.clone(), endpoint: e.name }))
    }

    /// The exposition of all accounts, each polled once.
    pub(crate) fn exposition(self) -> Exposition {
        let exposition = Exposition::new(Arc::new(Store::default()), Arc::new(Health::default()));
        for account in 0..self.accounts {
            for (endpoint, key) in self.loops(account) {
                exposition.health.metrics.expect_endpoint(endpoint.name, endpoint.interval);
                exposition.health.subjects.expect_loop(&key, endpoint.interval, None);
            }
            self.poll(&exposition, account, 0);
        }
        exposition
    }

    /// Polls all of an account's endpoints.
    pub(crate) fn poll(self, exposition: &Exposition, account: usize, round: usize) {
        for (endpoint, key) in self.loops(account) {
            let rows = read(endpoint, &answer(endpoint.name, account, round));
            let dropped = exposition.store.replace(&key, rows, DAY).dropped;
            exposition.health.succeeded(&key, dropped, std::time::SystemTime::now());
        }
    }
}
