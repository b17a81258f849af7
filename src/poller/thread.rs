//! The poller on a thread of its own.

use std::convert::Infallible;
use std::{io, thread};

use tokio::runtime;
use tokio::sync::{mpsc, oneshot};

use super::{Poller, Source, Update};

impl<S: Source> Poller<S> {
    /// Like [`Poller::run`], but on its own thread: polls and scrapes do not wait for each other, and one thread allocates all memory that is kept
    /// between polls. glibc's allocator has a heap for each thread, each with fragmentation: polls on two threads took a third more
    /// memory.
    ///
    /// # Errors
    /// If the thread could not be started, or the poller panicked.
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
            // A thread can still be blocked, for example by a name lookup. It must not delay the exit.
            runtime.shutdown_background();
            drop(running);
        })?;
        // Nothing is sent, but the thread can panic.
        let _ = ended.await;
        drop(alive);
        Err(io::Error::other("the poller panicked"))
    }
}
