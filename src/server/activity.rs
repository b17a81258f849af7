//! What a connection is doing, and until when it may: between requests, reading a head, or answering.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::limit;

/// The state of a connection.
pub(super) struct Activity {
    /// It has bytes other than requests'.
    is_http2: bool,
    state: Mutex<State>,
}

struct State {
    exchanges: usize,
    /// The first byte of a head has come, or the first head is due.
    in_head: bool,
    /// The client does not take what is to be written.
    is_blocked: bool,
    /// When the latest of these began.
    since: Instant,
    /// The end was asked for.
    stopping: bool,
}

impl Activity {
    /// A connection that has just been opened.
    pub(super) fn new(is_http2: bool) -> Arc<Activity> {
        let state = State { exchanges: 0, in_head: true, is_blocked: false, since: Instant::now(), stopping: false };
        Arc::new(Activity { is_http2, state: Mutex::new(state) })
    }

    /// A request begins; its exchange ends with what is returned.
    pub(super) fn begin(self: &Arc<Activity>) -> Exchange {
        let mut state = self.state();
        state.exchanges += 1;
        state.in_head = false;
        state.since = Instant::now();
        Exchange(self.clone())
    }

    /// The end was asked for.
    pub(super) fn stop(&self) {
        let mut state = self.state();
        if state.exchanges == 0 {
            state.since = Instant::now();
        }
        state.stopping = true;
    }

    /// When the connection is to be cut, as it looks now.
    pub(super) fn deadline(&self) -> Instant {
        let state = self.state();
        let time = match *state {
            State { exchanges: 1.., .. } | State { stopping: true, is_blocked: true, .. } => limit::EXCHANGE,
            State { stopping: true, .. } => limit::FAREWELL,
            State { in_head: true, .. } => limit::HEAD,
            _ => limit::IDLE,
        };
        state.since + time
    }

    fn end(&self) {
        let mut state = self.state();
        state.exchanges -= 1;
        state.since = Instant::now();
    }

    fn has_read(&self) {
        let mut state = self.state();
        if state.exchanges == 0 && !state.in_head && !self.is_http2 {
            state.in_head = true;
            state.since = Instant::now();
        }
    }

    /// With HTTP/2, an answer can be on its way for some time after its body was handed over.
    fn has_written(&self) {
        let mut state = self.state();
        if state.stopping && state.exchanges == 0 {
            state.since = Instant::now();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request and its answer, until it is dropped.
pub(super) struct Exchange(Arc<Activity>);

impl Drop for Exchange {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// A body that holds something until its last byte is written: each piece of it does, for a piece can wait long in the
/// connection after the body itself was handed over.
pub(super) struct Held<T>(pub(super) Body, pub(super) Arc<T>);

struct Piece<T> {
    bytes: Bytes,
    _held: Arc<T>,
}

impl<T> AsRef<[u8]> for Piece<T> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<T: Send + Sync + 'static> HttpBody for Held<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.0).poll_frame(context));
        let held = |bytes| Bytes::from_owner(Piece { bytes, _held: self.1.clone() });
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(held))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// A stream whose bytes are taken note of.
pub(super) struct Watched<S> {
    pub(super) stream: S,
    pub(super) activity: Arc<Activity>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.activity.has_read();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    fn wrote<T>(&self, result: Poll<T>) -> Poll<T> {
        self.activity.state().is_blocked = result.is_pending();
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        if matches!(result, Poll::Ready(Ok(1..))) {
            self.activity.has_written();
        }
        self.wrote(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        if matches!(result, Poll::Ready(Ok(1..))) {
            self.activity.has_written();
        }
        self.wrote(result)
    }

    /// Or hyper would copy whole answers.
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(context);
        self.wrote(result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
