//! The accounts of file and environment together.

use std::collections::BTreeMap;

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};
use serde::Deserialize;

use super::account::name_fault;
use super::environment::{AccountVariable, variable};
use super::error::ConfigError;

/// The accounts, as values.
pub(super) struct Accounts {
    accounts: Option<Value>,
    /// Which variable gave the key, by the account's place in the list and the key.
    variables: BTreeMap<(usize, String), String>,
}

impl Accounts {
    /// Puts the variables' values into the file's accounts. A variable names its account by the account's name in capitals,
    /// with `_` for what is neither letter nor digit; one that names none there is makes a new account.
    pub(super) fn merge(file: Option<Value>, variables: Vec<AccountVariable>) -> Result<Accounts, ConfigError> {
        let mut given = BTreeMap::new();
        if variables.is_empty() {
            return Ok(Accounts { accounts: file, variables: given });
        }
        let mut accounts = match file {
            None => Vec::new(),
            Some(Value::Array(_, accounts)) => accounts,
            Some(_) => {
                let message = "expected a list of tables; write each account as [[accounts]]";
                return Err(ConfigError::at("accounts", message));
            }
        };
        let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, account) in accounts.iter().enumerate() {
            places.entry(variable_name(&name(account).unwrap_or_default())).or_default().push(place);
        }
        for AccountVariable { account, key, value } in variables {
            let variable = variable(&["accounts".to_owned(), account.clone(), key.clone()]);
            let place = match places.get(&account).map(Vec::as_slice) {
                None | Some([]) => {
                    accounts.push(Value::from(Dict::from([("name".to_owned(), account.to_lowercase().into())])));
                    places.insert(account, vec![accounts.len() - 1]);
                    accounts.len() - 1
                }
                Some([first, others @ ..]) => {
                    // Two of the same name are refused later, with a better message.
                    if let Some(other) = others.iter().find(|other| name(&accounts[**other]) != name(&accounts[*first])) {
                        let [first, other] = [first, other].map(|place| described(&accounts[*place], *place));
                        let remedy = "rename one of the two, or give the key in the file";
                        return Err(ConfigError::at(variable, format!("can mean {first} and {other}; {remedy}")));
                    }
                    *first
                }
            };
            if let Value::Dict(_, fields) = &mut accounts[place] {
                fields.insert(key.clone(), value);
                // The environment comes after the file: a secret given there takes the place of the file's.
                if let Some(rival) = rival(&key).filter(|rival| !given.contains_key(&(place, rival.clone()))) {
                    fields.remove(&rival);
                }
                given.insert((place, key), variable);
            }
        }
        Ok(Accounts { accounts: Some(accounts.into()), variables: given })
    }

    /// The variable that gave a key, if it was one.
    pub(super) fn place(&self, path: &[String]) -> Option<String> {
        match path {
            [accounts, place, key, ..] if accounts == "accounts" => {
                self.variables.get(&(place.parse().ok()?, key.clone())).cloned()
            }
            _ => None,
        }
    }
}

fn name(account: &Value) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    account.deserialize::<Named>().ok().map(|named| named.name)
}

/// An account by its place, and by its name where that is one that every page shows.
fn described(account: &Value, place: usize) -> String {
    let place = place + 1;
    match name(account).filter(|name| name_fault(name).is_none()) {
        Some(name) => format!("accounts[{place}] (`{name}`)"),
        None => format!("accounts[{place}]"),
    }
}

fn variable_name(account: &str) -> String {
    account.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// The key that says the same in another way: `password` and `password_file`.
fn rival(key: &str) -> Option<String> {
    match key.strip_suffix("_file") {
        Some(value) => Some(value.to_owned()),
        None if ["password", "token", "totp_secret"].contains(&key) => Some(format!("{key}_file")),
        None => None,
    }
}

impl Provider for &Accounts {
    fn metadata(&self) -> Metadata {
        Metadata::named("accounts")
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let accounts = self.accounts.iter().map(|accounts| ("accounts".to_owned(), accounts.clone()));
        Ok(Profile::Default.collect(accounts.collect::<Dict>()))
    }
}
