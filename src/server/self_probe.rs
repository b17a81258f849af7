//! A connection from this process to its own server, without the network, to check whether the server answers.
//!
//! It uses the listener's own loop, the connection's code and the routes, like every other connection. It needs
//! no certificate, password or rate limit, and does not depend on addresses, routes or firewalls.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

const REQUEST: &[u8] = b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// The beginning of any answer. Even a 503 because of too many connections shows that the server works.
const ANSWER: [u8; 5] = *b"HTTP/";

/// Probes one listener.
pub struct SelfProbe {
    address: String,
    connections: mpsc::Sender<UnixStream>,
}

impl SelfProbe {
    pub(super) fn new(address: String, connections: mpsc::Sender<UnixStream>) -> SelfProbe {
        SelfProbe { address, connections }
    }

    /// The address of the listener.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Checks whether the server answers in time.
    ///
    /// # Errors
    /// If there is no answer in time, the listener's loop is gone, or no file descriptor is left.
    pub async fn probe(&self, time: Duration) -> io::Result<()> {
        timeout(time, self.ask()).await.unwrap_or_else(|elapsed| Err(elapsed.into()))
    }

    async fn ask(&self) -> io::Result<()> {
        let (mut stream, other_end) = UnixStream::pair()?;
        self.connections.send(other_end).await.map_err(|_| io::ErrorKind::ConnectionRefused)?;
        stream.write_all(REQUEST).await?;
        let mut beginning = [0; ANSWER.len()];
        stream.read_exact(&mut beginning).await?;
        if beginning == ANSWER { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    }
}
