//! What an account stores in the state directory for the next process: used TOTP steps and rejected credentials.
//!
//! Everything works without a state directory, and with one that can't be read or written. Then nothing is stored, and a
//! restart can send a code or a login again.

use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ring::hmac;
use ring::rand::SystemRandom;
use tempfile::NamedTempFile;
use tracing::warn;

use super::Blocked;
use crate::file;

/// Maximum size of a state file, in bytes.
const MAX_BYTES: usize = 64 << 10;

/// Length of the key in bytes.
const KEY_BYTES: usize = 32;

/// The files of one account in the state directory.
#[derive(Debug)]
pub(super) struct StateFiles {
    directory: Option<PathBuf>,
    /// The account's name in a form that is valid in file names.
    name: String,
    /// The key of the fingerprints, once it has been read or created.
    key: OnceLock<hmac::Key>,
    /// A failure was logged.
    warned: AtomicBool,
}

impl StateFiles {
    pub(super) fn new(directory: Option<&Path>, account: &str) -> StateFiles {
        StateFiles {
            directory: directory.map(Path::to_owned),
            name: utf8_percent_encode(account, NON_ALPHANUMERIC).to_string(),
            key: OnceLock::new(),
            warned: AtomicBool::new(false),
        }
    }

    /// A keyed hash of credentials. It tells whether credentials are the same, and reveals nothing about them.
    pub(super) async fn fingerprint(&self, parts: &[&[u8]]) -> String {
        if self.key.get().is_none() {
            let key = self.read_key().await;
            let _ = self.key.set(key);
        }
        let Some(key) = self.key.get() else { return String::new() };
        let mut context = hmac::Context::with_key(key);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        BASE64_URL_SAFE_NO_PAD.encode(context.sign())
    }

    /// The TOTP steps that earlier processes used.
    pub(super) async fn steps(&self) -> Vec<u64> {
        let text = self.read("totp").await.unwrap_or_default();
        text.lines().filter_map(|step| step.parse().ok()).collect()
    }

    pub(super) async fn store_steps(&self, steps: impl Iterator<Item = u64>) {
        let steps: Vec<String> = steps.map(|step| step.to_string()).collect();
        self.write("totp", steps.join("\n")).await;
    }

    /// Why the credentials with this fingerprint were rejected, if they are the last rejected ones.
    pub(super) async fn rejection(&self, fingerprint: &str) -> Option<Blocked> {
        let text = self.read("rejected").await?;
        let (reason, rejected) = text.trim().split_once(' ')?;
        let blocked = Blocked::ALL.into_iter().find(|blocked| blocked.reason() == reason)?;
        (rejected == fingerprint).then_some(blocked)
    }

    /// Returns whether it was stored.
    pub(super) async fn store_rejection(&self, blocked: Blocked, fingerprint: &str) -> bool {
        self.write("rejected", format!("{} {fingerprint}\n", blocked.reason())).await
    }

    /// The credentials were accepted.
    pub(super) async fn remove_rejection(&self) {
        let Some(path) = self.path("rejected") else { return };
        let own = path.clone();
        let removed = file::run(&path, move || match std::fs::remove_file(own) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file::Error::from(error)),
            _ => Ok(()),
        });
        self.log_first_failure(removed.await.and_then(|result| result));
    }

    fn path(&self, what: &str) -> Option<PathBuf> {
        Some(self.directory.as_ref()?.join(format!("{what}-{}", self.name)))
    }

    async fn read(&self, what: &str) -> Option<String> {
        let bytes = match file::read(&self.path(what)?, MAX_BYTES).await {
            Err(file::Error::NotFound) => return None,
            bytes => self.log_first_failure(bytes)?,
        };
        self.log_first_failure(String::from_utf8(bytes.to_vec()).map_err(|_| file::Error::NotText))
    }

    /// Returns whether it was written.
    async fn write(&self, what: &str, text: String) -> bool {
        let (Some(directory), Some(path)) = (self.directory.clone(), self.path(what)) else { return false };
        let own = path.clone();
        let written = file::run(&path, move || replace(&directory, &own, text.as_bytes()));
        self.log_first_failure(written.await.and_then(|result| result.map_err(file::Error::from))).is_some()
    }

    /// The key in the state directory, created if there is none; without a directory, a key for this process.
    async fn read_key(&self) -> hmac::Key {
        let Some(directory) = self.directory.clone() else { return process_key() };
        let path = directory.join("key");
        let own = path.clone();
        let key = file::run(&path, move || match std::fs::read(&own) {
            Ok(key) if key.len() == KEY_BYTES => Ok(key),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            // It is missing, or was cut off because the disk was full.
            _ => new_key().and_then(|key| replace(&directory, &own, &key).map(|()| key)),
        });
        match self.log_first_failure(key.await.and_then(|key| key.map_err(file::Error::from))) {
            Some(key) => hmac::Key::new(hmac::HMAC_SHA256, &key),
            None => process_key(),
        }
    }

    /// Logs the first failure.
    fn log_first_failure<T>(&self, result: Result<T, file::Error>) -> Option<T> {
        if let Err(error) = &result
            && !self.warned.swap(true, Ordering::Relaxed)
        {
            let consequence = "a restart may send a TOTP code or rejected credentials again";
            warn!(account = self.name, %error, consequence, "state file not read or written");
        }
        result.ok()
    }
}

