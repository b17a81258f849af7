//! TOTP codes (RFC 6238). Each is sent at most once, because a server may treat a repeated code as an attack.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::{ExposeSecret, SecretString};
use totp_rs::{Algorithm, Builder, Secret, Totp};
use tracing::warn;

use super::{Error, Result};

/// Seconds for which one code is valid.
const STEP: u64 = 30;

/// No code is made in the last second of its step, because it would arrive in the next step.
const MARGIN: Duration = Duration::from_secs(1);

/// Number of steps remembered before and after the current one. It covers small changes of the clock.
const REMEMBERED: u64 = 32;

/// The codes of an account that were sent.
#[derive(Clone, Debug, Default)]
pub(super) struct SentCodes {
    sent: BTreeSet<u64>,
}

/// A code, and the step that it belongs to.
///
/// The code is a number, as the API documents it. Leading zeros do not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) number: u32,
    step: u64,
}

impl Code {
    /// Whether its step is over.
    pub(super) fn is_late(self) -> bool {
        step(unix_time()) != self.step
    }
}

impl SentCodes {
    /// Records steps that an earlier process used.
    ///
    /// A step in the future means that the clock was set back, or that the file is broken. It is dropped: otherwise no code could be
    /// sent in that step.
    pub(super) fn remember(&mut self, account: &str, steps: Vec<u64>) {
        let now = step(unix_time());
        let (past, future): (Vec<u64>, Vec<u64>) = steps.into_iter().partition(|step| *step <= now);
        if !future.is_empty() {
            warn!(account, steps = future.len(), "TOTP steps in the future in the state directory are ignored");
        }
        self.sent.extend(past);
        self.forget_old(now);
    }

    /// Waits until a code can be made: in a step whose code was not sent, and not at the end of the step.
    pub(super) async fn ready(&self) {
        loop {
            let now = unix_time();
            let Some(wait) = self.wait(now) else { return };
            tokio::time::sleep(wait).await;
        }
    }

    /// Makes the code of the current step and records it as sent; `None` if [`SentCodes::ready`] would wait.
    ///
    /// # Errors
    /// [`Error::TotpSecret`].
    pub(super) fn make(&mut self, secret: &SecretString) -> Result<Option<Code>> {
        let now = unix_time();
        if self.wait(now).is_some() {
            return Ok(None);
        }
        let number = totp(secret)?.generate(now.as_secs()).to_string().parse().map_err(|_| Error::TotpSecret)?;
        let step = step(now);
        self.sent.insert(step);
        self.forget_old(step);
        Ok(Some(Code { number, step }))
    }

    /// The steps to store.
    pub(super) fn sent(&self) -> impl Iterator<Item = u64> {
        self.sent.iter().copied()
    }

    /// How long to wait until a code can be made.
    fn wait(&self, now: Duration) -> Option<Duration> {
        let end_of = |step: u64| Duration::from_secs((step + 1) * STEP);
        let mut first = step(now);
        if now + MARGIN > end_of(first) {
            first += 1;
        }
        while self.sent.contains(&first) {
            first += 1;
        }
        Duration::from_secs(first * STEP).checked_sub(now).filter(|wait| !wait.is_zero())
    }

    fn forget_old(&mut self, now: u64) {
        self.sent.retain(|step| step.abs_diff(now) <= REMEMBERED);
    }
}

/// For a server: the step of 30 seconds that a code belongs to, at a time since 1970. The current step and its neighbours are accepted, as
/// clocks differ. `None` if the code is wrong.
///
/// # Errors
/// [`Error::TotpSecret`] if the secret is not base32.
pub fn totp_step(secret: &SecretString, code: &str, now: Duration) -> Result<Option<u64>> {
    Ok(totp(secret)?.check(code, now.as_secs()))
}

fn totp(secret: &SecretString) -> Result<Totp> {
    let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_step_duration(STEP).with_skew(1);
    Ok(builder.with_secret(key(secret)?).build_noncompliant())
}

fn step(time: Duration) -> u64 {
    time.as_secs() / STEP
}

/// The key in a base32 secret as authenticator apps show it: upper or lower case, with spaces or dashes.
///
/// # Errors
/// [`Error::TotpSecret`].
pub(super) fn key(secret: &SecretString) -> Result<Secret> {
    let plain: String = secret.expose_secret().chars().filter(|c| !matches!(c, ' ' | '-' | '=')).collect();
    match Secret::try_from_base32(plain.to_ascii_uppercase()) {
        Ok(key) if !plain.is_empty() => Ok(key),
        _ => Err(Error::TotpSecret),
    }
}

fn unix_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "GEZDGNBVGY3TQOJQ";

    #[test]
    fn secrets_are_accepted_as_people_write_them() {
        // 80 bits, 160 bits; lower case, spaces, dashes, padding.
        for secret in [SECRET, "gezd gnbv gy3t qojq", "GEZD-GNBV-GY3T-QOJQ-GEZD-GNBV-GY3T-QOJQ", "GEZDGNBVGY3TQOJQ===="] {
            assert!(key(&secret.into()).is_ok(), "{secret}");
        }
        for wrong in ["", "   ", "0189", "é"] {
            assert_eq!(key(&wrong.into()).err(), Some(Error::TotpSecret), "{wrong}");
        }
    }

    #[test]
    fn no_code_is_made_twice_or_at_the_end_of_a_step() {
        let now = Duration::from_secs(1000 * STEP);
        let mut codes = SentCodes::default();
        assert_eq!(codes.wait(now), None);
        assert_eq!(codes.wait(now + Duration::from_secs(29)), None);
        assert_eq!(codes.wait(now + Duration::from_millis(29_500)), Some(Duration::from_millis(500)));
        codes.sent.extend([1000, 1001]);
        assert_eq!(codes.wait(now + Duration::from_secs(10)), Some(Duration::from_secs(50)));
        assert_eq!(codes.wait(now + Duration::from_millis(29_500)), Some(Duration::from_millis(30_500)));
    }

    #[test]
    fn codes_sent_by_an_earlier_process_are_not_sent_again() {
        let now = step(unix_time());
        let mut codes = SentCodes::default();
        let future = (1..=32).map(|ahead| now + 1 + ahead);
        codes.remember("farm", [now, now - 5, now - 1000].into_iter().chain(future).collect());
        assert!(codes.sent().eq([now - 5, now]) || step(unix_time()) > now, "{codes:?}");
        // The current step is remembered, no matter how many future steps the file had, so its code is not sent again.
        if step(unix_time()) == now {
            assert_eq!(codes.make(&SECRET.into()).unwrap(), None);
        }
    }
    #[tokio::test]
    async fn a_login_waits_while_the_codes_of_the_next_steps_are_used_up() {
        let now = step(unix_time());
        let codes = SentCodes { sent: [now, now + 1, now + 2].into() };
        assert!(tokio::time::timeout(Duration::from_millis(20), codes.ready()).await.is_err());
    }

    #[test]
    fn a_code_is_late_after_its_step() {
        let now = step(unix_time());
        let is_late = |step| Code { number: 0, step }.is_late();
        assert!(is_late(now - 1));
        assert!(!is_late(now) || step(unix_time()) > now);
    }
}
