//! Times in the headers of an answer: how long to wait, and how far this machine's clock is off.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// Difference between clocks, in seconds, that makes TOTP codes invalid: the length of their step.
const MATTERS: i64 = 30;

pub(super) struct Clock {
    /// How long the server asks to wait, given in seconds or as a date.
    pub(super) retry_after: Option<Duration>,
    /// Seconds that this machine's clock is ahead of the server's; `None` if the difference is small.
    pub(super) off: Option<i64>,
}

impl Clock {
    pub(super) fn of(headers: &HeaderMap) -> Clock {
        let now = Timestamp::now();
        let server = date(headers, &DATE);
        let seconds = || text(headers, &RETRY_AFTER)?.parse().ok().map(Duration::from_secs);
        // A date is relative to the server's own clock, if the answer has its time.
        let until = || date(headers, &RETRY_AFTER).map(|date| date.duration_since(server.unwrap_or(now)));
        let until = || until().map(|wait| Duration::try_from(wait).unwrap_or_default());
        let off = server.map(|server| now.duration_since(server).as_secs());
        Clock { retry_after: seconds().or_else(until), off: off.filter(|off| off.abs() >= MATTERS) }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    Some(rfc2822::parse(text(headers, name)?).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(lines: &[(HeaderName, &str)]) -> Clock {
        Clock::of(&lines.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect())
    }

    #[test]
    fn a_wait_is_given_in_seconds_or_as_a_date() {
        let now = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (retry_after, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-5", None),
            ("99999999999999999999999", None),
        ] {
            let clock = clock(&[(DATE, now), (RETRY_AFTER, retry_after)]);
            assert_eq!(clock.retry_after, seconds.map(Duration::from_secs), "{retry_after}");
        }
        assert_eq!(clock(&[(DATE, now)]).retry_after, None);
    }

    #[test]
    fn a_clock_is_off_when_it_matters() {
        let ahead = |seconds: i64| {
            let date = Timestamp::now() - jiff::SignedDuration::from_secs(seconds);
            clock(&[(DATE, &rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&date).unwrap())]).off
        };
        assert_eq!((ahead(0), ahead(10)), (None, None));
        assert!(ahead(100).is_some_and(|off| (99..=102).contains(&off)));
        assert!(ahead(-100).is_some_and(|off| (-101..=-98).contains(&off)));
        assert_eq!(clock(&[]).off, None);
    }
}
