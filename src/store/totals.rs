//! The highest values of a loop's counters, so that a correction by the pool is not taken for a reset.
//!
//! For Prometheus, every fall of a counter is a reset: if `totalMined` were corrected from 24,877.0 to 24,876.9, `increase` would report
//! 24,877 additional coins. So after a small fall, the highest value is shown until the API exceeds it.
//!
//! `rate` and `increase` span gaps, so a value is remembered while its samples are stale or missing from an answer, as long
//! as its loop runs. Shown values are read from the samples themselves; only other values need memory here.

use std::collections::{BTreeMap, BTreeSet};

use minergate::metric::{Family, Sample, Samples};

/// A fall to at least this fraction of the highest value is a correction, a larger one is a reset.
const CORRECTION: f64 = 0.99;

/// Maximum number of counters of one loop that are remembered while its answers lack them. It is far more than a pool has. It limits the memory
/// if an API makes up new currencies each time.
const MAX_MISSING: usize = 1000;

/// A fall of a counter that is not shown.
#[derive(Clone, Debug)]
pub struct Correction {
    pub family: &'static Family,
    /// The labels without those of the endpoint's scope.
    pub labels: String,
    /// The value that is shown.
    pub held: f64,
    /// The API's value.
    pub reported: f64,
}

/// The values of one loop's counters, as far as its samples do not show them.
#[derive(Default)]
pub(super) struct Totals {
    /// The samples that were shown last, if they are stale.
    stale: Option<Samples>,
    /// Counters whose previous value is held, or that are missing from the latest answer, by the family's index and the labels.
    hidden: BTreeMap<(usize, Box<str>), Total>,
}

#[derive(Clone, Copy)]
struct Total {
    highest: f64,
    /// The API's latest value.
    latest: f64,
}

impl Totals {
    pub(super) fn is_empty(&self) -> bool {
        self.stale.is_none() && self.hidden.is_empty()
    }

    /// Remembers samples that are no longer shown.
    pub(super) fn remember(&mut self, stale: Samples) {
        self.stale = Some(stale);
    }

    /// Replaces corrected values with the highest ones. `shown` are the samples before these.
    pub(super) fn hold(&mut self, shown: Option<Samples>, samples: &mut Samples) -> Vec<Correction> {
        let before = shown.or_else(|| self.stale.take()).unwrap_or_default();
        let mut corrections = Vec::new();
        for (place, family) in samples.counters() {
            let before: Vec<Sample<'_>> = before.family(place).collect();
            let mut held = Vec::new();
            for (at, one) in samples.family(place).enumerate() {
                let Some(total) = self.total(place, at, one.labels, &before) else { continue };
                if one.value >= total.highest || one.value < total.highest * CORRECTION {
                    continue;
                }
                held.push((at, total.highest));
                self.hidden.insert((place, one.labels.into()), Total { latest: one.value, ..total });
                if one.value < total.latest {
                    let labels = one.labels.to_owned();
                    corrections.push(Correction { family, labels, held: total.highest, reported: one.value });
                }
            }
            self.keep_missing(place, &before, samples);
            for (at, highest) in held {
                samples.set(place, at, highest);
            }
        }
        corrections
    }

