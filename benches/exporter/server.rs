//! The measured servers. Each is a process of this program.

use std::io::BufRead;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use axum::Router;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::routing::get;
use axum::serve::ListenerExt;
use bytes::Bytes;
use minergate::api::{self, Account, Credentials, Secret};
use minergate::endpoints::{self, Endpoint, Request};
use minergate::metric::Samples;
use minergate_exporter::exposition::Exposition;
use minergate_exporter::health::Health;
use minergate_exporter::poller::{Intervals, Plan, Poller, Source};
use minergate_exporter::server::{self, App, Web};
use minergate_exporter::store::Store;
use minergate_simulator::Simulator;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::designs;
use crate::world::{self, World};

/// Serves until standard input ends. A line of it is a command with a number, and gets an answer when it is done: `poll N` polls every
/// Nth account, and `round N` waits for the Nth round of accounts that poll by themselves.
pub(crate) fn main(kind: &str, argument: &str) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        match kind {
            "exposition" => {
                let accounts = argument.parse().expect("a number of accounts");
                exposed(World { accounts, endpoints: world::ALL }).await;
            }
            "polled" => polled(argument.parse().expect("a number of accounts")).await,
            "simulator" => simulator().await,
            "design" => designs::hold(argument),
            _ => body(argument).await,
        }
    });
    ExitCode::SUCCESS
}

/// Accounts that are polled by a command.
async fn exposed(world: World) {
    let exposition = Arc::new(world.exposition());
    let polled = exposition.clone();
    // The first round was at the start.
    let mut round = 0;
    serve(exposition, move |step| {
        round += 1;
        (0..world.accounts).step_by(step).for_each(|account| world.poll(&polled, account, round));
    })
    .await;
}

/// The exporter's server for this exposition.
async fn serve(exposition: Arc<Exposition>, mut command: impl FnMut(usize) + Send + 'static) {
    let app = App { exposition, telemetry_path: "/metrics".to_owned(), external_url: None, reload: None, max_requests: 40 };
    let listeners = server::listen(false, &["127.0.0.1:0".to_owned()]).await.expect("a listener");
    println!("{}", listeners[0].address());
    let commands = tokio::task::spawn_blocking(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let number = line.rsplit(' ').next().and_then(|number| number.parse().ok());
            command(number.expect("a command with a number"));
            println!("done");
        }
    });
    let end = async {
        let _ = commands.await;
    };
    server::serve(listeners, app, Arc::new(Web::load(None).expect("no file")), end).await;
}

/// Answers at once, with new numbers each time.
struct Answers {
    given: Arc<AtomicUsize>,
    /// The poller's clock advances when nothing is left to do, so a round takes only the time of its work.
    hurries: Once,
}

impl Source for Answers {
    async fn fetch(&self, endpoint: &'static Endpoint, request: Request<'_>) -> api::Result<Samples> {
        self.hurries.call_once(tokio::time::pause);
        let number = request.account.and_then(|account| account.name().rsplit('-').next()?.parse().ok()).unwrap_or(0);
        let before = self.given.fetch_add(1, Ordering::Relaxed);
        Ok(world::read(endpoint, &world::answer(endpoint.name, number, before)))
    }
}

/// Accounts that are polled as by the daemon, but from memory and as fast as possible.
async fn polled(accounts: usize) {
    let account = |number| {
        let name = format!("farm-{number:05}");
        let credentials = Credentials::Token { token: Secret::of_text("t").expect("a token"), email: None };
        (Arc::new(Account::new(&name, credentials, None)), None)
    };
    let mut intervals = Intervals::default();
    let endpoints = world::ALL.iter().filter_map(|name| endpoints::find(name));
    endpoints.for_each(|endpoint| intervals.set(endpoint, Some(Duration::from_secs(4))));
    let plan = Plan {
        intervals,
        accounts: (0..accounts).map(account).collect(),
        currencies: Some([].into()),
        pool: false,
        api: true,
        reading: Arc::default(),
        requests_per_second: 1e6,
        ..Plan::default()
    };
    let loops = plan.loops().count();
    let exposition = Arc::new(Exposition::new(Arc::new(Store::default()), Arc::new(Health::default())));
    let given = Arc::new(AtomicUsize::new(0));
    let source = Arc::new(Answers { given: given.clone(), hurries: Once::new() });
    let poller = Poller::new(source, plan, exposition.store.clone(), exposition.health.clone());
    let until_round = move |number| {
        while given.load(Ordering::Relaxed) < number * loops {
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    tokio::select! {
        ended = poller.run_on_own_thread(mpsc::channel(1).1) => match ended.expect("a thread that polls") {},
        () = serve(exposition, until_round) => {}
    }
}

/// The simulator, with one account.
async fn simulator() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    println!("{}", listener.local_addr().expect("an address"));
    let simulator = Simulator::new(minergate_simulator::Config {
        accounts: 3,
        documented: true,
        ..minergate_simulator::Config::default()
    });
    simulator.serve(listener, input_ends()).await.expect("serving");
}

/// A file from memory: the lowest possible cost of an answer of this size. The end of its name says how it is encoded.
async fn body(path: &str) {
    let body = Bytes::from(std::fs::read(path).expect("the body"));
    let is_gzip = Path::new(path).extension().is_some_and(|extension| extension == "gz");
    let encoding = if is_gzip { "gzip" } else { "identity" };
    let answer = move || {
        let body = body.clone();
        async move { ([(CONTENT_TYPE, "text/plain; version=0.0.4"), (CONTENT_ENCODING, encoding)], body) }
    };
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a listener");
    println!("{}", listener.local_addr().expect("an address"));
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("no delay"));
    let router = Router::new().route("/metrics", get(answer));
    axum::serve(listener, router).with_graceful_shutdown(input_ends()).await.expect("serving");
}

async fn input_ends() {
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().lock().lines().for_each(drop)).await;
}
