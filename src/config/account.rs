//! `[[accounts]]`: the accounts that are polled, each with its credentials or its wallets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use minergate::api::{self, Credentials, Secret, SecretError};
use minergate::endpoints::{ENDPOINTS, Scope};
use minergate_pools::address;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::error::KeyError;

/// One section for each account. An account is either at the MinerGate API, with an e-mail address and a password or with a token, or it has
/// wallets at pools. Every secret is given as a value (`password`) or as a file (`password_file`); files are read again whenever they are
/// needed. A relative path is a credential of systemd (`$CREDENTIALS_DIRECTORY`), if there is one of that name, or else is relative to this
/// file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "account", extend("required" = ["name"], "examples" = [
    {"name": "farm", "email": "me@example.com", "password_file": "farm-password", "totp_secret_file": "farm-totp"},
    {"name": "wallet", "token_file": "wallet-token", "endpoints": ["balance", "withdrawals"]},
    {"name": "rig", "wallet_files": {"supportxmr": "rig-address"}},
]))]
pub(super) struct Account {
    /// The label `account`. Not an e-mail address, because the name appears on every page.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[^@]*$"))]
    pub(super) name: String,
    /// Required to log in with a password; with a token, it tells the direction of transfers. For an account with wallets, clients of the
    /// gateway log in with these credentials.
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
    /// A ready-made token. It is as secret as a password.
    #[schemars(with = "Option<String>")]
    token: Option<SecretString>,
    /// The file that holds the token.
    pub(super) token_file: Option<PathBuf>,
    /// The account's wallets: their addresses by the names of the pools. In one account, a currency comes from one pool.
    #[schemars(with = "Option<BTreeMap<String, String>>", extend("examples" = [{"supportxmr": "4..."}]))]
    pub(super) wallets: Option<BTreeMap<String, SecretString>>,
    /// The files that hold the addresses, by the names of the pools.
    #[schemars(extend("examples" = [{"supportxmr": "rig-address"}]))]
    pub(super) wallet_files: Option<BTreeMap<String, PathBuf>>,
    /// Endpoints to poll for this account; all when left out.
    #[schemars(extend("examples" = [["balance", "withdrawals"]]))]
    pub(super) endpoints: Option<Vec<String>>,
}

impl Account {
    /// Whether it is at pools, and not at the API.
    pub(super) fn has_wallets(&self) -> bool {
        self.wallets.is_some() || self.wallet_files.is_some()
    }

    /// The account at the API; `None` if it is invalid. Its state is kept across restarts in the state directory, if there is one.
    pub(super) fn account(&self, state_directory: Option<&Path>, errors: &mut Vec<KeyError>) -> Option<api::Account> {
        let credentials =
            name_fault(&self.name).map_or_else(|| self.credentials(), |fault| Err(KeyError::new(["name"], fault)));
        let credentials = credentials.map_err(|one| errors.push(one)).ok();
        self.check_endpoints(errors);
        Some(api::Account::new(&self.name, credentials?, state_directory))
    }

    /// The credentials of the gateway's clients, for an account with wallets; `None` if it has none.
    pub(super) fn login(&self, errors: &mut Vec<KeyError>) -> Option<Credentials> {
        errors.extend(name_fault_near_wallets(&self.name).map(|fault| KeyError::new(["name"], fault)));
        self.check_endpoints(errors);
        let values = [&self.password, &self.totp_secret, &self.token].into_iter().any(Option::is_some);
        let files = [&self.password_file, &self.totp_secret_file, &self.token_file].into_iter().any(Option::is_some);
        let is_given = values || files || self.email.is_some();
        is_given.then(|| self.credentials().map_err(|one| errors.push(one)).ok()).flatten()
    }

