//! The mistakes of a configuration as sentences: place, key, what is wrong, what would be right.
//!
//! No sentence quotes a value. It quotes a key only if the key resembles a known one, because either can be a misplaced secret.

use std::error::Error;
use std::fmt;

use figment::error::{Actual, Kind};

use minergate::spelling;

/// Why a configuration can't be used: all mistakes that were found.
#[derive(Debug)]
pub struct ConfigError(Vec<Mistake>);

/// One mistake.
#[derive(Debug)]
pub struct Mistake {
    /// File and line, variable or flag; empty if the mistake is in none of them.
    pub place: String,
    /// The key as people write it; empty if there is none, or if it must not be shown.
    pub key: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// A mistake of a key, before its place is looked up.
pub(super) struct KeyError {
    pub(super) path: Vec<String>,
    pub(super) message: String,
}

impl ConfigError {
    pub fn mistakes(&self) -> &[Mistake] {
        &self.0
    }

    /// A mistake that does not belong to a key.
    pub(super) fn at(place: impl Into<String>, message: impl Into<String>) -> ConfigError {
        ConfigError(vec![Mistake { place: place.into(), key: String::new(), message: message.into() }])
    }
}

impl FromIterator<Mistake> for ConfigError {
    fn from_iter<T: IntoIterator<Item = Mistake>>(mistakes: T) -> ConfigError {
        ConfigError(mistakes.into_iter().collect())
    }
}

impl fmt::Display for ConfigError {
    /// One line for each mistake, indented for the prefix "error: ".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .enumerate()
            .try_for_each(|(i, mistake)| write!(f, "{}{mistake}", if i == 0 { "" } else { "\n       " }))
    }
}

impl Error for ConfigError {}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.place, &self.key] {
            if !part.is_empty() {
                write!(f, "{part}: ")?;
            }
        }
        f.write_str(&self.message)
    }
}

impl KeyError {
    pub(super) fn new<'a>(path: impl IntoIterator<Item = &'a str>, message: impl Into<String>) -> KeyError {
        KeyError { path: path.into_iter().map(str::to_owned).collect(), message: message.into() }
    }

    /// The same mistake, in a table.
    pub(super) fn within(self, table: &[&str]) -> KeyError {
        KeyError { path: table.iter().map(|part| (*part).to_owned()).chain(self.path).collect(), ..self }
    }

    pub(super) fn of_figment(error: figment::Error) -> KeyError {
        KeyError { message: sentence(error.kind), path: error.path }
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
        Kind::DuplicateField(key) => format!("`{key}` is given twice"),
        Kind::ISizeOutOfRange(_) | Kind::USizeOutOfRange(_) => "the number is out of range".to_owned(),
        Kind::Unsupported(actual) | Kind::UnsupportedKey(actual, _) => format!("{} is not allowed here", name(&actual)),
    }
}

/// The configuration's term for serde's name of a type.
fn plain(expected: &str) -> String {
    match expected {
        "i64" | "u64" | "usize" => "a whole number".to_owned(),
        "f64" => "a number".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        "path string" => "a path".to_owned(),
        struct_name if struct_name.starts_with("struct ") => "a table".to_owned(),
        other => other.to_owned(),
    }
}

/// The type that was found. The value could be a secret.
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
