//! The times of polls, on a paused clock with a source that answers at once.

mod failure;
mod reload;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use minergate::api::{self, Error};
use minergate::endpoints::{Endpoint, Request};
use minergate::metric::Samples;
use minergate_exporter::exposition::{Exposition, Filter, Format};
use minergate_exporter::health::Health;
use minergate_exporter::poller::{Poller, Source};
use minergate_exporter::store::Store;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use crate::config::plan;
use crate::source::Answers;

type Answer = dyn Fn(&str, &str) -> Result<String, Error> + Send + Sync;

/// Answers by endpoint and currency, and records the times of requests.
#[derive(Clone)]
struct Script {
    answer: Arc<Answer>,
    start: Instant,
    asked: Arc<Mutex<BTreeMap<String, Vec<Duration>>>>,
}

impl Source for Script {
    async fn fetch(&self, endpoint: &'static Endpoint, request: Request<'_>) -> api::Result<Samples> {
        let name = request.account.map_or(request.argument.unwrap_or_default(), |account| account.name());
        let who = format!("{} {name}", endpoint.name);
        self.asked.lock().unwrap().entry(who).or_default().push(self.start.elapsed());
        let body = (self.answer)(endpoint.name, name)?;
        endpoint.read(body.as_bytes(), &request.context())
    }
}

fn text(exposition: &Exposition) -> String {
    exposition.render(Format::Text, &Filter::default())
}

struct Run {
    script: Script,
    exposition: Exposition,
}

impl Run {
    fn start(
        accounts: &[&str],
        poll: &str,
        answer: impl Fn(&str, &str) -> Result<String, Error> + Send + Sync + 'static,
    ) -> Run {
        let script = Script { answer: Arc::new(answer), start: Instant::now(), asked: Arc::default() };
        let (store, health) = (Arc::new(Store::default()), Arc::new(Health::default()));
        let poller = Poller::new(Arc::new(script.clone()), plan(accounts, poll), store.clone(), health.clone());
        tokio::spawn(poller.run(mpsc::channel(1).1));
        Run { script, exposition: Exposition::new(store, health) }
    }

    fn asked(&self, who: &str) -> Vec<Duration> {
        self.script.asked.lock().unwrap().get(who).cloned().unwrap_or_default()
    }

    fn value(&self, series: &str) -> Option<f64> {
        text(&self.exposition).lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
    }
}

fn sample(endpoint: &str) -> String {
    minergate::endpoints::find(endpoint).unwrap().sample.to_owned()
}

#[tokio::test(start_paused = true)]
async fn all_loops_have_metrics_before_the_first_poll() {
    let run = Run::start(&["a"], "", |_, _| Err(Error::Timeout));
    assert_eq!(run.value("minergate_up{account=\"a\"}"), Some(0.0));
    assert_eq!(run.value("minergate_endpoint_up{account=\"a\",endpoint=\"workers\",currency=\"\"}"), Some(0.0));
    assert_eq!(run.value("minergate_endpoint_up{account=\"\",endpoint=\"profit_rating\",currency=\"\"}"), Some(0.0));
    assert_eq!(run.value("minergate_endpoint_interval_seconds{endpoint=\"workers\"}"), Some(30.0));
    assert_eq!(run.value("minergate_api_retries_total"), Some(0.0));
    assert_eq!(run.value("minergate_api_request_duration_seconds_count{pool=\"\"}"), Some(0.0));
    assert_eq!(run.value("minergate_auth_blocked{account=\"a\",reason=\"captcha\"}"), Some(0.0));
    assert_eq!(
        run.value("minergate_endpoint_last_success_timestamp_seconds{account=\"a\",endpoint=\"workers\",currency=\"\"}"),
        None
    );
    assert!(!run.exposition.health.subjects.is_ready());
}

