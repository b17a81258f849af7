//! A YAML document whose values know their line and key, so that a fault can be said with its place.
//!
//! A fault never quotes the document: any value can be a secret that slipped into the wrong line.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::anyhow;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error, Spanned};

use minergate::spelling;

/// A value of YAML.
enum Value {
    Null,
    Flag(bool),
    Number(i64),
    Text(String),
    List(Vec<Node>),
    Map(BTreeMap<String, Node>),
    /// What no key of ours takes, such as a fraction.
    Other,
}

type Node = Spanned<Value>;

/// A value with the name of its file and its key.
pub(super) struct Entry {
    file: String,
    key: String,
    line: u64,
    value: Value,
}

/// A mapping whose entries are taken out one by one.
pub(super) struct Map {
    file: String,
    key: String,
    entries: BTreeMap<String, Node>,
}

impl Entry {
    /// Parses a document; nothing at all is `null`.
    pub(super) fn parse(file: &str, text: &str) -> anyhow::Result<Entry> {
        // The format is three levels deep; each costs some of the stack.
        let options = serde_saphyr::options! { budget: serde_saphyr::budget! { max_depth: 8 } };
        let node: Option<Node> = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let place = error.location().map(|l| format!(":{}:{}", l.line(), l.column())).unwrap_or_default();
            let fault = match error.without_snippet() {
                Error::DuplicateMappingKey { .. } => "a key stands twice; keep one of them",
                _ => "not valid YAML; check its indentation, and put texts with special characters in quotes",
            };
            anyhow!("{file}{place}: {fault}")
        })?;
        let (line, value) = node.map_or((1, Value::Null), |node| (node.referenced.line(), node.value));
        Ok(Entry { file: file.to_owned(), key: String::new(), line, value })
    }

    /// The entry without its value, to say faults with once the value is taken apart.
    pub(super) fn place(&self) -> Entry {
        Entry { file: self.file.clone(), key: self.key.clone(), line: self.line, value: Value::Null }
    }

    /// The same entry under the key of the mapping that it stands in.
    pub(super) fn of_parent(mut self) -> Entry {
        self.key.truncate(self.key.find('.').unwrap_or_default());
        self
    }

    /// An error of this entry: the fault, and the remedy.
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
        let text = if let Value::Text(text) = &self.value { text.as_str() } else { "" };
        match (&self.value, text.to_ascii_lowercase().as_str()) {
            (Value::Flag(flag), _) => Ok(*flag),
            // As YAML 1.1 has it, which the format's other readers follow.
            (_, "yes" | "on" | "y") => Ok(true),
            (_, "no" | "off" | "n") => Ok(false),
            _ => Err(self.fault("is neither true nor false; give one of the two")),
        }
    }

    pub(super) fn number(&self) -> anyhow::Result<i64> {
        match self.value {
            Value::Number(number) => Ok(number),
            _ => Err(self.fault("is not a whole number; give one such as 10")),
        }
    }

    /// The text, or the number as one.
    pub(super) fn text_or_number(&self) -> anyhow::Result<String> {
        match self.value {
            Value::Number(number) => Ok(number.to_string()),
            _ => self.text().map(str::to_owned),
        }
    }

    /// The list's entries.
    pub(super) fn list(self) -> anyhow::Result<Vec<Entry>> {
        let Value::List(nodes) = self.value else {
            return Err(self.fault("is not a list; write each of its values in a line of its own, after \"- \""));
        };
        let entry = |(i, node): (usize, Node)| Entry {
            file: self.file.clone(),
            key: format!("{}[{}]", self.key, i + 1),
            line: node.referenced.line(),
            value: node.value,
        };
        Ok(nodes.into_iter().enumerate().map(entry).collect())
    }

    /// The mapping; `null` is an empty one.
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

    /// Takes an entry out. One that is `null` counts as left out.
    pub(super) fn take(&mut self, key: &str) -> Option<Entry> {
        let node = self.entries.remove(key).filter(|node| !matches!(node.value, Value::Null))?;
        Some(self.entry(key, node))
    }

    /// All that is left, with their own names.
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

    /// Fails if there is a key other than these.
    pub(super) fn only(&self, known: &[&str]) -> anyhow::Result<()> {
        let Some((key, node)) = self.entries.iter().find(|(key, _)| !known.contains(&key.as_str())) else { return Ok(()) };
        let place = format!("{}:{}:", self.file, node.referenced.line());
        let within = if self.key.is_empty() { String::new() } else { format!("{}: ", self.key) };
        // A key that resembles none may be a secret whose own key was forgotten.
        Err(match spelling::nearest_key(key, known.iter().copied()) {
            Some(like) => anyhow!("{place} {within}unknown key `{key}`; did you mean `{like}`?"),
            None => anyhow!("{place} {within}unknown key; those there are: {}", known.join(", ")),
        })
    }

    fn entry(&self, name: &str, node: Node) -> Entry {
        let key = if self.key.is_empty() { name.to_owned() } else { format!("{}.{name}", self.key) };
        Entry { file: self.file.clone(), key, line: node.referenced.line(), value: node.value }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(i64::try_from(number).map_or(Value::Other, Value::Number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = access.next_element()? {
            list.push(node);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((key, node)) = access.next_entry()? {
            map.insert(key, node);
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_nested_without_end_is_refused() {
        for text in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000)] {
            assert!(Entry::parse("f", &text).is_err());
        }
        let laughs = (1..30).fold("a0: &a0 [1]\n".to_owned(), |text, i| {
            let before = format!("*a{}", i - 1);
            format!("{text}a{i}: &a{i} [{before}, {before}, {before}]\n")
        });
        assert!(Entry::parse("f", &laughs).is_err());
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "(?s).*", yaml in "([a-z]{1,2}: |\\[|\\]|- |\n|  |'|\"|&a |\\*a|<<: |#|~|\\|\n|!!str |0x|1.5e3|,|\\{|\\}){0,40}") {
            for text in [text, yaml] {
                let _ = Entry::parse("f", &text).and_then(Entry::map).map(Map::rest);
            }
        }
    }
}
