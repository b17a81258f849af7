//! A counter's samples over time: from zero, at each event and at regular times between.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::event::Event;

/// What has been counted up to a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    /// Unix milliseconds, as finely as Prometheus keeps them.
    pub(super) time: i64,
    /// In decimal, as sums of doubles end in digits that nobody wrote.
    pub(super) value: Decimal,
}

/// The samples of each label set, in the order of time, up to the end; every so many milliseconds at least. A set one of whose
/// events does not say what it adds has none: a sum that lacks a part would be a wrong number.
pub(super) fn cumulative(
    events: &[Event],
    adds: impl Fn(&Event) -> Option<Decimal>,
    every: i64,
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
    sets.into_iter().map(|(labels, steps)| (labels, steps.and_then(|steps| samples(&steps, every, end)))).collect()
}

/// Nothing where the sum is more than can be counted.
fn samples(steps: &[(i64, Decimal)], every: i64, end: i64) -> Option<Vec<Sample>> {
    let mut samples: Vec<Sample> = Vec::new();
    let mut value = Decimal::ZERO;
    let Some((first, _)) = steps.first().filter(|(first, _)| *first <= end) else { return Some(samples) };
    // The zero before the first event: without it, no `increase` would see that event.
    let mut next = first.div_euclid(every) * every - every;
    let regular = |samples: &mut Vec<Sample>, next: &mut i64, until: i64, value: Decimal| {
        while *next < until {
            samples.push(Sample { time: *next, value });
            *next += every;
        }
    };
    for (time, added) in steps.iter().filter(|(time, _)| *time <= end) {
        regular(&mut samples, &mut next, *time, value);
        value = value.checked_add(*added)?;
        match samples.last_mut().filter(|last| last.time == *time) {
            Some(last) => last.value = value,
            None => samples.push(Sample { time: *time, value }),
        }
        // At the event's own time, one sample is enough.
        if next == *time {
            next += every;
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
        let samples = cumulative(events, |event| event.amount, 1000, end).remove("l")?;
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
        assert_eq!(run(&events, 11_500), Some(expected[..4].to_vec()), "what comes after the end is left out");
        assert_eq!(run(&events, 10_000), Some(vec![]));
    }

    #[test]
    fn a_sum_that_lacks_a_part_is_missing() {
        assert_eq!(run(&[event(1.0, Some("1")), event(2.0, None), event(3.0, Some("1"))], 9000), None);
        assert_eq!(run(&[event(1.0, Some("-1"))], 9000), None, "a counter does not fall");
        let most = Decimal::MAX.to_string();
        assert_eq!(run(&[event(1.0, Some(&most)), event(2.0, Some(&most))], 9000), None, "it can't be counted");
    }
}
