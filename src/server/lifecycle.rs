//! `/-/healthy`, `/-/ready` and `/-/reload`: what a supervisor asks for.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use tokio::sync::oneshot;

use super::App;

/// A request to reload, answered when it is done.
pub type Reload = oneshot::Sender<Result<(), String>>;

/// Says whether the poller gets on with its work, whatever the API answers: a restart would help against nothing else.
pub(super) async fn healthy(State(app): State<Arc<App>>) -> (StatusCode, String) {
    match app.exposition.health.standstill() {
        None => (StatusCode::OK, "Healthy\n".to_owned()),
        Some(standstill) => (StatusCode::SERVICE_UNAVAILABLE, format!("Not healthy: {standstill}\n")),
    }
}

pub(super) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    if app.exposition.health.is_ready() {
        (StatusCode::OK, "Ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "Not ready: not every account has been tried yet\n")
    }
}

pub(super) async fn reload(State(app): State<Arc<App>>) -> (StatusCode, String) {
    let Some(reload) = &app.reload else {
        return (StatusCode::FORBIDDEN, "Reloading is off; start the exporter with --web.enable-lifecycle\n".to_owned());
    };
    let (sender, receiver) = oneshot::channel();
    // An error of either means that the exporter is ending.
    let _ = reload.send(sender).await;
    match receiver.await {
        Ok(Ok(())) => (StatusCode::OK, "Reloaded\n".to_owned()),
        Ok(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, format!("Not reloaded: {error}\n")),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "The exporter is ending\n".to_owned()),
    }
}
