//! For all answers of the API, an independent parser reads the same values from /metrics.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use flate2::read::GzDecoder;
use minergate::api;
use minergate::currency::{self, Decimals};
use minergate::endpoints;
use minergate::metric::Context;
use minergate_exporter::exposition::{Body, Encoding, Exposition, Filter, Format};
use minergate_exporter::health::Health;
use minergate_exporter::store::{Key, Store};
use minergate_exporter::subject::Subject;
use openmetrics_parser::OpenMetricsValue;
use openmetrics_parser::prometheus::parse_prometheus;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::scrape::parsed_open_metrics;

/// An exposition of these answers: account, endpoint, body.
fn exposition(answers: &[(&str, &'static str, Value)]) -> Exposition {
    let store = Store::default();
    let decimals = Decimals::default();
    let request = Context { email: Some("me@example.com"), ..Context::of(&decimals) };
    for (account, endpoint, body) in answers {
        let of = endpoints::find(endpoint).unwrap();
        let rows = of.read(body.to_string().as_bytes(), &request).unwrap();
        let subject = if of.is_of_account() { Subject::Account((*account).into()) } else { Subject::Pool };
        let key = Key { subject, endpoint };
        store.replace(&key, rows, Duration::from_secs(60));
    }
    let health = Arc::new(Health::default());
    Exposition::new(Arc::new(store), health)
}

/// The parsed samples of a family: label values by name, and the value.
fn parsed(text: &str, family: &str) -> Vec<(BTreeMap<String, String>, f64)> {
    let exposition = parsed_open_metrics(text);
    let Some(family) = exposition.families.get(family) else { return Vec::new() };
    let samples = family.iter_samples().map(|sample| {
        let labels = sample.get_labelset().unwrap();
        let labels = labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let value = match &sample.value {
            OpenMetricsValue::Gauge(number) => number.as_f64(),
            OpenMetricsValue::Counter(counter) => counter.value.as_f64(),
            _ => 1.0,
        };
        (labels, value)
    });
    samples.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn numbers_come_back_as_they_were(numbers in prop::collection::btree_map("[a-z0-9_-]{1,16}", any::<f64>(), 1..20)) {
        let finite: BTreeMap<_, _> = numbers.into_iter().filter(|(_, value)| value.is_finite()).collect();
        let exposition = exposition(&[("a", "balance", json!(finite))]);
        let text = exposition.render(Format::OpenMetrics, &Filter::default());
        let back: BTreeMap<String, f64> =
            parsed(&text, "minergate_balance_coins").into_iter().map(|(labels, value)| (labels["currency"].clone(), value)).collect();
        prop_assert_eq!(back, finite);
        parse_prometheus(&exposition.render(Format::Text, &Filter::default())).unwrap();
    }

    #[test]
    fn hostile_texts_break_nothing(
        account in "\\PC{1,64}",
        nickname in any::<String>(),
        keys in prop::collection::vec(any::<String>(), 0..20),
        words in prop::collection::vec(any::<String>(), 0..20),
        number in any::<String>(),
    ) {
        let by_key: BTreeMap<&String, Value> =
            keys.iter().map(|key| (key, json!({"minersCount": number, "hashrate": 1, "shares": word(&words), "x": null}))).collect();
        let models: BTreeMap<&String, &String> = keys.iter().zip(&words).collect();
        let mut stats = json!(by_key);
        stats["paymentModels"] = json!(models);
        let entries: Vec<Value> = keys.iter().zip(&words).map(|(key, word)| {
            json!({"cc": key, "status": word, "state": word, "amount": number, "fee": 1, "created": number, "fromUserId": word})
        }).collect();
        let miners: Vec<Value> = words.iter().map(|word| json!({"hashrate": 5, "nickname": word})).collect();
        let exposition = exposition(&[
            (&account, "workers", json!(by_key)),
            (&account, "mining_stats", stats),
            (&account, "balance", json!(models)),
            (&account, "transfers", json!(entries)),
            (&account, "withdrawals", json!(entries)),
            (&account, "invoices", json!(entries)),
            (&account, "affiliate_links", json!(models)),
            (&account, "affiliate_profit", json!(models)),
            (&account, "nickname", json!(nickname)),
            ("", "profit_rating", json!(keys)),
            ("", "top_hashrate", json!({"xmr": miners, "x\"y\n": miners})),
        ]);
        let text = exposition.render(Format::OpenMetrics, &Filter::default());
        for (labels, _) in parsed(&text, "minergate_workers") {
            prop_assert_eq!(&labels["account"], &account);
            prop_assert!(currency::is_valid(&labels["currency"]));
        }
        for family in ["minergate_transfers", "minergate_withdrawals", "minergate_invoices"] {
            for (labels, _) in parsed(&text, family) {
                let word = labels.get("state").or_else(|| labels.get("status")).unwrap();
                prop_assert!(["finished", "pending", "other"].contains(&word.as_str()), "{word}");
            }
        }
        for (labels, _) in parsed(&text, "minergate_account") {
            prop_assert!(labels["nickname"].chars().count() <= 64 && !labels["nickname"].contains(['\n', '\0', '@']));
        }
        parse_prometheus(&exposition.render(Format::Text, &Filter::default())).unwrap();
    }
}

/// An event between two scrapes.
#[derive(Clone, Debug)]
enum Event {
    /// An endpoint of an account answers with a number for each currency.
    Answer(usize, &'static str, Vec<(usize, u32)>),
    /// A loop ends.
    End(usize, &'static str),
    /// A poll fails, or succeeds.
    Poll(usize, bool),
    /// Time passes, in seconds.
    Pass(u64),
    /// A scrape.
    Scrape,
}

const CODES: [&str; 4] = ["aeon", "bcn", "xdn", "xmr"];
const NAMED: [&str; 3] = ["workers", "balance", "affiliate_profit"];

fn event() -> impl Strategy<Value = Event> {
    let account = 0..40_usize;
    let endpoint = prop::sample::select(&NAMED[..]);
    let numbers = prop::collection::vec((0..CODES.len(), 0..3_u32), 0..4);
    prop_oneof![
        8 => (account.clone(), endpoint.clone(), numbers).prop_map(|(a, e, n)| Event::Answer(a, e, n)),
        1 => (account.clone(), endpoint).prop_map(|(a, e)| Event::End(a, e)),
        2 => (account, any::<bool>()).prop_map(|(a, good)| Event::Poll(a, good)),
        1 => (0..40_u64).prop_map(Event::Pass),
        2 => Just(Event::Scrape),
    ]
}

/// The bodies of both formats and both encodings have the rendered text.
fn scrape(exposition: &Exposition) {
    for format in Format::ALL {
        let body = |encoding| match exposition.body(format, encoding, &Filter::default()) {
            Body::Whole(body) => body.to_vec(),
            Body::Parts(length, parts) => {
                let parts: Vec<_> = parts.collect();
                // A body that is being sent takes little memory: about 100 kB, and the rest of a block.
                assert!(parts.iter().all(|part| part.len() < 200_000), "{:?}", parts.iter().map(Bytes::len).max());
                let body = parts.concat();
                assert_eq!(body.len(), length);
                body
            }
        };
        let rendered = exposition.render(format, &Filter::default());
        let mut text = String::new();
        GzDecoder::new(&*body(Encoding::Gzip)).read_to_string(&mut text).unwrap();
        assert!(text == rendered, "{text}");
        assert!(text.as_bytes() == body(Encoding::Identity), "{text}");
    }
}

fn farm(account: usize, endpoint: &'static str) -> Key {
    Key { subject: Subject::Account(format!("farm-{account}").into()), endpoint }
}

async fn happens(exposition: &Exposition, event: Event) {
    match event {
        Event::Answer(account, endpoint, numbers) => {
            let object: BTreeMap<&str, Value> = numbers.into_iter().map(|(code, n)| (CODES[code], json!(n))).collect();
            let workers: BTreeMap<_, _> =
                object.iter().map(|(code, n)| (code, json!({"minersCount": n, "hashrate": 7}))).collect();
            let body = if endpoint == "workers" { json!(workers) } else { json!(object) };
            let request = Context::default();
            let rows = endpoints::find(endpoint).unwrap().read(body.to_string().as_bytes(), &request).unwrap();
            exposition.store.replace(&farm(account, endpoint), rows, Duration::from_secs(60));
        }
        Event::End(account, endpoint) => exposition.store.remove(&farm(account, endpoint)),
        Event::Poll(account, good) => {
            let key = farm(account, "balance");
            exposition.health.subjects.expect_loop(&key, Duration::from_secs(60), None);
            if good {
                exposition.health.succeeded(&key, 1, SystemTime::now());
            } else {
                exposition.health.failed(&key, None, &api::Error::NotFound);
            }
        }
        Event::Pass(seconds) => tokio::time::advance(Duration::from_secs(seconds)).await,
        Event::Scrape => scrape(exposition),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn joined_pieces_equal_newly_written_text(events in prop::collection::vec(event(), 0..200)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let exposition = exposition(&[]);
            // Enough for several blocks, so that some are split and some become empty.
            for account in 0..200 {
                let numbers = (0..CODES.len()).map(|code| (code, 1)).collect();
                happens(&exposition, Event::Answer(account, "workers", numbers)).await;
            }
            for event in events {
                happens(&exposition, event).await;
            }
            scrape(&exposition);
        });
    }
}

#[tokio::test(start_paused = true)]
async fn the_parts_of_a_large_answer_have_the_same_text() {
    let exposition = exposition(&[]);
    let request = Context::default();
    // Lines that are hard to compress, so that the compressed body is large too.
    for account in 0..1500 {
        let number = |code: u64| json!((account as u64 * 64 + code).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let balances: BTreeMap<String, Value> = (0..64).map(|code| (format!("c{code}"), number(code))).collect();
        let rows = endpoints::find("balance").unwrap().read(json!(balances).to_string().as_bytes(), &request).unwrap();
        let key = farm(account, "balance");
        exposition.store.replace(&key, rows, Duration::from_secs(60));
    }
    for encoding in [Encoding::Identity, Encoding::Gzip] {
        assert!(matches!(exposition.body(Format::Text, encoding, &Filter::default()), Body::Parts(..)));
    }
    scrape(&exposition);
}

fn word(words: &[String]) -> Option<&String> {
    words.first()
}

#[test]
fn unusual_numbers_are_read_as_documented() {
    for (written, expected) in [
        ("1", Some("1")),
        ("\"1\"", Some("1")),
        ("\"30.66592521533400000000\"", Some("30.665925215334")),
        ("18446744073709551616", Some("1.8446744073709552e+19")),
        ("\"9223372036854775808\"", Some("9.223372036854776e+18")),
        ("0", Some("0")),
        ("\" 7 \"", Some("7")),
        ("1e-9", Some("1e-9")),
        ("-2.5", Some("-2.5")),
        ("null", None),
        ("\"\"", None),
        ("\"NaN\"", None),
        ("\"Infinity\"", None),
        ("\"-inf\"", None),
        ("\"0x10\"", None),
        ("\"text\"", None),
        ("1e999", None),
        ("true", None),
        ("[1]", None),
        ("{\"a\":1}", None),
    ] {
        let store = Arc::new(Store::default());
        let decimals = Decimals::default();
        let request = Context::of(&decimals);
        let body = format!("{{\"xmr\": {written}, \"bcn\": 1}}");
        let rows = endpoints::find("balance").unwrap().read(body.as_bytes(), &request).unwrap();
        let key = Key { subject: Subject::Account("a".into()), endpoint: "balance" };
        store.replace(&key, rows, Duration::from_secs(60));
        let exposition = Exposition::new(store, Arc::default());
        let text = exposition.render(Format::Text, &Filter::default());
        let found =
            text.lines().find_map(|line| line.strip_prefix("minergate_balance_coins{account=\"a\",currency=\"xmr\"} "));
        assert_eq!(found, expected, "{written}");
        assert!(
            text.contains("minergate_balance_coins{account=\"a\",currency=\"bcn\"} 1\n"),
            "{written} took another with it"
        );
    }
}

#[test]
fn a_bad_field_affects_only_its_own_samples() {
    let body = json!({
        "xmr": {"minersCount": [], "hashrate": "5.5", "shares": "none", "totalMined": 2, "unknown": {"a": [1]}},
        "bcn": null,
        "fcn": "text",
        "qcn": [1, 2],
        "dsh": {"poolBalance": 100_000_000, "shares": {"good": "7", "bad": null}, "minerOnline": 0},
        "paymentModels": ["pps"],
        "timestamp": "1454496693669",
    });
    let text = exposition(&[("a", "mining_stats", body)]).render(Format::Text, &Filter::default());
    let samples: Vec<&str> = text.lines().filter(|line| line.starts_with("minergate_mining_")).collect();
    assert_eq!(
        samples,
        [
            "minergate_mining_hashrate_hashes_per_second{account=\"a\",currency=\"xmr\"} 5.5",
            "minergate_mining_online{account=\"a\",currency=\"dsh\"} 0",
            "minergate_mining_unconfirmed_balance_atomic_units{account=\"a\",currency=\"dsh\"} 100000000",
            "minergate_mining_unconfirmed_balance_coins{account=\"a\",currency=\"dsh\"} 1",
            "minergate_mining_shares_total{account=\"a\",currency=\"dsh\",result=\"good\"} 7",
            "minergate_mining_mined_coins_total{account=\"a\",currency=\"xmr\"} 2",
            "minergate_mining_stats_timestamp_seconds{account=\"a\"} 1454496693.669",
        ]
    );
}

#[test]
fn a_sum_with_an_unknown_part_is_missing() {
    let body = json!([
        {"cc": "xmr", "amount": 1, "fee": 0.1, "status": "finished", "created": 5.5},
        {"cc": "xmr", "amount": null, "fee": "0.2", "status": "finished", "created": 4},
        {"cc": "xmr", "amount": 2, "status": "failed", "created": 3},
        {"cc": "bcn", "amount": 3},
        {"amount": 4, "status": "pending"},
        "text",
    ]);
    let text = exposition(&[("a", "withdrawals", body)]).render(Format::Text, &Filter::default());
    let samples: Vec<&str> = text.lines().filter(|line| line.starts_with("minergate_withdrawals")).collect();
    assert_eq!(
        samples,
        [
            "minergate_withdrawals{account=\"a\",currency=\"bcn\",status=\"other\"} 1",
            "minergate_withdrawals{account=\"a\",currency=\"xmr\",status=\"finished\"} 2",
            "minergate_withdrawals{account=\"a\",currency=\"xmr\",status=\"other\"} 1",
            "minergate_withdrawals_coins{account=\"a\",currency=\"bcn\",status=\"other\"} 3",
            "minergate_withdrawals_coins{account=\"a\",currency=\"xmr\",status=\"other\"} 2",
            "minergate_withdrawals_fees_coins{account=\"a\",currency=\"xmr\",status=\"finished\"} 0.3",
            "minergate_withdrawals_last_timestamp_seconds{account=\"a\",currency=\"xmr\",status=\"finished\"} 5.5",
            "minergate_withdrawals_last_timestamp_seconds{account=\"a\",currency=\"xmr\",status=\"other\"} 3",
        ]
    );
}

#[test]
fn directions_follow_the_account_s_address() {
    let body = json!([
        {"cc": "xmr", "amount": 1, "fromUserId": "ME@example.com", "toUserId": "you@example.com", "state": "finished", "created": 2000},
        {"cc": "xmr", "amount": 2, "fromUserId": "you@example.com", "toUserId": "me@example.com", "state": "pending", "created": 1000},
        {"cc": "xmr", "amount": 4, "fromUserId": "you@example.com", "toUserId": "them@example.com", "state": "odd", "created": 3000},
    ]);
    let text = exposition(&[("a", "transfers", body)]).render(Format::Text, &Filter::default());
    for line in [
        "minergate_transfers_coins{account=\"a\",currency=\"xmr\",direction=\"out\",state=\"finished\"} 1",
        "minergate_transfers_coins{account=\"a\",currency=\"xmr\",direction=\"in\",state=\"pending\"} 2",
        "minergate_transfers_coins{account=\"a\",currency=\"xmr\",direction=\"unknown\",state=\"other\"} 4",
        "minergate_transfers_last_timestamp_seconds{account=\"a\",currency=\"xmr\",direction=\"in\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

#[test]
fn a_filter_shows_one_account_or_what_belongs_to_none() {
    let answers =
        [("a", "balance", json!({"xmr": 1})), ("b", "balance", json!({"xmr": 2})), ("", "profit_rating", json!(["xmr"]))];
    let exposition = exposition(&answers);
    let show = |names: &[&str], others| {
        let accounts = names.iter().map(|name| (*name).to_owned()).collect();
        exposition.render(Format::Text, &Filter::only(accounts, others))
    };
    let has = |text: &str, needle: &str| text.lines().any(|line| line.starts_with(needle));
    let (a, rest, all) = (show(&["a"], false), show(&[], true), show(&[], false));
    assert!(has(&a, "minergate_balance_coins{account=\"a\"") && !a.contains("\"b\""));
    assert!(!has(&a, "minergate_pool_profit_rank") && !has(&a, "minergate_exporter_build_info"));
    assert!(has(&rest, "minergate_pool_profit_rank") && has(&rest, "process_") && !has(&rest, "minergate_balance_coins"));
    assert!(has(&all, "minergate_pool_profit_rank") && has(&all, "minergate_balance_coins{account=\"b\""));
}
