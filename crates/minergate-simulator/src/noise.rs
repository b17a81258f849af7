//! Reproducible random numbers: the same seed gives the same numbers.

use std::f64::consts::TAU;

/// A source of random numbers. Drawing a number does not change it; different names give different numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seed(u64);

impl Seed {
    pub(super) fn new(seed: u64) -> Seed {
        Seed(mix(seed))
    }

    /// The seed of a named part.
    pub(super) fn of(self, name: &str) -> Seed {
        Seed(name.bytes().fold(self.0, |hash, byte| mix(hash ^ u64::from(byte))))
    }

    /// The seed of one of many parts.
    pub(super) fn nth(self, index: u64) -> Seed {
        Seed(mix(self.0 ^ mix(index)))
    }

    /// A number from 0 to below 1.
    pub(super) fn unit(self) -> f64 {
        real(self.0 >> 11) / real(1 << 53)
    }

    pub(super) fn between(self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A number from 0 to below `end`.
    pub(super) fn below(self, end: u64) -> u64 {
        self.0 % end.max(1)
    }

    /// One entry of a table.
    pub(super) fn pick<T>(self, table: &[T]) -> Option<&T> {
        table.get(usize::try_from(self.below(table.len() as u64)).unwrap_or_default())
    }

    /// This number of hexadecimal digits, for hashes, ids and secrets.
    pub(super) fn hex(self, digits: usize) -> String {
        let words = (0..digits.div_ceil(16) as u64).map(|i| format!("{:016x}", self.nth(i).0).into_bytes());
        words.flatten().take(digits).map(char::from).collect()
    }
}

/// `SplitMix64`'s step.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A factor that varies smoothly around 1. Its integral is known, so a counter needs no history.
#[derive(Clone, Debug)]
pub(super) struct Wave([Sine; 3]);

#[derive(Clone, Debug)]
struct Sine {
    amplitude: f64,
    /// Radians a second.
    frequency: f64,
    phase: f64,
}

impl Wave {
    /// A wave that stays within `swing` (below 1) of 1, with variations over a day, a few hours and about twenty minutes.
    pub(super) fn new(seed: Seed, swing: f64) -> Wave {
        let sine = |name, share, period: f64| {
            let seed = seed.of(name);
            Sine {
                amplitude: swing * share,
                frequency: TAU / (period * seed.of("period").between(0.8, 1.25)),
                phase: seed.of("phase").between(0.0, TAU),
            }
        };
        Wave([sine("day", 0.5, 86_400.0), sine("hours", 0.3, 10_800.0), sine("minutes", 0.2, 1300.0)])
    }

    pub(super) fn at(&self, seconds: f64) -> f64 {
        1.0 + self.0.iter().map(|s| s.amplitude * (s.frequency * seconds + s.phase).cos()).sum::<f64>()
    }

    /// The integral from 0. It always grows, because the wave stays above 0.
    pub(super) fn integral(&self, seconds: f64) -> f64 {
        let swung = |s: &Sine| s.amplitude / s.frequency * ((s.frequency * seconds + s.phase).sin() - s.phase.sin());
        seconds + self.0.iter().map(swung).sum::<f64>()
    }
}

#[expect(clippy::cast_precision_loss, reason = "what is counted here stays below 2^53, or is a made-up number anyway")]
pub(super) fn real(count: u64) -> f64 {
    count as f64
}

/// Rounded down; a negative number becomes 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, which is what is wanted")]
pub(super) fn whole(value: f64) -> u64 {
    value as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_repeat_and_differ_by_name_and_seed() {
        let seed = Seed::new(1);
        assert_eq!(seed.of("a").hex(40), Seed::new(1).of("a").hex(40));
        assert_ne!(seed.of("a").hex(40), seed.of("b").hex(40));
        assert_ne!(seed.nth(1).hex(40), seed.nth(2).hex(40));
        assert_ne!(seed.of("a").hex(40), Seed::new(2).of("a").hex(40));
        assert!((0..1000).map(|i| seed.nth(i).unit()).all(|u| (0.0..1.0).contains(&u)));
    }

    #[test]
    fn a_wave_is_its_integrals_slope() {
        let wave = Wave::new(Seed::new(7), 0.12);
        for i in 0..1000 {
            let time = 1e6 + 97.0 * real(i);
            let slope = wave.integral(time + 0.5) - wave.integral(time - 0.5);
            assert!((slope - wave.at(time)).abs() < 1e-5);
            assert!((0.88..=1.12).contains(&slope));
        }
    }
}
