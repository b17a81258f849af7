//! The configuration file, TOML or YAML: its values, their lines, and the paths in it.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use figment::value::{Dict, Empty, Map, Tag, Value};
use figment::{Metadata, Profile, Provider};

use super::error::ConfigError;
use crate::document::{self, Node, parse_toml, parse_yaml};
use minergate::file;

/// Maximum size of the configuration file, in bytes. 100,000 accounts take about 20 MB.
const MAX_BYTES: usize = 64 << 20;

/// The file, parsed.
pub(super) struct File {
    path: Option<PathBuf>,
    text: String,
    values: Dict,
}

impl File {
    /// Reads a file, or takes a text in TOML. Without either, the configuration is empty.
    pub(super) fn read(path: Option<&Path>, text: Option<&str>) -> Result<File, ConfigError> {
        let mut file =
            File { path: path.map(Path::to_owned), text: text.unwrap_or_default().to_owned(), values: Dict::new() };
        if let Some(path) = path {
            file.text = read(path).map_err(|error| {
                ConfigError::at("", format!("can't read {}: {error}; give another --config.file", path.display()))
            })?;
        }
        let root = file.parse()?;
        file.values = match root.value {
            document::Value::Map(map) => dict(map),
            document::Value::Null => Dict::new(),
            _ => {
                let place = format!("{}:{}", file.name(), root.line);
                return Err(ConfigError::at(place, "is not a mapping; write its keys as \"key: value\""));
            }
        };
        Ok(file)
    }

    /// Removes a top-level key and returns its value, which is then merged with the environment's.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.values.remove(key)
    }

    fn parse(&self) -> Result<Node, ConfigError> {
        let document = if self.is_yaml() { parse_yaml(&self.text) } else { parse_toml(&self.text) };
        document.map_err(|error| {
            let (line, column) = error.place;
            ConfigError::at(format!("{}:{line}:{column}", self.name()), error.to_string())
        })
    }

    fn is_yaml(&self) -> bool {
        let extension = self.path.as_deref().and_then(Path::extension);
        extension.is_some_and(|extension| extension == "yaml" || extension == "yml")
    }

    fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| "configuration".to_owned(), |path| path.display().to_string())
    }

    /// The file's values with their lines. Only errors need them, so the file is parsed again for an error.
    pub(super) fn document(&self) -> Option<Node> {
        self.parse().ok()
    }

    /// The place of a key: file and line.
    pub(super) fn place(&self, document: Option<&Node>, path: &[String]) -> String {
        let line = document.and_then(|document| document.line_of(path));
        line.map_or_else(|| self.name(), |line| format!("{}:{line}", self.name()))
    }

    /// The file for a path in the configuration. A relative path is systemd's credential of that name, if there
    /// is one, or else is relative to the configuration file.
    pub(super) fn resolve(&self, path: &Path, credentials: Option<&Credentials>) -> PathBuf {
        let directory = self.path.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        credentials.and_then(|credentials| credentials.find(path)).unwrap_or_else(|| directory.join(path))
    }
}

fn read(path: &Path) -> Result<String, file::Error> {
    let bytes = file::read_blocking(path, MAX_BYTES)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| file::Error::NotText)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned())
}

fn dict(map: BTreeMap<String, Node>) -> Dict {
    map.into_iter().map(|(key, node)| (key, value(node))).collect()
}

fn value(node: Node) -> Value {
    match node.value {
        document::Value::Null => Value::Empty(Tag::Default, Empty::Unit),
        document::Value::Bool(value) => value.into(),
        document::Value::Integer(number) => number.into(),
        document::Value::Float(number) => number.into(),
        document::Value::Text(text) => text.into(),
        document::Value::List(list) => list.into_iter().map(value).collect::<Vec<_>>().into(),
        document::Value::Map(map) => dict(map).into(),
    }
}

impl Provider for &File {
    fn metadata(&self) -> Metadata {
        Metadata::named("file")
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

/// systemd's credentials: a directory of files.
pub(super) struct Credentials {
    directory: PathBuf,
    names: HashSet<PathBuf>,
}

impl Credentials {
    /// Lists the directory. If it can't be read, there are no files.
    pub(super) fn list(directory: PathBuf) -> Credentials {
        let own = directory.clone();
        let names = file::run_blocking(&directory, move || {
            let entries = std::fs::read_dir(own).into_iter().flatten().flatten();
            entries.map(|entry| PathBuf::from(entry.file_name())).collect()
        });
        Credentials { directory, names: names.unwrap_or_default() }
    }

    fn find(&self, path: &Path) -> Option<PathBuf> {
        let below = |prefix| path.strip_prefix(prefix).ok();
        if let Some(rest) = below("$CREDENTIALS_DIRECTORY").or_else(|| below("${CREDENTIALS_DIRECTORY}")) {
            return Some(self.directory.join(rest));
        }
        // The credentials of a directory have `_` in place of each `/`, as LoadCredential= names them.
        let names = [path.to_owned(), path.to_string_lossy().replace('/', "_").into()];
        names.iter().find(|name| self.names.contains(*name)).map(|name| self.directory.join(name))
    }
}
