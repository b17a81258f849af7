//! Serves the gateway's API with the same limits, TLS and users as the exporter's pages. Refused requests get errors in the API's format.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::Response;
use minergate_server::{ClientAddress, framework_error};

use super::exchange::Exchange;
use super::guard::{self, Bodies};
use super::listener::Listener;
use super::turn::Turns;
use super::web_config::Web;
use super::{connection, limit};

/// Serves the routes of an API until `shutdown` resolves, and then until requests in flight are answered, within limits.
pub async fn serve_api(listeners: Vec<Listener>, routes: Router, web: Arc<Web>, shutdown: impl Future<Output = ()>) {
    let sentence = "Too many requests at a time; try again later\n";
    let turns = Turns::new(limit::API_REQUESTS, limit::API_BYTES, (refuse, sentence));
    let served = routes
        .layer(middleware::from_fn_with_state(turns, Turns::answer))
        .layer(middleware::from_fn_with_state(web.clone(), pass));
    connection::serve(listeners, served, web, shutdown).await;
}

/// Checks a request, and adds the client's address to it.
async fn pass(State(web): State<Arc<Web>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Arc<Exchange>>().and_then(|exchange| exchange.connection.peer);
    if let Some(peer) = peer {
        request.extensions_mut().insert(ClientAddress(peer));
    }
    guard::admit(&web, Bodies::Kept, refuse, request, next).await
}

fn refuse(status: StatusCode, sentence: &'static str) -> Response {
    let code = status.canonical_reason().unwrap_or_default().replace(' ', "");
    framework_error(status, &code, sentence.trim_end())
}
