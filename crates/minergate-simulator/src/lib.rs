//! A simulator of the MinerGate API: every method of its contract, with made-up accounts whose numbers move as a pool's do.
//!
//! It answers over HTTP for demonstrations and tests. Its numbers are a function of seed and time, so that two simulators
//! with one seed agree. What an account mines and when is in `world` and `mine`, the answers' JSON in `answers`. How it
//! misbehaves on request is in `faults`; `control` changes that while it runs.

mod accounts;
mod answers;
mod coin;
mod connection;
mod control;
mod error;
mod faults;
mod mine;
mod network;
mod noise;
mod requests;
mod world;

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{Form, FromRequest, RawPathParams, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use self::accounts::{Accounts, Fields, WayIn};
use self::answers::Question;
use self::connection::{Connections, Peer};
use self::error::Error;
use self::faults::{Faults, LOGIN};
use self::noise::Seed;
use self::requests::Requests;
use self::world::World;
use minergate::endpoints::{ENDPOINTS, Endpoint, Scope};

pub use self::faults::{FAULTS, Fault, Rule, fault_help};

/// When the simulated world began, in Unix seconds: 2024-01-01.
const EPOCH: f64 = 1_704_067_200.0;

/// How long requests under way may take once the end is asked for: some faults take minutes.
const GRACE: Duration = Duration::from_millis(800);

/// What the simulator is like.
#[derive(Clone, Debug)]
pub struct Config {
    /// Number of accounts.
    pub accounts: usize,
    /// Another seed makes other accounts and numbers.
    pub seed: u64,
    /// Reads answer what the API's documentation shows, always.
    pub documented: bool,
    /// Time for which the token of a login is good.
    pub token_lifetime: Duration,
    /// How it misbehaves; of the rules that fit a request, the first that hits counts.
    pub faults: Vec<Rule>,
}

impl Config {
    /// Says what is wrong.
    ///
    /// # Errors
    /// A sentence for people, when a rule names an account that there isn't.
    pub fn check(&self) -> Result<(), String> {
        self.faults.iter().try_for_each(|rule| rule.check_account(self.accounts as u64))
    }
}

impl Default for Config {
    fn default() -> Self {
        Config { accounts: 3, seed: 1, documented: false, token_lifetime: Duration::from_secs(3600), faults: Vec::new() }
    }
}

/// The simulated API.
pub struct Simulator {
    config: Config,
    world: World,
    accounts: Accounts,
    faults: Faults,
    requests: Requests,
}

impl Simulator {
    pub fn new(config: Config) -> Simulator {
        let world = World { seed: Seed::new(config.seed), users: config.accounts as u64 };
        let accounts = Accounts::new(world, config.token_lifetime);
        let faults = Faults::new(world.seed, config.faults.clone());
        Simulator { config, world, accounts, faults, requests: Requests::default() }
    }

    /// Answers requests until `shutdown` resolves and those under way are done, or have had a little more time.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let service = self.router().into_make_service_with_connect_info::<Peer>();
        let serving = axum::serve(Connections(listener), service).with_graceful_shutdown(async {
            // An error would mean that nobody is left to say stop.
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

    /// An exporter's configuration, in TOML, for all accounts of this simulator at that URL.
    pub fn exporter_config(&self, base_url: &str) -> String {
        // A JSON string is a TOML string too.
        let mut toml = format!(
            "# The accounts of a minergate-exporter simulator; nothing here is secret.\n\n[api]\nbase_url = {}\n\
             # A simulator can be asked faster than one would ask a pool.\nrequests_per_second = 50\n",
            Value::from(base_url)
        );
        for user in 0..self.world.users {
            let (name, email) = (world::name(user), world::email(user));
            let secrets = match WayIn::of(&self.world, user) {
                WayIn::Token(token) => format!("token = \"{token}\"\n"),
                WayIn::Password { password, totp: None } => format!("password = \"{password}\"\n"),
                WayIn::Password { password, totp: Some(secret) } => {
                    format!("password = \"{password}\"\ntotp_secret = \"{}\"\n", secret.to_base32())
                }
            };
            // Writing to a string can't fail.
            let _ = write!(toml, "\n[[accounts]]\nname = \"{name}\"\nemail = \"{email}\"\n{secrets}");
        }
        toml
    }

    fn router(self) -> Router {
        let mut router = route(Router::new(), "/1.0/auth/login", &post(login));
        for endpoint in ENDPOINTS {
            let handler = |part| {
                get(move |State(simulator): State<Arc<Simulator>>, params: Params, request: Request| async move {
                    let (head, _) = request.into_parts();
                    let user = simulator.accounts.owner(token(&head.headers));
                    let read = |now| simulator.read(endpoint, part, &head.headers, &params, now).into_response();
                    let peer = Peer::of(&head.extensions);
                    simulator.answer(endpoint.name, user, peer, read).await
                })
            };
            for path in [Some(endpoint.path), endpoint.former_path].into_iter().flatten() {
                router = route(router, path, &handler(None));
            }
            if let Some(part) = endpoint.part {
                router = route(router, part, &handler(Some(part)));
            }
        }
        let not_found = async |uri: Uri| Error::NoRoute(uri.path().to_owned());
        let wrong_method = async |method: Method| Error::MethodNotAllowed(method);
        router
            .merge(control::routes())
            .fallback(not_found)
            .method_not_allowed_fallback(wrong_method)
            .with_state(Arc::new(self))
    }

    /// Answers a request with what it asks for at the time that `answer` is given, since 1970, unless a fault is due, and counts it.
    async fn answer(
        &self,
        endpoint: &'static str,
        user: Option<u64>,
        peer: Option<Peer>,
        answer: impl Fn(Duration) -> Response + Send,
    ) -> Response {
        let account = user.map(world::name).unwrap_or_default();
        if let Some(hit) = self.faults.hit(endpoint, &account) {
            self.requests.count(account, endpoint, hit.fault.name);
            return hit.answer(peer, answer).await;
        }
        let response = answer(unix_time());
        self.requests.count(account, endpoint, response.status().as_str());
        response
    }

    fn read(
        &self,
        endpoint: &'static Endpoint,
        part: Option<&'static str>,
        headers: &HeaderMap,
        params: &Params,
        now: Duration,
    ) -> Result<Response, Error> {
        let user = (endpoint.scope == Scope::Account).then(|| self.accounts.user(token(headers))).transpose()?;
        let params = params.as_ref().map_err(|_| Error::NotFound)?;
        let argument = params.iter().next().map(|(_, argument)| argument);
        let question = Question { endpoint, part, argument, user };
        let answer =
            if self.config.documented { question.documented() } else { question.answer(&self.world, now.as_secs_f64()) };
        Ok(json_response(StatusCode::OK, answer.ok_or(Error::NotFound)?))
    }
}

/// What stood in the path for its placeholders.
type Params = Result<RawPathParams, RawPathParamsRejection>;

/// A route, with and without a slash at its end: some clients send one.
fn route(
    router: Router<Arc<Simulator>>,
    path: &str,
    methods: &axum::routing::MethodRouter<Arc<Simulator>>,
) -> Router<Arc<Simulator>> {
    router.route(path, methods.clone()).route(&format!("{path}/"), methods.clone())
}

async fn login(State(simulator): State<Arc<Simulator>>, request: Request) -> Response {
    let peer = Peer::of(request.extensions());
    let fields = login_fields(request).await;
    let user = fields.as_ref().ok().and_then(|fields| simulator.accounts.named(fields));
    let login = |now: Duration| -> Result<Response, Error> {
        let fields = fields.as_ref().map_err(Clone::clone)?;
        let token = simulator.accounts.login(fields, now.as_secs())?;
        Ok(json_response(StatusCode::OK, json!({ "token": token }).to_string()))
    };
    simulator.answer(LOGIN, user, peer, |now| login(now).into_response()).await
}

/// The token that a request carries.
fn token(headers: &HeaderMap) -> Option<&str> {
    headers.get("token").map(|token| token.to_str().unwrap_or("not a token"))
}

/// The fields of a form, or of JSON whatever it is said to be; none where the body is empty or is JSON without fields. Axum bounds the
/// size of both.
async fn login_fields(request: Request) -> Result<Fields, Error> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if content_type.is_some_and(|value| value.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded")) {
        let form = Form::from_request(request, &()).await;
        return form.map(|Form(fields)| fields).map_err(|rejection| Error::BadBody(rejection.status()));
    }
    let body = Bytes::from_request(request, &()).await.map_err(|rejection| Error::BadBody(rejection.status()))?;
    if body.trim_ascii().is_empty() {
        return Ok(Fields::new());
    }
    match serde_json::from_slice(&body) {
        Ok(Value::Object(fields)) => Ok(fields.into_iter().collect()),
        Ok(_) => Ok(Fields::new()),
        Err(_) => Err(Error::BadBody(StatusCode::BAD_REQUEST)),
    }
}

fn json_response(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

fn unix_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests;
