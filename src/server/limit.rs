//! Limits on clients: sizes, numbers and times.

use std::time::Duration;

/// Maximum number of connections. A further one replaces one that waits for its client, or is answered 503.
pub(super) const CONNECTIONS: usize = 512;

/// Time for a connection to start waiting for its client, if there are too many and all are being answered.
pub(super) const ADMISSION: Duration = Duration::from_millis(250);

/// Wait before the next attempt after a connection could not be accepted.
pub(super) const ACCEPT: Duration = Duration::from_millis(50);

/// Maximum number of connections being refused at a time; more wait in the system's queue.
pub(super) const REFUSALS: usize = 64;

/// Time for a TLS handshake. Also the time from its end, a connection's beginning, or a request's first byte to the end of the request's head.
pub(super) const HEAD: Duration = Duration::from_secs(10);

/// Time for the handler to answer a request.
pub(super) const REQUEST: Duration = Duration::from_secs(60);

/// Time from a request's head to the last byte of its answer.
pub(super) const EXCHANGE: Duration = Duration::from_secs(120);

/// Time from one request to the next on an open connection. It is longer than usual scrape intervals.
pub(super) const IDLE: Duration = Duration::from_secs(120);

/// Time for requests in flight when the exporter stops.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// Time for other connections when the exporter stops, after their last byte was written.
pub(super) const FAREWELL: Duration = Duration::from_millis(500);

/// How often the end of a burst of connections is checked.
pub(super) const TRIM: Duration = Duration::from_secs(5);

/// A burst has more than this number of connections at a time. Its memory is given back when at most a quarter of this number is left.
pub(super) const BURST: usize = 32;

/// Time for a refused connection to read its 503.
pub(super) const REFUSAL: Duration = Duration::from_secs(1);

/// Maximum size of a request's head in bytes; longer ones are answered 431.
pub(super) const HEAD_BYTES: usize = 32 << 10;

/// Maximum size of a request's path and query in bytes; longer ones are answered 414. It is less than the limit of the head, which would give 431.
pub(super) const TARGET_BYTES: usize = 8 << 10;

/// Maximum size of a request's body in bytes; longer ones are answered 413.
pub(super) const BODY_BYTES: usize = 64 << 10;

/// The same for the gateway, which keeps the bodies of logins in memory.
pub(super) const KEPT_BODY_BYTES: usize = 8 << 10;

/// Maximum number of requests at a time on one HTTP/2 connection.
pub(super) const STREAMS: u32 = 8;

/// Maximum size of a request's headers in bytes with HTTP/2; longer ones are answered 431.
pub(super) const HEADERS_BYTES: u32 = 16 << 10;

/// Size of request bodies that an HTTP/2 client can send before they are read.
pub(super) const WINDOW_BYTES: u32 = 64 << 10;

/// Size of the system's send buffer for a connection; Linux doubles it for its own use. With less
/// than two of the largest packets (64 KiB each on loopback), a client's delayed acknowledgement would delay each of them by 40 ms.
pub(super) const SOCKET_BYTES: usize = 96 << 10;

/// Maximum size of the pieces in which an answer is handed to its connection.
pub(super) const PIECE_BYTES: usize = 16 << 10;

/// Time for a request to wait for its turn.
pub(super) const TURN: Duration = Duration::from_secs(5);

/// A client that accepts nothing of its answer for this time loses its turn to one that waits.
pub(super) const STALL: Duration = Duration::from_millis(250);

/// Maximum number of pages at a time.
pub(super) const PAGES: usize = 4;

/// Maximum number of requests to the gateway at a time. Most wait for a pool, which takes few resources.
pub(super) const API_REQUESTS: usize = 256;

/// Maximum number of slow answers being made at a time.
pub(super) const SLOW_ANSWERS: usize = 2;

/// A scrape of more accounts takes time, and is made on another thread.
pub(super) const ACCOUNTS_AT_ONCE: usize = 8;

/// Maximum size of all pages at a time in bytes.
pub(super) const PAGES_BYTES: u32 = 8 << 20;

/// Maximum size of all scrapes at a time in bytes.
pub(super) const SCRAPES_BYTES: u32 = 48 << 20;

/// Maximum size of all the gateway's answers at a time in bytes.
pub(super) const API_BYTES: u32 = 16 << 20;
