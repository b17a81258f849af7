//! `[[accounts]]`: what is configured of an account, and whether it makes sense.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Account, Credentials};
use crate::api::memory::Memory;
use crate::api::secret::{self, Secret, SecretError};
use crate::api::totp;

/// `[[accounts]]`: an account and its credentials, a ready-made token or e-mail address and password.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "account", extend("required" = ["name"]))]
pub struct Config {
    /// The `account` label. Never an e-mail address: it stands on every page.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[^@]*$"))]
    pub name: String,
    /// Needed to log in with a password; with a token, it tells which way a transfer went.
    #[schemars(regex(pattern = "@"))]
    pub email: Option<String>,
    /// The password; better in a file of its own, `password_file`.
    #[schemars(with = "Option<String>")]
    pub password: Option<SecretString>,
    /// The file that holds the password.
    pub password_file: Option<PathBuf>,
    /// For two-factor authorization: the secret in base32, as authenticator apps take it.
    #[schemars(with = "Option<String>")]
    pub totp_secret: Option<SecretString>,
    /// The file that holds the TOTP secret.
    pub totp_secret_file: Option<PathBuf>,
    /// A ready-made token, which is as good as a password.
    #[schemars(with = "Option<String>")]
    pub token: Option<SecretString>,
    /// The file that holds the token.
    pub token_file: Option<PathBuf>,
    /// Endpoints to poll for this account; all when left out. No part of what makes two accounts the same.
    pub endpoints: Option<Vec<String>>,
}

impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        let secrets = |c: &Config| {
            let secrets = [&c.password, &c.totp_secret, &c.token];
            secrets.map(|secret| secret.as_ref().map(|secret| secret.expose_secret().to_owned()).map(Zeroizing::new))
        };
        let plain = |c: &Config| {
            let files = [c.password_file.clone(), c.totp_secret_file.clone(), c.token_file.clone()];
            (c.name.clone(), c.email.clone(), files)
        };
        plain(self) == plain(other) && secrets(self) == secrets(other)
    }
}

impl Config {
    /// What is wrong with an account's name, if anything is.
    pub fn name_fault(name: &str) -> Option<&'static str> {
        if name.is_empty() {
            Some("missing; every account needs a name, it becomes the label `account`")
        } else if name.contains('@') {
            Some("looks like an e-mail address, and would stand on every page; give another name")
        } else if name.chars().count() > 64 || name.trim() != name || name.chars().any(char::is_control) {
            Some("give 1 to 64 printable characters without spaces around them")
        } else {
            None
        }
    }

    /// Whether the account logs in, with a password, instead of having a token.
    pub fn logs_in(&self) -> bool {
        self.password.is_some() || self.password_file.is_some()
    }

    /// The files that hold the account's secrets, each with its key.
    pub fn secret_files(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let files = [
            ("password_file", &self.password_file),
            ("totp_secret_file", &self.totp_secret_file),
            ("token_file", &self.token_file),
        ];
        files.into_iter().filter_map(|(key, path)| Some((key, path.as_deref()?)))
    }

    /// The account, or what is wrong with its configuration: key and sentence. What is kept across restarts stands in the
    /// directory, if there is one.
    ///
    /// # Errors
    /// The first fault found.
    pub fn account(&self, state: Option<&Path>) -> std::result::Result<Account, (&'static str, String)> {
        let name = self.name.as_str();
        if let Some(fault) = Config::name_fault(name) {
            return Err(("name", fault.to_owned()));
        }
        let token = either(["token", "token_file"], self.token.as_ref(), self.token_file.as_ref())?;
        let password = either(["password", "password_file"], self.password.as_ref(), self.password_file.as_ref())?;
        let totp = either(["totp_secret", "totp_secret_file"], self.totp_secret.as_ref(), self.totp_secret_file.as_ref())?;
        let credentials = match (token, password) {
            (Some(_), Some(_)) => return Err(("token", "stands beside a password; give one of them".to_owned())),
            (None, None) => {
                let remedy = "give token or token_file, or email with password or password_file";
                return Err(("password", format!("no way to log in; {remedy}")));
            }
            (Some(_), None) if totp.is_some() => {
                return Err(("totp_secret", "has no use beside a token; leave it out".to_owned()));
            }
            (Some(token), None) => Credentials::Token(token),
            (None, Some(password)) if self.email.is_some() => Credentials::Password { password, totp },
            (None, Some(_)) => return Err(("email", "missing; a password needs the account's e-mail address".to_owned())),
        };
        if let Credentials::Password { totp: Some(Secret::Value(secret)), .. } = &credentials {
            totp::key(secret).map_err(|error| ("totp_secret", error.to_string()))?;
        }
        let is_email = |email: &str| email.contains('@') && !email.contains(|c: char| c.is_whitespace() || c.is_control());
        if self.email.as_deref().is_some_and(|email| !is_email(email)) {
            return Err(("email", "not an e-mail address".to_owned()));
        }
        Ok(Account::new(name, self.email.clone(), credentials, Memory::new(state, name)))
    }
}

fn either(
    [key, file_key]: [&'static str; 2],
    value: Option<&SecretString>,
    file: Option<&PathBuf>,
) -> std::result::Result<Option<Secret>, (&'static str, String)> {
    match (value, file) {
        (Some(_), Some(_)) => Err((key, format!("stands beside {file_key}; give one of them"))),
        (Some(value), None) => match secret::text(value.expose_secret().as_bytes()) {
            Ok(secret) => Ok(Some(Secret::Value(secret))),
            Err(SecretError::Empty) => Err((key, "is empty; leave it out or fill it in".to_owned())),
            Err(error) => Err((key, format!("{error}; give the secret on one line, and nothing else"))),
        },
        (None, Some(path)) => Ok(Some(Secret::File { key: file_key, path: path.clone() })),
        (None, None) => Ok(None),
    }
}
