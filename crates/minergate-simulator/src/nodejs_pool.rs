//! A simulated pool with the software `nodejs-pool`: its wallets, and its paths on the listener of the simulated API.
//!
//! Paths, limits and errors are as in the software's `lib/api/public.js`. The answers are in `answers`, a wallet's workers
//! in `rig`.

mod answers;
mod rig;

use std::collections::HashMap;
use std::future::ready;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, RawPathParams, Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use minergate_server::json_response;
use serde_json::Value;

use self::rig::Rig;
use super::Simulator;
use super::coin;
use super::faults::AnswerInput;
use super::noise::{Seed, whole};

/// Prefix of the pool's paths.
pub(super) const PREFIX: &str = "/nodejs-pool";

/// The currency that it pays out.
pub(super) const CURRENCY: &str = "xmr";

/// The allowed page sizes. The first is used for any other size.
const LIMITS: &[usize] = &[15, 50, 100];

const LAST_PAGE: usize = 1000;

/// A path of the pool.
pub(super) struct Route {
    /// Its name in fault rules and in the counts of requests.
    pub(super) endpoint: &'static str,
    path: &'static str,
    /// Whether its answer has totals that never fall.
    pub(super) has_totals: bool,
    answer: fn(&PoolRequest) -> Value,
}

#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    Route { endpoint: "wallet_stats",    path: "/miner/{address}/stats",            has_totals: true,  answer: answers::wallet_stats },
    Route { endpoint: "wallet_workers",  path: "/miner/{address}/stats/allWorkers", has_totals: true,  answer: answers::wallet_workers },
    Route { endpoint: "wallet_payments", path: "/miner/{address}/payments",         has_totals: false, answer: answers::wallet_payments },
    Route { endpoint: "wallet_user",     path: "/user/{address}",                   has_totals: false, answer: answers::wallet_user },
    Route { endpoint: "network_stats",   path: "/network/stats",                    has_totals: false, answer: answers::network_stats },
    Route { endpoint: "pool_stats",      path: "/pool/stats",                       has_totals: false, answer: answers::pool_stats },
];

impl Route {
    pub(super) fn is_of_wallet(&self) -> bool {
        self.path.contains("{address}")
    }
}

/// One request, and the time of its answer.
struct PoolRequest<'a> {
    pool: &'a Pool,
    /// The wallet, if the pool knows it.
    rig: Option<&'a Rig>,
    /// Number of entries to skip, and the maximum number of entries to return.
    skip: usize,
    limit: usize,
    /// Seconds since 1970.
    now: u64,
}

/// The pool and all its wallets.
pub(super) struct Pool {
    seed: Seed,
    rigs: Vec<Rig>,
    by_address: HashMap<String, usize>,
}

/// The name of the account that a wallet belongs to.
pub(super) fn account(wallet: usize) -> String {
    format!("rig-{}", wallet + 1)
}

impl Pool {
    pub(super) fn new(seed: Seed, wallets: usize) -> Pool {
        let rigs = seed.of("rig");
        let coins = coin::find(CURRENCY).into_iter().cycle();
        let rigs: Vec<Rig> = (0..wallets as u64).zip(coins).map(|(i, coin)| Rig::new(rigs.nth(i), coin)).collect();
        let by_address = rigs.iter().enumerate().map(|(wallet, rig)| (rig.address.clone(), wallet)).collect();
        Pool { seed, rigs, by_address }
    }

    /// The wallets' accounts and addresses.
    pub(super) fn wallets(&self) -> impl Iterator<Item = (String, &str)> {
        self.rigs.iter().enumerate().map(|(wallet, rig)| (account(wallet), rig.address.as_str()))
    }
}

pub(super) fn routes() -> Router<Arc<Simulator>> {
    let router = ROUTES.iter().fold(Router::new(), |router, route| {
        let handler = async |simulator, params: Result<_, _>, query: Result<_, _>, request| {
            respond(route, simulator, params.ok(), query.ok(), request).await
        };
        router.route(route.path, get(handler))
    });
    Router::new().nest(PREFIX, router.fallback(no_route).method_not_allowed_fallback(no_route))
}

async fn respond(
    route: &'static Route,
    State(simulator): State<Arc<Simulator>>,
    params: Option<RawPathParams>,
    query: Option<Query<HashMap<String, String>>>,
    request: Request,
) -> Response {
    let pool = &simulator.pool;
    let address = params.iter().flatten().next().map(|(_, address)| address);
    let wallet = address.and_then(|address| pool.by_address.get(address)).copied();
    let limit = number(query.as_ref(), "limit").filter(|limit| LIMITS.contains(limit)).unwrap_or(LIMITS[0]);
    let page = number(query.as_ref(), "page").unwrap_or(0).min(LAST_PAGE);
    let answer = |truth: AnswerInput| {
        let rig = wallet.filter(|_| truth.knows_wallet).and_then(|wallet| pool.rigs.get(wallet));
        let request = PoolRequest { pool, rig, skip: page * limit, limit, now: truth.time.as_secs() };
        ready(json_response(StatusCode::OK, (route.answer)(&request).to_string()))
    };
    let account = wallet.map(account).unwrap_or_default();
    simulator.answer(route.endpoint, account, request.extensions(), answer).await
}

/// A whole number in the query, rounded down; `None` if it is not a number.
fn number(query: Option<&Query<HashMap<String, String>>>, key: &str) -> Option<usize> {
    let number: f64 = query?.get(key)?.trim().parse().ok()?;
    (number >= 0.0 && number.is_finite()).then(|| usize::try_from(whole(number)).unwrap_or(usize::MAX))
}

/// The answer of the software's HTTP server to an unknown path or method.
async fn no_route(method: Method, uri: Uri) -> Response {
    let path = uri.path().replace('&', "&amp;").replace('"', "&quot;").replace('\'', "&#39;").replace('<', "&lt;");
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n\
         <pre>Cannot {method} {path}</pre>\n</body>\n</html>\n"
    );
    (StatusCode::NOT_FOUND, Html(html)).into_response()
}

#[cfg(test)]
mod tests;
