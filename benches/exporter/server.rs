//! The servers that are measured, each a process of its own: this program again.

use std::io::BufRead;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::routing::get;
use axum::serve::ListenerExt;
use bytes::Bytes;
use minergate_exporter::api::{self, Account, AccountConfig};
use minergate_exporter::endpoints::{Endpoint, Scope};
use minergate_exporter::exposition::Exposition;
use minergate_exporter::health::Health;
use minergate_exporter::metric::{Request, Rows};
use minergate_exporter::poller::{Plan, Poller, Source};
use minergate_exporter::server::{self, App, Web};
use minergate_exporter::simulator::{self, Simulator};
use minergate_exporter::store::Store;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::world::{self, World};

/// Serves until standard input ends. A line there that says `poll N` polls every Nth account, and is answered when that is done.
pub(crate) fn main(kind: &str, argument: &str) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        match kind {
            "exposition" => {
                let accounts = argument.trim_end_matches('s');
                let endpoints = if accounts == argument { world::ALL } else { world::FEW };
                let world = World { accounts: accounts.parse().expect("a number of accounts"), endpoints };
                exposition(world.exposition(), Some(world)).await;
            }
            "polled" => {
                let (exposition, poller) = polled(argument.parse().expect("a number of accounts"));
                tokio::select! {
                    _ = poller.run(mpsc::channel(1).1) => {}
                    () = exposition_of(exposition) => {}
                }
            }
            "simulator" => simulator().await,
            _ => body(argument).await,
        }
    });
    ExitCode::SUCCESS
}

async fn exposition_of(exposition: Exposition) {
    self::exposition(exposition, None).await;
}

/// The exporter's server with this to serve.
async fn exposition(exposition: Exposition, world: Option<World>) {
    let (store, health) = (exposition.store.clone(), exposition.health.clone());
    let app = App {
        exposition,
        telemetry_path: "/metrics".to_owned(),
        path_prefix: String::new(),
        reload: None,
        max_requests: 40,
    };
    let listeners = server::bind(&["127.0.0.1:0".to_owned()]).await.expect("a listener");
    println!("{}", listeners[0].address());
    let commands = tokio::task::spawn_blocking(move || {
        let exposition = Exposition::new(store, health);
        // The first round was at the start.
        for (line, round) in std::io::stdin().lock().lines().map_while(Result::ok).zip(1..) {
            let step: usize = line.trim_start_matches("poll ").parse().expect("poll N");
            if let Some(world) = world {
                (0..world.accounts).step_by(step).for_each(|account| world.poll(&exposition, account, round));
            }
            println!("done");
        }
    });
    let end = async {
        let _ = commands.await;
    };
    server::serve(listeners, app, Arc::new(Web::load(None).expect("no file")), end).await;
}

/// Answers at once, and differently each time.
struct Answers(AtomicUsize);

impl Source for Answers {
    async fn fetch(
        &self,
        endpoint: &'static Endpoint,
        account: Option<&Account>,
        _: &str,
        _: &Request<'_>,
        _: Instant,
    ) -> api::Result<Rows> {
        let round = self.0.fetch_add(1, Ordering::Relaxed);
        let number = account.and_then(|account| account.name().rsplit('-').next()?.parse().ok()).unwrap_or(0);
        if endpoint.scope != Scope::Account {
            return Err(api::Error::NotFound);
        }
        Ok(world::read(endpoint, &world::answer(endpoint.name, number, round)))
    }
}

/// Accounts that are polled as the daemon polls them, each endpoint every four seconds, but from memory.
fn polled(accounts: usize) -> (Exposition, Poller<Answers>) {
    let account = |number| {
        let name = format!("farm-{number:05}");
        let config = AccountConfig { name, token: Some("t".into()), ..AccountConfig::default() };
        (Arc::new(config.account(None).expect("an account")), None)
    };
    let every = |endpoint: &&str| format!("{endpoint} = \"4s\"\n");
    let plan = Plan {
        poll: toml::from_str(&world::ALL.iter().map(every).collect::<String>()).expect("intervals"),
        accounts: (0..accounts).map(account).collect(),
        currencies: Some([].into()),
        pool: false,
        reading: Arc::default(),
        requests_per_second: 1e6,
    };
    let (store, health) = (Arc::new(Store::default()), Arc::new(Health::default()));
    let poller = Poller::new(Arc::new(Answers(AtomicUsize::new(0))), plan, store.clone(), health.clone());
    (Exposition::new(store, health), poller)
}

/// The simulator, with one account.
async fn simulator() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    println!("{}", listener.local_addr().expect("an address"));
    let simulator = Simulator::new(simulator::Config { accounts: 3, documented: true, ..simulator::Config::default() });
    simulator.serve(listener, input_ends()).await.expect("serving");
}

/// A file from memory: the least that an answer of that size can cost. Its name's end says how it is encoded.
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
