//! How much a client may ask for, and how long it may take.

use std::time::Duration;

/// Connections at a time. One more takes the place of one that waits for its client, or is answered 503.
pub(super) const CONNECTIONS: usize = 512;

/// For one connection to wait for its client, when there are too many and each of them is being answered.
pub(super) const ADMISSION: Duration = Duration::from_millis(250);

/// Before the next attempt when no connection could be accepted.
pub(super) const ACCEPT: Duration = Duration::from_millis(50);

/// Connections at a time that are being refused; more wait in the system's queue.
pub(super) const REFUSALS: usize = 64;

/// For a TLS handshake; and from its end, or a connection's beginning, or a request's first byte, to the end of the request's head.
pub(super) const HEAD: Duration = Duration::from_secs(10);

/// For the handler to answer a request.
pub(super) const REQUEST: Duration = Duration::from_secs(60);

/// From a request's head to the last byte of its answer.
pub(super) const EXCHANGE: Duration = Duration::from_secs(120);

/// From one request to the next, on a connection that is kept open: longer than scrapes are apart as a rule.
pub(super) const IDLE: Duration = Duration::from_secs(120);

/// For requests under way when the exporter stops.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// For whatever else is open when the exporter stops, since its last byte was written.
pub(super) const FAREWELL: Duration = Duration::from_millis(500);

/// How often it is checked whether a burst of connections is over.
pub(super) const TRIM: Duration = Duration::from_secs(5);

/// A burst: more connections than this at a time. Its memory is given back when at most a quarter of this number is left.
pub(super) const BURST: usize = 32;

/// For a refused connection to take its 503.
pub(super) const REFUSAL: Duration = Duration::from_secs(1);

/// A request's head in bytes; longer ones are answered 431.
pub(super) const HEAD_BYTES: usize = 32 << 10;

/// A request's path and query in bytes; longer ones are answered 414. Shorter than the head, or it would be 431.
pub(super) const TARGET_BYTES: usize = 8 << 10;

/// A request's body in bytes; longer ones are answered 413.
pub(super) const BODY_BYTES: usize = 64 << 10;

/// The same for the gateway, which keeps the bodies of logins.
pub(super) const KEPT_BODY_BYTES: usize = 8 << 10;

/// Requests at a time on one connection of HTTP/2.
pub(super) const STREAMS: u32 = 8;

/// A request's headers in bytes, with HTTP/2; longer ones are answered 431.
pub(super) const HEADERS_BYTES: u32 = 16 << 10;

/// What a client of HTTP/2 may send of requests' bodies before they are read.
pub(super) const WINDOW_BYTES: u32 = 64 << 10;

/// What the system keeps of a connection's answers until the client takes it; Linux takes it twice, for what it needs itself. With less
/// than two of the largest packets (64 KiB each on loopback) a client's delayed acknowledgement would hold up each of them for 40 ms.
pub(super) const SOCKET_BYTES: usize = 96 << 10;

/// An answer is handed to its connection in pieces of at most so many bytes.
pub(super) const PIECE_BYTES: usize = 16 << 10;

/// For a request to wait for its turn.
pub(super) const TURN: Duration = Duration::from_secs(5);

/// A client that takes nothing of its answer for so long loses its turn to one that waits.
pub(super) const STALL: Duration = Duration::from_millis(250);

/// Pages at a time.
pub(super) const PAGES: usize = 4;

/// Requests to the gateway at a time. Most wait for a pool, which costs little.
pub(super) const API_REQUESTS: usize = 256;

/// Answers that take time and are made at a time.
pub(super) const SLOW_ANSWERS: usize = 2;

/// A scrape of more accounts takes time, and is made on another thread.
pub(super) const ACCOUNTS_AT_ONCE: usize = 8;

/// Bytes of pages at a time.
pub(super) const PAGES_BYTES: u32 = 8 << 20;

/// Bytes of scrapes at a time.
pub(super) const SCRAPES_BYTES: u32 = 48 << 20;

/// Bytes of the gateway's answers at a time.
pub(super) const API_BYTES: u32 = 16 << 20;
