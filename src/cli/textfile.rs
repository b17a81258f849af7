//! Atomic replacement of a file, even if the machine loses power meanwhile.

use std::fs::{self, File, FileType, Metadata, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use tempfile::{Builder, NamedTempFile};

use minergate::file;

/// The mode of a new file: `node_exporter` runs as another user and must read it.
const MODE: u32 = 0o644;

/// Maximum number of links that are followed, the same as in Linux.
const MAX_LINKS: usize = 40;

/// Checks whether the file can be replaced, as far as this is known in advance. Leaves nothing behind.
///
/// # Errors
/// A sentence for the user.
pub(super) fn check(path: &Path) -> anyhow::Result<()> {
    Target::of(path).and_then(|target| target.create()).map(drop).with_context(|| unwritten(path))
}

/// Writes the text to a new file beside the old one, and renames it when it is on the disk.
///
/// # Errors
/// A sentence for the user.
pub(super) fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    Target::of(path).and_then(|target| target.replace(text)).with_context(|| unwritten(path))
}

fn unwritten(path: &Path) -> String {
    format!("can't write {}, which stays as it was", path.display())
}

/// The file to replace: the given one, or the target of the given link.
struct Target {
    path: PathBuf,
    /// The metadata of the existing file, whose owner and mode are kept.
    old: Option<Metadata>,
}

impl Target {
    fn of(path: &Path) -> anyhow::Result<Target> {
        match fs::metadata(path) {
            Ok(old) if old.is_file() => Ok(Target { path: fs::canonicalize(path).map_err(reason)?, old: Some(old) }),
            Ok(other) => {
                bail!("it is {}; give a regular file, or a name that nothing has yet", kind(other.file_type()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(Target { path: last_link(path).map_err(reason)?, old: None })
            }
            Err(error) => Err(reason(error)),
        }
    }

    fn directory(&self) -> &Path {
        self.path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// A new file in the same directory, with the owner and mode that the file will have.
    fn create(&self) -> anyhow::Result<NamedTempFile> {
        // node_exporter reads files that end in .prom, so the new file has another name until it is complete.
        let new = Builder::new().prefix(".minergate-exporter-").tempfile_in(self.directory()).map_err(reason)?;
        if let Some(old) = &self.old {
            let own = new.as_file().metadata().map_err(reason)?;
            let owner = (old.uid() != own.uid()).then_some(old.uid());
            let group = (old.gid() != own.gid()).then_some(old.gid());
            if (owner.is_some() || group.is_some()) && fchown(&new, owner, group).is_err() {
                bail!("this user can't keep its owner and group; run as its owner, or delete the file");
            }
        }
        // The umask limits the mode of a new file, and a change of owner removes mode bits, so the mode is set here.
        let mode = self.old.as_ref().map_or(MODE, |old| old.mode() & 0o7777);
        new.as_file().set_permissions(Permissions::from_mode(mode)).map_err(reason)?;
        Ok(new)
    }

    fn replace(&self, text: &str) -> anyhow::Result<()> {
        let mut new = self.create()?;
        new.write_all(text.as_bytes()).map_err(reason)?;
        new.as_file().sync_all().map_err(reason)?;
        new.persist(&self.path).map_err(|error| reason(error.error))?;
        // Syncing the directory puts the rename on the disk.
        File::open(self.directory()).and_then(|directory| directory.sync_all()).map_err(reason)
    }
}

/// The end of a chain of links whose last link has no target; the path itself if it is not a link.
fn last_link(path: &Path) -> std::io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            // A relative link is relative to its own directory. Joining an absolute path gives that path.
            Ok(link) => path = path.parent().unwrap_or(Path::new("")).join(link),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(path),
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::NotFound.into())
}

fn kind(of: FileType) -> &'static str {
    if of.is_dir() {
        "a directory"
    } else if of.is_fifo() {
        "a FIFO or a pipe"
    } else if of.is_socket() {
        "a socket"
    } else if of.is_block_device() || of.is_char_device() {
        "a device"
    } else {
        "not a regular file"
    }
}

/// The error and the remedy.
fn reason(error: std::io::Error) -> anyhow::Error {
    anyhow!("{}; is its directory there, and this user's to write to?", file::Error::from(error))
}
