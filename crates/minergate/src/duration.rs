//! Human-readable durations: `10s`, `1m 30s`, `2h`, `30d`. A day has 24 hours.

use std::time::Duration;

use jiff::fmt::friendly::{Designator, Spacing, SpanPrinter};
use jiff::{SignedDuration, Span, SpanRelativeTo};

/// Parses a duration.
///
/// # Errors
/// A sentence for the user, if there is no unit, or if the text is not a duration.
pub fn parse(text: &str) -> Result<Duration, String> {
    let remedy = "write a number with its unit, such as \"30s\", \"5m\", \"1h\" or \"7d\"";
    if text.trim().parse::<f64>().is_ok() {
        return Err(format!("a duration needs a unit; {remedy}"));
    }
    let span = text.trim().parse::<Span>();
    let duration = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    let duration = duration.map_err(|_| format!("not a duration; {remedy}"))?;
    Duration::try_from(duration).map_err(|_| format!("a duration can't be negative; {remedy}"))
}

/// Seconds in a day.
const DAY: u64 = 86_400;

/// The duration as a person would write it.
pub fn print(duration: Duration) -> String {
    let printer = SpanPrinter::new().designator(Designator::Compact).spacing(Spacing::None);
    let (days, rest) = (duration.as_secs() / DAY, Duration::new(duration.as_secs() % DAY, duration.subsec_nanos()));
    let is_whole = rest.is_zero();
    let rest = SignedDuration::try_from(rest).map(|rest| printer.duration_to_string(&rest)).unwrap_or_default();
    match days {
        0 => rest,
        _ if is_whole => format!("{days}d"),
        _ => format!("{days}d{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, milliseconds) in [
            ("10s", 10_000),
            ("5m", 300_000),
            ("1m 30s", 90_000),
            ("500ms", 500),
            (" 2h ", 7_200_000),
            ("30d", 2_592_000_000),
        ] {
            assert_eq!(parse(text).unwrap().as_millis(), milliseconds, "{text}");
        }
    }

    #[test]
    fn an_invalid_duration_is_an_error_that_says_what_is_wrong() {
        for (text, fault) in [
            ("10", "needs a unit"),
            ("", "not a duration"),
            ("planted", "not a duration"),
            ("1mo", "not a duration"),
            ("-1s", "negative"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(fault) && error.contains("\"30s\"") && !error.contains("planted"), "{error}");
        }
    }

    #[test]
    fn a_printed_duration_is_read_back() {
        for text in ["0s", "1s", "5m", "1h", "1m30s", "1d", "30d", "2d3h", "1d500ms"] {
            assert_eq!(print(parse(text).unwrap()), text);
        }
    }
}
