//! TOTP codes (RFC 6238), each sent once at most: a server takes a second one for an attack.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::{ExposeSecret, SecretString};
use totp_rs::{Algorithm, Builder, Secret};

use super::{Error, Result};

/// Seconds that one code stands for.
const STEP: u64 = 30;

/// Steps that are remembered: enough for a clock that is set back a little.
const REMEMBERED: usize = 32;

/// The codes of one account.
#[derive(Debug, Default)]
pub(super) struct Codes {
    /// Steps whose codes were sent.
    sent: BTreeSet<u64>,
    /// Where they are remembered across a restart.
    memory: Option<PathBuf>,
}

impl Codes {
    /// Codes with the memory of an earlier process, if there is a file for it.
    pub(super) fn remembered(memory: Option<PathBuf>) -> Codes {
        let text = memory.as_ref().and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        Codes { sent: text.lines().filter_map(|step| step.parse().ok()).collect(), memory }
    }

    /// The code of the present step, or of the next when this one's was sent already.
    ///
    /// As a number: so the API documents it, and leading zeros are its own business.
    pub(super) async fn next(&mut self, secret: &SecretString) -> Result<u32> {
        let totp = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_step_duration(STEP)
            .with_secret(key(secret)?)
            .build_noncompliant();
        let mut now = unix_time();
        while self.sent.contains(&(now.as_secs() / STEP)) {
            let next = Duration::from_secs((now.as_secs() / STEP + 1) * STEP);
            tokio::time::sleep(next.saturating_sub(now)).await;
            // Timers may be a little early by the wall clock; the step that was waited for has come all the same.
            now = unix_time().max(next);
        }
        self.remember(now.as_secs() / STEP);
        totp.generate(now.as_secs()).to_string().parse().map_err(|_| Error::TotpSecret)
    }

    fn remember(&mut self, step: u64) {
        self.sent.insert(step);
        while self.sent.len() > REMEMBERED {
            self.sent.pop_first();
        }
        if let Some(file) = &self.memory {
            let steps: Vec<String> = self.sent.iter().map(u64::to_string).collect();
            // Without a memory, a restart within the step may send its code again, which costs an attempt and no more.
            let _ = std::fs::write(file, steps.join("\n"));
        }
    }
}

/// The key of a base32 secret, as authenticator apps show it: any case, with spaces or dashes.
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

    #[test]
    fn secrets_are_taken_as_people_have_them() {
        // 80 bits, 160 bits; lower case, spaces, dashes, padding.
        for secret in
            ["GEZDGNBVGY3TQOJQ", "gezd gnbv gy3t qojq", "GEZD-GNBV-GY3T-QOJQ-GEZD-GNBV-GY3T-QOJQ", "GEZDGNBVGY3TQOJQ===="]
        {
            assert!(key(&secret.into()).is_ok(), "{secret}");
        }
        for wrong in ["", "   ", "0189", "é"] {
            assert_eq!(key(&wrong.into()).err(), Some(Error::TotpSecret), "{wrong}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_step_is_used_twice_even_by_the_next_process() {
        let directory = tempfile::tempdir().unwrap();
        let file = Some(directory.path().join("steps"));
        let secret = SecretString::from("GEZDGNBVGY3TQOJQ");
        let mut codes = Codes::remembered(file.clone());
        for _ in 0..3 {
            codes.next(&secret).await.unwrap();
        }
        assert_eq!(codes.sent.len(), 3, "each code has a step of its own");
        let mut restarted = Codes::remembered(file);
        restarted.next(&secret).await.unwrap();
        assert_eq!(restarted.sent.len(), 4);
    }
}