    /// Removes and returns the previous state of a counter.
    fn total(&mut self, place: usize, at: usize, labels: &str, before: &[Sample<'_>]) -> Option<Total> {
        // Usually nothing is hidden, and no key needs to be made.
        if !self.hidden.is_empty()
            && let Some(total) = self.hidden.remove(&(place, labels.into()))
        {
            return Some(total);
        }
        // Usually the samples are in the same order as before.
        let same_place = before.get(at).filter(|one| one.labels == labels);
        let shown = same_place.or_else(|| before.iter().find(|one| one.labels == labels))?;
        Some(Total { highest: shown.value, latest: shown.value })
    }

    /// Remembers the counters that an answer lacks.
    fn keep_missing(&mut self, place: usize, before: &[Sample<'_>], samples: &Samples) {
        if before.iter().map(|one| one.labels).eq(samples.layout().labels(place)) {
            return;
        }
        let present: BTreeSet<&str> = samples.layout().labels(place).collect();
        for Sample { labels, value } in before.iter().filter(|one| !present.contains(one.labels)) {
            if self.hidden.len() < MAX_MISSING {
                // A counter that was held already has an entry, with more information.
                self.hidden.entry((place, (*labels).into())).or_insert(Total { highest: *value, latest: *value });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    use minergate::metric::{Context, Metric, counter, gauge};

    type Answer = Vec<(u8, f64)>;

    static METRICS: &[Metric<Answer>] = &[
        gauge("now", "A gauge").labels(&["currency"]).read(put),
        counter("all", "A counter").labels(&["currency"]).read(put),
        counter("more", "Another counter").labels(&["currency"]).read(put),
    ];

    fn put(answer: &Answer, out: &mut minergate::metric::Out<'_>) {
        for (code, value) in answer {
            out.put([format!("c{code}").as_str()], *value);
        }
    }

    /// A loop for tests: its totals and its shown samples.
    #[derive(Default)]
    struct TestLoop(Totals, Option<Samples>);

    impl TestLoop {
        /// Processes an answer. Returns the shown values of the second family, and the number of its corrections.
        fn take(&mut self, answer: &[(u8, f64)]) -> (Vec<f64>, usize) {
            let request = Context::default();
            let mut samples = Samples::read(METRICS, &answer.to_vec(), &request);
            let corrections = self.0.hold(self.1.take(), &mut samples);
            assert!(samples.values(0).iter().eq(answer.iter().map(|(_, value)| value)), "a gauge is not held");
            let values = samples.values(1).to_vec();
            assert_eq!(samples.values(2), values);
            assert_eq!(corrections.len() % 2, 0);
            self.1 = Some(samples);
            (values, corrections.len() / 2)
        }

        fn take_one(&mut self, value: f64) -> (f64, usize) {
            let (values, corrections) = self.take(&[(0, value)]);
            (values[0], corrections)
        }

        fn grow_stale(&mut self) {
            self.0.remember(self.1.take().unwrap());
        }
    }

    #[test]
    fn a_small_fall_is_held_until_it_is_passed_and_a_large_one_is_shown() {
        let mut one = TestLoop::default();
        for (reported, expected) in [
            (24_877.0, (24_877.0, 0)),
            (24_876.9, (24_877.0, 1)),
            // The same correction again, not a new one.
            (24_876.9, (24_877.0, 0)),
            (24_876.95, (24_877.0, 0)),
            (24_876.8, (24_877.0, 1)),
            (24_877.0, (24_877.0, 0)),
            (24_877.5, (24_877.5, 0)),
            (100.0, (100.0, 0)),
            // Three falls of half a per cent: the third is more than 1 % below the shown value.
            (99.5, (100.0, 1)),
            (99.0, (100.0, 1)),
            (98.5, (98.5, 0)),
            (98.4, (98.5, 1)),
            (0.0, (0.0, 0)),
            (0.0, (0.0, 0)),
        ] {
            assert_eq!(one.take_one(reported), expected, "{reported}");
        }
        assert!(one.0.is_empty(), "a shown value is remembered again");
    }

    #[test]
    fn a_held_value_outlives_staleness_and_absence() {
        let mut one = TestLoop::default();
        one.take(&[(0, 100.0), (1, 50.0)]);
        one.grow_stale();
        assert_eq!(one.take(&[(0, 99.9), (1, 50.0)]), (vec![100.0, 50.0], 1));
        one.grow_stale();
        assert_eq!(one.take(&[(1, 49.9)]), (vec![50.0], 1));
        assert_eq!(one.take(&[]), (vec![], 0));
        assert_eq!(one.take(&[(1, 49.9), (0, 99.8)]), (vec![50.0, 100.0], 1));
        assert_eq!(one.take(&[(0, 101.0), (1, 20.0)]), (vec![101.0, 20.0], 0));
        assert!(one.0.is_empty());
    }

    #[test]
    fn made_up_currencies_take_bounded_memory() {
        static NAMED: &[Metric<u16>] = &[counter("all", "A counter")
            .labels(&["currency"])
            .read(|code, out| out.put([format!("c{code}").as_str()], 1.0))];
        let mut flood = TestLoop::default();
        for i in 0..3000_u16 {
            let mut samples = Samples::read(NAMED, &i, &Context::default());
            flood.0.hold(flood.1.take(), &mut samples);
            flood.1 = Some(samples);
        }
        assert_eq!(flood.0.hidden.len(), MAX_MISSING);
    }

    proptest! {
        #[test]
        fn a_shown_value_falls_by_more_than_1_percent_or_not_at_all(
            answers in prop::collection::vec(prop::collection::btree_map(0..4_u8, 90.0..110.0, 0..4), 0..40),
        ) {
            let mut one = TestLoop::default();
            let mut highest: BTreeMap<u8, f64> = BTreeMap::new();
            for (i, answer) in answers.iter().enumerate() {
                let answer: Answer = answer.iter().map(|(code, value)| (*code, *value)).collect();
                let (shown, _) = one.take(&answer);
                for ((code, reported), shown) in answer.iter().zip(shown) {
                    let before = highest.insert(*code, shown).unwrap_or_default();
                    prop_assert!(shown >= before || shown < before * CORRECTION);
                    prop_assert!([*reported, before].contains(&shown), "{shown} is neither the API's nor the highest");
                }
                if i % 5 == 4 {
                    one.grow_stale();
                }
            }
        }
    }
}
