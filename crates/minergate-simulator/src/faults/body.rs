//! Bodies that no well-behaved server sends.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;

/// Where an endless body ends all the same, in bytes.
const ENDLESS: usize = 1 << 30;

/// Pieces that a slow body comes in at most, so that it ends some time.
const PIECES: usize = 600;

/// Values of a list.
static ZEROS: &[u8] = &{
    let mut zeros = [b'0'; 1 << 12];
    let mut i = 1;
    while i < zeros.len() {
        zeros[i] = b',';
        i += 2;
    }
    zeros
};

/// A body that fails before its first byte.
pub(super) fn broken() -> Body {
    Body::from_stream(stream::iter([Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionReset))]))
}

/// A JSON list that goes on and on.
pub(super) fn endless() -> Body {
    let pieces = std::iter::once(&b"["[..]).chain(std::iter::repeat_n(ZEROS, ENDLESS / ZEROS.len()));
    Body::from_stream(stream::iter(pieces.map(|piece| io::Result::Ok(Bytes::from_static(piece)))))
}

/// The first half. With a Content-Length of the whole, the connection is then closed.
pub(super) fn half(mut bytes: Bytes, _: Duration) -> Body {
    bytes.truncate(bytes.len() / 2);
    Body::from_stream(stream::unfold(Some(bytes), async |left| {
        if left.is_none() {
            // The server writes out what it has when there is nothing more for the moment, and only then.
            tokio::task::yield_now().await;
        }
        left.map(|half| (io::Result::Ok(half), None))
    }))
}

/// All of it, byte by byte (or a little more at once), with a wait before each.
pub(super) fn slow(bytes: Bytes, wait: Duration) -> Body {
    let piece = bytes.len().div_ceil(PIECES).max(1);
    Body::from_stream(stream::unfold(bytes, move |mut left| async move {
        if left.is_empty() {
            return None;
        }
        tokio::time::sleep(wait).await;
        let next = left.split_to(piece.min(left.len()));
        Some((io::Result::Ok(next), left))
    }))
}
