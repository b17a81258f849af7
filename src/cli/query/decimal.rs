//! Numbers without exponents, with all their digits.

/// Maximum number of added zeros. A number that needs more stays unchanged.
const MOST: i32 = 40;

/// The number in decimal notation with the same digits: nothing is rounded.
pub(super) fn plain(number: &str) -> String {
    written_out(number).unwrap_or_else(|| number.to_owned())
}

fn written_out(number: &str) -> Option<String> {
    let (mantissa, exponent) = number.split_once(['e', 'E'])?;
    let exponent: i32 = exponent.parse().ok()?;
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    // The position of the decimal point among the digits.
    let point = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
    let length = i32::try_from(digits.len()).ok()?;
    if point < -MOST || point > length + MOST {
        return None;
    }
    let text = if point <= 0 {
        format!("0.{}{digits}", "0".repeat(usize::try_from(-point).ok()?))
    } else if point >= length {
        digits + &"0".repeat(usize::try_from(point - length).ok()?)
    } else {
        let (whole, fraction) = digits.split_at(usize::try_from(point).ok()?);
        format!("{whole}.{fraction}")
    };
    let zeros = text.len() - text.trim_start_matches('0').len();
    let spare = if text[zeros..].starts_with('.') || zeros == text.len() { zeros.saturating_sub(1) } else { zeros };
    Some(format!("{sign}{}", &text[spare..]))
}

#[cfg(test)]
mod tests {
    #[test]
    fn exponents_are_written_out_and_all_digits_stay() {
        for (number, expected) in [
            ("700", "700"),
            ("0.1", "0.1"),
            ("65.405322258114126", "65.405322258114126"),
            ("18446744073709551616.00000000000000000001", "18446744073709551616.00000000000000000001"),
            ("1e-7", "0.0000001"),
            ("3.56443120348296e-6", "0.00000356443120348296"),
            ("-1.5E+3", "-1500"),
            ("1.2345e2", "123.45"),
            ("0.012e1", "0.12"),
            ("0.012e3", "12"),
            ("0e5", "0"),
            ("1e999", "1e999"),
            ("1e-999", "1e-999"),
        ] {
            assert_eq!(super::plain(number), expected, "{number}");
        }
    }
}
