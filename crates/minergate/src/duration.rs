//! Durations as the configuration writes them: `10s`, `1m 30s`, `2h`, `30d`. A day has 24 hours.

use std::fmt;
use std::time::Duration;

use jiff::fmt::friendly::{Designator, Spacing, SpanPrinter};
use jiff::{SignedDuration, Span, SpanRelativeTo};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// What a duration looks like, for editors; [`parse`] decides.
pub const PATTERN: &str = "^ *(P|[0-9.]+ *[A-Za-zµ])";

/// Reads a duration.
///
/// # Errors
/// A sentence for people, when there is no unit, or the text is no duration.
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

/// The duration as the configuration would write it.
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

/// A duration as it was written, to be read by [`parse`]: a bare number is then refused for its missing unit.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a duration; write a text such as \"30s\"")]
pub enum Written {
    Text(String),
    Whole(u64),
    Number(f64),
    Flag(bool),
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Written::Text(text) => f.write_str(text),
            Written::Whole(number) => write!(f, "{number}"),
            Written::Number(number) => write!(f, "{number}"),
            Written::Flag(flag) => write!(f, "{flag}"),
        }
    }
}

/// For `#[serde(deserialize_with = "duration::deserialize")]`.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    parse(&Written::deserialize(deserializer)?.to_string()).map_err(de::Error::custom)
}

/// For `#[schemars(schema_with = "duration::schema")]`: what an editor may know of a duration.
pub fn schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": PATTERN, "examples": ["30s", "5m", "1h"] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
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
    fn says_what_is_wrong() {
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
    fn prints_what_it_reads() {
        for text in ["0s", "1s", "5m", "1h", "1m30s", "1d", "30d", "2d3h", "1d500ms"] {
            assert_eq!(print(parse(text).unwrap()), text);
        }
    }
}
