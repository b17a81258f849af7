//! A request and its answer, until the last byte is written.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::activity::Activity;
use super::limit;

/// A request and its answer. When it is dropped, it ends and releases its permits.
pub(super) struct Exchange {
    pub(super) connection: Arc<Activity>,
    progress: Arc<Progress>,
    permits: Mutex<Vec<OwnedSemaphorePermit>>,
}

/// The progress of an exchange.
pub(super) struct Progress {
    pub(super) began: Instant,
    /// When the client last accepted a part of the answer, or the answer was ready; `None` before that.
    sent: Mutex<Option<Instant>>,
}

impl Progress {
    /// Since when the client has accepted nothing, if that is longer than a reading client needs.
    pub(super) fn stalled_since(&self) -> Option<Instant> {
        let sent = *self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.filter(|sent| sent.elapsed() >= limit::STALL)
    }

    fn sent(&self) {
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

impl Exchange {
    pub(super) fn new(connection: Arc<Activity>) -> Exchange {
        let progress = Arc::new(Progress { began: Instant::now(), sent: Mutex::default() });
        Exchange { connection, progress, permits: Mutex::default() }
    }

    pub(super) fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Holds a permit until the exchange ends.
    pub(super) fn hold(&self, permit: OwnedSemaphorePermit) {
        self.permits.lock().unwrap_or_else(PoisonError::into_inner).push(permit);
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.connection.end(&self.progress);
    }
}

/// An answer's body. It keeps its exchange until the last byte is written. Each piece keeps it too, because a piece can wait in the connection
/// after the body was handed over. Pieces are small, so that slow reading is noticed as progress.
pub(super) struct Answer {
    body: Body,
    exchange: Arc<Exchange>,
    rest: Bytes,
}

impl Answer {
    pub(super) fn new(body: Body, exchange: Arc<Exchange>) -> Answer {
        exchange.progress.sent();
        Answer { body, exchange, rest: Bytes::new() }
    }
}

struct Piece {
    bytes: Bytes,
    exchange: Arc<Exchange>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.exchange.progress.sent();
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)).map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(bytes))) => self.rest = bytes,
                Some(Ok(Err(frame))) => return Poll::Ready(Some(Ok(frame))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        let length = self.rest.len().min(limit::PIECE_BYTES);
        let piece = Piece { bytes: self.rest.split_to(length), exchange: self.exchange.clone() };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body) = (self.rest.len() as u64, self.body.size_hint());
        let mut size = SizeHint::new();
        size.set_lower(rest + body.lower());
        if let Some(upper) = body.upper() {
            size.set_upper(rest + upper);
        }
        size
    }
}
