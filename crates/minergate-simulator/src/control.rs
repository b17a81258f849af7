//! The simulator's own pages, for clients on the same machine: the active faults and the requests so far.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use minergate_server::json_response;
use serde_json::{Value, json};

use super::connection::Peer;
use super::faults::{FAULTS, Fault, Rule, endpoint_names};
use super::{Config, Simulator};

pub(super) fn routes() -> Router<Arc<Simulator>> {
    Router::new()
        .route("/-/faults", get(faults).put(replace_faults).delete(no_faults))
        .route("/-/requests", get(requests).delete(forget_requests))
        .layer(middleware::from_fn(loopback_only))
}

async fn loopback_only(request: Request, next: Next) -> Response {
    if Peer::of(request.extensions()).is_some_and(|peer| peer.is_loopback()) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "This page is only for clients on the same machine.\n").into_response()
}

async fn faults(State(simulator): State<Arc<Simulator>>) -> Response {
    let table = FAULTS.iter().map(|Fault { name, does, .. }| json!({ "name": name, "does": does }));
    let report = json!({
        "rules": simulator.faults.report(),
        "faults": table.collect::<Value>(),
        "endpoints": endpoint_names().collect::<Value>(),
    });
    json_response(StatusCode::OK, report.to_string())
}

async fn replace_faults(state: State<Arc<Simulator>>, body: Bytes) -> Response {
    match rules(&body, &state.config) {
        Ok(rules) => {
            state.faults.replace(rules);
            faults(state).await
        }
        Err(fault) => (StatusCode::BAD_REQUEST, format!("{fault}\n")).into_response(),
    }
}

/// Parses all rules, or fails if one is invalid.
fn rules(body: &[u8], config: &Config) -> Result<Vec<Rule>, String> {
    let texts: Vec<String> = serde_json::from_slice(body)
        .map_err(|_| "the body is not a list of rules; write JSON, such as [\"429:0.1\", \"login/captcha\"]".to_owned())?;
    let rule = |text: &String| {
        let rule: Rule = text.parse()?;
        rule.check_account(config.accounts, config.wallets).map(|()| rule)
    };
    texts.iter().map(|text| rule(text).map_err(|fault| format!("`{text}`: {fault}"))).collect()
}

async fn no_faults(state: State<Arc<Simulator>>) -> Response {
    state.faults.replace(Vec::new());
    faults(state).await
}

async fn requests(State(simulator): State<Arc<Simulator>>) -> Response {
    json_response(StatusCode::OK, simulator.requests.report().to_string())
}

async fn forget_requests(state: State<Arc<Simulator>>) -> Response {
    state.requests.reset();
    requests(state).await
}
