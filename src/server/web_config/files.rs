//! The files that a web configuration is made of, and how to tell cheaply that one of them changed.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ring::digest;

/// No certificate, key or configuration is longer.
const MAX_BYTES: u64 = 1 << 20;

/// Two changes within this time can leave a file with the same timestamp: file systems count coarsely.
const COARSE: Duration = Duration::from_secs(2);

/// What changes with a file; `None` is a file that is not there, or was changed just now.
type Stamp = Option<(u64, u64, u64, i64, i64)>;

/// Files that were read, relative to the directory of the first.
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
    pub(super) fn read(&mut self, path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
        self.read_absolute(&self.resolve(path))
    }

    pub(super) fn read_absolute(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        // Before its contents: a change in between is seen the next time.
        self.stamps.insert(path.to_owned(), stamp(path));
        let file = fs::File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(io::Error::other("it is longer than 1 MiB"));
        }
        self.contents.update(&(bytes.len() as u64).to_be_bytes());
        self.contents.update(&bytes);
        Ok(bytes)
    }

    /// Whether a file may have changed since it was read.
    pub(super) fn may_have_changed(&self) -> bool {
        self.stamps.iter().any(|(path, read)| read.is_none() || stamp(path) != *read)
    }

    /// What tells one set of contents from another.
    pub(super) fn digest(&self) -> digest::Digest {
        self.contents.clone().finish()
    }
}

/// Why a file could not be read, without the error's number.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string().to_lowercase();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn stamp(path: &Path) -> Stamp {
    let metadata: Metadata = fs::metadata(path).ok()?;
    let settled = metadata.modified().ok()? < SystemTime::now().checked_sub(COARSE)?;
    settled.then(|| (metadata.dev(), metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}
