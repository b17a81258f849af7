//! The server in the test's own process, on a port of its own.

use std::path::Path;
use std::sync::Arc;

use minergate_exporter::exposition::Exposition;
use minergate_exporter::health::Health;
use minergate_exporter::server::{self, App, Listener, Web};
use tokio::net::TcpListener;

/// A listener, and its URL.
pub(crate) async fn listener() -> (Listener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (Listener::from(listener), url)
}

/// Serves with an optional web configuration file, while the future is polled.
pub(crate) fn serve(listener: Listener, health: Arc<Health>, web: Option<&Path>) -> impl Future<Output = ()> + use<> {
    serve_exposition(listener, Exposition::new(Arc::default(), health), web)
}

/// The same with samples.
pub(crate) fn serve_exposition(
    listener: Listener,
    exposition: Exposition,
    web: Option<&Path>,
) -> impl Future<Output = ()> + use<> {
    let app = App {
        exposition: Arc::new(exposition),
        telemetry_path: "/metrics".to_owned(),
        external_url: None,
        reload: None,
        max_requests: 40,
    };
    server::serve(vec![listener], app, Arc::new(Web::load(web).unwrap()), std::future::pending())
}
