//! The state of the polls and their values, for people (`/`) and programs (`/api/v1/status`): the same data in two forms.
//!
//! It is made from the same data as /metrics, with the same rule: nothing personal, nothing secret.

mod account;
mod currency;
mod endpoint;
mod fault;
mod format;
mod network;
mod page;
mod report;
mod state;
mod total;
mod verdict;
mod worker;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_FRAME_OPTIONS,
};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use self::report::{Order, StatusReport};
use super::App;

/// What the page may do in a browser: use our own style sheet, and refresh itself with our own script.
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

/// The query of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StatusQuery {
    page: Option<usize>,
    /// Only accounts whose names contain this text, in upper or lower case.
    name: String,
    /// Only the account with this name, with all its workers.
    account: Option<String>,
}

pub(super) async fn json(State(app): State<Arc<App>>, Query(query): Query<StatusQuery>) -> Response {
    // A program reads one page after the other. The order by state can change meanwhile, so that an account would be missed.
    let answer = move |app: &App| Json(StatusReport::new(&app.exposition, &query, Order::ByName)).into_response();
    answer_in_background(app, answer).await
}

pub(super) async fn html(State(app): State<Arc<App>>, Query(query): Query<StatusQuery>) -> Response {
    let answer = move |app: &App| {
        let report = StatusReport::new(&app.exposition, &query, Order::ByState);
        Html(page::page(app, &report, &query)).into_response()
    };
    answer_in_background(app, answer).await
}

async fn answer_in_background(app: Arc<App>, answer: impl FnOnce(&App) -> Response + Send + 'static) -> Response {
    match app.clone().answer_in_background(move || answer(&app)).await {
        Ok(response) | Err(response) => (SECURITY, response).into_response(),
    }
}

pub(super) async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("status/style.css"))
}

pub(super) async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("status/refresh.js"))
}

/// A file of the page. It is not cached, because a file of another version of the exporter would not fit.
fn file(content_type: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-cache")], text).into_response()
}
