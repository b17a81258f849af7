//! The parts of the API's answers, as real servers send them: numbers as strings, fields that are missing, null or of
//! another type, objects with arbitrary keys.
//!
//! A field that can't be read counts as missing; the other fields are still used. It is an error only if the answer is not JSON, or
//! does not have its endpoint's shape at all.

mod number;
mod read;
mod sum;

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess};
use serde::{Serialize, Serializer};

pub use self::number::{Integer, Number};
pub use self::read::{FromJson, Key, Maybe, is_default, next};
pub(crate) use self::sum::Sum;
pub use crate::object;

/// Maximum number of entries read from an object or an array. A longer one is invalid: without the rest, sums would be
/// wrong, and reading all of it could use up the memory.
const MAX_ENTRIES: usize = 50_000;

/// A text that may be missing, null, or something else.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Text(Option<String>);

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text(Some(text.to_owned()))
    }
}

impl Text {
    pub fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The text if it is one of the known words, else `other`, so that label values come from a closed set.
    pub fn known_word(&self, known: &[&'static str]) -> &'static str {
        known.iter().find(|word| self.get() == Some(word)).copied().unwrap_or("other")
    }
}

impl FromJson for Text {
    fn text(text: &str) -> Option<Self> {
        Some(Text(Some(text.to_owned())))
    }

    fn otherwise() -> Option<Self> {
        Some(Text(None))
    }
}

/// A boolean. It can be sent as a boolean, as 0 or 1, or as a string of one of these; it can be missing, null, or another type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Flag(Option<bool>);

impl From<bool> for Flag {
    fn from(flag: bool) -> Self {
        Flag(Some(flag))
    }
}

impl From<Flag> for Option<f64> {
    fn from(flag: Flag) -> Self {
        flag.0.map(f64::from)
    }
}

impl FromJson for Flag {
    fn boolean(boolean: bool) -> Option<Self> {
        Some(Flag(Some(boolean)))
    }

    fn number(number: f64) -> Option<Self> {
        Flag::text(&number.to_string())
    }

    fn text(text: &str) -> Option<Self> {
        match text {
            "true" | "1" => Flag::boolean(true),
            "false" | "0" => Flag::boolean(false),
            _ => None,
        }
    }

    fn otherwise() -> Option<Self> {
        Some(Flag(None))
    }
}

/// Ignores the value.
impl FromJson for () {
    fn otherwise() -> Option<Self> {
        Some(())
    }
}

/// An object with open keys, such as currency codes. Values of another shape are left out.
#[derive(Clone)]
pub struct Map<T> {
    /// Key to index in `values`. The tree does not contain the values, so that its code is compiled only once for all value types.
    places: BTreeMap<String, usize>,
    values: Vec<T>,
}

impl<T> Map<T> {
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.places.iter().map(|(key, place)| (key.as_str(), &self.values[*place]))
    }

    pub fn get(&self, key: &str) -> Option<&T> {
        self.places.get(key).map(|place| &self.values[*place])
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn insert(&mut self, key: String, value: T) {
        self.places.insert(key, self.values.len());
        self.values.push(value);
    }
}

impl<T> Default for Map<T> {
    fn default() -> Self {
        Map { places: BTreeMap::new(), values: Vec::new() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Map<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<T: PartialEq> PartialEq for Map<T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<T: Serialize> Serialize for Map<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<T> FromIterator<(String, T)> for Map<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(entries: I) -> Self {
        let mut map = Map::default();
        entries.into_iter().for_each(|(key, value)| map.insert(key, value));
        map
    }
}

impl<T: FromJson> Map<T> {
    /// Reads an object with open keys and some named keys. For each key, `named` can read the value; it returns whether it did.
    ///
    /// # Errors
    /// If the input is not JSON.
    pub fn beside<'de, A: MapAccess<'de>>(
        mut fields: A,
        mut named: impl FnMut(&str, &mut A) -> Result<bool, A::Error>,
    ) -> Result<Option<Self>, A::Error> {
        let mut map = Map::default();
        let mut read = 0;
        while let Some(key) = fields.next_key::<String>()? {
            read += 1;
            if read > MAX_ENTRIES {
                fields.next_value::<IgnoredAny>()?;
                return <() as FromJson>::object(fields).map(|_| None);
            }
            if !named(&key, &mut fields)? {
                // If a key is repeated, the last value counts, even if it has another shape.
                match next(&mut fields)? {
                    Some(value) => map.insert(key, value),
                    None => drop(map.places.remove(&key)),
                }
            }
        }
        Ok(Some(map))
    }
}

impl<T: FromJson> FromJson for Map<T> {
    fn object<'de, A: MapAccess<'de>>(fields: A) -> Result<Option<Self>, A::Error> {
        Map::beside(fields, |_, _| Ok(false))
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

impl<T: FromJson> FromJson for List<T> {
    fn array<'de, A: SeqAccess<'de>>(mut elements: A) -> Result<Option<Self>, A::Error> {
        let mut list = List::default();
        let mut read = 0;
        while let Some(Maybe(element)) = elements.next_element()? {
            read += 1;
            if read > MAX_ENTRIES {
                return <() as FromJson>::array(elements).map(|_| None);
            }
            list.0.extend(element);
        }
        Ok(Some(list))
    }
}

/// Entries of a list with the same labels: their number, sums and newest time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Group {
    pub(crate) count: f64,
    pub(crate) amount: Sum,
    pub(crate) fee: Sum,
    /// The newest of the given times, in the field's own unit.
    pub(crate) newest: Option<f64>,
}

/// Groups a list by a key, such as currency and status.
pub(crate) fn group_by<K: Ord>(entries: impl Iterator<Item = (K, Entry)>) -> BTreeMap<K, Group> {
    let mut groups = BTreeMap::new();
    for (key, entry) in entries {
        let group =
            groups.entry(key).or_insert(Group { count: 0.0, amount: Sum::default(), fee: Sum::default(), newest: None });
        group.count += 1.0;
        group.amount.add(entry.amount);
        group.fee.add(entry.fee);
        group.newest = later(group.newest, entry.created.get());
    }
    groups
}

/// A number of entries as a sample's value.
#[expect(clippy::cast_precision_loss, reason = "an answer holds fewer than 2^53 entries")]
pub(crate) fn count(entries: usize) -> f64 {
    entries as f64
}

/// The later of two times; a missing time is ignored.
pub(crate) fn later(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.zip(b).map(|(a, b)| a.max(b)).or(a).or(b)
}

/// The earlier of two times; a missing time is ignored.
pub(crate) fn earlier(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.zip(b).map(|(a, b)| a.min(b)).or(a).or(b)
}

/// The values of one entry that `group_by` adds up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Entry {
    pub(crate) amount: Number,
    pub(crate) fee: Number,
    pub(crate) created: Number,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::decode;
    use crate::endpoints::affiliate_childrens::Child;

    proptest! {
        /// The standard library parses the same text to the nearest double.
        #[test]
        fn a_number_is_the_nearest_double_however_it_is_written(
            text in r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?"
        ) {
            let nearest = text.parse().ok().filter(|number: &f64| number.is_finite()).map(f64::to_bits);
            for body in [text.clone(), format!("\"{text}\"")] {
                let number: Number = decode(body.as_bytes()).unwrap();
                prop_assert_eq!(number.get().map(f64::to_bits), nearest);
            }
        }
    }

    #[test]
    fn a_value_of_another_shape_is_left_out_and_other_values_are_kept() {
        let lists: Map<List<Flag>> =
            decode(br#"{"a": [1, "0", true, {"x": [2]}, 1e999], "b": {}, "c": null, "d": [], "d": 5, "\u0065": []}"#)
                .unwrap();
        let lists: Vec<(&str, Vec<Option<f64>>)> =
            lists.iter().map(|(key, list)| (key, list.iter().map(|flag| Option::from(*flag)).collect())).collect();
        assert_eq!(lists, [("a", vec![Some(1.0), Some(0.0), Some(1.0), None, None]), ("e", vec![])]);
    }

    #[test]
    fn a_list_or_object_with_too_many_entries_is_an_error() {
        let list = |entries: usize| format!("[{}0]", "0,".repeat(entries - 1));
        let map = |entries: usize| {
            let entries: Vec<String> = (0..entries).map(|i| format!("\"{i}\": 0")).collect();
            format!("{{{}}}", entries.join(","))
        };
        assert_eq!(decode::<List<Number>>(list(MAX_ENTRIES).as_bytes()).unwrap().iter().count(), MAX_ENTRIES);
        assert_eq!(decode::<Map<Number>>(map(MAX_ENTRIES).as_bytes()).unwrap().len(), MAX_ENTRIES);
        assert_eq!(decode::<List<Number>>(list(MAX_ENTRIES + 1).as_bytes()).unwrap_err().kind(), "shape");
        assert_eq!(decode::<Map<Number>>(map(MAX_ENTRIES + 1).as_bytes()).unwrap_err().kind(), "shape");
        let nested = format!("{{\"long\": {}, \"short\": [1]}}", list(MAX_ENTRIES + 1));
        let nested: Map<List<Number>> = decode(nested.as_bytes()).unwrap();
        assert_eq!(nested.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["short"]);
    }

    #[test]
    fn an_object_as_json_has_only_the_fields_that_were_given() {
        for json in ["{}", r#"{"registered":5}"#, r#"{"profits":{"xmr":1}}"#] {
            let child: Child = decode(json.as_bytes()).unwrap();
            assert_eq!(serde_json::to_string(&child).unwrap(), json);
        }
    }
}
