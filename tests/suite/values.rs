//! Values of answers: pending entries, counters, held counters; and one bad part affects only its own samples.
//! Parsers of other projects read the result.

mod mutation;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use minergate::api::{Error, Event};
use minergate::currency::Decimals;
use minergate::endpoints::{self, ENDPOINTS, Endpoint, Scope};
use minergate::metric::Context;
use minergate_exporter::exposition::{Exposition, Filter, Format};
use minergate_exporter::health::Health;
use minergate_exporter::store::{Key, Store};
use minergate_exporter::subject::Subject;
use openmetrics_parser::prometheus::parse_prometheus;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use self::mutation::{Mutation, mutation};
use crate::fake_api::FakeApi;
use crate::process::{daemon, wait};
use crate::prometheus::{self, strict_open_metrics};
use crate::scrape::{self, Scrape, label, parsed_open_metrics};

fn key(endpoint: &'static Endpoint) -> Key {
    let subject = match endpoint.scope {
        Scope::Account => Subject::Account("a".into()),
        Scope::Pool => Subject::Pool,
        Scope::Network => Subject::Network("xmr".into()),
    };
    Key { subject, endpoint: endpoint.name }
}

/// The exposition of these answers, and of polls and logins with all outcomes.
fn exposition<'a>(answers: impl IntoIterator<Item = (&'static Endpoint, &'a str)>) -> Exposition {
    let (store, health) = (Store::default(), Health::default());
    let decimals = Decimals::default();
    health.subjects.expect_account(&"a".into());
    for (endpoint, body) in answers {
        let key = key(endpoint);
        health.subjects.expect_loop(&key, Duration::from_secs(60), None);
        health.metrics.expect_endpoint(endpoint.name, Duration::from_secs(60));
        health.observe(None, Event::Request { endpoint: endpoint.name, outcome: "ok", duration: Duration::MAX });
        health.metrics.corrected(endpoint.name, 1);
        let request = Context { email: Some("user1@example.com"), ..Context::of(&decimals) };
        match endpoint.read(body.as_bytes(), &request) {
            Ok(rows) => {
                let dropped = store.replace(&key, rows, Duration::from_secs(60)).dropped;
                health.succeeded(&key, dropped, SystemTime::now());
            }
            Err(error) => {
                assert_eq!(error.kind(), "shape", "{}", endpoint.name);
                health.failed(&key, None, &error);
            }
        }
    }
    health.failed(&key(&ENDPOINTS[0]), None, &Error::NotFound);
    Exposition::new(Arc::new(store), Arc::new(health))
}

/// The samples of one endpoint's answer.
fn samples(endpoint: &str, body: &str) -> Vec<String> {
    let text = exposition([(endpoints::find(endpoint).unwrap(), body)]).render(Format::Text, &Filter::default());
    let own = ["minergate_up", "minergate_endpoint_", "minergate_api_", "minergate_auth_", "minergate_exporter_"];
    let of_api = |line: &&str| line.starts_with("minergate_") && !own.iter().any(|own| line.starts_with(own));
    text.lines().filter(of_api).map(str::to_owned).collect()
}

/// Both formats of an exposition. Checks that a parser accepts them.
fn parsed(exposition: &Exposition) -> [String; 2] {
    let [open_metrics, text] = Format::ALL.map(|format| exposition.render(format, &Filter::default()));
    parsed_open_metrics(&open_metrics);
    parse_prometheus(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Scrape::read(&text);
    [open_metrics, text]
}

/// Checks that promtool accepts a text in format 0.0.4. It also says that no name should contain the word counter, which is ignored
/// here, because that name is fixed.
fn promtool_finds_nothing(text: &str) {
    let linted = text.lines().filter(|line| !line.contains("minergate_api_counter_corrections_total"));
    prometheus::promtool_finds_nothing(&linted.flat_map(|line| [line, "\n"]).collect::<String>());
}

#[test]
fn only_pending_is_pending() {
    let withdrawals = r#"[
        {"cc": "xmr", "status": "cancelled", "created": 1000},
        {"cc": "xmr", "status": "pending", "created": 3000},
        {"cc": "xmr", "status": "pending", "created": 2000},
        {"cc": "xmr", "status": "finished", "created": 500},
        {"cc": "bcn", "status": "failed", "created": 1000},
        {"cc": "fcn", "created": 1000}
    ]"#;
    let oldest = |line: &String| line.starts_with("minergate_withdrawals_oldest_pending");
    let lines: Vec<String> = samples("withdrawals", withdrawals).into_iter().filter(oldest).collect();
    assert_eq!(lines, ["minergate_withdrawals_oldest_pending_timestamp_seconds{account=\"a\",currency=\"xmr\"} 2000"]);

    let invoices = r#"[
        {"cc": "xmr", "status": "expired", "expiredDate": 1000000},
        {"cc": "xmr", "status": "pending", "expiredDate": 3000000, "finished": null},
        {"cc": "xmr", "status": "pending", "expiredDate": "2000000", "finished": 0},
        {"cc": "bcn", "status": 7, "expiredDate": 1000000, "finished": 900000},
        {"cc": "bcn", "status": "pending", "expiredDate": 1000000, "finished": "900000"},
        {"cc": "bcn", "status": 3, "expiredDate": 1000000},
        {"cc": "fcn", "status": "cancelled", "expiredDate": 1000000}
    ]"#;
    let lines = samples("invoices", invoices);
    assert_eq!(
        lines,
        [
            "minergate_invoices{account=\"a\",currency=\"bcn\",status=\"finished\"} 2",
            "minergate_invoices{account=\"a\",currency=\"bcn\",status=\"other\"} 1",
            "minergate_invoices{account=\"a\",currency=\"fcn\",status=\"other\"} 1",
            "minergate_invoices{account=\"a\",currency=\"xmr\",status=\"other\"} 1",
            "minergate_invoices{account=\"a\",currency=\"xmr\",status=\"pending\"} 2",
            "minergate_invoices_next_expiry_timestamp_seconds{account=\"a\",currency=\"xmr\"} 2000",
        ]
    );
}

