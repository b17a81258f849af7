//! The open connections: their state, their time limits, and which one is closed when there are too many.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};

use super::exchange::{Exchange, Progress};
use super::limit;

/// The state of one connection.
pub(super) struct Activity {
    /// The client's address, if it has one.
    pub(super) peer: Option<IpAddr>,
    /// The connection comes from this process.
    pub(super) is_self_probe: bool,
    /// The right to request a large answer. A connection with HTTP/2 has only one at a time, like any other connection.
    pub(super) turn: Arc<Semaphore>,
    state: Mutex<ActivityState>,
    /// The deadline of the connection may have become earlier.
    deadline_changed: Notify,
}

struct ActivityState {
    exchanges: Vec<Arc<Progress>>,
    /// There was at least one request.
    had_request: bool,
    head: Head,
    /// When the latest request head or idle time began.
    since: Instant,
    /// The server is stopping.
    is_stopping: bool,
    is_cut: bool,
}

impl Activity {
    pub(super) fn new(peer: Option<IpAddr>, is_self_probe: bool) -> Activity {
        let state = ActivityState {
            exchanges: Vec::new(),
            had_request: false,
            head: Head { is_open: false, is_at_line_start: true },
            since: Instant::now(),
            is_stopping: false,
            is_cut: false,
        };
        let turn = Arc::new(Semaphore::new(1));
        Activity { peer, is_self_probe, turn, state: Mutex::new(state), deadline_changed: Notify::new() }
    }

    /// Starts the time for the first request head, after the TLS handshake.
    pub(super) fn expect_head(&self) {
        self.state().since = Instant::now();
    }

    /// Begins a request. Its exchange ends when the returned value is dropped.
    pub(super) fn begin(self: &Arc<Activity>) -> Arc<Exchange> {
        let exchange = Exchange::new(self.clone());
        let mut state = self.state();
        state.had_request = true;
        state.exchanges.push(exchange.progress().clone());
        Arc::new(exchange)
    }

    pub(super) fn end(&self, progress: &Arc<Progress>) {
        let mut state = self.state();
        state.exchanges.retain(|other| !Arc::ptr_eq(other, progress));
        state.since = Instant::now();
        if state.is_stopping || state.head.is_open {
            self.deadline_changed.notify_one();
        }
    }

    /// Records bytes of HTTP/1 that the client sent.
    pub(super) fn read(&self, bytes: &[u8]) {
        let mut state = self.state();
        let was_open = state.head.is_open || !state.had_request;
        state.head.read(bytes);
        if state.head.is_open && !was_open && state.exchanges.is_empty() {
            state.since = Instant::now();
            self.deadline_changed.notify_one();
        }
    }

    /// Records that the client accepts bytes. With HTTP/2, the end of an answer can be written after its exchange has ended.
    pub(super) fn wrote(&self) {
        let mut state = self.state();
        if state.is_stopping && state.exchanges.is_empty() {
            state.since = Instant::now();
        }
    }

    /// The server is stopping: connections without an exchange end soon.
    pub(super) fn stop(&self) {
        let mut state = self.state();
        state.is_stopping = true;
        if state.exchanges.is_empty() {
            state.since = Instant::now();
        }
        self.deadline_changed.notify_one();
    }

    /// Closes the connection now.
    pub(super) fn cut(&self) {
        self.state().is_cut = true;
        self.deadline_changed.notify_one();
    }

    pub(super) fn is_cut(&self) -> bool {
        self.state().is_cut
    }

    /// Resolves when the connection must be closed, whatever its state is.
    pub(super) async fn expired(&self) {
        while let Some(left) = self.time_left() {
            tokio::select! {
                () = sleep_until(Instant::now() + left) => {}
                () = self.deadline_changed.notified() => {}
            }
        }
    }

    /// The remaining time in the current state.
    fn time_left(&self) -> Option<Duration> {
        let state = self.state();
        let deadline = match state.exchanges.iter().map(|exchange| exchange.began).min() {
            _ if state.is_cut => return None,
            // Each exchange has its own time limit, even if others begin meanwhile.
            Some(oldest) => oldest + limit::EXCHANGE,
            None if state.is_stopping => state.since + limit::FAREWELL,
            None if state.head.is_open || !state.had_request => state.since + limit::HEAD,
            None => state.since + limit::IDLE,
        };
        deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }

    /// Since when the connection has waited for its client; `None` while the server is working for it.
    fn waits_since(&self) -> Option<Instant> {
        let state = self.state();
        if state.exchanges.is_empty() {
            return Some(state.since);
        }
        let stalls: Option<Vec<Instant>> = state.exchanges.iter().map(|exchange| exchange.stalled_since()).collect();
        stalls?.into_iter().max()
    }

