//! The entries of the web configuration file, with file, key and line for error messages.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::anyhow;
use minergate::spelling;

use crate::document::{Node, Value, parse_yaml};

/// A value with the name of its file and its key.
pub(super) struct Entry {
    file: String,
    key: String,
    line: usize,
    value: Value,
}

/// A mapping whose entries are taken out one by one.
pub(super) struct Map {
    file: String,
    key: String,
    entries: BTreeMap<String, Node>,
}

impl Entry {
    /// Parses a document. An empty document is `null`.
    pub(super) fn parse(file: &str, text: &str) -> anyhow::Result<Entry> {
        let node = parse_yaml(text).map_err(|error| {
            let (line, column) = error.place;
            anyhow!("{file}:{line}:{column}: {error}")
        })?;
        Ok(Entry { file: file.to_owned(), key: String::new(), line: node.line, value: node.value })
    }

    /// The entry without its value, for error messages after the value was taken apart.
    pub(super) fn place(&self) -> Entry {
        Entry { file: self.file.clone(), key: self.key.clone(), line: self.line, value: Value::Null }
    }

    /// The entry with the key of its parent, for messages that must not contain its own key.
    pub(super) fn of_parent(mut self) -> Entry {
        self.key.truncate(self.key.find('.').unwrap_or_default());
        self
    }

    /// An error about this entry: the fault, and the remedy.
    pub(super) fn fault(&self, sentence: impl fmt::Display) -> anyhow::Error {
        let key = if self.key.is_empty() { String::new() } else { format!(" {}:", self.key) };
        anyhow!("{}:{}:{key} {sentence}", self.file, self.line)
    }

    pub(super) fn text(&self) -> anyhow::Result<&str> {
        match &self.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.fault("is not a text; put it in quotes")),
        }
    }

    pub(super) fn flag(&self) -> anyhow::Result<bool> {
        match self.value {
            Value::Bool(flag) => Ok(flag),
            _ => Err(self.fault("is neither true nor false; give one of the two")),
        }
    }

    pub(super) fn number(&self) -> anyhow::Result<i64> {
        match self.value {
            Value::Integer(number) => Ok(number),
            _ => Err(self.fault("is not a whole number; give one such as 10")),
        }
    }

    /// The text, or the number as a text.
    pub(super) fn text_or_number(&self) -> anyhow::Result<String> {
        match self.value {
            Value::Integer(number) => Ok(number.to_string()),
            _ => self.text().map(str::to_owned),
        }
    }

    /// The list's elements.
    pub(super) fn list(self) -> anyhow::Result<Vec<Entry>> {
        let Value::List(nodes) = self.value else {
            return Err(self.fault("is not a list; write each of its values in a line of its own, after \"- \""));
        };
        let entry = |(i, node): (usize, Node)| Entry {
            file: self.file.clone(),
            key: format!("{}[{}]", self.key, i + 1),
            line: node.line,
            value: node.value,
        };
        Ok(nodes.into_iter().enumerate().map(entry).collect())
    }

    /// The mapping. `null` counts as empty.
    pub(super) fn map(self) -> anyhow::Result<Map> {
        let entries = match self.value {
            Value::Map(entries) => entries,
            Value::Null => BTreeMap::new(),
            _ => return Err(self.fault("is not a mapping; write its keys as \"key: value\", each in a line of its own")),
        };
        Ok(Map { file: self.file, key: self.key, entries })
    }
}

impl Map {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Removes an entry and returns it. A `null` counts as left out.
    pub(super) fn take(&mut self, key: &str) -> Option<Entry> {
        let node = self.entries.remove(key).filter(|node| !matches!(node.value, Value::Null))?;
        Some(self.entry(key, node))
    }

    /// The remaining entries with their keys.
    pub(super) fn rest(mut self) -> Vec<(String, Entry)> {
        let entries = std::mem::take(&mut self.entries);
        entries
            .into_iter()
            .map(|(name, node)| {
                let entry = self.entry(&name, node);
                (name, entry)
            })
            .collect()
    }

    /// Fails if there is any other key.
    pub(super) fn only(&self, known: &[&str]) -> anyhow::Result<()> {
        let Some((key, node)) = self.entries.iter().find(|(key, _)| !known.contains(&key.as_str())) else { return Ok(()) };
        let place = format!("{}:{}:", self.file, node.line);
        let within = if self.key.is_empty() { String::new() } else { format!("{}: ", self.key) };
        // A key that resembles no known one may be a secret whose own key was forgotten.
        Err(match spelling::nearest_key(key, known.iter().copied()) {
            Some(like) => anyhow!("{place} {within}unknown key `{key}`; did you mean `{like}`?"),
            None => anyhow!("{place} {within}unknown key; known are: {}", known.join(", ")),
        })
    }

    fn entry(&self, name: &str, node: Node) -> Entry {
        let key = if self.key.is_empty() { name.to_owned() } else { format!("{}.{name}", self.key) };
        Entry { file: self.file.clone(), key, line: node.line, value: node.value }
    }
}
