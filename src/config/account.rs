//! `[[accounts]]`: the accounts that are polled, each with its credentials.

use std::path::{Path, PathBuf};

use minergate::api::{self, Credentials, Secret, SecretError};
use minergate::endpoints::{ENDPOINTS, Scope};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::error::Wrong;

/// One section for each account. Every secret is given as a value (`password`) or as a file (`password_file`); files are read again
/// whenever they are needed. A relative path is a credential of systemd (`$CREDENTIALS_DIRECTORY`), if there is one of that name, and
/// else lies beside this file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "account", extend("required" = ["name"], "examples" = [
    {"name": "farm", "email": "me@example.com", "password_file": "farm-password", "totp_secret_file": "farm-totp"},
    {"name": "wallet", "token_file": "wallet-token", "endpoints": ["balance", "withdrawals"]},
]))]
pub(super) struct Account {
    /// The label `account`. Never an e-mail address: it stands on every page.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[^@]*$"))]
    pub(super) name: String,
    /// Needed to log in with a password; with a token, it tells which way a transfer went.
    #[schemars(regex(pattern = "@"))]
    email: Option<String>,
    /// The password; better in a file of its own.
    #[schemars(with = "Option<String>")]
    password: Option<SecretString>,
    /// The file that holds the password.
    pub(super) password_file: Option<PathBuf>,
    /// For two-factor authorization: the secret in base32, as authenticator apps take it.
    #[schemars(with = "Option<String>")]
    totp_secret: Option<SecretString>,
    /// The file that holds the TOTP secret.
    pub(super) totp_secret_file: Option<PathBuf>,
    /// A ready-made token, which is as good as a password.
    #[schemars(with = "Option<String>")]
    token: Option<SecretString>,
    /// The file that holds the token.
    pub(super) token_file: Option<PathBuf>,
    /// Endpoints to poll for this account; all when left out.
    #[schemars(extend("examples" = [["balance", "withdrawals"]]))]
    pub(super) endpoints: Option<Vec<String>>,
}

impl Account {
    /// The account; nothing where it is wrong. What it keeps across restarts stands in the state directory, if there is one.
    pub(super) fn account(&self, state_directory: Option<&Path>, wrong: &mut Vec<Wrong>) -> Option<api::Account> {
        let credentials =
            name_fault(&self.name).map_or_else(|| self.credentials(), |fault| Err(Wrong::new(["name"], fault)));
        let credentials = credentials.map_err(|one| wrong.push(one)).ok();
        self.check_endpoints(wrong);
        Some(api::Account::new(&self.name, credentials?, state_directory))
    }

    fn credentials(&self) -> Result<Credentials, Wrong> {
        let token = either(["token", "token_file"], self.token.as_ref(), self.token_file.as_ref(), Secret::of_text)?;
        let password =
            either(["password", "password_file"], self.password.as_ref(), self.password_file.as_ref(), Secret::of_text)?;
        let (totp, totp_file) = (self.totp_secret.as_ref(), self.totp_secret_file.as_ref());
        let totp = either(["totp_secret", "totp_secret_file"], totp, totp_file, Secret::of_totp)?;
        let is_email = |email: &str| email.contains('@') && !email.contains(|c: char| c.is_whitespace() || c.is_control());
        if self.email.as_deref().is_some_and(|email| !is_email(email)) {
            return Err(Wrong::new(["email"], "not an e-mail address"));
        }
        match (token, password, self.email.clone()) {
            (Some(_), Some(_), _) => Err(Wrong::new(["token"], "stands beside a password; give one of them")),
            (None, None, _) => {
                let remedy = "give token or token_file, or email with password or password_file";
                Err(Wrong::new(["password"], format!("no way to log in; {remedy}")))
            }
            (Some(_), None, _) if totp.is_some() => {
                Err(Wrong::new(["totp_secret"], "has no use beside a token; leave it out"))
            }
            (Some(token), None, email) => Ok(Credentials::Token { token, email }),
            (None, Some(password), Some(email)) => Ok(Credentials::Password { email, password, totp }),
            (None, Some(_), None) => Err(Wrong::new(["email"], "missing; a password needs the account's e-mail address")),
        }
    }

    fn check_endpoints(&self, wrong: &mut Vec<Wrong>) {
        let Some(names) = &self.endpoints else { return };
        if names.is_empty() {
            wrong.push(Wrong::new(["endpoints"], "is empty; name at least one, or leave it out for all"));
        }
        let known = || ENDPOINTS.iter().filter(|endpoint| endpoint.scope == Scope::Account).map(|endpoint| endpoint.name);
        for (place, _) in names.iter().enumerate().filter(|(_, name)| !known().any(|known| known == name.as_str())) {
            let known = known().collect::<Vec<_>>().join(", ");
            let message = format!("not an endpoint of an account; those are {known}");
            wrong.push(Wrong::new(["endpoints", &place.to_string()], message));
        }
    }
}

/// What is wrong with an account's name, if anything is.
pub(super) fn name_fault(name: &str) -> Option<&'static str> {
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

/// The secret that is given by one of two keys, if it is given.
fn either(
    [key, file_key]: [&'static str; 2],
    value: Option<&SecretString>,
    file: Option<&PathBuf>,
    read: fn(&str) -> Result<Secret, SecretError>,
) -> Result<Option<Secret>, Wrong> {
    match (value, file) {
        (Some(_), Some(_)) => Err(Wrong::new([key], format!("stands beside {file_key}; give one of them"))),
        (Some(value), None) => match read(value.expose_secret()) {
            Ok(secret) => Ok(Some(secret)),
            Err(SecretError::Empty) => Err(Wrong::new([key], "is empty; leave it out or fill it in")),
            Err(error @ SecretError::NotBase32) => Err(Wrong::new([key], error.to_string())),
            Err(error) => Err(Wrong::new([key], format!("{error}; give the secret on one line, and nothing else"))),
        },
        (None, Some(path)) => Ok(Some(Secret::File { name: file_key, path: path.clone() })),
        (None, None) => Ok(None),
    }
}
