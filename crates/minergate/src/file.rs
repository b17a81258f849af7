//! Files that are read and written while the exporter runs, each on its own thread, with limits on time and size.
//!
//! A FIFO or a hung network mount may never answer. The caller continues after [`TIMEOUT`]. The thread stays until the system call
//! returns, and until then the same path is not opened again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout};

/// Maximum time for a file operation.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum number of threads that wait for files. More calls fail, so that a hung mount can't use up the process's threads.
const MAX_THREADS: usize = 512;

/// The stack of a thread that reads a file, in bytes.
const STACK: usize = 128 << 10;

/// Paths that are in use.
static PATHS: Mutex<BTreeMap<PathBuf, PathState>> = Mutex::new(BTreeMap::new());

struct PathState {
    turn: Arc<Semaphore>,
    /// The call that has the turn did not return in time.
    is_overdue: bool,
}

impl Default for PathState {
    fn default() -> Self {
        PathState { turn: Arc::new(Semaphore::new(1)), is_overdue: false }
    }
}

/// Why a file can't be read or written. The message contains neither its path nor its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("no such file or directory")]
    NotFound,
    #[error("permission denied")]
    PermissionDenied,
    #[error("it is a directory")]
    IsADirectory,
    #[error("it is not a directory")]
    NotADirectory,
    #[error("its file system is read-only")]
    ReadOnly,
    #[error("its file system is full")]
    Full,
    #[error("it is not a file")]
    NotAFile,
    #[error("it is not text (UTF-8)")]
    NotText,
    #[error("it is larger than {0} bytes")]
    TooLarge(usize),
    #[error("it did not answer within {} s", TIMEOUT.as_secs())]
    TimedOut,
    #[error("its last read has not returned")]
    Busy,
    #[error("too many files do not answer")]
    Exhausted,
    /// Another error number of the system.
    #[error("{}", io::Error::from_raw_os_error(*.0))]
    System(i32),
    #[error("the system reports an input/output error")]
    Other,
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        match error.kind() {
            ErrorKind::NotFound => Error::NotFound,
            ErrorKind::PermissionDenied => Error::PermissionDenied,
            ErrorKind::IsADirectory => Error::IsADirectory,
            ErrorKind::NotADirectory => Error::NotADirectory,
            ErrorKind::ReadOnlyFilesystem => Error::ReadOnly,
            ErrorKind::StorageFull => Error::Full,
            ErrorKind::InvalidData => Error::NotText,
            _ => error.raw_os_error().map_or(Error::Other, Error::System),
        }
    }
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// Why it can't be read.
pub async fn read(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    let own = path.to_owned();
    run(path, move || bytes(&own, limit)).await?
}

/// Like [`read`], for code that does not run on an async thread, or that runs before anything else.
///
/// # Errors
/// As [`read`].
pub fn read_blocking(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    let own = path.to_owned();
    run_blocking(path, move || bytes(&own, limit))?
}

/// Runs a function that may never return because of a path, on its own thread. Calls for the same path run one after the other.
///
/// # Errors
/// [`Error::TimedOut`]; after that, [`Error::Busy`] until the call has returned.
pub async fn run<T: Send + 'static>(path: &Path, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let (sender, receiver) = oneshot::channel();
    let turn = turn(path)?;
    let running = async {
        let permit = turn.acquire_owned().await.map_err(|_| Error::Other)?;
        start(path, permit, work, move |result| drop(sender.send(result)))?;
        receiver.await.map_err(|_| Error::Other)
    };
    match timeout(TIMEOUT, running).await {
        Ok(result) => result,
        Err(_) => Err(overdue(path)),
    }
}

/// Like [`run`], but blocks the calling thread.
///
/// # Errors
/// As [`run`].
pub fn run_blocking<T: Send + 'static>(path: &Path, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let started = Instant::now();
    let permit = loop {
        match turn(path)?.try_acquire_owned() {
            Ok(permit) => break permit,
            Err(_) if started.elapsed() < TIMEOUT => thread::sleep(Duration::from_millis(1)),
            Err(_) => return Err(overdue(path)),
        }
    };
    start(path, permit, work, move |result| drop(sender.send(result)))?;
    receiver.recv_timeout(TIMEOUT).map_err(|error| match error {
        RecvTimeoutError::Timeout => overdue(path),
        RecvTimeoutError::Disconnected => Error::Other,
    })
}