/// Replaces a file of the directory atomically. Only the directory's owner can read it.
fn replace(directory: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A temporary file has the mode 0600 with any umask.
    let mut new = NamedTempFile::new_in(directory)?;
    new.write_all(bytes)?;
    // The exporter must be able to read what root writes with `check --online`.
    let (owner, own) = (directory.metadata()?, new.as_file().metadata()?);
    if (owner.uid(), owner.gid()) != (own.uid(), own.gid()) {
        // Only root can change the owner.
        let _ = chown(new.path(), Some(owner.uid()), Some(owner.gid()));
    }
    new.persist(path)?;
    Ok(())
}

fn new_key() -> io::Result<Vec<u8>> {
    let key: [u8; KEY_BYTES] =
        ring::rand::generate(&SystemRandom::new()).map_err(|_| io::Error::other("no random numbers"))?.expose();
    Ok(key.to_vec())
}

/// The key for fingerprints that are not stored.
fn process_key() -> hmac::Key {
    static KEY: OnceLock<hmac::Key> = OnceLock::new();
    KEY.get_or_init(|| hmac::Key::new(hmac::HMAC_SHA256, &new_key().unwrap_or_default())).clone()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn a_rejection_is_found_by_the_next_process_and_holds_no_secret() {
        let directory = tempfile::tempdir().unwrap();
        let state_files = StateFiles::new(Some(directory.path()), "my farm");
        let fingerprint = state_files.fingerprint(&[b"me@example.com", b"correct horse"]).await;
        state_files.store_rejection(Blocked::WrongPassword, &fingerprint).await;
        let next = StateFiles::new(Some(directory.path()), "my farm");
        assert_eq!(next.fingerprint(&[b"me@example.com", b"correct horse"]).await, fingerprint);
        assert_eq!(next.rejection(&fingerprint).await, Some(Blocked::WrongPassword));
        let other = next.fingerprint(&[b"me@example.comc", b"orrect horse"]).await;
        assert_eq!(next.rejection(&other).await, None);
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            let path = entry.unwrap().path();
            let contents = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            assert!(!contents.contains("horse") && !contents.contains("example.com"), "{}", path.display());
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        }
        next.remove_rejection().await;
        assert_eq!(state_files.rejection(&fingerprint).await, None);
    }

    #[tokio::test]
    async fn without_a_working_directory_nothing_is_stored_and_nothing_fails() {
        let directory = tempfile::tempdir().unwrap();
        for directory in [None, Some(directory.path().join("missing"))] {
            let state_files = StateFiles::new(directory.as_deref(), "farm");
            let fingerprint = state_files.fingerprint(&[b"x"]).await;
            state_files.store_rejection(Blocked::WrongPassword, &fingerprint).await;
            state_files.store_steps([1, 2].into_iter()).await;
            state_files.remove_rejection().await;
            assert_eq!((state_files.rejection(&fingerprint).await, state_files.steps().await), (None, vec![]));
            assert_eq!(state_files.fingerprint(&[b"x"]).await, fingerprint);
        }
    }

    /// If root runs this test, the directory belongs to another user, and so must the files in it.
    #[tokio::test]
    async fn files_belong_to_the_owner_of_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let _ = chown(directory.path(), Some(65_534), Some(65_534));
        let state_files = StateFiles::new(Some(directory.path()), "farm");
        state_files.store_steps([1].into_iter()).await;
        let owner = |path: &Path| path.metadata().map(|metadata| (metadata.uid(), metadata.gid())).unwrap();
        assert_eq!(owner(&directory.path().join("totp-farm")), owner(directory.path()));
    }
}
