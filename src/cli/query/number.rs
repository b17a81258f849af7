//! Numbers for people: rounded, in groups of three digits, with units.

use rust_decimal::{Decimal, RoundingStrategy};

use super::decimal::plain;

/// Maximum number of decimals of an amount of coins.
const DECIMALS: u32 = 8;

/// Smaller amounts are rounded to [`DIGITS`] significant digits instead, because [`DECIMALS`] would leave fewer.
const SMALL: Decimal = Decimal::from_parts(1, 0, 0, false, 6);
const DIGITS: u32 = 3;

/// An amount of coins, rounded and without trailing zeros.
pub(super) fn coins(number: &str) -> String {
    let Some(exact) = decimal(number) else { return plain(number) };
    let rounding = RoundingStrategy::MidpointAwayFromZero;
    let rounded = if exact.abs() < SMALL {
        exact.round_sf_with_strategy(DIGITS, rounding).unwrap_or(exact)
    } else {
        exact.round_dp_with_strategy(DECIMALS, rounding)
    };
    grouped(&rounded.normalize().to_string())
}

/// An amount in a currency's smallest unit, as coins. `None` if it is not a number, or if the decimals are not known.
pub(super) fn atomic_units(number: &str, decimals: Option<u8>) -> Option<String> {
    let coin = Decimal::try_from_i128_with_scale(1, decimals?.into()).ok()?;
    Some(coins(&decimal(number)?.checked_mul(coin)?.to_string()))
}

/// A count with all its digits.
pub(super) fn count(number: &str) -> String {
    decimal(number).map_or_else(|| plain(number), |number| grouped(&number.normalize().to_string()))
}

/// A number with an SI prefix and two decimals, such as `1.23 kH/s`. Without a prefix, a whole number has no decimals.
pub(super) fn si(number: &str, unit: &str) -> Option<String> {
    let mut value: f64 = number.parse().ok().filter(|value: &f64| value.is_finite())?;
    if value.abs() < 999.995 && value.fract() == 0.0 {
        return Some(format!("{value} {unit}"));
    }
    let mut prefixes = ["", "k", "M", "G", "T", "P", "E", "Z"].iter().peekable();
    let mut prefix = prefixes.next()?;
    while value.abs() >= 999.995 {
        let Some(next) = prefixes.next() else { break };
        (value, prefix) = (value / 1000.0, next);
    }
    Some(format!("{value:.2} {prefix}{unit}"))
}

/// The part of a whole, such as `99.51 %`. `None` if the whole is 0, or if one of its parts is not known.
pub(super) fn percentage(part: &str, parts: &[Option<&str>]) -> Option<String> {
    let whole = parts.iter().try_fold(Decimal::ZERO, |sum, part| sum.checked_add(decimal((*part)?)?))?;
    let percent = decimal(part)?.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(whole)?;
    Some(format!("{} %", percent.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero).normalize()))
}

/// Up to 28 digits. `None` if it is not a number, or has more digits before the point.
fn decimal(number: &str) -> Option<Decimal> {
    plain(number).parse().ok()
}

/// A decimal number with a comma between groups of three digits in its whole part.
fn grouped(number: &str) -> String {
    let (sign, number) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (whole, fraction) = number.find('.').map_or((number, ""), |point| number.split_at(point));
    let mut text = sign.to_owned();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_rounded_to_significant_digits() {
        for (number, expected) in [
            ("0", "0"),
            ("30.66592521533400000000", "30.66592522"),
            ("0.00800000000000000000", "0.008"),
            ("181913502500.0", "181,913,502,500"),
            ("1234.5", "1,234.5"),
            ("-0.5", "-0.5"),
            ("0.00000356443120348296", "0.00000356"),
            ("0.00000000123456", "0.00000000123"),
            ("1e-12", "0.000000000001"),
            ("420.13134899999994", "420.131349"),
            ("18446744073709551616.5", "18,446,744,073,709,551,616.5"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("1e999", "1e999"),
            ("none", "none"),
        ] {
            assert_eq!(coins(number), expected, "{number}");
        }
    }

    #[test]
    fn smallest_units_become_coins() {
        for (number, decimals, expected) in [
            ("191049661", Some(8), Some("1.91049661")),
            ("1132012", Some(12), Some("0.00000113")),
            ("1", Some(18), Some("0.000000000000000001")),
            ("1234567890123456789012", Some(18), Some("1,234.56789012")),
            ("5", Some(0), Some("5")),
            ("5", None, None),
            ("planted", Some(8), None),
        ] {
            assert_eq!(atomic_units(number, decimals).as_deref(), expected, "{number}");
        }
    }

    #[test]
    fn numbers_have_prefixes_and_groups() {
        for (number, expected) in [
            ("0", Some("0 H/s")),
            ("0.5", Some("0.50 H/s")),
            ("700", Some("700 H/s")),
            ("296.9820726630503", Some("296.98 H/s")),
            ("999.996", Some("1.00 kH/s")),
            ("1234.5", Some("1.23 kH/s")),
            ("13063088.083333334", Some("13.06 MH/s")),
            ("1e25", Some("10000.00 ZH/s")),
            ("1e999", None),
            ("fast", None),
        ] {
            assert_eq!(si(number, "H/s").as_deref(), expected, "{number}");
        }
        for (number, expected) in
            [("0", "0"), ("999", "999"), ("1000", "1,000"), ("2.5e3", "2,500"), ("-123456", "-123,456")]
        {
            assert_eq!(count(number), expected);
        }
    }

    #[test]
    fn a_percentage_needs_a_whole_that_is_known() {
        for (part, parts, expected) in [
            ("1", &[Some("1"), Some("2")][..], Some("33.33 %")),
            ("0", &[Some("0"), Some("7")], Some("0 %")),
            ("0", &[Some("0")], None),
            ("1", &[Some("1"), None], None),
            ("1", &[Some("1"), Some("x")], None),
        ] {
            assert_eq!(percentage(part, parts).as_deref(), expected, "{part} of {parts:?}");
        }
    }
}
