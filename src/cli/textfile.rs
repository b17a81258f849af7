//! A file that is replaced whole or not at all, also where the machine loses its power in between.

use std::fs::{self, File, FileType, Metadata, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use tempfile::{Builder, NamedTempFile};

use minergate::file;

/// The mode of a new file: `node_exporter` runs as a user of its own, and reads it.
const MODE: u32 = 0o644;

/// Links that are followed from one to the next, as many as Linux follows.
const MAX_LINKS: usize = 40;

/// Says whether the file can be replaced, as far as that can be known beforehand. Leaves nothing behind.
///
/// # Errors
/// What is wrong, for people.
pub(super) fn check(path: &Path) -> anyhow::Result<()> {
    Target::of(path).and_then(|target| target.create()).map(drop).with_context(|| unwritten(path))
}

/// Writes the text beside the file, and renames it to the file once it is on the disk.
///
/// # Errors
/// What is wrong, for people.
pub(super) fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    Target::of(path).and_then(|target| target.replace(text)).with_context(|| unwritten(path))
}

fn unwritten(path: &Path) -> String {
    format!("can't write {}, which stays as it was", path.display())
}

/// The file to replace: the given one, or what the given link leads to.
struct Target {
    path: PathBuf,
    /// Of the file that is there, whose owner and mode are kept.
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

    /// A new file in the same directory, with the owner and mode that the file is to have.
    fn create(&self) -> anyhow::Result<NamedTempFile> {
        // node_exporter reads what ends in .prom; the new file does not before it is whole.
        let new = Builder::new().prefix(".minergate-exporter-").tempfile_in(self.directory()).map_err(reason)?;
        if let Some(old) = &self.old {
            let own = new.as_file().metadata().map_err(reason)?;
            let owner = (old.uid() != own.uid()).then_some(old.uid());
            let group = (old.gid() != own.gid()).then_some(old.gid());
            if (owner.is_some() || group.is_some()) && fchown(&new, owner, group).is_err() {
                bail!("this user can't keep its owner and group; run as its owner, or delete the file");
            }
        }
        // The umask limits the mode that a file is made with, and a change of owner takes bits away: so it is set here.
        let mode = self.old.as_ref().map_or(MODE, |old| old.mode() & 0o7777);
        new.as_file().set_permissions(Permissions::from_mode(mode)).map_err(reason)?;
        Ok(new)
    }

    fn replace(&self, text: &str) -> anyhow::Result<()> {
        let mut new = self.create()?;
        new.write_all(text.as_bytes()).map_err(reason)?;
        new.as_file().sync_all().map_err(reason)?;
        new.persist(&self.path).map_err(|error| reason(error.error))?;
        // The rename is on the disk with its directory.
        File::open(self.directory()).and_then(|directory| directory.sync_all()).map_err(reason)
    }
}

/// Where a chain of links ends whose last one leads to nothing; the path itself where it is no link.
fn last_link(path: &Path) -> std::io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            // A relative link counts from its own directory. What is joined to an absolute one is that one.
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
        "no regular file"
    }
}

/// What is wrong, and what would be right.
fn reason(error: std::io::Error) -> anyhow::Error {
    anyhow!("{}; is its directory there, and this user's to write to?", file::Error::from(error))
}
