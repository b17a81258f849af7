//! The lines of a configuration file on which its keys and values stand, for messages.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use toml::de::{DeTable, DeValue};

/// A table or list by keys and places, each with its line and what is below it; a plain value has nothing below.
#[derive(Default)]
pub(super) struct Lines(BTreeMap<String, (u64, Lines)>);

impl Lines {
    pub(super) fn of_toml(text: &str) -> Lines {
        let ends: Vec<usize> = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
        let line = |span: Range<usize>| 1 + ends.partition_point(|end| *end < span.start) as u64;
        DeTable::parse(text).map(|table| of_toml_table(table.get_ref(), &line)).unwrap_or_default()
    }

    pub(super) fn of_yaml(text: &str) -> Lines {
        serde_saphyr::from_str::<Option<Lines>>(text).ok().flatten().unwrap_or_default()
    }

    /// The line of a path, or of the closest table around it that stands in the file.
    pub(super) fn find(&self, path: &[String]) -> Option<u64> {
        let (part, rest) = path.split_first()?;
        let (line, below) = self.0.get(part)?;
        below.find(rest).or(Some(*line))
    }
}

fn of_toml_table(table: &DeTable<'_>, line: &impl Fn(Range<usize>) -> u64) -> Lines {
    let entries = table
        .iter()
        .map(|(key, value)| (key.get_ref().clone().into_owned(), (line(key.span()), of_toml_value(value.get_ref(), line))));
    Lines(entries.collect())
}

fn of_toml_value(value: &DeValue<'_>, line: &impl Fn(Range<usize>) -> u64) -> Lines {
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

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Lines, D::Error> {
        deserializer.deserialize_any(LinesVisitor)
    }
}

struct LinesVisitor;

impl<'de> Visitor<'de> for LinesVisitor {
    type Value = Lines;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Lines, E> {
        Ok(Lines::default())
    }

    fn visit_none<E>(self) -> Result<Lines, E> {
        Ok(Lines::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Lines, D::Error> {
        Lines::deserialize(deserializer)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Lines, E> {
        Ok(Lines::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Lines, E> {
        Ok(Lines::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Lines, E> {
        Ok(Lines::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Lines, E> {
        Ok(Lines::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Lines, E> {
        Ok(Lines::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Lines, A::Error> {
        let mut lines = BTreeMap::new();
        while let Some(node) = access.next_element::<Spanned<Lines>>()? {
            lines.insert(lines.len().to_string(), (node.referenced.line(), node.value));
        }
        Ok(Lines(lines))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Lines, A::Error> {
        let mut lines = BTreeMap::new();
        while let Some((key, value)) = access.next_entry::<Spanned<String>, Lines>()? {
            lines.insert(key.value, (key.referenced.line(), value));
        }
        Ok(Lines(lines))
    }
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
