//! The simulator's connections, which can be reset in the middle of a request.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::ConnectInfo;
use axum::extract::connect_info::Connected;
use axum::http::Extensions;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// A listener whose connections can be reset.
pub(super) struct Connections(pub(super) TcpListener);

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // Axum's implementation waits if the process has too many open files.
        let (stream, address) = Listener::accept(&mut self.0).await;
        (Connection { stream, cut: Arc::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

pub(super) struct Connection {
    stream: TcpStream,
    cut: Arc<AtomicBool>,
}

/// The remote end of a request's connection.
#[derive(Clone)]
pub(super) struct Peer {
    address: SocketAddr,
    cut: Arc<AtomicBool>,
}

impl Connected<IncomingStream<'_, Connections>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Peer {
        Peer { address: *stream.remote_addr(), cut: stream.io().cut.clone() }
    }
}

impl Peer {
    /// The peer of a request, if it came over a connection.
    pub(super) fn of(extensions: &Extensions) -> Option<Peer> {
        extensions.get().map(|ConnectInfo(peer): &ConnectInfo<Peer>| peer.clone())
    }

    pub(super) fn is_loopback(&self) -> bool {
        self.address.ip().to_canonical().is_loopback()
    }

    /// Resets the connection at the next write.
    pub(super) fn reset(&self) {
        self.cut.store(true, Ordering::Relaxed);
    }
}

impl Connection {
    fn checked(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        if self.cut.load(Ordering::Relaxed) {
            // With this, closing the connection sends a reset.
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(Pin::new(&mut self.stream))
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.checked()?.poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.checked()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.checked()?.poll_shutdown(cx)
    }
}

#[cfg(test)]
impl Peer {
    pub(super) fn at(address: &str) -> Peer {
        Peer { address: SocketAddr::new(address.parse().unwrap(), 1), cut: Arc::default() }
    }
}
