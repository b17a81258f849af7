//! Numbers in answers: doubles as in JSON, exact decimals, and whole numbers too large for a double.

use rust_decimal::Decimal;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::FromJson;

/// Whole numbers up to this value are exact as doubles.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number. It can be sent as a JSON number or as a string; it can be missing, null, or another type.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Number(Option<Value>);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    Double(f64),
    Decimal { units: u128, decimals: u8 },
}

impl Number {
    /// An exact amount, given in a currency's smallest units, as whole coins. Its JSON has all digits.
    pub fn of_units(units: u128, decimals: u8) -> Number {
        Number(Some(Value::Decimal { units, decimals }))
    }

    /// The nearest double.
    pub fn get(self) -> Option<f64> {
        match self.0? {
            Value::Double(double) => Some(double),
            Value::Decimal { units, decimals } => decimal(units, decimals).parse().ok(),
        }
    }

    /// The number in decimal notation; a double has at most 17 digits. `None` if it has more than 28 digits before the point.
    pub fn decimal(self) -> Option<Decimal> {
        let text = match self.0? {
            Value::Double(double) => double.to_string(),
            Value::Decimal { units, decimals } => decimal(units, decimals),
        };
        text.parse().ok()
    }

    /// This number if it is given, else the other.
    #[must_use]
    pub fn or(self, other: Number) -> Number {
        Number(self.0.or(other.0))
    }

    pub fn milliseconds_as_seconds(self) -> Option<f64> {
        self.get().map(|milliseconds| milliseconds / 1000.0)
    }
}

/// An amount in smallest units as a decimal number of coins, without trailing zeros.
fn decimal(units: u128, decimals: u8) -> String {
    let decimals = usize::from(decimals);
    let digits = format!("{units:0>width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

impl From<f64> for Number {
    fn from(double: f64) -> Self {
        Number(Some(Value::Double(double)))
    }
}

impl From<Number> for Option<f64> {
    fn from(number: Number) -> Self {
        number.get()
    }
}

impl Serialize for Number {
    /// A whole number is written without a fraction, because readers in other languages expect that for counts and times.
    #[expect(clippy::cast_possible_truncation, clippy::float_cmp, reason = "checked to be exact")]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(Value::Decimal { units, decimals }) => {
                RawValue::from_string(decimal(units, decimals)).map_err(S::Error::custom)?.serialize(serializer)
            }
            Some(Value::Double(double)) if double.trunc() == double && double.abs() <= EXACT => {
                (double as i64).serialize(serializer)
            }
            Some(Value::Double(double)) => double.serialize(serializer),
            None => serializer.serialize_none(),
        }
    }
}

impl FromJson for Number {
    fn number(number: f64) -> Option<Self> {
        Some(number.into())
    }

    /// Reads a decimal number. "NaN", "Infinity", hexadecimal numbers and numbers beyond a double's range are not accepted.
    fn text(text: &str) -> Option<Self> {
        let text = text.trim();
        let decimal = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
        decimal.then(|| text.parse().ok()).flatten().filter(|value: &f64| value.is_finite()).and_then(Number::number)
    }

    fn otherwise() -> Option<Self> {
        Some(Number::default())
    }
}

/// A whole number from 0 on with all its digits, such as an amount in a currency's smallest unit. It can be sent as a JSON number or as
/// a string; it can be missing, null, or another type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Integer(Option<u128>);

impl Integer {
    pub fn get(self) -> Option<u128> {
        self.0
    }
}

impl FromJson for Integer {
    fn integer(whole: i128) -> Option<Self> {
        u128::try_from(whole).ok().map(|whole| Integer(Some(whole)))
    }

    /// JSON numbers with a fraction or an exponent are parsed as doubles, which are exact up to 2^53.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::float_cmp, reason = "checked to be exact")]
    fn number(number: f64) -> Option<Self> {
        ((0.0..=EXACT).contains(&number) && number.trunc() == number).then_some(Integer(Some(number as u128)))
    }

    fn text(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_whole = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        is_whole.then(|| text.parse().ok()).flatten().map(|whole| Integer(Some(whole)))
    }

    fn otherwise() -> Option<Self> {
        Some(Integer::default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::decode;

    #[test]
    fn amounts_keep_all_their_digits() {
        for (units, decimals, coins) in [
            (0, 12, "0"),
            (1, 12, "0.000000000001"),
            (71_657_810_245, 12, "0.071657810245"),
            (2_000_000_000_000, 12, "2"),
            (1_234_567_890_123_456_789, 18, "1.234567890123456789"),
            (340_282_366_920_938_463_463_374_607_431_768_211_455, 0, "340282366920938463463374607431768211455"),
            (120, 1, "12"),
        ] {
            let number = Number::of_units(units, decimals);
            assert_eq!(serde_json::to_string(&number).unwrap(), coins);
            assert_eq!(number.get(), coins.parse().ok());
        }
    }

    #[test]
    fn whole_numbers_are_written_without_a_fraction() {
        for (number, json) in
            [(3.0, "3"), (0.0, "0"), (-2.0, "-2"), (0.5, "0.5"), (1_795_871_190_000.0, "1795871190000"), (f64::NAN, "null")]
        {
            assert_eq!(serde_json::to_string(&Number::from(number)).unwrap(), json);
        }
    }

    #[test]
    fn whole_numbers_are_read_to_the_last_digit() {
        let read = |json: &str| decode::<Integer>(json.as_bytes()).ok().and_then(Integer::get);
        for (json, expected) in [
            ("18446744073709551615", Some(18_446_744_073_709_551_615)),
            ("\"71657810245\"", Some(71_657_810_245)),
            ("\"36893488147419103232\"", Some(36_893_488_147_419_103_232)),
            ("1e12", Some(1_000_000_000_000)),
            ("1e17", None),
            ("1.5", None),
            ("-1", None),
            ("\"-1\"", None),
            ("\"1.0\"", None),
            ("\"\"", None),
            ("null", None),
            ("false", None),
            ("{}", None),
        ] {
            assert_eq!(read(json), expected, "{json}");
        }
    }

    proptest! {
        #[test]
        fn an_amount_as_json_is_read_back(units in any::<u64>(), decimals in 0..=18_u8) {
            let number = Number::of_units(units.into(), decimals);
            let json = serde_json::to_string(&number).unwrap();
            let read: Number = decode(json.as_bytes()).unwrap();
            prop_assert_eq!(read.get(), number.get());
        }
    }
}
