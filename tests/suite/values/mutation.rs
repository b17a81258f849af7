//! Real answers with one wrong part.

use minergate::endpoints::{ENDPOINTS, Endpoint};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

/// A placeholder in an answer for the wrong part.
const PLACE: &str = "place of the mutation";

/// An answer that differs from the documented one in one part.
#[derive(Clone, Debug)]
pub(super) struct Mutation {
    /// Its place in the table of endpoints.
    place: usize,
    pub(super) part: Part,
    pub(super) body: String,
}

impl Mutation {
    pub(super) fn endpoint(&self) -> &'static Endpoint {
        &ENDPOINTS[self.place]
    }
}

/// Where an answer differs.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// The currency that the part is about, if it is about one.
    pub(super) currency: Option<String>,
    /// The original was a number, a text or another plain value.
    pub(super) is_leaf: bool,
}

/// Wrong parts that can replace any value, as JSON text.
fn hostile() -> impl Strategy<Value = String> {
    const WRITTEN: &[&str] = &[
        "null",
        "true",
        "-1",
        "-0.0",
        "0",
        "1e308",
        "-1e308",
        "1e999",
        "1e-999",
        "NaN",
        "-Infinity",
        "\"\"",
        "\"NaN\"",
        "\"-5\"",
        "\" 7 \"",
        "[]",
        "{}",
        "[[[[1]]]]",
        "{\"a\": 1, \"a\": 2}",
        "\"joe\\ud83d\"",
        "\"\\udc00\\ud800\"",
        "{\"\\ud83d\": 1}",
        "\"\\u0000\\u001b[31m\\u2028\\u202e\"",
        "\"\u{202e}\u{85}\u{fdd0}\"",
        "1449161749429",
        "18446744073709551616",
        "\"a\\\"b\\\\c\\nd\"",
        "\"user@example.com\"",
    ];
    let text = any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap());
    let number = any::<f64>().prop_map(|number| serde_json::to_string(&number).unwrap());
    prop_oneof![4 => prop::sample::select(WRITTEN).prop_map(str::to_owned), 1 => text, 1 => number]
}

/// The paths of all values within a value, without the value itself.
fn paths(value: &Value, path: &str, all: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(elements) => elements.iter().enumerate().map(|(i, value)| (i.to_string(), value)).collect(),
        _ => return,
    };
    for (key, value) in inner {
        let path = format!("{path}/{key}");
        paths(value, &path, all);
        all.push(path);
    }
}

/// The currency of a path: the key of an object of currencies, or the `cc` of a list's entry.
fn currency(answer: &Value, path: &str) -> Option<String> {
    let top = path[1..].split('/').next()?;
    match answer {
        Value::Array(entries) => {
            let entry = entries.get(top.parse::<usize>().ok()?)?;
            entry.get("cc").unwrap_or(entry).as_str().map(str::to_owned)
        }
        _ => (top.len() <= 4).then(|| top.to_owned()),
    }
}

fn mutated(place: usize, path: Index, hostile: &str) -> Mutation {
    let mut answer: Value = serde_json::from_str(ENDPOINTS[place].sample).unwrap();
    let mut all = Vec::new();
    paths(&answer, "", &mut all);
    let path = if all.is_empty() { String::new() } else { all[path.index(all.len())].clone() };
    let currency = if path.is_empty() { None } else { currency(&answer, &path) };
    let value = answer.pointer_mut(&path).unwrap();
    let is_leaf = !path.is_empty() && !value.is_object() && !value.is_array();
    *value = PLACE.into();
    let body = answer.to_string().replace(&format!("\"{PLACE}\""), hostile);
    Mutation { place, part: Part { currency, is_leaf }, body }
}

/// An answer of the endpoint with that index in the table, with one wrong part.
pub(super) fn mutation(place: usize) -> impl Strategy<Value = Mutation> {
    (any::<Index>(), hostile()).prop_map(move |(path, hostile)| mutated(place, path, &hostile))
}
