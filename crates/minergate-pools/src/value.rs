//! Numbers as pools write them: amounts in smallest units, hashrates with a unit, times in seconds.

use minergate::answer::{Flag, FromJson, Integer, Number};
use serde::Serialize;
use serde::de::{MapAccess, SeqAccess};

/// Larger times are milliseconds: as seconds they would be after the year 5000.
const LATEST_SECONDS: f64 = 1e11;

/// Converts an amount from a unit of `from` decimals to a unit of `to` decimals, with all its digits.
pub(crate) fn rescaled(units: Integer, from: u8, to: u8) -> Number {
    let Some(units) = units.get() else { return Number::default() };
    match to.checked_sub(from) {
        Some(zeros) => {
            let scaled = 10_u128.checked_pow(zeros.into()).and_then(|factor| units.checked_mul(factor));
            scaled.map(|units| Number::of_units(units, 0)).unwrap_or_default()
        }
        None => Number::of_units(units, from - to),
    }
}

/// A time as seconds since 1970; missing if it is 0.
pub(crate) fn seconds(time: Number) -> Number {
    let seconds = |time: f64| if time > LATEST_SECONDS { time / 1000.0 } else { time };
    time.get().filter(|time| *time > 0.0).map(|time| seconds(time).into()).unwrap_or_default()
}

/// A time as milliseconds since 1970; missing if it is 0.
pub(crate) fn milliseconds(time: Number) -> Number {
    seconds(time).get().map(|seconds| (seconds * 1000.0).into()).unwrap_or_default()
}

/// Whether a number is above 0; `None` if it is missing.
fn is_positive(number: Number) -> Option<bool> {
    number.get().map(|number| number > 0.0)
}

/// A network's hashrate: its difficulty is the number of hashes that a block takes, on average.
pub(crate) fn network_hashrate(difficulty: Number, block_seconds: Number) -> Number {
    let hashrate = difficulty.get().zip(block_seconds.get()).map(|(hashes, seconds)| hashes / seconds);
    hashrate.filter(|hashrate| hashrate.is_finite() && *hashrate >= 0.0).map(Number::from).unwrap_or_default()
}

/// Whether an account with this hashrate, or this number of workers, is mining; missing if the number is missing.
pub(crate) fn is_online(number: Number) -> Flag {
    is_positive(number).map(Flag::from).unwrap_or_default()
}

/// How many of the hashrates are above 0; missing if there are hashrates and none of them is known.
pub(crate) fn active(hashrates: impl Iterator<Item = Number>) -> Number {
    let is_active: Vec<Option<bool>> = hashrates.map(is_positive).collect();
    if !is_active.is_empty() && is_active.iter().all(Option::is_none) {
        return Number::default();
    }
    is_active.iter().filter(|is_active| **is_active == Some(true)).fold(0.0, |count, _| count + 1.0).into()
}

/// An amount without its sign, which only means that the amount left the balance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Unsigned(pub(crate) Integer);

impl FromJson for Unsigned {
    fn integer(whole: i128) -> Option<Self> {
        Integer::integer(whole.checked_abs()?).map(Unsigned)
    }

    fn number(number: f64) -> Option<Self> {
        <Integer as FromJson>::number(number.abs()).map(Unsigned)
    }

    fn text(text: &str) -> Option<Self> {
        let text = text.trim();
        Integer::text(text.strip_prefix('-').unwrap_or(text)).map(Unsigned)
    }

    fn otherwise() -> Option<Self> {
        Some(Unsigned::default())
    }
}

/// A hashrate: a number, or a text with a unit as in `"5.92 KH"`. The prefixes are read as powers of 1000, which is what most copies of the
/// software mean; its first version divided by 1024.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Hashrate(pub(crate) Number);

impl FromJson for Hashrate {
    fn number(number: f64) -> Option<Self> {
        Number::number(number).map(Hashrate)
    }

    fn text(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let text = text.strip_suffix("/s").unwrap_or(&text);
        let Some(number) = text.strip_suffix('h') else { return Number::text(text).map(Hashrate) };
        let prefixes = [('k', 1e3), ('m', 1e6), ('g', 1e9), ('t', 1e12), ('p', 1e15)];
        let found = prefixes.iter().find_map(|(prefix, factor)| Some((number.strip_suffix(*prefix)?, *factor)));
        let (number, factor) = found.unwrap_or((number, 1.0));
        let hashrate = Number::text(number)?.get()? * factor;
        hashrate.is_finite().then(|| Hashrate(hashrate.into()))
    }

