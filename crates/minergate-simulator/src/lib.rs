//! A simulator of the MinerGate API: every method, with made-up accounts whose numbers change as at a real pool.
//!
//! It serves HTTP for demonstrations and tests. Its numbers are a function of seed and time, so two simulators
//! with the same seed give the same numbers. `world` and `mine` simulate the accounts, and `answers` makes the JSON. `faults` simulates
//! failures, and `control` changes them at run time. `nodejs_pool` is another kind of pool beside
//! the API, with wallets instead of accounts.

mod answers;
mod coin;
mod connection;
mod control;
mod credentials;
mod faults;
mod mine;
mod network;
mod nodejs_pool;
mod noise;
mod requests;
mod world;

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Extensions;
use axum::response::Response;
use minergate_server::{Accounts, Api, Call, Error, ReadRequest, unix_time};
use serde_json::Value;
use tokio::net::TcpListener;

use self::connection::{Connections, Peer};
use self::faults::{AnswerInput, Faults};
use self::nodejs_pool::Pool;
use self::noise::Seed;
use self::requests::Requests;
use self::world::World;

pub use self::faults::{FAULTS, Fault, Rule, fault_help};

/// When the simulated world began, in Unix seconds: 2024-01-01.
const EPOCH: f64 = 1_704_067_200.0;

/// How long requests in flight may take during shutdown. Some faults take minutes.
const GRACE: Duration = Duration::from_millis(800);

/// The simulator's settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Number of accounts.
    pub accounts: usize,
    /// Number of wallets at the simulated `nodejs-pool`.
    pub wallets: usize,
    /// Different seeds make different accounts and numbers.
    pub seed: u64,
    /// Always answer with the samples from the API's documentation.
    pub documented: bool,
    /// How long the token of a login is valid.
    pub token_lifetime: Duration,
    /// The faults. For each request, the first rule that matches and hits counts.
    pub faults: Vec<Rule>,
}

impl Config {
    /// Checks the settings.
    ///
    /// # Errors
    /// A sentence for the user, if a rule names an account that does not exist.
    pub fn check(&self) -> Result<(), String> {
        self.faults.iter().try_for_each(|rule| rule.check_account(self.accounts, self.wallets))
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            accounts: 3,
            wallets: 1,
            seed: 1,
            documented: false,
            token_lifetime: Duration::from_secs(3600),
            faults: Vec::new(),
        }
    }
}

/// The simulated API.
pub struct Simulator {
    config: Config,
    world: World,
    pool: Pool,
    accounts: Accounts,
    faults: Faults,
    requests: Requests,
}

impl Simulator {
    pub fn new(config: Config) -> Simulator {
        let world = World { seed: Seed::new(config.seed), users: config.accounts as u64 };
        let accounts = (0..world.users).map(|user| (world::name(user).into(), credentials::of(&world, user).into()));
        let accounts = Accounts::new(accounts, config.token_lifetime);
        let faults = Faults::new(world.seed, config.faults.clone());
        let pool = Pool::new(world.seed, config.wallets);
        Simulator { config, world, pool, accounts, faults, requests: Requests::default() }
    }

    /// Serves until `shutdown` resolves and the requests in flight are done, or a short grace period is over.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let service = self.router().into_make_service_with_connect_info::<Peer>();
        let serving = axum::serve(Connections(listener), service).with_graceful_shutdown(async {
            // An error means that the sender was dropped; then the server stops too.
            let _ = stopped.await;
        });
        let patience = async {
            shutdown.await;
            let _ = stop.send(());
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            result = serving.into_future() => result,
            () = patience => Ok(()),
        }
    }

    /// An exporter configuration in TOML for all accounts and wallets of this simulator at this URL.
    pub fn exporter_config(&self, base_url: &str) -> String {
        // A JSON string is a TOML string too.
        let mut toml = format!(
            "# The accounts of a minergate-exporter simulator; nothing here is secret.\n\n[api]\nbase_url = {}\n\
             # A simulator can be asked faster than one would ask a pool.\nrequests_per_second = 50\n",
            Value::from(base_url)
        );
        for user in 0..self.world.users {
            let own = credentials::of(&self.world, user);
            let keys = [
                ("name", Some(world::name(user))),
                ("email", Some(own.email)),
                ("password", own.password),
                ("totp_secret", own.totp_secret),
                ("token", own.token),
            ];
            toml += "\n[[accounts]]\n";
            for (key, value) in keys {
                // Writing to a string can't fail.
                let _ = value.map(|value| writeln!(toml, "{key} = \"{value}\""));
            }
        }
        toml + &self.pool_config(base_url)
    }

    /// The part of the configuration about the pool; empty if there are no wallets.
    fn pool_config(&self, base_url: &str) -> String {
        if self.config.wallets == 0 {
            return String::new();
        }
        let mut toml = format!(
            "\n[[pools]]\nname = \"simulated\"\nsoftware = \"nodejs-pool\"\nurl = {}\ncurrency = \"{}\"\n\
             requests_per_second = 50\nmax_age = \"5s\"\n",
            Value::from(format!("{base_url}{}", nodejs_pool::PREFIX)),
            nodejs_pool::CURRENCY,
        );
        for (name, address) in self.pool.wallets() {
            // Writing to a string can't fail.
            let _ = writeln!(toml, "\n[[accounts]]\nname = \"{name}\"\nwallets = {{ simulated = \"{address}\" }}");
        }
        toml
    }

    fn router(self) -> Router {
        minergate_server::router().merge(control::routes()).merge(nodejs_pool::routes()).with_state(Arc::new(self))
    }

    /// Answers with the fault that hits the request, if any, and counts the request. `answer` returns the faultless answer.
    async fn answer<F: Future<Output = Response> + Send>(
        &self,
        endpoint: &'static str,
        account: String,
        extensions: &Extensions,
        answer: impl Fn(AnswerInput) -> F + Send,
    ) -> Response {
        if let Some(hit) = self.faults.hit(endpoint, &account) {
            self.requests.count(account, endpoint, hit.fault.name);
            return hit.answer(Peer::of(extensions), answer).await;
        }
        let response = answer(AnswerInput::at(unix_time())).await;
        self.requests.count(account, endpoint, response.status().as_str());
        response
    }
}

impl Api for Simulator {
    fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    async fn read(&self, read: &ReadRequest, now: Duration) -> Result<String, Error> {
        if self.config.documented {
            answers::documented(read)
        } else {
            answers::simulated(&self.world, read, now.as_secs_f64())
        }
    }

    async fn respond(&self, call: Call) -> Response {
        let account = call.account.map(|account| world::name(account as u64)).unwrap_or_default();
        self.answer(call.endpoint, account, &call.extensions, |truth| call.response(self, truth.time)).await
    }
}

#[cfg(test)]
mod tests;
