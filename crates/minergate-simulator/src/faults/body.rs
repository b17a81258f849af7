//! Bodies that no correct server sends.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;

/// Size at which an endless body ends, in bytes.
const ENDLESS: usize = 1 << 30;

/// Maximum number of pieces of a slow body, so that it ends eventually.
const PIECES: usize = 600;

/// Elements of a list.
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

/// A very long JSON list.
pub(super) fn endless() -> Body {
    let pieces = std::iter::once(&b"["[..]).chain(std::iter::repeat_n(ZEROS, ENDLESS / ZEROS.len()));
    Body::from_stream(stream::iter(pieces.map(|piece| io::Result::Ok(Bytes::from_static(piece)))))
}

/// The first half of the body. The connection then closes, although the Content-Length is that of the whole body.
pub(super) fn half(mut bytes: Bytes, _: Duration) -> Body {
    bytes.truncate(bytes.len() / 2);
    Body::from_stream(stream::unfold(Some(bytes), async |left| {
        if left.is_none() {
            // The server only writes out its buffer when no more data is ready.
            tokio::task::yield_now().await;
        }
        left.map(|half| (io::Result::Ok(half), None))
    }))
}

/// The whole body in small pieces of one or a few bytes, with a wait before each.
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