#[test]
fn a_negative_or_infinite_counter_has_no_sample() {
    for value in ["-1", "-1e-300", "\"-0.5\"", "NaN", "-Infinity", "1e999", "\"NaN\"", "\"+Inf\""] {
        let body =
            format!(r#"{{"xmr": {{"totalMined": {value}, "blocksFound": 0, "hashrate": -5}}, "bcn": {{"totalMined": 1}}}}"#);
        assert_eq!(
            samples("mining_stats", &body),
            [
                "minergate_mining_hashrate_hashes_per_second{account=\"a\",currency=\"xmr\"} -5",
                "minergate_mining_blocks_found_total{account=\"a\",currency=\"xmr\"} 0",
                "minergate_mining_mined_coins_total{account=\"a\",currency=\"bcn\"} 1",
            ],
            "{value}"
        );
    }
    assert_eq!(samples("status", r#"{"cumulativeTxCount": -1}"#), [""; 0]);
    assert_eq!(
        samples("affiliate_profit", r#"{"xmr": -0.0, "bcn": -2}"#),
        ["minergate_affiliate_profit_coins_total{account=\"a\",currency=\"xmr\"} 0"]
    );
}

#[test]
fn the_last_of_repeated_keys_counts() {
    for (endpoint, body, expected) in [
        ("workers", r#"{"xmr": {"hashrate": 1, "hashrate": 2}}"#, " 2"),
        ("status", r#"{"height": 1, "height": 2}"#, " 2"),
        ("balance", r#"{"xmr": 1, "xmr": 2}"#, " 2"),
        ("invoices", r#"[{"cc": "xmr", "cc": "bcn"}]"#, "currency=\"bcn\",status=\"other\"} 1"),
    ] {
        let lines = samples(endpoint, body);
        assert!(matches!(&lines[..], [line, ..] if line.ends_with(expected)), "{endpoint}: {lines:?}");
    }
    assert_eq!(samples("workers", r#"{"xmr": [1, 5, 2]}"#), [""; 0], "an array's elements are taken for fields");
}

/// The samples that an answer with a mutation has lost or changed.
fn lost(mutation: &Mutation) -> Vec<String> {
    let kept = samples(mutation.endpoint().name, &mutation.body);
    let mut lost = samples(mutation.endpoint().name, mutation.endpoint().sample);
    lost.retain(|line| !kept.contains(line));
    lost
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_bad_part_affects_only_its_own_samples(mutation in (0..ENDPOINTS.len()).prop_flat_map(mutation)) {
        let lost = lost(&mutation);
        let Mutation { part, body, .. } = &mutation;
        let endpoint = mutation.endpoint();
        let of_part = |line: &&String| match endpoint.scope {
            // One field of a flat object.
            Scope::Network => true,
            _ => label(line, "currency") == part.currency.as_deref() || part.currency.is_none(),
        };
        prop_assert!(lost.iter().all(|line| of_part(&line)), "{body}\nhas lost\n{lost:#?}");
        if part.is_leaf && endpoint.name != "affiliate_childrens" {
            // No field is in more than the two units of the unconfirmed balance, or four sums of its group.
            prop_assert!(lost.len() <= 5, "{body}\nhas lost\n{lost:#?}");
        }
        parsed(&exposition([(endpoint, body.as_str())]));
    }
}

/// Many answers with a mutation each, in one exposition.
#[test]
#[ignore = "scripts/test runs it: it needs Prometheus and Python"]
fn other_parsers_read_the_metrics_of_any_answer() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..8 {
        let mut mutations: Vec<Mutation> = Vec::new();
        for place in 0..ENDPOINTS.len() {
            mutations.push(mutation(place).new_tree(&mut runner).unwrap().current());
        }
        let exposition = exposition(mutations.iter().map(|mutation| (mutation.endpoint(), mutation.body.as_str())));
        let [open_metrics, text] = parsed(&exposition);
        let samples = open_metrics.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(strict_open_metrics(&open_metrics), samples, "{open_metrics}");
        promtool_finds_nothing(&text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_corrected_counter_is_held_and_a_reset_one_is_not() {
    const TOTALS: [&str; 6] = ["24877.0", "24876.9", "24876.9", "24878", "100", "101"];
    let polls = Arc::new(AtomicUsize::new(0));
    let count = polls.clone();
    let api = FakeApi::start(move |asked| match asked.path.as_str() {
        "/1.0/mining/stats" => {
            let total = TOTALS[count.fetch_add(1, Ordering::SeqCst).min(TOTALS.len() - 1)];
            (200, format!(r#"{{"xmr": {{"totalMined": {total}, "hashrate": {total}}}}}"#))
        }
        _ => (404, String::new()),
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("held.toml");
    let text = format!(
        "currencies = []\n[api]\nbase_url = \"{}\"\nrequests_per_second = 100\n[poll]\nmining_stats = \"1s\"\n\
         [[accounts]]\nname = \"a\"\ntoken = \"t\"\nendpoints = [\"mining_stats\"]\n",
        api.base_url
    );
    fs::write(&config, text).unwrap();
    let seen = tokio::task::spawn_blocking(move || {
        let (mut daemon, url) = daemon(&config, &["--log.level", "debug"]);
        let mut seen: Vec<(f64, Option<f64>)> = Vec::new();
        wait("a counter after its reset", || {
            let scrape = Scrape::of(&url, scrape::Format::OpenMetrics);
            let total = scrape.get("minergate_mining_mined_coins_total{account=\"a\",currency=\"xmr\"}")?;
            let corrections = scrape.get("minergate_api_counter_corrections_total{endpoint=\"mining_stats\"}");
            if seen.last() != Some(&(total, corrections)) {
                seen.push((total, corrections));
            }
            (total == 101.0).then_some(())
        });
        let line = daemon.wait_for("counter fell slightly");
        assert!(line.contains("held=24877") && line.contains("reported=24876.9"), "{line}");
        seen
    });
    let seen = seen.await.unwrap();
    // A slow machine can miss a value, but no scrape sees the fall.
    let totals: Vec<f64> = seen.iter().map(|(total, _)| *total).collect();
    assert!(totals.iter().all(|total| [24877.0, 24878.0, 100.0, 101.0].contains(total)), "{seen:?}");
    assert_eq!(seen.last(), Some(&(101.0, Some(1.0))), "one correction, which is said twice");
}

/// Characters with a special meaning in formats, terminals or lines.
const WORDS: &[&str] =
    &["\u{202e}", "\u{2028}", "\u{2029}", "\0", "\r", "\n", "\"", "\\", "\\n", "\u{fdd0}", "\u{ffff}", "\u{85}"];

/// Nicknames of any characters, and top miners of these names, as JSON.
fn nicknames() -> (Vec<String>, Vec<String>) {
    let mut runner = TestRunner::deterministic();
    let word = prop_oneof![prop::sample::select(WORDS).prop_map(str::to_owned), any::<char>().prop_map(String::from)];
    let nickname = prop::collection::vec(word, 0..12).prop_map(|words| words.concat());
    let answers: Vec<String> =
        (0..100).map(|_| serde_json::to_string(&nickname.new_tree(&mut runner).unwrap().current()).unwrap()).collect();
    let top = answers.iter().map(|nickname| format!("{{\"nickname\": {nickname}, \"hashrate\": 1}}")).collect();
    (answers, top)
}

/// A parser of another project decides which characters a label can have.
#[test]
fn any_nickname_can_be_read_back() {
    let (answers, top) = nicknames();
    for (nickname, miners) in answers.iter().zip(top.chunks(10).cycle()) {
        let top = format!("{{\"xmr\": [{}]}}", miners.join(", "));
        let exposition = exposition([
            (endpoints::find("nickname").unwrap(), nickname.as_str()),
            (endpoints::find("top_hashrate").unwrap(), top.as_str()),
        ]);
        let [open_metrics, _] = parsed(&exposition);
        for line in open_metrics.lines().filter(|line| line.contains("nickname=\"")) {
            let forbidden = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{200e}' | '\u{200f}');
            assert!(!line.contains(forbidden), "{line:?}");
        }
    }
}

#[test]
#[ignore = "scripts/test runs it: it needs Prometheus and Python"]
fn other_parsers_can_read_any_nickname() {
    let all = format!("{{\"xmr\": [{}]}}", nicknames().1[..10].join(", "));
    let exposition = exposition([(endpoints::find("top_hashrate").unwrap(), all.as_str())]);
    let [open_metrics, text] = parsed(&exposition);
    assert!(strict_open_metrics(&open_metrics) > 20);
    promtool_finds_nothing(&text);
}
