//! The lines of a configuration file on which its keys and values stand, for messages.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::yaml::{self, Node, Value};

/// A table or list by keys and places, each with its line and what is below it; a plain value has nothing below.
#[derive(Default)]
pub(super) struct Lines(BTreeMap<String, (usize, Lines)>);

impl Lines {
    pub(super) fn of_toml(text: &str) -> Lines {
        let ends: Vec<usize> = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
        let line = |span: Range<usize>| 1 + ends.partition_point(|end| *end < span.start);
        DeTable::parse(text).map(|table| of_toml_table(table.get_ref(), &line)).unwrap_or_default()
    }

    pub(super) fn of_yaml(text: &str) -> Lines {
        yaml::parse(text).map(|node| of_yaml_node(&node)).unwrap_or_default()
    }

    /// The line of a path, or of the closest table around it that stands in the file.
    pub(super) fn find(&self, path: &[String]) -> Option<usize> {
        let (part, rest) = path.split_first()?;
        let (line, below) = self.0.get(part)?;
        below.find(rest).or(Some(*line))
    }
}

fn of_toml_table(table: &DeTable<'_>, line: &impl Fn(Range<usize>) -> usize) -> Lines {
    let entries = table
        .iter()
        .map(|(key, value)| (key.get_ref().clone().into_owned(), (line(key.span()), of_toml_value(value.get_ref(), line))));
    Lines(entries.collect())
}

fn of_toml_value(value: &DeValue<'_>, line: &impl Fn(Range<usize>) -> usize) -> Lines {
    match value {
        DeValue::Table(table) => of_toml_table(table, line),
        DeValue::Array(array) => {
            let entries = array
                .iter()
                .enumerate()
                .map(|(i, value)| (i.to_string(), (line(value.span()), of_toml_value(value.get_ref(), line))));
            Lines(entries.collect())
        }
        _ => Lines::default(),
    }
}

fn of_yaml_node(node: &Node) -> Lines {
    let entries: Vec<(String, &Node)> = match &node.value {
        Value::Map(map) => map.iter().map(|(key, node)| (key.clone(), node)).collect(),
        Value::List(list) => list.iter().enumerate().map(|(i, node)| (i.to_string(), node)).collect(),
        _ => Vec::new(),
    };
    Lines(entries.into_iter().map(|(key, node)| (key, (node.line, of_yaml_node(node)))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_place_has_its_line() {
        let toml = "currencies = [\n  \"xmr\",\n  \"bcn\",\n]\n\n[api]\ntimeout = \"1s\"\n[[accounts]]\nname = \"a\"\n\n[[accounts]]\nname = \"b\"\n";
        let yaml = "currencies:\n  - xmr\n  - bcn\n\n\napi:\n  timeout: 1s\naccounts:\n  - name: a\n\n  -\n    name: b\n";
        for (lines, format) in [(Lines::of_toml(toml), "TOML"), (Lines::of_yaml(yaml), "YAML")] {
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
                assert_eq!(lines.find(&path), line, "{format} {path:?}");
            }
        }
    }
}
