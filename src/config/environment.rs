//! The exporter's environment variables as values of the configuration.

use std::ffi::OsString;
use std::path::PathBuf;

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use super::ENVIRONMENT_PREFIX;
use super::error::ConfigError;
use super::keys;

/// Keys of an account whose values are secrets. They are read like a secret's file.
pub(super) const SECRETS: &[&str] = &["password", "token", "totp_secret"];

/// The tables of an account that contain wallets by the names of their pools.
pub(super) const WALLETS: [&str; 2] = ["wallets", "wallet_files"];

/// Lists whose tables can be given in variables by name: the noun for one table, the list, and a key for the example.
const LISTS: &[(&str, &str, &str)] = &[("an account", "accounts", "TOKEN"), ("a pool", "pools", "URL")];

/// Maximum number of opening brackets in a variable's value. With more, it is a text.
const MAX_BRACKETS: usize = 16;

/// The exporter's variables, except those of accounts and pools: the parts of the key, and the value.
#[derive(Default)]
pub(super) struct Environment(Vec<(Vec<String>, Value)>);

/// One key of an account or a pool, given in the environment.
pub(super) struct TableVariable {
    /// The account's or the pool's name in the form of the variable, in capitals.
    pub(super) table: String,
    /// The key. For a wallet: the table that contains it, and the pool's name in the form of the variable, in capitals.
    pub(super) key: Vec<String>,
    pub(super) value: Value,
}

/// The variables of accounts and of pools.
#[derive(Default)]
pub(super) struct TableVariables {
    pub(super) accounts: Vec<TableVariable>,
    pub(super) pools: Vec<TableVariable>,
}

impl Environment {
    /// Reads the exporter's variables, and separates those of accounts and pools.
    pub(super) fn read(variables: &[(OsString, OsString)]) -> Result<(Environment, TableVariables), ConfigError> {
        let mut environment = Environment::default();
        let mut tables = TableVariables::default();
        for (name, value) in variables {
            if !name.as_encoded_bytes().starts_with(ENVIRONMENT_PREFIX.as_bytes()) {
                continue;
            }
            let key = name.to_str().and_then(|name| name.strip_prefix(ENVIRONMENT_PREFIX));
            let key = key.ok_or_else(|| {
                ConfigError::at(format!("{ENVIRONMENT_PREFIX}..."), "the variable's name is not text (UTF-8)")
            })?;
            let parts: Vec<String> = key.split("__").map(str::to_lowercase).collect();
            let value = value.to_str();
            let value = value.ok_or_else(|| ConfigError::at(variable(&parts, &[]), "not text (UTF-8)"))?;
            if let Some((table, key)) = key.strip_prefix("ACCOUNTS__").and_then(account_key) {
                let value = account_value(&key, value);
                tables.accounts.push(TableVariable { table, key, value });
            } else if let Some((table, key)) = key.strip_prefix("POOLS__").and_then(|rest| rest.rsplit_once("__")) {
                let (table, key) = (table.to_uppercase(), vec![key.to_lowercase()]);
                tables.pools.push(TableVariable { table, key, value: any(without_line_end(value)) });
            } else if let Some((one, list, example)) = LISTS.iter().find(|(_, list, _)| *list == parts[0]) {
                let list = list.to_uppercase();
                let remedy = format!("give one key in each variable, such as {ENVIRONMENT_PREFIX}{list}__NAME__{example}");
                let rest = if parts.len() > 1 { "__..." } else { "" };
                return Err(ConfigError::at(
                    format!("{ENVIRONMENT_PREFIX}{list}{rest}"),
                    format!("names no key of {one}; {remedy}"),
                ));
            } else {
                let is_list = keys::is_list(&parts.iter().map(String::as_str).collect::<Vec<_>>());
                let value = without_line_end(value);
                environment.0.push((parts, if is_list { list(value) } else { any(value) }));
            }
        }
        Ok((environment, tables))
    }

    /// The variable that gave a key, if there is one; for a table, a variable that gave something in it.
    pub(super) fn place(&self, path: &[String]) -> Option<String> {
        let own = self.0.iter().find(|(parts, _)| path.starts_with(parts));
        let below = || self.0.iter().find(|(parts, _)| !path.is_empty() && parts.starts_with(path));
        own.or_else(below).map(|(parts, _)| variable(parts, &[]))
    }
}

