//! A document in YAML or TOML. Its values know their lines, so that a message can name the place of a mistake.
//!
//! Messages never quote the document, because any value can be a misplaced secret.

mod scalar;
mod toml;
mod yaml;

use std::collections::BTreeMap;

pub use self::toml::parse as parse_toml;
pub use self::yaml::parse as parse_yaml;

const REPEATED: &str = "a key is given twice; keep one of them";

/// A value of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    /// A number that is not a [`Value::Integer`].
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(BTreeMap<String, Node>),
}

/// A value with the line of its key, or its own line if it has no key. Lines are counted from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub line: usize,
    pub value: Value,
}

/// Why a text is not a document. The message does not quote the text.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// Line and column, counted from 1.
    pub place: (usize, usize),
    message: &'static str,
}

impl Node {
    /// The value of a key, if this is a mapping with this key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        if let Value::Map(map) = &self.value { map.get(key) } else { None }
    }

    /// The values of a list; none if this is not a list.
    pub fn items(&self) -> &[Node] {
        if let Value::List(list) = &self.value { list } else { &[] }
    }

    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The line of a path of keys and indexes, or of the closest enclosing value in the document.
    pub fn line_of(&self, path: &[String]) -> Option<usize> {
        let (part, rest) = path.split_first()?;
        let node = self.get(part).or_else(|| self.items().get(part.parse::<usize>().ok()?))?;
        node.line_of(rest).or(Some(node.line))
    }

    /// This value and all values in it.
    fn count(&self) -> usize {
        let within = match &self.value {
            Value::List(list) => list.iter().map(Node::count).sum(),
            Value::Map(map) => map.values().map(Node::count).sum(),
            _ => 0,
        };
        1 + within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_place_has_its_line() {
        let toml = "currencies = [\n  \"xmr\",\n  \"bcn\",\n]\n\n[api]\ntimeout = \"1s\"\n[[accounts]]\nname = \"a\"\n\n[[accounts]]\nname = \"b\"\n";
        let yaml = "currencies:\n  - xmr\n  - bcn\n\n\napi:\n  timeout: 1s\naccounts:\n  - name: a\n\n  -\n    name: b\n";
        for (document, format) in [(parse_toml(toml), "TOML"), (parse_yaml(yaml), "YAML")] {
            let document = document.unwrap();
            for (path, line) in [
                ("currencies", Some(1)),
                ("currencies/1", Some(3)),
                ("api", Some(6)),
                ("api/timeout", Some(7)),
                ("api/missing", Some(6)),
                ("accounts/0/name", Some(9)),
                ("accounts/1/name", Some(12)),
                ("missing", None),
            ] {
                let path: Vec<String> = path.split('/').map(str::to_owned).collect();
                assert_eq!(document.line_of(&path), line, "{format} {path:?}");
            }
        }
    }
}
