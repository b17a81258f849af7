//! The one way in for every connection: accept, TLS, HTTP, limits, and an end that finishes what is under way.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::activity::{Activity, Connections};
use super::exchange::Answer;
use super::limit;
use super::listener::{Listener, Stream};
use super::watched_stream::WatchedStream;
use super::web_config::Web;

/// What a connection gets when there are too many.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 37\r\nRetry-After: 1\r\n\r\nToo many connections; try again later";

/// What a client gets that speaks HTTP where TLS is spoken; it would only see a broken connection.
const PLAIN: &[u8] = b"HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\nThis address speaks HTTPS; ask with https://\n";

/// What all connections share.
struct Server {
    router: Router,
    web: Arc<Web>,
    connections: Connections,
    refusals: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
}

/// Serves until `shutdown` resolves, and then until requests under way are answered, within limits.
pub(super) async fn serve(listeners: Vec<Listener>, router: Router, web: Arc<Web>, shutdown: impl Future<Output = ()>) {
    let (stop, stopped) = watch::channel(false);
    let refusals = Arc::new(Semaphore::new(limit::REFUSALS));
    let server = Arc::new(Server { router, web, connections: Connections::default(), refusals, stopped });
    let mut accepting: JoinSet<()> = listeners.into_iter().map(|listener| accept(listener, server.clone())).collect();
    tokio::select! {
        () = shutdown => {}
        () = give_memory_back(&server.connections) => {}
    }
    let _ = stop.send(true);
    if timeout(limit::GRACE, async { while accepting.join_next().await.is_some() {} }).await.is_err() {
        tracing::warn!("connections still open at the end of the grace period were cut");
        accepting.shutdown().await;
    }
}

/// Accepts until the end is asked for, and then waits for the connections.
async fn accept(mut listener: Listener, server: Arc<Server>) {
    let mut connections = JoinSet::new();
    let mut failing = false;
    let mut stop = pin!(until_stopping(server.stopped.clone()));
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                if !failing {
                    tracing::warn!(%error, "can't accept connections");
                }
                failing = true;
                // File descriptors may be used up.
                server.connections.evict();
                tokio::time::sleep(limit::ACCEPT).await;
                continue;
            }
        };
        failing = false;
        let admitted = if stream.is_self_probe() {
            Some(Arc::new(Activity::new(None, true)))
        } else {
            server.connections.admit(peer).await
        };
        if let Some(activity) = admitted {
            let server = server.clone();
            connections.spawn(async move {
                connection(stream, &activity, &server).await;
                server.connections.forget(&activity);
            });
            continue;
        }
        let is_tls = server.web.is_tls();
        tokio::select! {
            biased;
            () = &mut stop => break,
            permit = server.refusals.clone().acquire_owned() => connections.spawn(async move {
                let _ = timeout(limit::REFUSAL, refuse(stream, is_tls)).await;
                drop(permit);
            }),
        };
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Gives memory back to the system after each burst of connections. Never ends.
async fn give_memory_back(connections: &Connections) {
    loop {
        tokio::time::sleep(limit::TRIM).await;
        if connections.burst_is_over() {
            // It fails only where the runtime ends.
            let _ = tokio::task::spawn_blocking(minergate_heap::trim).await;
        }
    }
}

/// Resolves when the end is asked for.
async fn until_stopping(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Says 503 where the client would understand it.
async fn refuse(mut stream: Stream, is_tls: bool) -> std::io::Result<()> {
    if is_tls {
        return Ok(());
    }
    stream.write_all(FULL).await?;
    stream.shutdown().await?;
    // Closed with something unread, the connection would be reset, and the answer lost.
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

async fn connection(stream: Stream, activity: &Arc<Activity>, server: &Server) {
    let Some(config) = server.web.tls().await.filter(|_| !activity.is_self_probe) else {
        return http(Box::new(stream), activity, false, server).await;
    };
    tokio::select! {
        // Nothing was asked yet.
        () = until_stopping(server.stopped.clone()) => {}
        () = activity.expired() => {}
        stream = handshake(stream, config) => {
            let Some((stream, is_http2)) = stream else { return };
            activity.expect_head();
            http(Box::new(stream), activity, is_http2, server).await;
        }
    }
}

/// Makes the connection a TLS one; says whether HTTP/2 was agreed upon.
async fn handshake(mut stream: Stream, config: Arc<ServerConfig>) -> Option<(TlsStream<Stream>, bool)> {
    if stream.begins_with_letter().await {
        // A method's first letter; TLS begins with the byte 22.
        let _ = stream.write_all(PLAIN).await;
        let _ = stream.shutdown().await;
        return None;
    }
    match TlsAcceptor::from(config).accept(stream).await {
        Ok(stream) => {
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            Some((stream, is_http2))
        }
        Err(error) => {
            tracing::debug!(%error, "TLS handshake failed");
            None
        }
    }
}

/// A stream with or without TLS. HTTP is compiled once for both: it is large.
trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Duplex for S {}

/// Speaks HTTP until the client leaves, a limit is reached, or the end was asked for.
async fn http(stream: Box<dyn Duplex>, activity: &Arc<Activity>, is_http2: bool, server: &Server) {
    let watched = TokioIo::new(WatchedStream::new(stream, activity.clone(), is_http2));
    let router = TowerToHyperService::new(server.router.clone());
    let service = service_fn(|mut request: Request<Incoming>| {
        let exchange = activity.begin();
        request.extensions_mut().insert(exchange.clone());
        let answer = router.call(request);
        async move { answer.await.map(|answer| answer.map(|body| Body::new(Answer::new(body, exchange)))) }
    });
    let builder = builder(is_http2);
    let mut connection = pin!(builder.serve_connection(watched, service));
    let mut is_stopping = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error, "connection ended");
                }
                break;
            }
            () = until_stopping(server.stopped.clone()), if !is_stopping => {
                is_stopping = true;
                activity.stop();
                connection.as_mut().graceful_shutdown();
            }
            () = activity.expired() => break,
        }
    }
}

/// One of HTTP's versions, as TLS has agreed upon it: no guessing from the first bytes.
fn builder(is_http2: bool) -> auto::Builder<TokioExecutor> {
    let builder = auto::Builder::new(TokioExecutor::new());
    let mut builder = if is_http2 { builder.http2_only() } else { builder.http1_only() };
    // How long a head may take is Activity's: hyper would count the time between two requests too.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(limit::HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limit::STREAMS)
        .max_header_list_size(limit::HEADERS_BYTES)
        .max_send_buf_size(limit::PIECE_BYTES)
        .initial_connection_window_size(limit::WINDOW_BYTES)
        .initial_stream_window_size(limit::WINDOW_BYTES);
    builder
}

#[cfg(test)]
mod tests;
