//! A counter's samples over time: from zero, at each event, and at regular times between events.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::event::Event;

/// The counter's value at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    /// Unix milliseconds, the resolution of Prometheus.
    pub(super) time: i64,
    /// A decimal, because sums of doubles have rounding errors.
    pub(super) value: Decimal,
}

/// The distance between samples without an event, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spacing {
    pub(super) old: i64,
    pub(super) recent: i64,
    /// Times before this are old.
    pub(super) recent_from: i64,
}

impl Spacing {
    fn at(self, time: i64) -> i64 {
        if time < self.recent_from { self.old } else { self.recent }
    }
}

/// The samples of each label set, in the order of time, until the end. If an event does not say what it adds, its label set has no
/// samples, because a partial sum would be wrong.
pub(super) fn cumulative(
    events: &[Event],
    adds: impl Fn(&Event) -> Option<Decimal>,
    spacing: Spacing,
    end: i64,
) -> BTreeMap<&str, Option<Vec<Sample>>> {
    let mut sets: BTreeMap<&str, Option<Vec<(i64, Decimal)>>> = BTreeMap::new();
    for event in events {
        let steps = sets.entry(&event.labels).or_insert_with(|| Some(Vec::new()));
        match (steps.as_mut(), adds(event)) {
            (Some(steps), Some(value)) if value >= Decimal::ZERO => steps.push((milliseconds(event.time), value)),
            _ => *steps = None,
        }
    }
    sets.into_iter().map(|(labels, steps)| (labels, steps.and_then(|steps| samples(&steps, spacing, end)))).collect()
}

/// `None` if the sum is too large.
fn samples(steps: &[(i64, Decimal)], spacing: Spacing, end: i64) -> Option<Vec<Sample>> {
    let mut samples: Vec<Sample> = Vec::new();
    let mut value = Decimal::ZERO;
    let Some((first, _)) = steps.first().filter(|(first, _)| *first <= end) else { return Some(samples) };
    // A zero before the first event. Without it, `increase` would not count that event.
    let every = spacing.at(*first);
    let mut next = first.div_euclid(every) * every - every;
    let regular = |samples: &mut Vec<Sample>, next: &mut i64, until: i64, value: Decimal| {
        while *next < until {
            samples.push(Sample { time: *next, value });
            *next += spacing.at(*next);
        }
    };
    for (time, added) in steps.iter().filter(|(time, _)| *time <= end) {
        regular(&mut samples, &mut next, *time, value);
        value = value.checked_add(*added)?;
        match samples.last_mut().filter(|last| last.time == *time) {
            Some(last) => last.value = value,
            None => samples.push(Sample { time: *time, value }),
        }
        // One sample is enough at the time of an event.
        if next == *time {
            next += spacing.at(next);
        }
    }
    regular(&mut samples, &mut next, end + 1, value);
    Some(samples)
}

#[expect(clippy::cast_possible_truncation, reason = "a time that was held against a range fits")]
fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(time: f64, amount: Option<&str>) -> Event {
        Event { time, labels: "l".to_owned(), amount: amount.map(|amount| amount.parse().unwrap()), fee: None }
    }

    fn run(events: &[Event], end: i64) -> Option<Vec<(i64, String)>> {
        spaced(events, Spacing { old: 1000, recent: 1000, recent_from: 0 }, end)
    }

    fn spaced(events: &[Event], spacing: Spacing, end: i64) -> Option<Vec<(i64, String)>> {
        let samples = cumulative(events, |event| event.amount, spacing, end).remove("l")?;
        samples
            .map(|samples| samples.into_iter().map(|sample| (sample.time, sample.value.normalize().to_string())).collect())
    }

    #[test]
    fn a_counter_begins_at_zero_and_goes_on_between_events() {
        let events = [event(10.5, Some("0.1")), event(12.0, Some("0.2")), event(12.0, Some("4.0"))];
        let expected =
            [(9000, "0"), (10000, "0"), (10500, "0.1"), (11000, "0.1"), (12000, "4.3"), (13000, "4.3"), (14000, "4.3")];
        let expected = expected.map(|(time, value)| (time, value.to_owned()));
        assert_eq!(run(&events, 14_000), Some(expected.to_vec()), "0.1 and 0.2 are 0.3");
        assert_eq!(run(&events, 11_500), Some(expected[..4].to_vec()), "events after the end are left out");
        assert_eq!(run(&events, 10_000), Some(vec![]));
    }

    #[test]
    fn old_times_have_fewer_samples() {
        let spacing = Spacing { old: 10_000, recent: 1000, recent_from: 25_000 };
        let times = |events: &[Event], end| -> Vec<i64> {
            spaced(events, spacing, end).unwrap().into_iter().map(|(time, _)| time).collect()
        };
        let events = [event(12.5, Some("1")), event(20.0, Some("1")), event(30.5, Some("1"))];
        assert_eq!(times(&events, 32_000), [0, 10_000, 12_500, 20_000, 30_000, 30_500, 31_000, 32_000]);
        assert_eq!(times(&events[2..], 32_000), [29_000, 30_000, 30_500, 31_000, 32_000], "all is recent");
        assert_eq!(times(&events[..1], 22_000), [0, 10_000, 12_500, 20_000], "all is old");
    }

    #[test]
    fn a_sum_that_lacks_a_part_is_missing() {
        assert_eq!(run(&[event(1.0, Some("1")), event(2.0, None), event(3.0, Some("1"))], 9000), None);
        assert_eq!(run(&[event(1.0, Some("-1"))], 9000), None, "a counter does not fall");
        let most = Decimal::MAX.to_string();
        assert_eq!(run(&[event(1.0, Some(&most)), event(2.0, Some(&most))], 9000), None, "it can't be counted");
    }
}
