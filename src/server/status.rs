//! How the polls go and what they brought, for people (`/`) and programs (`/api/v1/status`): the same facts, twice.
//!
//! Made from what /metrics is made from, and under the same rule: nothing personal, nothing secret.

mod account;
mod currency;
mod endpoint;
mod facts;
mod fault;
mod network;
mod page;
mod state;
mod total;
mod verdict;
mod words;
mod worker;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_FRAME_OPTIONS,
};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use self::facts::{Facts, Order};
use super::App;

/// What a browser may do with the page: show it with our own style sheet, and refresh it with our own script.
const SECURITY: [(HeaderName, &str); 5] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    (HeaderName::from_static("x-content-type-options"), "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
];

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    page: Option<usize>,
    /// Only accounts whose names contain this text, in whatever case.
    name: String,
    /// Only the account with this name, with all its workers.
    account: Option<String>,
}

pub(super) async fn json(State(app): State<Arc<App>>, Query(wanted): Query<Wanted>) -> Response {
    // A program reads one page after the other. The order by state changes meanwhile, and an account would be missed.
    let answer = move |app: &App| Json(Facts::new(&app.exposition, &wanted, Order::ByName)).into_response();
    make(app, answer).await
}

pub(super) async fn html(State(app): State<Arc<App>>, Query(wanted): Query<Wanted>) -> Response {
    let answer = move |app: &App| {
        let facts = Facts::new(&app.exposition, &wanted, Order::ByState);
        Html(page::page(app, &facts, &wanted)).into_response()
    };
    make(app, answer).await
}

async fn make(app: Arc<App>, answer: impl FnOnce(&App) -> Response + Send + 'static) -> Response {
    match app.clone().make(move || answer(&app)).await {
        Ok(response) | Err(response) => (SECURITY, response).into_response(),
    }
}

pub(super) async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("status/style.css"))
}

pub(super) async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("status/refresh.js"))
}

/// A file that belongs to the page: one of another version of the exporter would not fit.
fn file(content_type: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-cache")], text).into_response()
}