/// The right to use a path. Only one call has it at a time.
fn turn(path: &Path) -> Result<Arc<Semaphore>, Error> {
    let mut paths = paths();
    let is_full = paths.len() >= MAX_THREADS;
    match paths.get(path) {
        Some(state) if state.is_overdue => Err(Error::Busy),
        Some(state) => Ok(state.turn.clone()),
        None if is_full => Err(Error::Exhausted),
        None => Ok(paths.entry(path.to_owned()).or_default().turn.clone()),
    }
}

/// Records that a path did not answer in time, unless it just did.
fn overdue(path: &Path) -> Error {
    if let Some(state) = paths().get_mut(path) {
        state.is_overdue = state.turn.available_permits() == 0;
    }
    Error::TimedOut
}

fn start<T: Send + 'static>(
    path: &Path,
    permit: OwnedSemaphorePermit,
    work: impl FnOnce() -> T + Send + 'static,
    deliver: impl FnOnce(T) + Send + 'static,
) -> Result<(), Error> {
    let usage = Usage { path: path.to_owned(), permit: Some(permit) };
    let run = move || {
        let result = work();
        // Dropped before the result is sent, so that the caller can use the path again at once.
        drop(usage);
        deliver(result);
    };
    thread::Builder::new().name("file".to_owned()).stack_size(STACK).spawn(run).map(drop).map_err(|_| Error::Exhausted)
}

/// A call that has not returned.
struct Usage {
    path: PathBuf,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Usage {
    fn drop(&mut self) {
        let mut paths = paths();
        self.permit = None;
        if let Some(state) = paths.get_mut(&self.path) {
            state.is_overdue = false;
            // If only the table has a reference left, nobody waits.
            if Arc::strong_count(&state.turn) == 1 {
                paths.remove(&self.path);
            }
        }
    }
}

fn paths() -> MutexGuard<'static, BTreeMap<PathBuf, PathState>> {
    PATHS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Like [`read_blocking`], but without a time limit: for use in [`run`].
///
/// # Errors
/// As [`read`], except for timeouts.
pub fn bytes(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit { Err(Error::TooLarge(limit)) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, Mode};

    use super::*;

    fn fifo(directory: &Path) -> PathBuf {
        let path = directory.join("fifo");
        rustix::fs::mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
        path
    }

    #[tokio::test]
    async fn a_file_is_read_up_to_its_limit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).await.unwrap().as_slice(), b"12345");
        assert_eq!(read_blocking(&path, 5).unwrap().as_slice(), b"12345");
        assert_eq!(read(&path, 4).await.err(), Some(Error::TooLarge(4)));
        assert_eq!(read(&directory.path().join("none"), 4).await.err(), Some(Error::NotFound));
        assert_eq!(read(directory.path(), 4).await.err(), Some(Error::IsADirectory));
    }

    #[tokio::test]
    async fn many_reads_of_one_file_at_once_all_succeed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, "12345").unwrap();
        let reads = (0..100).map(|_| read(&path, 5));
        assert!(futures_util::future::join_all(reads).await.iter().all(Result::is_ok));
        assert!(!paths().contains_key(&path), "nothing is left behind");
    }

    /// While one path hangs, it is opened only once, and other files can be read.
    #[tokio::test]
    async fn a_file_that_does_not_answer_is_opened_once() {
        let directory = tempfile::tempdir().unwrap();
        let (hangs, other) = (fifo(directory.path()), directory.path().join("other"));
        std::fs::write(&other, "12345").unwrap();
        let (first, beside, second) = tokio::join!(read(&hangs, 9), read(&other, 9), async { read_blocking(&other, 9) });
        assert_eq!((first.err(), beside.is_ok(), second.is_ok()), (Some(Error::TimedOut), true, true));
        assert_eq!(read(&hangs, 9).await.err(), Some(Error::Busy));
        assert_eq!(read_blocking(&hangs, 9).err(), Some(Error::Busy));
        // The blocked reader gets the text, and then the file can be read again.
        std::fs::write(&hangs, "late").unwrap();
        // Wait for the blocked reader to finish, because it could also get the next text.
        while paths().contains_key(&hangs) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let writer = thread::spawn({
            let hangs = hangs.clone();
            move || std::fs::write(hangs, "again").unwrap()
        });
        assert_eq!(read(&hangs, 9).await.unwrap().as_slice(), b"again");
        writer.join().unwrap();
    }
}
