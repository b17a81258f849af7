//! Secrets: values that are never printed, given directly or in a file.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::{Error, Result, totp};
use crate::file;

/// Maximum size of a secret, in bytes. Tokens have some hundred bytes; a larger file is the wrong file.
const MAX_BYTES: usize = 16 << 10;

/// Where a secret comes from.
#[derive(Clone, Debug)]
pub enum Secret {
    Value(SecretString),
    /// Read whenever it is needed, so that a changed file takes effect without a restart. Messages use the name, not the path,
    /// which can be the secret itself, written in the wrong place.
    File {
        name: &'static str,
        path: PathBuf,
    },
}

impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        match (self, other) {
            (Secret::Value(own), Secret::Value(other)) => own.expose_secret() == other.expose_secret(),
            (Secret::File { path: own, .. }, Secret::File { path: other, .. }) => own == other,
            _ => false,
        }
    }
}

/// Why a secret can't be used. The message contains neither the secret nor the path of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error(transparent)]
    File(#[from] file::Error),
    #[error("it is empty")]
    Empty,
    #[error("it holds a line break or another control character")]
    ControlCharacter,
    #[error("it is not base32 (letters A to Z, digits 2 to 7)")]
    NotBase32,
}

impl Secret {
    /// A password or a token, without the byte order mark and the line end that files and shells add.
    ///
    /// # Errors
    /// If the text can't be a secret: it would be sent, refused, and block logins.
    pub fn of_text(written: &str) -> std::result::Result<Secret, SecretError> {
        text(written.as_bytes()).map(Secret::Value)
    }

    /// A TOTP secret in base32, as authenticator apps accept it.
    ///
    /// # Errors
    /// As [`Secret::of_text`], and [`SecretError::NotBase32`].
    pub fn of_totp(written: &str) -> std::result::Result<Secret, SecretError> {
        let secret = text(written.as_bytes())?;
        totp::key(&secret).map_err(|_| SecretError::NotBase32)?;
        Ok(Secret::Value(secret))
    }

    /// The current secret.
    ///
    /// # Errors
    /// [`Error::SecretFile`] if the file can't be read, or if its contents can't be a secret.
    pub async fn read(&self) -> Result<SecretString> {
        let (name, path) = match self {
            Secret::Value(value) => return Ok(value.clone()),
            Secret::File { name, path } => (name, path),
        };
        let bytes = file::read(path, MAX_BYTES).await.map_err(SecretError::from);
        bytes.and_then(|bytes| text(&bytes)).map_err(|fault| Error::SecretFile { name, fault })
    }
}

/// The secret in a file, a variable or the configuration, without the byte order mark at the start and one line end
/// at the end, which editors and shells add.
///
/// # Errors
/// If the rest can't be a secret: it would be sent, refused, and block logins.
pub(super) fn text(bytes: &[u8]) -> std::result::Result<SecretString, SecretError> {
    if bytes.len() > MAX_BYTES {
        return Err(file::Error::TooLarge(MAX_BYTES).into());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| file::Error::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    match text {
        "" => Err(SecretError::Empty),
        _ if text.contains(char::is_control) => Err(SecretError::ControlCharacter),
        _ => Ok(text.into()),
    }
}

/// Whether all users of the machine can read a file. A file that does not answer counts as hidden.
pub async fn is_exposed(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let own = path.to_owned();
    let mode = file::run(path, move || std::fs::metadata(own).map(|metadata| metadata.permissions().mode())).await;
    matches!(mode, Ok(Ok(mode)) if mode & 0o004 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_and_one_line_end_are_dropped_and_nothing_else_is() {
        for written in ["pass word", "pass word\n", "pass word\r\n", "\u{feff}pass word", "\u{feff}pass word\r\n"] {
            assert_eq!(text(written.as_bytes()).unwrap().expose_secret(), "pass word", "{written:?}");
        }
        assert_eq!(text(" p\u{feff}ä ".as_bytes()).unwrap().expose_secret(), " p\u{feff}ä ");
        assert_eq!(text(&vec![b'x'; MAX_BYTES]).unwrap().expose_secret().len(), MAX_BYTES);
    }

    #[test]
    fn a_text_that_can_not_be_a_secret_is_an_error() {
        let large = vec![b'x'; MAX_BYTES + 1];
        for (written, expected) in [
            (&b""[..], SecretError::Empty),
            (b"\r\n", SecretError::Empty),
            ("\u{feff}\n".as_bytes(), SecretError::Empty),
            (b"first\nsecond\n", SecretError::ControlCharacter),
            (b"first\n\n", SecretError::ControlCharacter),
            (b"first\r", SecretError::ControlCharacter),
            (b"a\tb", SecretError::ControlCharacter),
            (b"a\0b", SecretError::ControlCharacter),
            (b"\xff\xfe", file::Error::NotText.into()),
            (&large, file::Error::TooLarge(MAX_BYTES).into()),
        ] {
            assert_eq!(
                text(written).err(),
                Some(expected),
                "{:?}",
                String::from_utf8_lossy(&written[..written.len().min(9)])
            );
        }
    }
}
