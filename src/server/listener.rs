//! Sources of connections: TCP, unix sockets, sockets passed by systemd, and this process itself.

use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use anyhow::bail;
use listenfd::ListenFd;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::mpsc;

use super::limit;
use super::self_probe::SelfProbe;

/// Prefix of an address that is the path of a unix socket.
pub(super) const UNIX: &str = "unix:";

/// A listening socket. The file of a unix socket is removed when this is dropped.
pub struct Listener {
    socket: Socket,
    /// The file to remove when this is dropped.
    file: Option<PathBuf>,
    /// Connections of this process. There are none before [`Listener::self_probe`] is called.
    inside: mpsc::Receiver<UnixStream>,
}

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection, before TLS.
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    /// From a [`SelfProbe`].
    SelfProbe(UnixStream),
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Listener::new(Socket::Tcp(listener), None)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            let _ = std::fs::remove_file(file);
        }
    }
}

impl Listener {
    fn new(socket: Socket, file: Option<PathBuf>) -> Listener {
        Listener { socket, file, inside: mpsc::channel(1).1 }
    }

    /// Creates a probe that connects to this listener without the network.
    pub fn self_probe(&mut self) -> SelfProbe {
        let (connections, inside) = mpsc::channel(1);
        self.inside = inside;
        SelfProbe::new(self.address(), connections)
    }

    /// Binds an address: `host:port`, `:port`, or `unix:` and a path.
    pub(super) async fn bind(address: &str) -> io::Result<Listener> {
        if let Some(path) = address.strip_prefix(UNIX) {
            return bind_unix(Path::new(path)).await;
        }
        let listener = match address.strip_prefix(':') {
            // On a machine without IPv6, [::] can't be bound.
            Some(port) => match TcpListener::bind(format!("[::]:{port}")).await {
                Err(error) if error.kind() != io::ErrorKind::AddrInUse => TcpListener::bind(format!("0.0.0.0:{port}")).await,
                result => result,
            },
            None => TcpListener::bind(address).await,
        };
        listener.map(Listener::from)
    }

    /// The sockets that systemd passes, TCP or unix.
    ///
    /// # Errors
    /// If there is none, or one of another kind.
    pub(super) fn from_systemd() -> anyhow::Result<Vec<Listener>> {
        let mut sockets = ListenFd::from_env();
        let mut listeners = Vec::new();
        for i in 0..sockets.len() {
            let socket = if let Ok(Some(listener)) = sockets.take_tcp_listener(i) {
                listener.set_nonblocking(true)?;
                Socket::Tcp(TcpListener::from_std(listener)?)
            } else if let Ok(Some(listener)) = sockets.take_unix_listener(i) {
                listener.set_nonblocking(true)?;
                Socket::Unix(UnixListener::from_std(listener)?)
            } else {
                bail!("--web.systemd-socket: socket {} is neither TCP nor a unix stream; use ListenStream=", i + 1);
            };
            listeners.push(Listener::new(socket, None));
        }
        if listeners.is_empty() {
            bail!("--web.systemd-socket: systemd handed over no socket; start the exporter by its .socket unit");
        }
        Ok(listeners)
    }

    /// The address in the form of the configuration: `127.0.0.1:10187` or `unix:/path`.
    pub fn address(&self) -> String {
        match &self.socket {
            Socket::Tcp(listener) => listener.local_addr().map_or_else(|_| "unknown".to_owned(), |a| a.to_string()),
            Socket::Unix(listener) => {
                let address = listener.local_addr().ok();
                let path = address.as_ref().and_then(|address| address.as_pathname());
                format!("{UNIX}{}", path.unwrap_or(Path::new("?")).display())
            }
        }
    }

    /// Whether only this machine can connect.
    pub fn is_local(&self) -> bool {
        match &self.socket {
            Socket::Tcp(listener) => listener.local_addr().is_ok_and(|address| address.ip().to_canonical().is_loopback()),
            Socket::Unix(_) => true,
        }
    }

    /// The next connection, and the client's address if it has one.
    pub(super) async fn accept(&mut self) -> io::Result<(Stream, Option<IpAddr>)> {
        let outside = async {
            match &self.socket {
                Socket::Tcp(listener) => {
                    let (stream, peer) = listener.accept().await?;
                    // A scrape's last packet must not wait for the acknowledgement of the packet before.
                    let _ = stream.set_nodelay(true);
                    let _ = SockRef::from(&stream).set_send_buffer_size(limit::SOCKET_BYTES);
                    Ok((Stream::Tcp(stream), Some(peer.ip().to_canonical())))
                }
                Socket::Unix(listener) => Ok((Stream::Unix(listener.accept().await?.0), None)),
            }
        };
        tokio::select! {
            accepted = outside => accepted,
            Some(stream) = self.inside.recv() => Ok((Stream::SelfProbe(stream), None)),
        }
    }
}

/// Binds a unix socket. A socket that a killed process left is replaced.
async fn bind_unix(path: &Path) -> io::Result<Listener> {
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_stale(path).await => {
            std::fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        result => result,
    };
    Ok(Listener::new(Socket::Unix(listener?), Some(path.to_owned())))
}

/// Whether no process accepts connections at a socket.
async fn is_stale(path: &Path) -> bool {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    is_socket && UnixStream::connect(path).await.is_err_and(refused)
}

impl Stream {
    /// Whether the client's first byte is a letter. The byte is not consumed.
    pub(super) async fn begins_with_letter(&self) -> bool {
        let mut first = [0];
        match self {
            Stream::Tcp(stream) => {
                stream.peek(&mut first).await.is_ok_and(|read| read > 0) && first[0].is_ascii_alphabetic()
            }
            Stream::Unix(_) | Stream::SelfProbe(_) => false,
        }
    }

    /// Whether the connection comes from this process.
    pub(super) fn is_self_probe(&self) -> bool {
        matches!(self, Stream::SelfProbe(_))
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Unix(stream) | Stream::SelfProbe(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Unix(stream) | Stream::SelfProbe(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_write_vectored(context, pieces),
            Stream::Unix(stream) | Stream::SelfProbe(stream) => Pin::new(stream).poll_write_vectored(context, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Stream::Tcp(stream) => stream.is_write_vectored(),
            Stream::Unix(stream) | Stream::SelfProbe(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Stream::Unix(stream) | Stream::SelfProbe(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Unix(stream) | Stream::SelfProbe(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
