//! Reloads: what a new plan resets, and what it keeps.

use std::sync::Arc;
use std::time::Duration;

use minergate::api::{Blocked, Error, Event};
use minergate::endpoints::Endpoint;
use minergate_exporter::exposition::Exposition;
use minergate_exporter::poller::{Plan, Poller};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::{Script, text};
use crate::config::plan;
use crate::source::Answers;

#[tokio::test(start_paused = true)]
async fn a_reload_resets_growing_intervals() {
    let script = Script { answer: Arc::new(|_, _| Err(Error::NotFound)), start: Instant::now(), asked: Arc::default() };
    let source = Arc::new(script.clone());
    let first = plan(&["a"], "");
    let poller = Poller::new(source.clone(), first.clone(), Arc::default(), Arc::default());
    let (updates, receiver) = mpsc::channel(1);
    tokio::spawn(poller.run(receiver));
    let asked = || script.asked.lock().unwrap()["workers a"].len();
    sleep(Duration::from_secs(1800)).await;
    let before = asked();
    assert!(before < 8, "{before}");
    updates.send((source, first)).await.unwrap();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(asked(), before + 1);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(asked(), before + 2, "the wait is short again");
}

#[tokio::test(start_paused = true)]
async fn a_reload_with_another_login_forgets_that_the_old_one_was_blocked() {
    let source = Arc::new(Answers(|endpoint: &'static Endpoint| std::future::ready(Ok(endpoint.sample.to_owned()))));
    let exposition = Exposition::new(Arc::default(), Arc::default());
    let first = plan(&["a"], "");
    let poller = Poller::new(source.clone(), first.clone(), exposition.store.clone(), exposition.health.clone());
    let (updates, receiver) = mpsc::channel(1);
    tokio::spawn(poller.run(receiver));
    exposition.health.observe(None, Event::Blocked { account: "a", reason: Some(Blocked::Captcha) });
    for (plan, value) in [(first, 1), (plan(&["a"], ""), 0)] {
        updates.send((source.clone(), plan)).await.unwrap();
        sleep(Duration::from_secs(1)).await;
        let line = format!("\nminergate_auth_blocked{{account=\"a\",reason=\"captcha\"}} {value}\n");
        assert!(text(&exposition).contains(&line), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_held_counter_survives_a_gap_and_a_reload() {
    let start = Instant::now();
    let answer = move |endpoint: &str, _: &str| match (endpoint, start.elapsed().as_secs()) {
        ("mining_stats", 0..300) => Ok(r#"{"xmr": {"totalMined": 1000, "hashrate": 1}}"#.to_owned()),
        ("mining_stats", 300..3000) => Err(Error::Timeout),
        ("mining_stats", 3000..4000) => Ok(r#"{"xmr": {"totalMined": 999, "hashrate": 2}}"#.to_owned()),
        ("mining_stats", _) => Ok(r#"{"xmr": {"totalMined": 998, "hashrate": 3}}"#.to_owned()),
        ("status", 0..3000) => Ok(r#"{"cumulativeTxCount": 5000}"#.to_owned()),
        ("status", _) => Ok(r#"{"cumulativeTxCount": 4990}"#.to_owned()),
        _ => Ok("{}".to_owned()),
    };
    let script = Arc::new(Script { answer: Arc::new(answer), start, asked: Arc::default() });
    let exposition = Exposition::new(Arc::default(), Arc::default());
    let plan = || Plan { currencies: Some(["xmr".to_owned()].into()), ..plan(&["a"], "stale_after = \"200s\"") };
    let poller = Poller::new(script.clone(), plan(), exposition.store.clone(), exposition.health.clone());
    let (updates, receiver) = mpsc::channel(1);
    tokio::spawn(poller.run(receiver));
    let value = |series: &str| {
        let text = text(&exposition);
        text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse::<f64>().ok())
    };
    let mined = || value("minergate_mining_mined_coins_total{account=\"a\",currency=\"xmr\"}");
    let corrections = |endpoint: &str| value(&format!("minergate_api_counter_corrections_total{{endpoint=\"{endpoint}\"}}"));
    sleep(Duration::from_secs(200)).await;
    assert_eq!((mined(), corrections("mining_stats")), (Some(1000.0), None), "it appears once it occurs");
    sleep(Duration::from_secs(2000)).await;
    assert_eq!(mined(), None, "it is stale");
    sleep(Duration::from_secs(1000)).await;
    assert_eq!((mined(), corrections("mining_stats")), (Some(1000.0), Some(1.0)));
    assert_eq!(
        value("minergate_network_transactions_total{currency=\"xmr\"}"),
        Some(5000.0),
        "a network's counter is held too"
    );
    assert_eq!(corrections("status"), Some(1.0));
    // The same account again, and then with another source, as after a reload with another [api].
    updates.send((script.clone(), plan())).await.unwrap();
    updates.send((Arc::new((*script).clone()), plan())).await.unwrap();
    sleep(Duration::from_secs(1500)).await;
    assert_eq!((mined(), corrections("mining_stats")), (Some(1000.0), Some(2.0)));
    assert_eq!(value("minergate_mining_hashrate_hashes_per_second{account=\"a\",currency=\"xmr\"}"), Some(3.0));
}
