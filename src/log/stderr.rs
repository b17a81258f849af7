//! Standard error behind a bounded queue. If the reader stalls, lines are lost, but nothing waits.
//!
//! `tracing-appender` has such a writer too, but its queue is bounded in lines and not in bytes, and its guard blocks and prints when the
//! reader stalls.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::sync::{Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::Duration;

use tracing::warn;

/// Maximum size of the queue, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Memory for a line in the queue in addition to its text, in bytes.
const LINE_BYTES: usize = 48;

/// Wait before the next write to a pipe that another process made non-blocking.
const RETRY: Duration = Duration::from_millis(10);

static QUEUE: Queue = Queue::new();
static THREAD: Once = Once::new();

struct Queue {
    state: Mutex<QueueState>,
    /// A line was added or written.
    changed: Condvar,
}

struct QueueState {
    lines: VecDeque<Box<[u8]>>,
    /// Size of all lines, including the one that is being written.
    bytes: usize,
    /// Number of lines for which there was no room, or that could not be written.
    dropped: u64,
}

/// Adds a line to the queue, or drops it if there is no room.
pub(super) fn push(line: &[u8]) {
    THREAD.call_once(|| {
        // Without the thread, lines are dropped and counted.
        let _ = thread::Builder::new().name("log".to_owned()).spawn(|| write_lines(&QUEUE, &mut io::stderr()));
    });
    QUEUE.push(line);
}

/// Waits until all lines are written, at most for this time.
pub(super) fn flush(time: Duration) {
    QUEUE.flush(time);
}

/// Number of lines lost so far.
pub(super) fn dropped() -> u64 {
    QUEUE.state().dropped
}

/// Receives each formatted line of the log, complete and in one call.
#[derive(Clone, Copy)]
pub(super) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Queue {
    const fn new() -> Queue {
        let state = QueueState { lines: VecDeque::new(), bytes: 0, dropped: 0 };
        Queue { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn push(&self, line: &[u8]) {
        let mut state = self.state();
        let bytes = state.bytes + line.len() + LINE_BYTES;
        if bytes > MAX_BYTES {
            state.dropped += 1;
            return;
        }
        state.bytes = bytes;
        state.lines.push_back(line.into());
        self.changed.notify_all();
    }

    /// Waits for the next line.
    fn next(&self) -> Box<[u8]> {
        let mut state = self.state();
        loop {
            if let Some(line) = state.lines.pop_front() {
                return line;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A line is finished. Returns how many lines were dropped so far, once half of the queue is free.
    fn done(&self, line: &[u8], is_written: bool) -> Option<u64> {
        let mut state = self.state();
        state.bytes -= line.len() + LINE_BYTES;
        state.dropped += u64::from(!is_written);
        self.changed.notify_all();
        (state.bytes < MAX_BYTES / 2).then_some(state.dropped)
    }

    fn flush(&self, time: Duration) {
        let state = self.state();
        drop(self.changed.wait_timeout_while(state, time, |state| state.bytes > 0));
    }

    fn state(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes lines for ever. When lines are read again, logs how many were lost.
fn write_lines(queue: &Queue, out: &mut impl Write) {
    let mut reported = 0;
    loop {
        let line = queue.next();
        let is_written = write_line(out, &line).is_ok();
        // If no line can be written, a line about the loss would be lost too.
        if let Some(dropped) = queue.done(&line, is_written)
            && is_written
            && dropped > reported
        {
            warn!(lines = dropped - reported, "log lines were dropped: nobody read the log");
            reported = dropped;
        }
    }
}

fn write_line(out: &mut impl Write, mut line: &[u8]) -> io::Result<()> {
    while !line.is_empty() {
        match out.write(line) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => line = &line[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(RETRY),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_bounded_in_bytes_whatever_a_line_s_length() {
        for length in [0, 100, 5000, MAX_BYTES] {
            let queue = Queue::new();
            let pushed = 2 * MAX_BYTES / (length + LINE_BYTES) + 1;
            (0..pushed).for_each(|_| queue.push(&vec![b'x'; length]));
            let state = queue.state();
            assert!(state.bytes <= MAX_BYTES && state.bytes + length + LINE_BYTES > MAX_BYTES, "{length}: {}", state.bytes);
            assert_eq!(state.lines.len() as u64 + state.dropped, pushed as u64, "{length}");
        }
    }

    /// Accepts one byte at a time, and only at the second attempt.
    struct SlowPipe(Vec<u8>, bool);

    impl Write for SlowPipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.0.push(bytes[0]);
            Ok(1)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_written_whole_to_a_pipe_that_does_not_block() {
        let mut out = SlowPipe(Vec::new(), false);
        write_line(&mut out, b"line\n").unwrap();
        assert_eq!(out.0, b"line\n");
    }

    #[test]
    fn a_flush_ends_when_all_is_written_or_its_time_is_over() {
        let queue = Queue::new();
        queue.flush(Duration::MAX);
        queue.push(b"line\n");
        queue.flush(Duration::from_millis(1));
        thread::scope(|scope| {
            scope.spawn(|| {
                let line = queue.next();
                assert_eq!(queue.done(&line, false), Some(1), "it could not be written");
            });
            queue.flush(Duration::MAX);
        });
        assert_eq!(queue.state().bytes, 0);
    }
}