#[tokio::test(start_paused = true)]
async fn first_values_come_at_once_and_then_at_their_interval() {
    let run = Run::start(&["a", "b", "c"], "", |endpoint, _| Ok(sample(endpoint)));
    sleep(Duration::from_secs(2)).await;
    for account in ["a", "b", "c"] {
        for endpoint in ["workers", "mining_stats", "balance"] {
            assert!(!run.asked(&format!("{endpoint} {account}")).is_empty(), "{endpoint} of {account}");
        }
    }
    assert!(run.exposition.health.subjects.is_ready());
    sleep(Duration::from_secs(3600)).await;
    for (who, interval) in [("workers a", 30), ("balance b", 60), ("transfers c", 600), ("nickname a", 3600)] {
        let times = run.asked(who);
        let interval = Duration::from_secs(interval);
        let first_gap = times[1].saturating_sub(times[0]);
        assert!(first_gap >= interval / 2 && first_gap <= interval * 3 / 2, "{who}: {first_gap:?}");
        for pair in times[1..].windows(2) {
            assert_eq!(pair[1].saturating_sub(pair[0]).as_millis(), interval.as_millis(), "{who}");
        }
    }
    assert_eq!(run.value("minergate_up{account=\"a\"}"), Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn polls_are_spread_over_the_interval() {
    let names: Vec<String> = (0..100).map(|i| format!("account {i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let run = Run::start(&names, "", |_, _| Ok("{}".to_owned()));
    sleep(Duration::from_secs(3600)).await;
    let mut per_second = BTreeMap::new();
    for name in names {
        for time in run.asked(&format!("workers {name}")).into_iter().filter(|time| time.as_secs() >= 3000) {
            *per_second.entry(time.as_secs()).or_insert(0) += 1;
        }
    }
    // 100 loops at 30 s are 3.3 a second if they are spread evenly.
    assert!(per_second.values().all(|&polls| polls <= 12), "{:?}", per_second.values().max());
}

/// By default, a host gets five requests at once and then five a second.
#[tokio::test(start_paused = true)]
async fn at_the_start_polls_beyond_the_burst_begin_at_the_host_s_rate() {
    let names: Vec<String> = (0..100).map(|i| format!("account {i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let run = Run::start(&names, "", |_, _| Ok("{}".to_owned()));
    for (wait, expected) in [(100, 5), (10_000, 55)] {
        sleep(Duration::from_millis(wait)).await;
        assert_eq!(run.script.asked.lock().unwrap().values().map(Vec::len).sum::<usize>(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_missed_poll_is_skipped() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let plan = plan(&[], "profit_rating = \"10s\"");
    let times = asked.clone();
    let slow = Answers(move |endpoint: &'static Endpoint| {
        let is_slow = endpoint.name == "profit_rating";
        times.lock().unwrap().extend(is_slow.then(Instant::now));
        async move {
            sleep(Duration::from_secs(if is_slow { 25 } else { 0 })).await;
            Err(Error::Timeout)
        }
    });
    tokio::spawn(Poller::new(Arc::new(slow), plan, Arc::default(), Arc::default()).run(mpsc::channel(1).1));
    sleep(Duration::from_secs(300)).await;
    let times = asked.lock().unwrap();
    assert!(times[2..].windows(2).all(|pair| (pair[1] - pair[0]).as_secs() == 30), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_loop_brings_no_samples() {
    // An answer arrives at the time of the reload.
    let late = |endpoint: &'static Endpoint| async {
        sleep_until(Instant::now() + Duration::from_secs(5)).await;
        Ok(endpoint.sample.to_owned())
    };
    let source = Arc::new(Answers(late));
    let exposition = Exposition::new(Arc::default(), Arc::default());
    let poller = Poller::new(source.clone(), plan(&["a"], ""), exposition.store.clone(), exposition.health.clone());
    let (updates, receiver) = mpsc::channel(1);
    tokio::spawn(poller.run(receiver));
    let of_a = || text(&exposition).lines().filter(|line| line.contains("account=\"a\"")).count();
    sleep(Duration::from_secs(5)).await;
    updates.send((source, plan(&[], ""))).await.unwrap();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(of_a(), 0);
    assert!(text(&exposition).contains("\nminergate_pool_"), "what goes on is there");
}

#[tokio::test]
async fn a_poller_on_its_own_thread_polls_until_it_is_dropped() {
    let (alive, mut ended) = mpsc::channel::<()>(1);
    let source = Answers(move |endpoint: &'static Endpoint| {
        // Dropped with the poller.
        let _ = &alive;
        std::future::ready(Ok(endpoint.sample.to_owned()))
    });
    let exposition = Exposition::new(Arc::default(), Arc::default());
    let (store, health) = (exposition.store.clone(), exposition.health.clone());
    let poller = Poller::new(Arc::new(source), plan(&["a"], ""), store, health);
    let ready = async {
        while !exposition.health.subjects.is_ready() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        _ = poller.run_on_own_thread(mpsc::channel(1).1) => panic!("it ended by itself"),
        () = ready => {}
    }
    assert_eq!(ended.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn values_disappear_when_they_are_stale_and_not_before() {
    let fail_from = Instant::now() + Duration::from_secs(1000);
    let run = Run::start(&["a"], "stale_after = \"100s\"\nbalance = \"60s\"", move |endpoint, _| {
        if Instant::now() < fail_from { Ok(sample(endpoint)) } else { Err(Error::Server { status: 502 }) }
    });
    sleep(Duration::from_secs(1000)).await;
    let workers = "minergate_workers{account=\"a\",currency=\"bcn\"}";
    let balance = "minergate_balance_coins{account=\"a\",currency=\"xmr\"}";
    let last = |who: &str| *run.asked(who).iter().rfind(|time| time.as_secs() < 1000).unwrap();
    let (last_workers, last_balance) = (last("workers a"), last("balance a"));
    // 100 s for workers, three intervals for the balance.
    for (series, gone_at) in
        [(workers, last_workers + Duration::from_secs(100)), (balance, last_balance + Duration::from_secs(180))]
    {
        sleep_until(run.script.start + gone_at - Duration::from_millis(10)).await;
        assert!(run.value(series).is_some(), "{series} is gone too early");
        assert_eq!(run.value("minergate_up{account=\"a\"}"), Some(0.0));
        sleep(Duration::from_millis(20)).await;
        assert_eq!(run.value(series), None, "{series} is shown too long");
    }
}

#[tokio::test(start_paused = true)]
async fn networks_are_those_of_the_currencies_in_use() {
    let switch = Instant::now() + Duration::from_secs(100);
    let run = Run::start(&["a"], "", move |endpoint, _| match endpoint {
        "balance" if Instant::now() < switch => Ok(r#"{"xmr": "1", "bcn": "0.00000000", "XMR": "5"}"#.to_owned()),
        "balance" => Ok(r#"{"newcoin": "1"}"#.to_owned()),
        "workers" => Ok(r#"{"fcn": {"minersCount": 0, "hashrate": 0, "hashrateRank": 12}}"#.to_owned()),
        "mining_stats" => Ok(r#"{"qcn": {"hashrate": 5}, "paymentModels": {"dsh": "pps"}}"#.to_owned()),
        endpoint => Ok(sample(endpoint)),
    });
    sleep(Duration::from_secs(90)).await;
    let height = |currency: &str| run.value(&format!("minergate_network_block_height{{currency=\"{currency}\"}}"));
    assert!(height("xmr").is_some() && height("qcn").is_some());
    for unused in ["bcn", "fcn", "dsh", "newcoin"] {
        assert_eq!(height(unused), None, "{unused}");
    }
    sleep(Duration::from_secs(120)).await;
    assert!(height("newcoin").is_some() && height("qcn").is_some());
    assert_eq!(height("xmr"), None);
    assert_eq!(run.value("minergate_endpoint_up{account=\"\",endpoint=\"status\",currency=\"xmr\"}"), None);
}
