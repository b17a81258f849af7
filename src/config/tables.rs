//! The lists of named tables, `accounts` and `pools`, merged from file and environment.

use std::collections::BTreeMap;

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};
use serde::Deserialize;

use super::environment::{SECRETS, TableVariable, WALLETS, variable};
use super::error::ConfigError;
use super::pool::name_fault;

/// One of the lists.
pub(super) struct Tables {
    list: &'static str,
    values: Option<Value>,
    /// The variables that gave keys, by the path of the key.
    variables: Vec<(Vec<String>, String)>,
}

impl Tables {
    /// Adds the variables' values to the file's tables. A variable names its table by the table's name in capitals,
    /// with `_` for other characters than letters and digits. If there is no such table, a new one is created. In the same way, a variable
    /// names the pool of a wallet.
    pub(super) fn merge(
        list: &'static str,
        file: Option<Value>,
        variables: Vec<TableVariable>,
        pools: &[String],
    ) -> Result<Tables, ConfigError> {
        let mut given: Vec<(Vec<String>, String)> = Vec::new();
        if variables.is_empty() {
            return Ok(Tables { list, values: file, variables: given });
        }
        let mut tables = match file {
            None => Vec::new(),
            Some(Value::Array(_, tables)) => tables,
            Some(_) => {
                let one = list.trim_end_matches('s');
                let message = format!("expected a list of tables; write each {one} as [[{list}]]");
                return Err(ConfigError::at(list, message));
            }
        };
        let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, table) in tables.iter().enumerate() {
            places.entry(variable_name(&name(table).unwrap_or_default())).or_default().push(place);
        }
        for TableVariable { table, mut key, value } in variables {
            let mut parts = vec![list.to_owned(), table.clone()];
            parts.extend(key.iter().cloned());
            let pool = if let [_, pool] = key.as_mut_slice() { Some(pool) } else { None };
            let known =
                pool.map(|pool| resolve(pool, pools).map_err(|message| ConfigError::at(variable(&parts, &[]), message)));
            let shown = if known.transpose()? == Some(true) { &parts[3..] } else { &[] };
            let variable = variable(&parts, shown);
            let place = match places.get(&table).map(Vec::as_slice) {
                None | Some([]) => {
                    tables.push(Value::from(Dict::from([("name".to_owned(), table.to_lowercase().into())])));
                    places.insert(table, vec![tables.len() - 1]);
                    tables.len() - 1
                }
                Some([first, others @ ..]) => {
                    // Two tables with the same name are reported later, with a better message.
                    if let Some(other) = others.iter().find(|other| name(&tables[**other]) != name(&tables[*first])) {
                        let [first, other] = [first, other].map(|place| described(list, &tables[*place], *place));
                        let remedy = "rename one of the two, or give the key in the file";
                        return Err(ConfigError::at(variable, format!("can mean {first} and {other}; {remedy}")));
                    }
                    *first
                }
            };
            let path = |key: &[String]| [&[list.to_owned(), place.to_string()], key].concat();
            // The environment takes precedence over the file: a secret in a variable replaces the file's.
            if let Some(rival) =
                alternative_key(&key).filter(|rival| !given.iter().any(|(path_given, _)| *path_given == path(rival)))
            {
                remove(&mut tables[place], &rival);
            }
            insert(&mut tables[place], &key, value);
            given.push((path(&key), variable));
        }
        Ok(Tables { list, values: Some(tables.into()), variables: given })
    }

    /// The variable that gave a key, if there is one; for a table in a table, a variable that gave something in it.
    pub(super) fn place(&self, path: &[String]) -> Option<String> {
        let own = self.variables.iter().find(|(given, _)| path.starts_with(given));
        let below = || self.variables.iter().find(|(given, _)| path.len() > 2 && given.starts_with(path));
        own.or_else(below).map(|(_, variable)| variable.clone())
    }

    /// The valid names of the tables, which messages may show.
    pub(super) fn names(&self) -> Vec<String> {
        let tables = self.values.as_ref().and_then(Value::as_array).unwrap_or_default();
        tables.iter().filter_map(name).filter(|name| name_fault(name).is_none()).collect()
    }
}

/// Replaces a pool's name in the form of a variable with the pool's name. Returns whether there is such a pool.
fn resolve(part: &mut String, pools: &[String]) -> Result<bool, String> {
    let mut found = pools.iter().filter(|pool| variable_name(pool) == *part);
    let Some(pool) = found.next() else {
        *part = part.to_lowercase();
        return Ok(false);
    };
    if let Some(other) = found.find(|other| *other != pool) {
        return Err(format!(
            "can mean the pools `{pool}` and `{other}`; rename one of the two, or give the key in the file"
        ));
    }
    part.clone_from(pool);
    Ok(true)
}

fn insert(node: &mut Value, key: &[String], value: Value) {
    // A value that should be a table but is not is reported later.
    let (Value::Dict(_, fields), Some((first, rest))) = (node, key.split_first()) else { return };
    if rest.is_empty() {
        fields.insert(first.clone(), value);
    } else {
        insert(fields.entry(first.clone()).or_insert_with(|| Dict::new().into()), rest, value);
    }
}

fn remove(node: &mut Value, key: &[String]) {
    let (Value::Dict(_, fields), Some((first, rest))) = (node, key.split_first()) else { return };
    let Some(below) = fields.get_mut(first) else { return };
    if !rest.is_empty() {
        remove(below, rest);
    }
    // A table without keys is the same as one that is left out.
    if rest.is_empty() || below.as_dict().is_some_and(Dict::is_empty) {
        fields.remove(first);
    }
}

fn name(table: &Value) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    table.deserialize::<Named>().ok().map(|named| named.name)
}

/// A table by its index, and by its name if the name is valid.
fn described(list: &str, table: &Value, place: usize) -> String {
    let place = format!("{list}[{}]", place + 1);
    match name(table) {
        Some(name) if name_fault(&name).is_none() => format!("{place} (`{name}`)"),
        _ => place,
    }
}

/// A name in the form of a variable.
pub(super) fn variable_name(table: &str) -> String {
    table.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// The key with the same meaning: `password` and `password_file`, `wallets.x` and `wallet_files.x`.
fn alternative_key(key: &[String]) -> Option<Vec<String>> {
    match key {
        [table, pool] => {
            let other = WALLETS.into_iter().find(|other| other != table)?;
            Some(vec![other.to_owned(), pool.clone()])
        }
        [key] => match key.strip_suffix("_file") {
            Some(value) => Some(vec![value.to_owned()]),
            None => SECRETS.contains(&key.as_str()).then(|| vec![format!("{key}_file")]),
        },
        _ => None,
    }
}

impl Provider for &Tables {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.list)
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let tables = self.values.iter().map(|tables| (self.list.to_owned(), tables.clone()));
        Ok(Profile::Default.collect(tables.collect::<Dict>()))
    }
}
