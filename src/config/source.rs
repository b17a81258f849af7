//! Where values come from: the file (TOML or YAML), the environment, flags, and the accounts of file and environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider, providers};
use serde::Deserialize;

use super::ENVIRONMENT_PREFIX;

/// Fields of an account that are not texts; all others are taken from the environment to the letter, for a password of
/// digits is no number.
const ACCOUNT_LISTS: &[&str] = &["endpoints"];

/// Opening brackets in a variable's value; what has more is a text.
const MAX_BRACKETS: usize = 16;

/// The configuration file, parsed.
pub(super) struct File {
    path: Option<PathBuf>,
    values: Dict,
}

impl File {
    /// Reads a file, or takes a text of TOML; without either, there is nothing in it. Returns all that is not an account,
    /// and the accounts.
    pub(super) fn read(path: Option<&Path>, text: Option<&str>) -> anyhow::Result<(File, Option<Value>)> {
        let mut file = File { path: path.map(Path::to_owned), values: Dict::new() };
        let read = path.map(std::fs::read_to_string).transpose().map_err(|error| {
            anyhow::anyhow!("can't read {}: {}; give another --config.file", file.name(), unreadable(error.kind()))
        })?;
        let text = read.as_deref().or(text).unwrap_or_default();
        let extension = path.and_then(Path::extension);
        // Neither parser's own message will do: they quote the line, which can be a password's.
        file.values = if extension.is_some_and(|extension| extension == "yaml" || extension == "yml") {
            serde_saphyr::from_str::<Option<Dict>>(text).map(Option::unwrap_or_default).map_err(|error| {
                let place = error.location().map(|l| format!(":{}:{}", l.line(), l.column())).unwrap_or_default();
                let remedy = "check its indentation, and put texts with special characters in quotes";
                anyhow::anyhow!("{}{place}: not valid YAML; {remedy}", file.name())
            })?
        } else {
            toml::from_str(text).map_err(|error| {
                let place = error.span().map(|span| line_and_column(text, span.start)).unwrap_or_default();
                anyhow::anyhow!("{}{place}: not valid TOML: {}", file.name(), error.message())
            })?
        };
        let accounts = file.values.remove("accounts");
        Ok((file, accounts))
    }

    pub(super) fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| "configuration".to_owned(), |path| path.display().to_string())
    }

    /// The file that a path in the configuration stands for: a relative one is systemd's credential of that name, if there
    /// is one, or lies beside the configuration.
    pub(super) fn resolve(&self, path: &Path, credentials: Option<&Path>) -> PathBuf {
        let below = |prefix| path.strip_prefix(prefix).ok();
        if let Some((credentials, rest)) =
            credentials.zip(below("$CREDENTIALS_DIRECTORY").or_else(|| below("${CREDENTIALS_DIRECTORY}")))
        {
            return credentials.join(rest);
        }
        // A directory's files are credentials with a _ for each /, as LoadCredential= names them.
        let names = [path.to_owned(), path.to_string_lossy().replace('/', "_").into()];
        let credential = credentials.and_then(|all| names.iter().map(|name| all.join(name)).find(|path| path.exists()));
        let directory = self.path.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        credential.unwrap_or_else(|| directory.join(path))
    }
}

fn line_and_column(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count());
    format!(":{}:{}", before.matches('\n').count() + 1, column + 1)
}

impl Provider for &File {
    fn metadata(&self) -> Metadata {
        Metadata::named("file")
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

/// The exporter's own variables, less those of accounts.
pub(super) struct Environment(Vec<(String, String)>);

impl Environment {
    /// Picks the exporter's variables, and sets those of accounts apart: account, field, value.
    pub(super) fn split(variables: Vec<(String, String)>) -> (Environment, Vec<AccountVariable>) {
        let mut others = Vec::new();
        let mut accounts = Vec::new();
        for (name, value) in variables {
            let Some(key) = name.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
            match key.strip_prefix("ACCOUNTS__").and_then(|rest| rest.rsplit_once("__")) {
                Some((account, field)) => {
                    let (account, field) = (account.to_owned(), field.to_lowercase());
                    accounts.push(AccountVariable { variable: name, account, field, value });
                }
                None => others.push((key.to_lowercase().replace("__", "."), value)),
            }
        }
        (Environment(others), accounts)
    }
}

impl Environment {
    /// The variable that gave a key, if it was one.
    pub(super) fn place(&self, path: &[String]) -> Option<String> {
        let path = path.join(".") + ".";
        let (key, _) = self.0.iter().find(|(key, _)| path.starts_with(&format!("{key}.")))?;
        Some(format!("{ENVIRONMENT_PREFIX}{}", key.replace('.', "__").to_uppercase()))
    }
}

impl Provider for &Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named("environment")
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let mut values = Dict::new();
        for (key, value) in &self.0 {
            let value = parsed(value).unwrap_or_else(|| value.clone().into());
            let nested = figment::util::nest(key, value);
            let nested = nested.into_dict().unwrap_or_default();
            values = join(values, nested);
        }
        Ok(Profile::Default.collect(values))
    }
}

