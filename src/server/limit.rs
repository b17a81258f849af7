//! How much a client may ask for, and how long it may take.

use std::time::Duration;

/// Connections at a time; more are answered 503 and closed.
pub(super) const CONNECTIONS: usize = 512;

/// Connections at a time that are being refused; more wait in the system's queue.
pub(super) const REFUSALS: usize = 64;

/// For a TLS handshake.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(10);

/// From a connection's beginning, or a request's first byte, to the end of the request's head.
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
pub(super) const FAREWELL: Duration = Duration::from_millis(250);

/// For a refused connection to take its 503.
pub(super) const REFUSAL: Duration = Duration::from_secs(1);

/// A request's head in bytes; longer ones are answered 431.
pub(super) const HEAD_BYTES: usize = 32 << 10;

/// A request's path and query in bytes; longer ones are answered 414. Shorter than the head, or it would be 431.
pub(super) const TARGET_BYTES: usize = 8 << 10;

/// A request's body in bytes; longer ones are answered 413.
pub(super) const BODY_BYTES: usize = 64 << 10;

/// Requests at a time on one connection of HTTP/2.
pub(super) const STREAMS: u32 = 64;