    fn otherwise() -> Option<Self> {
        Some(Hashrate::default())
    }
}

/// One element of a list of texts and numbers, as a text.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Scalar(pub(crate) String);

impl FromJson for Scalar {
    fn text(text: &str) -> Option<Self> {
        Some(Scalar(text.to_owned()))
    }

    fn integer(whole: i128) -> Option<Self> {
        Some(Scalar(whole.to_string()))
    }

    fn number(number: f64) -> Option<Self> {
        Some(Scalar(number.to_string()))
    }

    fn otherwise() -> Option<Self> {
        Some(Scalar::default())
    }
}

/// An object or an array that may be missing. Missing is not the same as empty.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Optional<T>(pub(crate) Option<T>);

impl<T> Default for Optional<T> {
    fn default() -> Self {
        Optional(None)
    }
}

impl<T: FromJson> FromJson for Optional<T> {
    fn object<'de, A: MapAccess<'de>>(fields: A) -> Result<Option<Self>, A::Error> {
        Ok(T::object(fields)?.map(|value| Optional(Some(value))))
    }

    fn array<'de, A: SeqAccess<'de>>(elements: A) -> Result<Option<Self>, A::Error> {
        Ok(T::array(elements)?.map(|value| Optional(Some(value))))
    }
}

#[cfg(test)]
mod tests {
    use minergate::api::decode;

    use super::*;

    #[test]
    fn hashrates_are_numbers_or_texts_with_a_unit() {
        for (json, expected) in [
            ("4810", Some(4810.0)),
            ("\"4810.5\"", Some(4810.5)),
            ("\"5.92 KH\"", Some(5920.0)),
            ("\"5.92 KH/s\"", Some(5920.0)),
            ("\"512.00 H\"", Some(512.0)),
            ("\"512H/s\"", Some(512.0)),
            ("\"1.5 mh\"", Some(1.5e6)),
            ("\"2 GH\"", Some(2e9)),
            ("\"3 TH\"", Some(3e12)),
            ("\"KH\"", None),
            ("\"many KH\"", None),
            ("\"1e308 PH\"", None),
            ("\"\"", None),
            ("false", None),
            ("null", None),
        ] {
            let Hashrate(number) = decode(json.as_bytes()).unwrap();
            assert_eq!(number.get(), expected, "{json}");
        }
    }

    #[test]
    fn a_sign_of_an_amount_is_left_out() {
        for (json, expected) in [
            ("-1500000000", Some(1_500_000_000)),
            ("\"-1500000000\"", Some(1_500_000_000)),
            ("7", Some(7)),
            ("-1e3", Some(1000)),
            ("-1.5", None),
            ("\"--1\"", None),
            ("null", None),
        ] {
            let Unsigned(amount) = decode(json.as_bytes()).unwrap();
            assert_eq!(amount.get(), expected, "{json}");
        }
    }

    #[test]
    fn a_time_is_in_seconds_or_milliseconds_and_0_is_missing() {
        for (time, expected) in [
            (1_763_993_402.0, Some(1_763_993_402.0)),
            (1_763_993_402_000.0, Some(1_763_993_402.0)),
            (0.0, None),
            (-1.0, None),
        ] {
            assert_eq!(seconds(time.into()).get(), expected);
            assert_eq!(milliseconds(time.into()).get(), expected.map(|seconds| seconds * 1000.0));
        }
    }

    #[test]
    fn an_amount_is_rescaled_exactly_or_missing() {
        let rescaled = |units: &str, from, to| serde_json::to_string(&rescaled(number(units), from, to)).unwrap();
        assert_eq!(rescaled("4500000", 9, 18), "4500000000000000");
        assert_eq!(rescaled("4500000", 12, 12), "4500000");
        assert_eq!(rescaled("4500001", 12, 9), "4500.001");
        assert_eq!(rescaled("340282366920938463463374607431768211455", 9, 18), "null");
        assert_eq!(rescaled("1", 0, 255), "null");
    }

    fn number(text: &str) -> Integer {
        Integer::text(text).unwrap()
    }

    #[test]
    fn a_network_without_a_block_time_has_no_hashrate() {
        assert_eq!(network_hashrate(240.0.into(), 120.0.into()).get(), Some(2.0));
        assert_eq!(network_hashrate(240.0.into(), 0.0.into()).get(), None);
        assert_eq!(network_hashrate(Number::default(), 120.0.into()).get(), None);
    }
}
