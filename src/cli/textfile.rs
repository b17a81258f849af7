//! A file that is replaced whole or not at all, also where the machine loses its power in between.

use std::fs::{File, Permissions};
use std::io::{Result, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::Builder;

/// Everybody may read it: `node_exporter` runs as a user of its own.
const MODE: u32 = 0o644;

/// Writes the text beside the file, and renames it to the file once it is on the disk.
pub(super) fn replace(path: &Path, text: &str) -> Result<()> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // node_exporter reads what ends in .prom; the new file does not before it is whole.
    let mut new =
        Builder::new().prefix(".minergate-exporter-").permissions(Permissions::from_mode(MODE)).tempfile_in(directory)?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(path)?;
    // The rename is on the disk with its directory.
    File::open(directory)?.sync_all()
}
