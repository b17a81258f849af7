//! Polls as fast as possible, against the simulator: client, limiter, decoding, store. Compared with a simple loop of reqwest and
//! `serde_json` over the same answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use minergate::api::{self, Client, Credentials, Secret, Settings};
use minergate::endpoints::{self, Request};
use minergate_exporter::config::{Config, Sources};
use minergate_exporter::exposition::Exposition;
use minergate_exporter::store::Key;
use minergate_exporter::subject::Subject;
use minergate_simulator::Simulator;
use secrecy::ExposeSecret;
use tokio::time::Instant;

use crate::Effort;
use crate::client::Server;
use crate::table::{Table, median};

/// The simulator's account with a token: its third.
const TOKEN_ACCOUNT: usize = 2;

/// Requests in flight at once.
const CONCURRENCY: usize = 8;

pub(crate) fn measure(table: &mut Table, effort: Effort) {
    Table::section("Polls a second, as fast as they go, beside a bare loop of reqwest and serde_json");
    let simulator = Server::own("simulator", "");
    let base = format!("http://{}", simulator.address);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let time = effort.pick(Duration::from_millis(50), Duration::from_secs(2));
    let (mut ours, mut least) = (Vec::new(), Vec::new());
    for _ in 0..effort.pick(1, 5) {
        least.push(runtime.block_on(bare_loop(&base, time)));
        ours.push(runtime.block_on(pipeline(&base, time)));
    }
    table.at_least_share("mining/stats of one account", "/s", median(ours), median(least), 0.5);
}

/// Runs the same work on one task for each request in flight; returns the number of runs a second.
async fn repeat<F: Future<Output = ()> + 'static>(time: Duration, work: impl Fn() -> F + Clone + 'static) -> f64 {
    let done = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let tasks = (0..CONCURRENCY).map(|_| {
        let (work, done) = (work.clone(), done.clone());
        async move {
            while start.elapsed() < time {
                work().await;
                done.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    futures_util::future::join_all(tasks).await;
    done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}

async fn bare_loop(base: &str, time: Duration) -> f64 {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let (url, token) = (format!("{base}/1.0/mining/stats"), token(base));
    repeat(time, move || {
        let request = client.get(&url).header("token", &token);
        async move {
            let body = request.send().await.expect("an answer").bytes().await.expect("its body");
            let value: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
            std::hint::black_box(value);
        }
    })
    .await
}

async fn pipeline(base: &str, time: Duration) -> f64 {
    let exposition = Arc::new(Exposition::new(Arc::default(), Arc::default()));
    let settings = Settings {
        requests_per_second: 100_000.0,
        concurrency: CONCURRENCY * 4,
        ..Settings::new(api::parse_base_url(base).expect("a URL"))
    };
    let health = exposition.health.clone();
    let client = Arc::new(Client::new(&settings, Arc::new(move |event| health.observe(None, event))).expect("a client"));
    let account = configured(base).plan.accounts.remove(TOKEN_ACCOUNT).0;
    let endpoint = endpoints::find("mining_stats").expect("an endpoint");
    let key = Key { subject: Subject::Account(account.name().clone()), endpoint: endpoint.name };
    exposition.health.subjects.expect_loop(&key, endpoint.interval, None);
    repeat(time, move || {
        let (client, account, exposition, key) = (client.clone(), account.clone(), exposition.clone(), key.clone());
        async move {
            let deadline = Some(Instant::now() + Duration::from_secs(60));
            let request = Request { deadline, ..Request::of(&account) };
            let rows = endpoint.fetch(&client, request).await.expect("rows");
            let dropped = exposition.store.replace(&key, rows, Duration::from_secs(60)).dropped;
            exposition.health.succeeded(&key, dropped, std::time::SystemTime::now());
        }
    })
    .await
}

/// The configuration of the simulator's accounts.
fn configured(base: &str) -> Config {
    let simulated = minergate_simulator::Config { wallets: 0, ..minergate_simulator::Config::default() };
    let text = Simulator::new(simulated).exporter_config(base);
    Config::load(Sources { text: Some(&text), ..Sources::default() }).expect("a configuration")
}

fn token(base: &str) -> String {
    match configured(base).accounts[TOKEN_ACCOUNT].credentials() {
        Credentials::Token { token: Secret::Value(token), .. } => token.expose_secret().to_owned(),
        other => unreachable!("the third account has a token, not a {}", other.description()),
    }
}