    fn credentials(&self) -> Result<Credentials, KeyError> {
        let token = value_or_file(["token", "token_file"], self.token.as_ref(), self.token_file.as_ref(), Secret::of_text)?;
        let password = value_or_file(
            ["password", "password_file"],
            self.password.as_ref(),
            self.password_file.as_ref(),
            Secret::of_text,
        )?;
        let (totp, totp_file) = (self.totp_secret.as_ref(), self.totp_secret_file.as_ref());
        let totp = value_or_file(["totp_secret", "totp_secret_file"], totp, totp_file, Secret::of_totp)?;
        let is_email = |email: &str| email.contains('@') && !email.contains(|c: char| c.is_whitespace() || c.is_control());
        if self.email.as_deref().is_some_and(|email| !is_email(email)) {
            return Err(KeyError::new(["email"], "not an e-mail address"));
        }
        match (token, password, self.email.clone()) {
            (Some(_), Some(_), _) => Err(KeyError::new(["token"], "is given together with a password; give one of them")),
            (None, None, _) => {
                let other = if self.has_wallets() { "leave out all of these" } else { "wallets at [[pools]]" };
                let remedy = "give token or token_file, or email with password or password_file, or";
                Err(KeyError::new(["password"], format!("no way to log in; {remedy} {other}")))
            }
            (Some(_), None, _) if totp.is_some() => {
                Err(KeyError::new(["totp_secret"], "is not used with a token; leave it out"))
            }
            (Some(token), None, email) => Ok(Credentials::Token { token, email }),
            (None, Some(password), Some(email)) => Ok(Credentials::Password { email, password, totp }),
            (None, Some(_), None) => Err(KeyError::new(["email"], "missing; a password needs the account's e-mail address")),
        }
    }

    fn check_endpoints(&self, errors: &mut Vec<KeyError>) {
        let Some(names) = &self.endpoints else { return };
        if names.is_empty() {
            errors.push(KeyError::new(["endpoints"], "is empty; name at least one, or leave it out for all"));
        }
        let known = || ENDPOINTS.iter().filter(|endpoint| endpoint.scope == Scope::Account).map(|endpoint| endpoint.name);
        for (place, _) in names.iter().enumerate().filter(|(_, name)| !known().any(|known| known == name.as_str())) {
            let known = known().collect::<Vec<_>>().join(", ");
            let message = format!("not an endpoint of an account; those are {known}");
            errors.push(KeyError::new(["endpoints", &place.to_string()], message));
        }
    }
}

/// The mistake in an account's name, if there is one.
pub(super) fn name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("missing; every account needs a name, it becomes the label `account`")
    } else if name.contains('@') {
        Some("looks like an e-mail address, and would appear on every page; give another name")
    } else if name.chars().count() > 64 || name.trim() != name || name.chars().any(char::is_control) {
        Some("give 1 to 64 printable characters without spaces around them")
    } else {
        None
    }
}

/// The same for a name in a place where an address could be written by mistake.
pub(super) fn name_fault_near_wallets(name: &str) -> Option<&'static str> {
    let fault = "looks like a wallet's address, and would appear on every page; give another name";
    name_fault(name).or(address::is_like_one(name).then_some(fault))
}

/// The secret from one of two keys, if it is given.
fn value_or_file(
    [key, file_key]: [&'static str; 2],
    value: Option<&SecretString>,
    file: Option<&PathBuf>,
    read: fn(&str) -> Result<Secret, SecretError>,
) -> Result<Option<Secret>, KeyError> {
    match (value, file) {
        (Some(_), Some(_)) => Err(KeyError::new([key], format!("is given together with {file_key}; give one of them"))),
        (Some(value), None) => match read(value.expose_secret()) {
            Ok(secret) => Ok(Some(secret)),
            Err(SecretError::Empty) => Err(KeyError::new([key], "is empty; leave it out or fill it in")),
            Err(error @ SecretError::NotBase32) => Err(KeyError::new([key], error.to_string())),
            Err(error) => Err(KeyError::new([key], format!("{error}; give the secret on one line, and nothing else"))),
        },
        (None, Some(path)) => Ok(Some(Secret::File { name: file_key, path: path.clone() })),
        (None, None) => Ok(None),
    }
}
