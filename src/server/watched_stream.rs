//! A stream that reports reads and writes to the connection's activity.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::activity::Activity;

pub(super) struct WatchedStream<S> {
    stream: S,
    activity: Arc<Activity>,
    is_http2: bool,
    /// The client does not accept the bytes to be written.
    is_blocked: bool,
    /// Waits to read until the client accepts bytes again.
    reader: Option<Waker>,
}

impl<S> WatchedStream<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>, is_http2: bool) -> WatchedStream<S> {
        WatchedStream { stream, activity, is_http2, is_blocked: false, reader: None }
    }

    fn blocked(&mut self, is_blocked: bool) {
        self.is_blocked = is_blocked;
        if !is_blocked && let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn wrote<T>(&mut self, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        self.blocked(result.is_pending());
        if result.is_ready() {
            self.activity.wrote();
        }
        result
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // While an HTTP/1 client does not accept its answers, no more requests are read, because their answers would pile up. HTTP/2 must
        // continue to read, because the client reports in frames how much it accepts.
        if self.is_blocked && !self.is_http2 {
            self.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if !self.is_http2 {
            self.activity.read(&buffer.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WatchedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.wrote(result)
    }

    /// Otherwise hyper would copy whole answers.
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(context);
        self.blocked(result.is_pending());
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
