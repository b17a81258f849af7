//! A mistake in a configuration, as a sentence for people: place, key, what is wrong, what would be right.
//!
//! No sentence quotes a value, and a key only if it resembles a known one: either can be a secret in the wrong place.

use std::fmt;

use figment::error::{Actual, Kind};

use super::keys::Keys;
use minergate::spelling;

/// One mistake.
#[derive(Debug)]
pub struct ConfigError {
    place: String,
    key: String,
    sentence: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => write!(f, "{}: {}", self.place, self.sentence),
            key => write!(f, "{}: {key}: {}", self.place, self.sentence),
        }
    }
}

impl ConfigError {
    pub(super) fn new(place: String, path: &[String], keys: &Keys, sentence: String) -> ConfigError {
        ConfigError { place, key: keys.name(path), sentence }
    }

    /// One error of all mistakes, a line each.
    pub(super) fn join(errors: impl IntoIterator<Item = ConfigError>) -> anyhow::Error {
        let lines: Vec<String> = errors.into_iter().map(|error| error.to_string()).collect();
        anyhow::anyhow!("{}", lines.join("\n       "))
    }

    /// A mistake that figment found.
    pub(super) fn of_figment(place: String, keys: &Keys, error: figment::Error) -> ConfigError {
        let sentence = sentence(error.kind);
        ConfigError::new(place, &error.path, keys, sentence)
    }
}

fn sentence(kind: Kind) -> String {
    match kind {
        Kind::Message(sentence) => sentence,
        Kind::InvalidType(actual, expected) | Kind::InvalidValue(actual, expected) => {
            let quote = matches!(actual, Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) | Actual::Bool(_));
            let remedy = if quote && expected.contains("string") { "; put it in quotes" } else { "" };
            format!("expected {}, found {}{remedy}", plain(&expected), name(&actual))
        }
        Kind::InvalidLength(length, expected) => format!("expected {}, found {length} of them", plain(&expected)),
        Kind::UnknownVariant(_, known) => format!("not known; give one of {}", known.join(", ")),
        Kind::UnknownField(key, known) => {
            let hint = spelling::nearest_key(&key, known.iter().copied());
            let hint = hint.map(|near| format!(" `{key}`; did you mean `{near}`? known are "));
            format!("unknown key{}{}", hint.as_deref().unwrap_or("; known are "), known.join(", "))
        }
        Kind::MissingField(key) => format!("`{key}` is missing"),
        Kind::DuplicateField(key) => format!("`{key}` stands twice"),
        Kind::ISizeOutOfRange(_) | Kind::USizeOutOfRange(_) => "the number is out of range".to_owned(),
        Kind::Unsupported(actual) | Kind::UnsupportedKey(actual, _) => format!("{} can't stand here", name(&actual)),
    }
}

/// serde's words for a type, in the configuration's terms.
fn plain(expected: &str) -> String {
    match expected {
        "u64" | "usize" => "a whole number".to_owned(),
        "f64" => "a number".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        "path string" => "a path".to_owned(),
        struct_name if struct_name.starts_with("struct ") => "a table".to_owned(),
        other => other.to_owned(),
    }
}

/// What was found, never its value: that could be a secret.
fn name(actual: &Actual) -> &'static str {
    match actual {
        Actual::Bool(_) => "true or false",
        Actual::Unsigned(_) | Actual::Signed(_) => "a whole number",
        Actual::Float(_) => "a number",
        Actual::Str(_) | Actual::Char(_) => "a text",
        Actual::Seq => "a list",
        Actual::Map => "a table",
        Actual::Unit | Actual::Option => "nothing",
        _ => "something else",
    }
}
