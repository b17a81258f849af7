//! JSON with the original order of keys and the original text of numbers.

use std::fmt::{self, Write as _};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use minergate::metric::is_printable;

#[derive(Debug)]
pub(super) enum Json {
    Object(Vec<(String, Json)>),
    List(Vec<Json>),
    Text(String),
    Number(String),
    /// true, false, null.
    Word(String),
}

impl Json {
    pub(super) fn read(raw: &RawValue) -> serde_json::Result<Json> {
        let text = raw.get();
        Ok(match text.as_bytes().first() {
            Some(b'{') => {
                let Fields(fields) = serde_json::from_str(text)?;
                let read = |(key, raw): (String, &RawValue)| Ok((key, Json::read(raw)?));
                Json::Object(fields.into_iter().map(read).collect::<serde_json::Result<_>>()?)
            }
            Some(b'[') => {
                let elements: Vec<&RawValue> = serde_json::from_str(text)?;
                Json::List(elements.into_iter().map(Json::read).collect::<serde_json::Result<_>>()?)
            }
            Some(b'"') => Json::Text(serde_json::from_str(text)?),
            Some(b't' | b'f' | b'n') => Json::Word(text.to_owned()),
            _ => Json::Number(text.to_owned()),
        })
    }

    pub(super) fn is_lone(&self) -> bool {
        !matches!(self, Json::Object(_) | Json::List(_))
    }

    pub(super) fn is_object(&self) -> bool {
        matches!(self, Json::Object(_))
    }

    /// The text, or the number as it was written.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) | Json::Number(text) => Some(text),
            _ => None,
        }
    }
}

/// JSON that is safe to print on a terminal: characters that control the terminal, or that reorder or break a line,
/// are written as escapes. The value is the same.
pub(super) fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            // These are only between values, because JSON strings have no raw control characters.
            '\n' | '\t' => text.push(c),
            '\r' => text.push('\n'),
            _ if is_printable(c) => text.push(c),
            // All of them are in the basic plane, so each takes one escape.
            _ => {
                // Writing to a String can't fail.
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
        }
    }
    text
}

/// An object's fields in their order.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = access.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(All)
    }
}
