//! The poller on a thread of its own.

use std::convert::Infallible;
use std::{io, thread};

use tokio::runtime;
use tokio::sync::{mpsc, oneshot};

use super::{Poller, Source, Update};

impl<S: Source> Poller<S> {
    /// Runs as [`Poller::run`] does, on a thread of its own: neither polls nor scrapes wait for the other, and what is kept from poll to
    /// poll is allocated by one thread. glibc's allocator has a heap for each thread, with holes of its own: polls on both of two
    /// threads took a third more memory.
    ///
    /// # Errors
    /// The thread could not be begun, or the poller broke down.
    pub async fn run_on_own_thread(self, updates: mpsc::Receiver<Update<S>>) -> io::Result<Infallible> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (alive, gone) = oneshot::channel::<Infallible>();
        let (running, ended) = oneshot::channel::<Infallible>();
        self.health.liveness.beat();
        thread::Builder::new().name("poller".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    never = self.run(updates) => match never {},
                    _ = gone => {}
                }
            });
            // Whatever blocks a thread still, such as a name being looked up, must not hold up the end.
            runtime.shutdown_background();
            drop(running);
        })?;
        // Nothing comes, but the thread may panic.
        let _ = ended.await;
        drop(alive);
        Err(io::Error::other("the poller broke down"))
    }
}
