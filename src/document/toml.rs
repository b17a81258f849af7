//! TOML. A date is read as a text, because no key of the configuration is a date.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{Node, ParseError, REPEATED, Value};

const INVALID: &str = "not valid TOML; write `key = value` on a line of its own, and every text in quotes";

/// Parses a document.
pub fn parse(text: &str) -> Result<Node, ParseError> {
    let ends: Vec<usize> = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
    let line = |span: Range<usize>| 1 + ends.partition_point(|end| *end < span.start);
    let table = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        let before = text.get(..span.start).unwrap_or_default();
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count());
        let message = if error.message().starts_with("duplicate key") { REPEATED } else { INVALID };
        ParseError { place: (line(span), 1 + column), message }
    })?;
    Ok(Node { line: 1, value: map(table.into_inner(), &line) })
}

fn map(table: DeTable<'_>, line: &impl Fn(Range<usize>) -> usize) -> Value {
    let entries = table.into_iter().map(|(key, entry)| {
        let node = Node { line: line(key.span()), value: value(entry.into_inner(), line) };
        (key.into_inner().into_owned(), node)
    });
    Value::Map(entries.collect())
}

fn value(read: DeValue<'_>, line: &impl Fn(Range<usize>) -> usize) -> Value {
    match read {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Float(number.as_str().parse().unwrap_or(f64::INFINITY)),
        },
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Datetime(date) => Value::Text(date.to_string()),
        DeValue::Array(array) => {
            let items =
                array.into_iter().map(|item| Node { line: line(item.span()), value: value(item.into_inner(), line) });
            Value::List(items.collect())
        }
        DeValue::Table(table) => map(table, line),
    }
}
