//! Secrets: values that can't print themselves, given in the configuration or in a file of their own.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::{Error, Result};
use crate::file;

/// The largest secret, in bytes.
const MAX_BYTES: usize = 16 << 10;

/// Where a secret comes from.
#[derive(Clone, Debug)]
pub enum Secret {
    Value(SecretString),
    /// Read whenever it is needed, so that a changed file is picked up without a restart.
    File(PathBuf),
}

impl Secret {
    /// The secret's file, if everybody on the machine can read it.
    pub(super) fn exposed_file(&self) -> Option<&Path> {
        match self {
            Secret::File(path) if is_exposed(path) => Some(path),
            _ => None,
        }
    }

    /// Whether it can change while the configuration stays the same.
    pub(super) fn is_file(&self) -> bool {
        matches!(self, Secret::File(_))
    }

    /// The secret, less the line end that an editor leaves behind.
    ///
    /// # Errors
    /// [`Error::SecretFile`] when the file can't be read, is not text, or is empty.
    pub async fn read(&self) -> Result<SecretString> {
        let path = match self {
            Secret::Value(value) => return Ok(value.clone()),
            Secret::File(path) => path,
        };
        let failed = |fault| Error::SecretFile { path: path.clone(), fault };
        let bytes = file::read(path, MAX_BYTES).await.map_err(|_| failed("reading failed"))?;
        let text = std::str::from_utf8(&bytes).map_err(|_| failed("it is not text"))?;
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(failed("it is empty")),
            secret => Ok(secret.into()),
        }
    }
}

/// Whether everybody on the machine can read a file.
pub(crate) fn is_exposed(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}
