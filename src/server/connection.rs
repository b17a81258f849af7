//! Handles every connection: accept, TLS, HTTP, limits, and a shutdown that finishes requests in flight.

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

/// The answer if there are too many connections.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 37\r\nRetry-After: 1\r\n\r\nToo many connections; try again later";

/// The answer to plain HTTP where TLS is expected. Otherwise the client would only see a broken connection.
const PLAIN: &[u8] = b"HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\nThis address speaks HTTPS; ask with https://\n";

/// State shared by all connections.
struct Server {
    router: Router,
    web: Arc<Web>,
    connections: Connections,
    refusals: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
}

/// Serves until `shutdown` resolves, and then until requests in flight are answered, within limits.
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

/// Accepts connections until the shutdown, and then waits for the connections.
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
                // The file descriptors may be used up.
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

/// Gives memory back to the system after each burst of connections. Never returns.
async fn give_memory_back(connections: &Connections) {
    loop {
        tokio::time::sleep(limit::TRIM).await;
        if connections.burst_is_over() {
            // It only fails if the runtime is shutting down.
            let _ = tokio::task::spawn_blocking(minergate_memory::trim).await;
        }
    }
}

/// Resolves when the server is stopping.
async fn until_stopping(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Answers 503 if the client can read it, that is, without TLS.
async fn refuse(mut stream: Stream, is_tls: bool) -> std::io::Result<()> {
    if is_tls {
        return Ok(());
    }
    stream.write_all(FULL).await?;
    stream.shutdown().await?;
    // If the connection were closed with unread data, it would be reset, and the answer would be lost.
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

async fn connection(stream: Stream, activity: &Arc<Activity>, server: &Server) {
    let Some(config) = server.web.tls().await.filter(|_| !activity.is_self_probe) else {
        return http(Box::new(stream), activity, false, server).await;
    };
    tokio::select! {
        // There was no request yet.
        () = until_stopping(server.stopped.clone()) => {}
        () = activity.expired() => {}
        stream = handshake(stream, config) => {
            let Some((stream, is_http2)) = stream else { return };
            activity.expect_head();
            http(Box::new(stream), activity, is_http2, server).await;
        }
    }
}

/// The TLS handshake. Also returns whether HTTP/2 was negotiated.
async fn handshake(mut stream: Stream, config: Arc<ServerConfig>) -> Option<(TlsStream<Stream>, bool)> {
    if stream.begins_with_letter().await {
        // The first byte is a letter of an HTTP method; TLS begins with the byte 22.
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

/// A stream with or without TLS. HTTP is compiled only once for both, because its code is large.
trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Duplex for S {}

/// Serves HTTP until the client closes the connection, a limit is reached, or the server stops.
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

/// The HTTP version that TLS negotiated. It is not guessed from the first bytes.
fn builder(is_http2: bool) -> auto::Builder<TokioExecutor> {
    let builder = auto::Builder::new(TokioExecutor::new());
    let mut builder = if is_http2 { builder.http2_only() } else { builder.http1_only() };
    // Activity limits the time of a head: hyper would include the time between two requests.
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
