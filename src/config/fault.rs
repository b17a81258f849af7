//! What is wrong with a configuration, in a sentence for people: place, key, fault, remedy.

use std::fmt;

use figment::error::{Actual, Kind};

/// One fault.
#[derive(Debug)]
pub struct Fault {
    place: String,
    key: String,
    sentence: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => write!(f, "{}: {}", self.place, self.sentence),
            key => write!(f, "{}: {key}: {}", self.place, self.sentence),
        }
    }
}

impl Fault {
    pub(super) fn new(place: &str, path: &[String], sentence: String) -> Fault {
        Fault { place: place.to_owned(), key: key(path), sentence }
    }

    /// One error of all faults, a line each.
    pub(super) fn join(faults: impl IntoIterator<Item = Fault>) -> anyhow::Error {
        let lines: Vec<String> = faults.into_iter().map(|fault| fault.to_string()).collect();
        anyhow::anyhow!("{}", lines.join("\n       "))
    }

    /// The faults that figment found. `place` says where a key was given.
    pub(super) fn all(error: figment::Error, place: impl Fn(&[String]) -> String) -> anyhow::Error {
        Fault::join(error.into_iter().map(|error| Fault::new(&place(&error.path), &error.path, sentence(error.kind))))
    }
}

/// A key as people write it: `accounts[1].token`, counted from 1.
fn key(path: &[String]) -> String {
    path.iter().enumerate().fold(String::new(), |key, (depth, part)| match part.parse::<usize>() {
        Ok(i) => format!("{key}[{}]", i + 1),
        Err(_) if depth == 0 => part.clone(),
        Err(_) => format!("{key}.{part}"),
    })
}

fn sentence(kind: Kind) -> String {
    match kind {
        Kind::Message(fault) => fault,
        Kind::InvalidType(actual, expected) | Kind::InvalidValue(actual, expected) => {
            let quote = matches!(actual, Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) | Actual::Bool(_));
            let remedy = if quote && expected.contains("string") { "; put it in quotes" } else { "" };
            format!("expected {}, found {}{remedy}", plain(&expected), name(&actual))
        }
        Kind::InvalidLength(length, expected) => format!("expected {}, found {length} of them", plain(&expected)),
        Kind::UnknownVariant(word, known) => format!("`{word}` is not known; give one of {}", known.join(", ")),
        Kind::UnknownField(field, known) => {
            let near = known.iter().max_by(|a, b| strsim::jaro(&field, a).total_cmp(&strsim::jaro(&field, b)));
            let near = near.filter(|near| strsim::jaro(&field, near) > 0.7);
            let hint = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            format!("unknown key `{field}`; {hint}known are {}", known.join(", "))
        }
        Kind::MissingField(field) => format!("`{field}` is missing"),
        Kind::DuplicateField(field) => format!("`{field}` stands twice"),
        Kind::ISizeOutOfRange(_) | Kind::USizeOutOfRange(_) => "the number is out of range".to_owned(),
        Kind::Unsupported(actual) | Kind::UnsupportedKey(actual, _) => format!("{} can't stand here", name(&actual)),
    }
}

/// serde's words for a type, in the configuration's terms.
fn plain(expected: &str) -> String {
    match expected {
        "u8" | "usize" => "a whole number".to_owned(),
        "f64" => "a number".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
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