/// The account and the key in the part after `ACCOUNTS__`. The last two underscores separate them, since a name can contain two underscores. A
/// wallet's key is everything after the last `WALLETS__`, unless that is another key of an account.
fn account_key(rest: &str) -> Option<(String, Vec<String>)> {
    let rest = rest.to_uppercase();
    let (account, key) = rest.rsplit_once("__")?;
    let key = key.to_lowercase();
    let of_wallet = |table: &str| {
        let (account, pool) = rest.rsplit_once(&format!("__{}__", table.to_uppercase()))?;
        Some((account.to_owned(), vec![table.to_owned(), pool.to_owned()]))
    };
    let wallet = WALLETS.iter().filter_map(|table| of_wallet(table)).max_by_key(|(account, _)| account.len());
    let wallet = wallet.filter(|_| !keys::is_known(&["accounts", "0", &key]));
    Some(wallet.unwrap_or_else(|| (account.to_owned(), vec![key])))
}

/// A variable's name, up to the first part that messages must not show. Of pools' names, only these may be shown.
pub(super) fn variable(parts: &[String], pools: &[String]) -> String {
    let shown = keys::shown(parts, pools);
    let hidden = (shown < parts.len()).then(|| "...".to_owned());
    let parts: Vec<String> = parts[..shown].iter().map(|part| part.to_uppercase()).chain(hidden).collect();
    format!("{ENVIRONMENT_PREFIX}{}", parts.join("__"))
}

/// A variable's value, without the byte order mark and the line end that files and shells add.
fn without_line_end(value: &str) -> &str {
    let value = value.strip_prefix('\u{feff}').unwrap_or(value);
    value.strip_suffix('\n').map_or(value, |line| line.strip_suffix('\r').unwrap_or(line))
}

/// An account's value as a text, because a password of digits is not a number.
fn account_value(key: &[String], value: &str) -> Value {
    match key {
        [key] if keys::is_list(&["accounts", "0", key]) => list(without_line_end(value)),
        [key] if SECRETS.contains(&key.as_str()) => value.into(),
        _ => without_line_end(value).into(),
    }
}

/// A value of any type: a number, a list or a table is parsed as such.
fn any(value: &str) -> Value {
    parsed(value).unwrap_or_else(|| value.into())
}

/// A list: in the form of TOML, or values separated by commas.
fn list(value: &str) -> Value {
    match parsed(value) {
        Some(list @ Value::Array(..)) => list,
        _ => value.split(',').map(str::trim).filter(|one| !one.is_empty()).map(Value::from).collect::<Vec<_>>().into(),
    }
}

/// A variable's value that is not a text: a number, a list or a table.
fn parsed(value: &str) -> Option<Value> {
    // The parser is recursive: some hundred brackets would overflow the stack.
    let brackets = value.bytes().filter(|b| matches!(b, b'[' | b'{')).count();
    if brackets > MAX_BRACKETS { None } else { value.parse().ok() }
}

impl Provider for &Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named("environment")
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let nested = self.0.iter().map(|(parts, value)| {
            parts.iter().rev().fold(value.clone(), |value, part| Dict::from([(part.clone(), value)]).into())
        });
        let values = nested.filter_map(Value::into_dict).fold(Dict::new(), join);
        Ok(Profile::Default.collect(values))
    }
}

/// Merges two trees of values. Values of the second one take precedence.
fn join(mut first: Dict, second: Dict) -> Dict {
    for (key, value) in second {
        let value = match (first.remove(&key), value) {
            (Some(Value::Dict(tag, old)), Value::Dict(_, new)) => Value::Dict(tag, join(old, new)),
            (_, value) => value,
        };
        first.insert(key, value);
    }
    first
}

/// A directory that systemd passes in a variable.
pub(super) fn directory(variables: &[(OsString, OsString)], name: &str) -> Option<PathBuf> {
    variables.iter().find(|(variable, _)| variable == name).map(|(_, directory)| PathBuf::from(directory))
}
