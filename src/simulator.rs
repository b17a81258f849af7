//! A simulator of the MinerGate API: every method of its contract, with made-up accounts whose numbers move as a pool's do.
//!
//! It answers over HTTP for demonstrations and tests. Its numbers are a function of seed and time, so that two simulators
//! with one seed agree. What an account mines and when is in `world` and `mine`, the answers' JSON in `answers`.

mod accounts;
mod answers;
mod coin;
mod mine;
mod network;
mod noise;
mod world;

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{Form, FromRequest, RawPathParams, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use self::accounts::{Accounts, Denial, Fields, Refusal, WayIn};
use self::answers::Question;
use self::noise::Seed;
use self::world::World;
use crate::endpoints::{ENDPOINTS, Endpoint, Scope};

/// When the simulated world began, in Unix seconds: 2024-01-01.
const EPOCH: f64 = 1_704_067_200.0;

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
}

impl Default for Config {
    fn default() -> Self {
        Config { accounts: 3, seed: 1, documented: false, token_lifetime: Duration::from_secs(3600) }
    }
}

/// The simulated API.
pub struct Simulator {
    config: Config,
    world: World,
    accounts: Accounts,
}

impl Simulator {
    pub fn new(config: Config) -> Simulator {
        let world = World { seed: Seed::new(config.seed), users: config.accounts as u64 };
        let accounts = Accounts::new(world, config.token_lifetime);
        Simulator { config, world, accounts }
    }

    /// Answers requests until `shutdown` resolves and those under way are done.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        axum::serve(listener, self.router()).with_graceful_shutdown(shutdown).await
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
                get(move |State(simulator): State<Arc<Simulator>>, headers: HeaderMap, params: Params| async move {
                    simulator.read(endpoint, part, &headers, params)
                })
            };
            for path in [Some(endpoint.path), endpoint.former_path].into_iter().flatten() {
                router = route(router, path, &handler(None));
            }
            if let Some(part) = endpoint.part {
                router = route(router, part, &handler(Some(part)));
            }
        }
        let not_found = async || Fault::NotFound;
        let wrong_method = async || Fault::MethodNotAllowed;
        router.fallback(not_found).method_not_allowed_fallback(wrong_method).with_state(Arc::new(self))
    }

    fn read(
        &self,
        endpoint: &'static Endpoint,
        part: Option<&'static str>,
        headers: &HeaderMap,
        params: Params,
    ) -> Result<Response, Fault> {
        let token = headers.get("token").map(|token| token.to_str().unwrap_or("not a token"));
        let user = (endpoint.scope == Scope::Account).then(|| self.accounts.user(token)).transpose()?;
        let params = params.map_err(|_| Fault::NotFound)?;
        let argument = params.iter().next().map(|(_, argument)| argument);
        let question = Question { endpoint, part, argument, user };
        let answer = if self.config.documented {
            question.documented()
        } else {
            question.answer(&self.world, unix_time().as_secs_f64())
        };
        Ok(json_response(StatusCode::OK, answer.ok_or(Fault::NotFound)?))
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

async fn login(State(simulator): State<Arc<Simulator>>, request: Request) -> Result<Response, Fault> {
    let fields = login_fields(request).await?;
    let token = simulator.accounts.login(&fields, unix_time().as_secs())?;
    Ok(json_response(StatusCode::OK, json!({ "token": token }).to_string()))
}

/// The fields of a form, or of JSON whatever it is said to be. Axum bounds the size of both.
async fn login_fields(request: Request) -> Result<Fields, Fault> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if content_type.is_some_and(|value| value.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded")) {
        let form = Form::from_request(request, &()).await;
        return form.map(|Form(fields)| fields).map_err(|rejection| Fault::BadBody(rejection.status()));
    }
    let body = Bytes::from_request(request, &()).await.map_err(|rejection| Fault::BadBody(rejection.status()))?;
    serde_json::from_slice(&body).map_err(|_| Fault::BadBody(StatusCode::BAD_REQUEST))
}

/// What a request is answered with when not with what it asks for.
enum Fault {
    NotFound,
    MethodNotAllowed,
    /// With the status that says why.
    BadBody(StatusCode),
    Denied(Denial),
    Refused(Refusal),
}

impl From<Denial> for Fault {
    fn from(denial: Denial) -> Self {
        Fault::Denied(denial)
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Fault::Refused(refusal)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let error = |code, message| json!({ "error": code, "message": message });
        // The API has two shapes of errors; refused tokens have this one.
        let denied = |code, message| json!({ "code": code, "message": message });
        let (status, body) = match self {
            Fault::NotFound => (StatusCode::NOT_FOUND, error("NotFound", "There is nothing here.")),
            Fault::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, error("MethodNotAllowed", "This is not the method for this path."))
            }
            Fault::BadBody(status) => (status, error("BadRequest", "The body is neither JSON nor a form, or too large.")),
            Fault::Denied(Denial::NoToken) => (StatusCode::UNAUTHORIZED, denied("Unauthorized", "A token is required.")),
            Fault::Denied(Denial::InvalidToken) => {
                (StatusCode::UNAUTHORIZED, denied("InvalidToken", "The token is wrong or has expired."))
            }
            Fault::Refused(refusal) => (
                StatusCode::BAD_REQUEST,
                match refusal {
                    Refusal::MissingEmail => {
                        json!({ "error": "MissingEmail", "message": "An e-mail address is required.", "argument": "email" })
                    }
                    Refusal::WrongEmailOrPassword => error("WrongEmailOrPassword", "Email and password did not match."),
                    Refusal::TotpRequired => error(
                        "TotpRequired",
                        "Two-factor authorization is enabled for this account. Please provide TOTP code.",
                    ),
                    Refusal::WrongTotp => error("WrongTotp", "The TOTP code is wrong or was used before."),
                },
            ),
        };
        json_response(status, body.to_string())
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