    fn state(&self) -> MutexGuard<'_, ActivityState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a request head of HTTP/1 has begun and not ended. hyper's own timeout for heads would include the idle time between
/// requests. A request body can be taken for the beginning of a head, which then only has less time.
struct Head {
    is_open: bool,
    is_at_line_start: bool,
}

impl Head {
    fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\r' => {}
                b'\n' => {
                    self.is_open &= !self.is_at_line_start;
                    self.is_at_line_start = true;
                }
                _ => (self.is_open, self.is_at_line_start) = (true, false),
            }
        }
    }
}

/// The open connections.
#[derive(Default)]
pub(super) struct Connections {
    list: Mutex<Vec<Arc<Activity>>>,
    /// Maximum number of open connections since the last burst.
    peak: AtomicUsize,
}

impl Connections {
    /// Adds a connection. If there are too many, one that waits for its client is closed. `None` if there is no such connection
    /// for some time.
    pub(super) async fn admit(&self, peer: Option<IpAddr>) -> Option<Arc<Activity>> {
        let activity = Arc::new(Activity::new(peer, false));
        let end = Instant::now() + limit::ADMISSION;
        loop {
            if self.list().len() < limit::CONNECTIONS || self.evict() {
                let mut list = self.list();
                list.push(activity.clone());
                self.peak.fetch_max(list.len(), Ordering::Relaxed);
                return Some(activity);
            }
            if Instant::now() >= end {
                return None;
            }
            sleep(limit::ADMISSION / 50).await;
        }
    }

    /// Whether a burst of connections is over. Returns true once for each burst.
    pub(super) fn burst_is_over(&self) -> bool {
        let is_over = self.peak.load(Ordering::Relaxed) > limit::BURST && self.list().len() <= limit::BURST / 4;
        if is_over {
            self.peak.store(0, Ordering::Relaxed);
        }
        is_over
    }

    /// Closes the connection that has waited for its client the longest, if any waits.
    pub(super) fn evict(&self) -> bool {
        let mut list = self.list();
        let waiting = list.iter().enumerate().filter_map(|(place, activity)| Some((activity.waits_since()?, place)));
        let Some((_, place)) = waiting.min() else { return false };
        list.swap_remove(place).cut();
        true
    }

    /// Removes a connection that has ended.
    pub(super) fn forget(&self, activity: &Arc<Activity>) {
        self.list().retain(|other| !Arc::ptr_eq(other, activity));
    }

    fn list(&self) -> MutexGuard<'_, Vec<Arc<Activity>>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lasts(activity: &Activity) -> u64 {
        let start = Instant::now();
        activity.expired().await;
        start.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn each_exchange_has_its_own_time_limit() {
        let activity = Arc::new(Activity::new(None, false));
        let _unread = activity.begin();
        let others = async {
            loop {
                drop(activity.begin());
                sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            seconds = lasts(&activity) => assert_eq!(seconds, 120),
            () = others => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn heads_and_idle_times_have_their_limits() {
        for (read, exchanges, expected) in [
            (&[][..], 0, 10),
            (&["GET / HTTP/1.1\r\nHo"], 0, 10),
            (&["GET / HTTP/1.1\r\nHost: a\r\n\r\n"], 1, 120),
            (&["GET / HTTP/1.1\r\nHost: a\r\n\r", "\n"], 1, 120),
            (&["GET / HTTP/1.1\nHost: a\n\n"], 1, 120),
            (&["\r\n\r\nGET / HTTP/1.1\r\n\r\n\r\n"], 1, 120),
            (&["GET / HTTP/1.1\r\n\r\nGET / H"], 1, 10),
            (&["GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n"], 1, 10),
            (&["GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n"], 2, 120),
            (&["POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\na", "POST / HTTP/1.1\r\n\r\n"], 2, 120),
            // With HTTP/2, bytes are not inspected.
            (&[], 1, 120),
        ] {
            let activity = Arc::new(Activity::new(None, false));
            for bytes in read {
                activity.read(bytes.as_bytes());
            }
            for _ in 0..exchanges {
                drop(activity.begin());
            }
            assert_eq!(lasts(&activity).await, expected, "{read:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_connection_that_has_waited_the_longest_is_closed() {
        let connections = Connections::default();
        let mut open = Vec::new();
        for _ in 0..limit::CONNECTIONS {
            open.push(connections.admit(None).await.unwrap());
            sleep(Duration::from_millis(1)).await;
        }
        let busy = open[0].begin();
        open[1].read(b"G");
        drop(open[2].begin());
        assert!(connections.admit(None).await.is_some());
        let cut = |open: &[Arc<Activity>]| (0..open.len()).filter(|i| open[*i].is_cut()).collect::<Vec<_>>();
        // The second connection has not sent its first head yet.
        assert_eq!(cut(&open), [1]);
        let _all: Vec<_> = open[2..].iter().map(Activity::begin).collect();
        assert!(connections.admit(None).await.is_some(), "the previous new connection waits too");
        let newest = connections.list().last().unwrap().begin();
        assert!(connections.admit(None).await.is_none());
        drop((busy, newest));
        assert!(connections.admit(None).await.is_some());
    }
}
