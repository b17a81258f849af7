//! What the API's answers are made of, as they come in the wild: numbers as strings, fields that are missing, null or of
//! another type, objects with anybody's keys.
//!
//! A field that can't be read is as good as missing, and costs nothing but itself. Only an answer that is not JSON, or
//! not of its endpoint's shape at all, is an error.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Entries of an object or an array that are read. One that has more is no answer of this API: leaving out the rest would
/// make wrong sums, and reading it all would take memory without end.
const MAX_ENTRIES: usize = 50_000;

/// A number that may come as a JSON number or as a string, may be missing, null, or something else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Number(Option<f64>);

impl Number {
    pub fn get(self) -> Option<f64> {
        self.0
    }

    /// The first that was given.
    #[must_use]
    pub fn or(self, other: Number) -> Number {
        Number(self.0.or(other.0))
    }

    pub fn milliseconds_as_seconds(self) -> Option<f64> {
        self.0.map(|milliseconds| milliseconds / 1000.0)
    }

    /// Reads a decimal number. "NaN", "Infinity", hexadecimal and what is beyond a double's range are not numbers.
    fn parse(text: &str) -> Number {
        let text = text.trim();
        let decimal = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
        Number(decimal.then(|| text.parse().ok()).flatten().filter(|value: &f64| value.is_finite()))
    }
}

impl From<Number> for Option<f64> {
    fn from(number: Number) -> Self {
        number.0
    }
}

impl<'de> Deserialize<'de> for Number {
    /// Works on the number's own text: `serde_json` would refuse the whole answer for one `1e999`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        Ok(match raw.as_bytes().first() {
            Some(b'"') => {
                serde_json::from_str::<Cow<'_, str>>(raw).map_or_else(|_| Number(None), |text| Number::parse(&text))
            }
            _ => Number::parse(raw),
        })
    }
}

/// A text that may be missing, null, or something else.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Text(Option<String>);

impl Text {
    pub fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The text if it is one of the known words, else `other`: what becomes a label is from a closed set.
    pub fn word(&self, known: &[&'static str]) -> &'static str {
        known.iter().find(|word| self.get() == Some(word)).copied().unwrap_or("other")
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Text(lenient(<&RawValue>::deserialize(deserializer)?)))
    }
}

/// A boolean that may come as such, as 0 or 1, as a string of these, may be missing, null, or something else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Flag(Option<bool>);

impl From<Flag> for Option<f64> {
    fn from(flag: Flag) -> Self {
        flag.0.map(f64::from)
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Flag(match <&RawValue>::deserialize(deserializer)?.get().trim_matches('"') {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }))
    }
}

/// An object's fields as they are written. Of a repeated key the last counts, as in JavaScript.
pub(crate) struct Fields<'de>(pub(crate) BTreeMap<String, &'de RawValue>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = BTreeMap::new();
                let mut read = 0;
                while let Some((key, value)) = access.next_entry()? {
                    bounded::<A::Error>(&mut read)?;
                    fields.insert(key, value);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// An object, and nothing else: serde's derived structs would read an array's elements as their fields, and refuse an object
/// that repeats one of its keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Object<T>(pub T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Fields(fields) = Fields::deserialize(deserializer)?;
        let fields = MapDeserializer::<_, serde_json::Error>::new(fields.into_iter());
        T::deserialize(fields).map(Object).map_err(|_| D::Error::custom("not an object of the documented shape"))
    }
}

/// An object with open keys, such as currency codes. Values of another shape are left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Map<T>(BTreeMap<String, T>);

impl<T> Map<T> {
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> Default for Map<T> {
    fn default() -> Self {
        Map(BTreeMap::new())
    }
}

impl<T> FromIterator<(String, T)> for Map<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(entries: I) -> Self {
        Map(entries.into_iter().collect())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Map<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Fields(fields) = Fields::deserialize(deserializer)?;
        Ok(fields.into_iter().filter_map(|(key, raw)| Some((key, lenient(raw)?))).collect())
    }
}

/// An array. Elements of another shape are left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct List<T>(Vec<T>);

impl<T> List<T> {
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        List(Vec::new())
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        List(elements.into_iter().collect())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T>(PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for Elements<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<List<T>, A::Error> {
                let mut elements = Vec::new();
                let mut read = 0;
                while let Some(raw) = access.next_element::<&RawValue>()? {
                    bounded::<A::Error>(&mut read)?;
                    elements.extend(lenient(raw));
                }
                Ok(List(elements))
            }
        }

        deserializer.deserialize_seq(Elements(PhantomData))
    }
}

/// Counts one more entry, and refuses one too many.
fn bounded<E: serde::de::Error>(read: &mut usize) -> Result<(), E> {
    *read += 1;
    if *read > MAX_ENTRIES { Err(E::custom("too many entries")) } else { Ok(()) }
}

/// A value that is as good as missing when it is of another shape.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Lenient<T>(pub T);

impl<'de, T: DeserializeOwned + Default> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Lenient(lenient(<&RawValue>::deserialize(deserializer)?).unwrap_or_default()))
    }
}

/// A value of the wanted shape, or nothing.
pub(crate) fn lenient<T: DeserializeOwned>(raw: &RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

/// A group of a list's entries: how many, their sums, and their times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    pub count: f64,
    /// Nothing when one entry lacks its amount: a sum of the others would be a wrong number.
    pub amount: Option<f64>,
    pub fee: Option<f64>,
    /// The newest time among those given, in the field's own unit.
    pub newest: Option<f64>,
}

/// Sums up a list by a key, such as currency and status.
pub fn group_by<K: Ord>(entries: impl Iterator<Item = (K, Entry)>) -> BTreeMap<K, Group> {
    let mut groups = BTreeMap::new();
    for (key, entry) in entries {
        let group = groups.entry(key).or_insert(Group { count: 0.0, amount: Some(0.0), fee: Some(0.0), newest: None });
        group.count += 1.0;
        group.amount = group.amount.zip(entry.amount.get()).map(|(sum, amount)| sum + amount);
        group.fee = group.fee.zip(entry.fee.get()).map(|(sum, fee)| sum + fee);
        group.newest = later(group.newest, entry.created.get());
    }
    groups
}

/// A number of entries as a value.
#[expect(clippy::cast_precision_loss, reason = "an answer holds fewer than 2^53 entries")]
pub fn count(entries: usize) -> f64 {
    entries as f64
}

/// The later of two times, of those that are given.
pub fn later(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.zip(b).map(|(a, b)| a.max(b)).or(a).or(b)
}

/// The earlier of two times, of those that are given.
pub fn earlier(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.zip(b).map(|(a, b)| a.min(b)).or(a).or(b)
}

/// What `group_by` sums up of one entry.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entry {
    pub amount: Number,
    pub fee: Number,
    pub created: Number,
}
