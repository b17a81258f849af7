//! The files of a web configuration, and a cheap check whether one of them has changed.
//!
//! A file that does not answer only fails its own read, see [`file`].

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ring::digest;
use secrecy::zeroize::Zeroizing;

use minergate::file;

/// Maximum size of a certificate, key or configuration.
const MAX_BYTES: usize = 1 << 20;

/// Two changes within this time can have the same timestamp, because file systems have a coarse resolution.
const COARSE: Duration = Duration::from_secs(2);

/// Changes if the file changes; `None` if the file does not exist, or was changed just now.
type Stamp = Option<(u64, u64, u64, i64, i64)>;

/// Files that were read. Paths are relative to the directory of the first.
pub(super) struct Files {
    directory: PathBuf,
    stamps: BTreeMap<PathBuf, Stamp>,
    contents: digest::Context,
}

impl Files {
    pub(super) fn beside(path: &Path) -> Files {
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        Files { directory, stamps: BTreeMap::new(), contents: digest::Context::new(&digest::SHA256) }
    }

    pub(super) fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.directory.join(path)
    }

    /// Reads a file.
    pub(super) fn read(&mut self, path: impl AsRef<Path>) -> Result<Zeroizing<Vec<u8>>, file::Error> {
        self.read_absolute(&self.resolve(path))
    }

    pub(super) fn read_absolute(&mut self, path: &Path) -> Result<Zeroizing<Vec<u8>>, file::Error> {
        let own = path.to_owned();
        // The stamp is read before the contents, so that a change in between is noticed at the next check.
        let answer = file::run_blocking(path, move || (stamp(&own), bytes(&own)));
        let (stamp, bytes) = answer.unwrap_or_else(|error| (None, Err(error)));
        self.stamps.insert(path.to_owned(), stamp);
        // Both errors become the same one, so that the same fault is not logged again at the next check.
        let bytes = bytes.map_err(|error| if error == file::Error::Busy { file::Error::TimedOut } else { error })?;
        self.contents.update(&(bytes.len() as u64).to_be_bytes());
        self.contents.update(&bytes);
        Ok(bytes)
    }

    /// Whether a file may have changed since it was read.
    pub(super) fn may_have_changed(&self) -> bool {
        let stamp = |path: &PathBuf| {
            let own = path.clone();
            file::run_blocking(path, move || stamp(&own)).ok().flatten()
        };
        self.stamps.iter().any(|(path, read)| read.is_none() || stamp(path) != *read)
    }

    /// A digest of all contents.
    pub(super) fn digest(&self) -> digest::Digest {
        self.contents.clone().finish()
    }
}

fn bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, file::Error> {
    // Checked before it is opened, because opening a FIFO waits for its writer.
    if fs::metadata(path)?.is_file() { file::bytes(path, MAX_BYTES) } else { Err(file::Error::NotAFile) }
}

fn stamp(path: &Path) -> Stamp {
    let metadata: Metadata = fs::metadata(path).ok()?;
    let settled = metadata.modified().ok()? < SystemTime::now().checked_sub(COARSE)?;
    settled.then(|| (metadata.dev(), metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}
