//! Scalars of YAML, with the types of the core schema (YAML 1.2.2, chapter 10.3), and the booleans of YAML 1.1, which Prometheus' reader takes,
//! too.

use std::borrow::Cow;

use granit_parser::{ScalarStyle, Tag};

use super::Value;

/// The value of a scalar. Quotes make it a text, unless a tag gives another type. The tags `!!str` and `!` make it a text.
pub(super) fn value(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let is_typed = tag.map_or(style == ScalarStyle::Plain, |tag| !tag.is_yaml_core_schema_tag("str") && !is_plain(tag));
    match if is_typed { typed(&text) } else { None } {
        Some(value) => value,
        None => Value::Text(text.into_owned()),
    }
}

/// Whether a value has the type of its tag. No value has the type of a tag outside the core schema, such as `!secret` or `!!binary`.
pub(super) fn fits(value: &Value, tag: Option<&Tag>) -> bool {
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Integer(_) => "int",
        Value::Float(_) => "float",
        Value::Text(_) => "str",
        Value::List(_) => "seq",
        Value::Map(_) => "map",
    };
    let is_whole = matches!(value, Value::Integer(_));
    tag.is_none_or(|tag| {
        is_plain(tag) || tag.is_yaml_core_schema_tag(name) || is_whole && tag.is_yaml_core_schema_tag("float")
    })
}

/// Whether this is the tag `!`, which only says that a scalar is a text.
fn is_plain(tag: &Tag) -> bool {
    tag.parts() == ("", "!")
}

fn typed(text: &str) -> Option<Value> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        _ if is_one_of(text, &["true", "yes", "on", "y"]) => Value::Bool(true),
        _ if is_one_of(text, &["false", "no", "off", "n"]) => Value::Bool(false),
        _ => integer(text).map(Value::Integer).or_else(|| float(text).map(Value::Float))?,
    })
}

fn is_one_of(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn integer(text: &str) -> Option<i64> {
    let (digits, radix) = match (text.strip_prefix("0x"), text.strip_prefix("0o")) {
        (Some(digits), _) => (digits, 16),
        (_, Some(digits)) => (digits, 8),
        _ => return text.parse().ok(),
    };
    if digits.starts_with(['+', '-']) { None } else { i64::from_str_radix(digits, radix).ok() }
}

fn float(text: &str) -> Option<f64> {
    match text.strip_prefix(['+', '-']).unwrap_or(text) {
        ".inf" | ".Inf" | ".INF" => return Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }),
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    // Rust also parses words such as "infinity", which are texts in YAML.
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|_| is_number)
}
