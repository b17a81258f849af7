//! A way into the server that leads through no network: for the process to ask itself whether it answers.
//!
//! What comes in by it goes through the listener's own loop, the connection's code and the routes, as everything does. It needs
//! no certificate, password or turn of the rate limit, and depends on no address, route or firewall.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

const REQUEST: &[u8] = b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// What an answer begins with, whatever it is: a server that has too many connections says so, and thus works.
const ANSWER: [u8; 5] = *b"HTTP/";

/// A listener's door.
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

    /// Says whether the server answers in time.
    ///
    /// # Errors
    /// Why it does not: no answer in time, its loop is gone, or no file descriptor is left.
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
