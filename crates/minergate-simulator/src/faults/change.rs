//! Changes to an answer's JSON. It stays valid JSON, but is not what the API promises.

use serde_json::{Map, Value, json};

use crate::noise::{Seed, whole};

/// Number of made-up currencies in one answer.
const MADE_UP: usize = 5000;

/// Texts that break programs with wrong quoting or escaping.
const HOSTILE: &[&str] = &[
    "quote\"quote",
    "back\\slash\\",
    "line\nminergate_up{account=\"forged\"} 1\n# EOF\n",
    "return\r\ntab\t",
    "nul\0nul",
    "⛏️💰",
    "right\u{202e}left",
    "somebody@example.com",
    "<script>alert(1)</script>",
    "{}[]=,:;'`$(id)",
    "../../etc/passwd",
    "__name__",
    "",
];

/// Changes every value to another type that can't be converted back. Lists stay lists, with changed elements.
pub(super) fn wrong_types(value: &mut Value, seed: Seed) {
    *value = match value.take() {
        Value::Null => json!([]),
        Value::Bool(flag) => json!({ "flag": flag }),
        Value::Number(number) => json!({ "number": number }),
        Value::String(text) => json!([text]),
        Value::Array(entries) => Value::Array(entries.into_iter().map(|entry| wrong_type(entry, seed)).collect()),
        Value::Object(fields) => Value::Array(fields.into_iter().map(|(_, field)| wrong_type(field, seed)).collect()),
    }
}

fn wrong_type(mut value: Value, seed: Seed) -> Value {
    wrong_types(&mut value, seed);
    value
}

/// Removes some fields of each object at random.
pub(super) fn missing_fields(value: &mut Value, seed: Seed) {
    if let Value::Object(fields) = value {
        fields.retain(|name, _| seed.of(name).unit() < 0.5);
    }
    for (seed, part) in parts(value, seed) {
        missing_fields(part, seed);
    }
}

/// Replaces every value that is neither a list nor an object with null.
pub(super) fn nulls(value: &mut Value, seed: Seed) {
    if !value.is_array() && !value.is_object() {
        *value = Value::Null;
    }
    for (seed, part) in parts(value, seed) {
        nulls(part, seed);
    }
}

/// Replaces every number, also if it is a string, with something that is not a number.
pub(super) fn not_numbers(value: &mut Value, seed: Seed) {
    let words = ["NaN", "Infinity", "-Infinity", "nan", "inf", "1e999", "0x10", "1,5", "many", ""];
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    if value.is_number() || value.as_str().is_some_and(is_number) {
        *value = seed.pick(&words).copied().into();
    }
    for (seed, part) in parts(value, seed) {
        not_numbers(part, seed);
    }
}

/// Replaces every text that is not a number with a hostile one, and adds hostile keys to every object.
pub(super) fn hostile_labels(value: &mut Value, seed: Seed) {
    if value.as_str().is_some_and(|text| text.parse::<f64>().is_err()) {
        *value = seed.pick(HOSTILE).copied().into();
    }
    for (seed, part) in parts(value, seed) {
        hostile_labels(part, seed);
    }
    if let Value::Object(fields) = value {
        add_copies(fields, HOSTILE.iter().map(|&key| key.to_owned()));
    }
}

/// Repeats the first value of an object under thousands of made-up codes, or the first entry of a list.
pub(super) fn many_currencies(value: &mut Value, _: Seed) {
    let codes = (0..MADE_UP).map(|i| format!("fake{i}"));
    match value {
        Value::Object(fields) => add_copies(fields, codes),
        Value::Array(entries) => {
            let Some(first) = entries.first().cloned() else { return };
            entries.extend(codes.map(|code| match &first {
                Value::Object(fields) => {
                    let mut fields = fields.clone();
                    fields.insert("cc".to_owned(), code.into());
                    fields.into()
                }
                _ => code.into(),
            }));
        }
        _ => {}
    }
}

/// Fields that contain only totals: numbers that never fall. The last four are fields of a wallet.
const TOTALS: &[&str] = &[
    "blocksFound",
    "cumulativeTxCount",
    "pplnsTotalMined",
    "ppsTotalMined",
    "shares",
    "totalMined",
    "invalidShares",
    "totalHash",
    "totalHashes",
    "validShares",
];

/// The fraction of a total that a correction removes.
const CORRECTION: f64 = 1e-4;

/// Lowers every total a little. A whole number loses at most this fraction, so a small one does not change.
pub(super) fn corrected(value: &mut Value, _: Seed) {
    let before = value.clone();
    lower(value, &before, |total| CORRECTION * total);
}

/// Makes every total count from its value in a former answer.
pub(super) fn restarted(value: &mut Value, former: &Value) {
    lower(value, former, |total| total);
}

/// Subtracts from every total the result of `part` for the same total of another answer.
fn lower(value: &mut Value, other: &Value, part: fn(f64) -> f64) {
    // The answer about the affiliate's profits is an object that contains only totals.
    let are_totals = value.as_object().is_some_and(|fields| fields.values().all(Value::is_number));
    lower_totals(value, other, part, are_totals);
}

fn lower_totals(value: &mut Value, other: &Value, part: fn(f64) -> f64, is_total: bool) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let is_total = is_total || TOTALS.contains(&name.as_str());
                lower_totals(field, other.get(name).unwrap_or(&Value::Null), part, is_total);
            }
        }
        Value::Number(number) if is_total => {
            let taken = part(other.as_f64().unwrap_or_default());
            *value = match number.as_u64() {
                Some(count) => count.saturating_sub(whole(taken)).into(),
                None => (number.as_f64().unwrap_or_default() - taken).max(0.0).into(),
            };
        }
        _ => {}
    }
}

/// Inserts copies of an object's first value under other keys.
fn add_copies(fields: &mut Map<String, Value>, keys: impl Iterator<Item = String>) {
    let Some(first) = fields.values().next().cloned() else { return };
    for key in keys {
        fields.entry(key).or_insert_with(|| first.clone());
    }
}

/// The direct children of a list or an object, each with its own seed.
fn parts(value: &mut Value, seed: Seed) -> Vec<(Seed, &mut Value)> {
    match value {
        Value::Array(entries) => (0..).zip(entries).map(|(i, entry)| (seed.nth(i), entry)).collect(),
        Value::Object(fields) => fields.iter_mut().map(|(name, field)| (seed.of(name), field)).collect(),
        _ => Vec::new(),
    }
}
