//! `rate_limit`: a token bucket for all requests.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::document::Entry;
use minergate::duration;

/// How fast the bucket fills, and its size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RateLimit {
    interval: Duration,
    burst: u32,
}

impl RateLimit {
    /// Reads the section; `None` if there is no limit.
    pub(super) fn read(section: Entry) -> anyhow::Result<Option<RateLimit>> {
        let (section, mut map) = (section.place(), section.map()?);
        map.only(&["burst", "interval"])?;
        let interval = map.take("interval").map_or(Ok(Duration::ZERO), |entry| {
            let remedy = || entry.fault("is not a duration; give one such as \"100ms\" or \"1m30s\", or 0 for no limit");
            interval(&entry.text_or_number()?).ok_or_else(remedy)
        })?;
        let Some(entry) = map.take("burst") else {
            let fault = section.fault("has no burst and so would refuse everything; give burst, 1 or more");
            return if interval.is_zero() { Ok(None) } else { Err(fault) };
        };
        let burst = u32::try_from(entry.number()?).ok().filter(|burst| *burst > 0 || interval.is_zero());
        let burst = burst.ok_or_else(|| entry.fault("is out of range; give a number of requests, 1 or more"))?;
        Ok((!interval.is_zero()).then_some(RateLimit { interval, burst }))
    }

    /// Whole seconds until a request may be possible again.
    pub(super) fn retry_after(self) -> u64 {
        self.interval.as_secs() + 1
    }
}

/// Parses a duration. A number without a unit is nanoseconds, as in Go.
fn interval(text: &str) -> Option<Duration> {
    text.parse().map(Duration::from_nanos).ok().or_else(|| duration::parse(text).ok())
}

/// The bucket. After a change of the limit, it is full.
#[derive(Default)]
pub(super) struct Bucket(Mutex<Option<(RateLimit, f64, Instant)>>);

impl Bucket {
    /// Takes one request out of the bucket, if possible.
    pub(super) fn take(&self, limit: RateLimit) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let full = f64::from(limit.burst);
        let left = match *state {
            Some((before, left, at)) if before == limit => {
                (left + (now - at).as_secs_f64() / limit.interval.as_secs_f64()).min(full)
            }
            _ => full,
        };
        let allowed = left >= 1.0;
        *state = Some((limit, if allowed { left - 1.0 } else { left }, now));
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_parsed_as_in_go() {
        for (text, milliseconds) in [
            ("0", Some(0)),
            ("1500000000", Some(1500)),
            ("100ms", Some(100)),
            ("1m30s", Some(90_000)),
            ("1.5h", Some(5_400_000)),
            ("2000us", Some(2)),
            ("2000µs", Some(2)),
            ("", None),
            ("s", None),
            ("-1s", None),
            ("9999999999999999999h", None),
        ] {
            assert_eq!(interval(text).map(|interval| interval.as_millis()), milliseconds, "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_lets_a_burst_through_and_then_one_each_interval() {
        let limit = RateLimit { interval: Duration::from_secs(1), burst: 3 };
        let bucket = Bucket::default();
        let taken = |limit| (0..10).filter(|_| bucket.take(limit)).count();
        assert_eq!(taken(limit), 3);
        tokio::time::advance(Duration::from_millis(2500)).await;
        assert_eq!(taken(limit), 2);
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(taken(limit), 3);
        assert_eq!(taken(RateLimit { burst: 5, ..limit }), 5);
    }
}
