//! The open connections: what each one is doing, until when it may, and which one is closed when there are too many.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};

use super::exchange::{Exchange, Progress};
use super::limit;

/// What one connection is doing.
pub(super) struct Activity {
    /// The client's address, where it has one.
    pub(super) peer: Option<IpAddr>,
    /// This process asks itself.
    pub(super) is_inside: bool,
    /// The right to have a large answer made: a connection of HTTP/2 has one at a time, as every other has.
    pub(super) turn: Arc<Semaphore>,
    state: Mutex<State>,
    /// The connection may have to end sooner than it looked.
    hastened: Notify,
}

struct State {
    exchanges: Vec<Arc<Progress>>,
    /// There has been a request.
    has_asked: bool,
    head: Head,
    /// When the latest head or pause began.
    since: Instant,
    /// The server stops.
    is_stopping: bool,
    is_cut: bool,
}

impl Activity {
    pub(super) fn new(peer: Option<IpAddr>, is_inside: bool) -> Activity {
        let state = State {
            exchanges: Vec::new(),
            has_asked: false,
            head: Head { is_open: false, is_at_line_start: true },
            since: Instant::now(),
            is_stopping: false,
            is_cut: false,
        };
        let turn = Arc::new(Semaphore::new(1));
        Activity { peer, is_inside, turn, state: Mutex::new(state), hastened: Notify::new() }
    }

    /// The TLS handshake is done, and the first head is due.
    pub(super) fn expect_head(&self) {
        self.state().since = Instant::now();
    }

    /// A request begins; its exchange ends when what is returned is dropped.
    pub(super) fn begin(self: &Arc<Activity>) -> Arc<Exchange> {
        let exchange = Exchange::new(self.clone());
        let mut state = self.state();
        state.has_asked = true;
        state.exchanges.push(exchange.progress().clone());
        Arc::new(exchange)
    }

    pub(super) fn end(&self, progress: &Arc<Progress>) {
        let mut state = self.state();
        state.exchanges.retain(|other| !Arc::ptr_eq(other, progress));
        state.since = Instant::now();
        if state.is_stopping || state.head.is_open {
            self.hastened.notify_one();
        }
    }

    /// Takes note of bytes of HTTP/1 that the client sent.
    pub(super) fn read(&self, bytes: &[u8]) {
        let mut state = self.state();
        let was_open = state.head.is_open || !state.has_asked;
        state.head.read(bytes);
        if state.head.is_open && !was_open && state.exchanges.is_empty() {
            state.since = Instant::now();
            self.hastened.notify_one();
        }
    }

    /// Takes note that the client takes bytes. With HTTP/2, the last of an answer can leave after its exchange has ended.
    pub(super) fn wrote(&self) {
        let mut state = self.state();
        if state.is_stopping && state.exchanges.is_empty() {
            state.since = Instant::now();
        }
    }

    /// The server stops: what has no exchange ends soon.
    pub(super) fn stop(&self) {
        let mut state = self.state();
        state.is_stopping = true;
        if state.exchanges.is_empty() {
            state.since = Instant::now();
        }
        self.hastened.notify_one();
    }

    /// Ends the connection now.
    pub(super) fn cut(&self) {
        self.state().is_cut = true;
        self.hastened.notify_one();
    }

    pub(super) fn is_cut(&self) -> bool {
        self.state().is_cut
    }

    /// Resolves when the connection is to be closed, whatever it is doing.
    pub(super) async fn over(&self) {
        while let Some(left) = self.left() {
            tokio::select! {
                () = sleep_until(Instant::now() + left) => {}
                () = self.hastened.notified() => {}
            }
        }
    }

    /// How much time it has left, as it looks now.
    fn left(&self) -> Option<Duration> {
        let state = self.state();
        let deadline = match state.exchanges.iter().map(|exchange| exchange.began).min() {
            _ if state.is_cut => return None,
            // Each exchange has its own time, however many others begin meanwhile.
            Some(oldest) => oldest + limit::EXCHANGE,
            None if state.is_stopping => state.since + limit::FAREWELL,
            None if state.head.is_open || !state.has_asked => state.since + limit::HEAD,
            None => state.since + limit::IDLE,
        };
        deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }

    /// Since when the connection has waited for its client; `None` while the server has something to do for it.
    fn waits_since(&self) -> Option<Instant> {
        let state = self.state();
        if state.exchanges.is_empty() {
            return Some(state.since);
        }
        let stalls: Option<Vec<Instant>> = state.exchanges.iter().map(|exchange| exchange.stalled_since()).collect();
        stalls?.into_iter().max()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a request's head of HTTP/1 has begun and not ended. hyper's own timeout for heads would count the pause between two
/// requests too. A request's body may be taken for the beginning of a head, which then merely has less time.
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
pub(super) struct Connections(Mutex<Vec<Arc<Activity>>>);

impl Connections {
    /// Takes up a connection. When there are too many, one that waits for its client is closed for it; `None` if there is no such
    /// one for some time.
    pub(super) async fn admit(&self, peer: Option<IpAddr>) -> Option<Arc<Activity>> {
        let activity = Arc::new(Activity::new(peer, false));
        let end = Instant::now() + limit::ADMISSION;
        loop {
            if self.list().len() < limit::CONNECTIONS || self.evict() {
                self.list().push(activity.clone());
                return Some(activity);
            }
            if Instant::now() >= end {
                return None;
            }
            sleep(limit::ADMISSION / 50).await;
        }
    }

    /// Closes the connection that has waited for its client the longest, if any does.
    pub(super) fn evict(&self) -> bool {
        let mut list = self.list();
        let waiting = list.iter().enumerate().filter_map(|(place, activity)| Some((activity.waits_since()?, place)));
        let Some((_, place)) = waiting.min() else { return false };
        list.swap_remove(place).cut();
        true
    }

    /// Forgets a connection that has ended.
    pub(super) fn forget(&self, activity: &Arc<Activity>) {
        self.list().retain(|other| !Arc::ptr_eq(other, activity));
    }

    fn list(&self) -> MutexGuard<'_, Vec<Arc<Activity>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
