//! Numbers, times and amounts in a form that is easy to read.

use jiff::Timestamp;

/// A time of day in UTC, with the date if it is not today. A page can be read in any time zone.
pub(super) fn clock(unix_seconds: f64) -> String {
    let (time, now) = (timestamp(unix_seconds), Timestamp::now());
    let format =
        if time.strftime("%F").to_string() == now.strftime("%F").to_string() { "%H:%M UTC" } else { "%F %H:%M UTC" };
    time.strftime(format).to_string()
}

/// The current time, to the second.
pub(super) fn clock_seconds() -> String {
    Timestamp::now().strftime("%H:%M:%S UTC").to_string()
}

/// How long ago a time was.
pub(super) fn ago(unix_seconds: f64) -> String {
    let seconds = Timestamp::now().duration_since(timestamp(unix_seconds)).as_secs_f64();
    format!("{} ago", span(seconds.max(0.0)))
}

/// A span of time in one suitable unit.
pub(super) fn span(seconds: f64) -> String {
    match seconds {
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6000.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3600.0),
        s => format!("{:.0} days", s / 86_400.0),
    }
}

/// A number with an SI prefix: `3.1 kH/s`.
pub(super) fn si(value: f64, unit: &str) -> String {
    let prefixes = ["", "k", "M", "G", "T", "P", "E"];
    let mut value = value;
    let mut steps = 0;
    while value.abs() >= 999.5 && steps + 1 < prefixes.len() {
        value /= 1000.0;
        steps += 1;
    }
    let decimals = usize::from(steps > 0 && value.abs() < 99.95);
    format!("{value:.decimals$} {}{unit}", prefixes[steps])
}

/// A balance. All have the same number of decimals, so that they are aligned.
pub(super) fn balance(coins: f64, currency: &str) -> String {
    format!("{coins:.8} {currency}")
}

/// A whole number with thousands separators: `12,345`.
pub(super) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with its noun: `1 account`, `2,000 accounts`.
pub(super) fn counted(number: usize, one: &str, several: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { several })
}

/// A number that is usually whole, with thousands separators.
pub(super) fn number(number: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "only a number that stays the same is taken"
    )]
    let whole = number as usize;
    #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "a number that stays the same is whole")]
    let is_whole = whole as f64 == number;
    if is_whole { count(whole) } else { number.to_string() }
}

/// A number of workers: `1 worker`, `1,200 workers`.
pub(super) fn workers(workers: f64) -> String {
    let workers = number(workers);
    if workers == "1" { "1 worker".to_owned() } else { format!("{workers} workers") }
}

/// An amount of coins with at most eight decimals, without rounding errors.
pub(super) fn coins(value: f64) -> String {
    let text = format!("{value:.8}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn timestamp(unix_seconds: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "a cast saturates, and such a time is invalid")]
    Timestamp::from_second(unix_seconds as i64).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0 H/s"),
            (5.0, "5 H/s"),
            (999.0, "999 H/s"),
            (3099.26, "3.1 kH/s"),
            (999_999.0, "1.0 MH/s"),
            (123_456.0, "123 kH/s"),
            (3.3e10, "33.0 GH/s"),
            (1e30, "1000000000000 EH/s"),
        ] {
            assert_eq!(si(value, "H/s"), text);
        }
        for (value, text) in [(0.0, "0"), (1.5, "1.5"), (30_143.500_382_1, "30143.5003821"), (0.1 + 0.2, "0.3"), (1e-9, "0")]
        {
            assert_eq!(coins(value), text);
        }
        for (number, text) in [
            (1.0, "1 worker"),
            (0.0, "0 workers"),
            (1234.0, "1,234 workers"),
            (1e6, "1,000,000 workers"),
            (0.5, "0.5 workers"),
            (-1.0, "-1 workers"),
        ] {
            assert_eq!(workers(number), text);
        }
        assert_eq!(
            (balance(1.5, "xmr"), balance(0.1 + 0.2, "etc")),
            ("1.50000000 xmr".to_owned(), "0.30000000 etc".to_owned())
        );
        for (seconds, text) in [(0.0, "0 s"), (99.0, "99 s"), (120.0, "2 min"), (7200.0, "2 h"), (864_000.0, "10 days")] {
            assert_eq!(span(seconds), text);
        }
    }
}