/// A variable's value that is more than a text: a number, a list, a table.
fn parsed(variable: &str) -> Option<Value> {
    // The parser calls itself at each bracket: some hundred of them would overflow the stack.
    let brackets = variable.bytes().filter(|b| matches!(b, b'[' | b'{')).count();
    if brackets > MAX_BRACKETS { None } else { variable.parse().ok() }
}

/// Two trees of values in one; where both have a value, the second one's.
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

/// Values given as flags.
pub(super) struct Flags(pub(super) Dict);

impl Flags {
    /// The flag that gave a key, if it was one.
    pub(super) fn place(&self, path: &[String]) -> Option<String> {
        let key = path.get(..2)?.join(".");
        Value::from(self.0.clone()).find(&key)?;
        // As every exporter of the Prometheus project has it.
        let flag = if key == "web.config_file" { "web.config.file".to_owned() } else { key.replace('_', "-") };
        Some(format!("--{flag}"))
    }
}

impl Provider for &Flags {
    fn metadata(&self) -> Metadata {
        Metadata::named("flags")
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        providers::Serialized::defaults(&self.0).data()
    }
}

/// One field of one account, given in the environment.
pub(super) struct AccountVariable {
    variable: String,
    account: String,
    field: String,
    value: String,
}

/// The accounts of file and environment together.
pub(super) struct Accounts {
    accounts: Option<Value>,
    /// Which variable gave the field, by the account's place in the list and the field's name.
    variables: BTreeMap<(usize, String), String>,
}

impl Accounts {
    /// Puts the variables' values into the file's accounts. A variable names its account by the account's name in capitals,
    /// with `_` for what is neither letter nor digit; one that names none there is makes a new account.
    pub(super) fn merge(file: Option<Value>, variables: Vec<AccountVariable>) -> anyhow::Result<Accounts> {
        let mut given = BTreeMap::new();
        if variables.is_empty() {
            return Ok(Accounts { accounts: file, variables: given });
        }
        let mut accounts = match file {
            None => Vec::new(),
            Some(Value::Array(_, accounts)) => accounts,
            Some(_) => bail!("accounts: expected a list of tables; write each account as [[accounts]]"),
        };
        for AccountVariable { variable, account, field, value } in variables {
            let place = accounts.iter().position(|known| name(known).is_some_and(|name| variable_name(&name) == account));
            let place = place.unwrap_or_else(|| {
                accounts.push(Value::from(Dict::from([("name".to_owned(), account.to_lowercase().into())])));
                accounts.len() - 1
            });
            let list = ACCOUNT_LISTS.contains(&field.as_str()).then(|| parsed(&value)).flatten();
            if let Value::Dict(_, fields) = &mut accounts[place] {
                fields.insert(field.clone(), list.unwrap_or_else(|| value.into()));
                // The environment comes after the file: a secret given there takes the place of the file's.
                if let Some(rival) = rival(&field).filter(|rival| !given.contains_key(&(place, rival.clone()))) {
                    fields.remove(&rival);
                }
                given.insert((place, field), variable);
            }
        }
        Ok(Accounts { accounts: Some(accounts.into()), variables: given })
    }

    /// The variable that gave a field, if it was one.
    pub(super) fn place(&self, path: &[String]) -> Option<String> {
        match path {
            [accounts, place, field, ..] if accounts == "accounts" => {
                self.variables.get(&(place.parse().ok()?, field.clone())).cloned()
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

fn variable_name(account: &str) -> String {
    account.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// The field that says the same in another way: `password` and `password_file`.
fn rival(field: &str) -> Option<String> {
    match field.strip_suffix("_file") {
        Some(value) => Some(value.to_owned()),
        None if ["password", "token", "totp_secret"].contains(&field) => Some(format!("{field}_file")),
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

/// Why a file can't be read.
fn unreadable(kind: std::io::ErrorKind) -> &'static str {
    match kind {
        std::io::ErrorKind::NotFound => "no such file",
        std::io::ErrorKind::PermissionDenied => "permission denied",
        std::io::ErrorKind::IsADirectory => "it is a directory",
        std::io::ErrorKind::InvalidData => "it is not UTF-8",
        _ => "reading failed",
    }
}
