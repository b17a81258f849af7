//! The login state of an account: blocked, waiting, or allowed.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::api::Error;
use crate::api::totp::SentCodes;

/// The shortest and the longest wait between attempts to log in.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(3600));

/// Number of TOTP codes rejected in a row that blocks logins. A single rejection can come from a restart or from a clock change.
const TOTP_REFUSALS: u32 = 3;

/// Why logins are blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    WrongPassword,
    TotpRequired,
    Captcha,
    Discontinued,
}

impl Blocked {
    pub const ALL: [Blocked; 4] = [Blocked::WrongPassword, Blocked::TotpRequired, Blocked::Captcha, Blocked::Discontinued];

    /// The `reason` label.
    pub fn reason(self) -> &'static str {
        match self {
            Blocked::WrongPassword => "wrong_password",
            Blocked::TotpRequired => "totp_required",
            Blocked::Captcha => "captcha",
            Blocked::Discontinued => "discontinued",
        }
    }

    pub fn description(self) -> &'static str {
        match self {
            Blocked::WrongPassword => "wrong password",
            Blocked::TotpRequired => "TOTP code required",
            Blocked::Captcha => "captcha required",
            Blocked::Discontinued => "API discontinued",
        }
    }

    /// What has to be done before the account can log in again.
    pub fn remedy(self) -> &'static str {
        if self.is_rejection() {
            "give other credentials, or try these once more with check --online"
        } else {
            "reload the configuration to try once more"
        }
    }

    /// Whether the credentials were rejected. Then only different credentials are worth another attempt.
    pub(super) fn is_rejection(self) -> bool {
        matches!(self, Blocked::WrongPassword | Blocked::TotpRequired)
    }
}

/// The login state of an account.
#[derive(Clone, Default)]
pub(super) struct Login {
    /// The state that earlier processes left in the state directory has been read.
    pub(super) restored: bool,
    /// Why logins are blocked.
    pub(super) blocked: Option<Blocked>,
    /// A keyed hash of the credentials of the latest attempt. Different credentials are worth another attempt.
    pub(super) tried: Option<String>,
    /// The rejection of these credentials is stored in the state directory.
    pub(super) is_rejection_stored: bool,
    /// The current token has been accepted at least once.
    pub(super) is_token_proven: bool,
    /// Number of failed logins and refused tokens in a row.
    pub(super) failures: u32,
    pub(super) not_before: Option<Instant>,
    /// Endpoints that wait before they cause a new login: they refused a fresh token, or the budget was used up.
    pub(super) endpoint_backoffs: BTreeMap<&'static str, EndpointBackoff>,
    pub(super) codes: SentCodes,
    /// TOTP codes rejected in a row.
    pub(super) totp_refusals: u32,
}

/// How long an endpoint must not cause a login.
#[derive(Clone, Copy, Default)]
pub(super) struct EndpointBackoff {
    /// Number of fresh tokens in a row that it refused.
    pub(super) failures: u32,
    /// No new login before that time.
    pub(super) no_login_before: Option<Instant>,
    /// No request before that time either.
    pub(super) no_request_before: Option<Instant>,
}

impl Login {
    /// Records a failed login: it blocks further logins, or the next one has to wait.
    pub(super) fn failed(&mut self, error: &Error, is_late: bool) {
        self.totp_refusals = match error {
            // A code that arrived too late says nothing about the secret.
            Error::TotpRefused { .. } if is_late => self.totp_refusals,
            Error::TotpRefused { .. } => self.totp_refusals + 1,
            _ => 0,
        };
        let codes_used_up = (self.totp_refusals >= TOTP_REFUSALS).then_some(Blocked::TotpRequired);
        self.blocked = error.blocks_logins().or(codes_used_up);
        self.postpone();
    }

    /// Makes the next attempt wait.
    pub(super) fn postpone(&mut self) {
        self.failures += 1;
        self.not_before = Some(Instant::now() + backoff(self.failures));
    }
}

/// A random wait, up to twice as long after each failure.
pub(super) fn backoff(failures: u32) -> Duration {
    let (shortest, longest) = BACKOFF;
    rand::random_range(shortest..=longest.min(shortest * 2u32.pow(failures.clamp(1, 16))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_at_random_between_five_seconds_and_an_hour() {
        let (shortest, longest) = BACKOFF;
        for failures in [1, 2, 3, 10, 100, u32::MAX] {
            let waits: Vec<Duration> = (0..1000).map(|_| backoff(failures)).collect();
            assert!(waits.iter().all(|wait| (shortest..=longest).contains(wait)), "{failures}");
            let at_most = longest.min(shortest * 2u32.pow(failures.min(16)));
            assert!(waits.iter().all(|wait| *wait <= at_most), "{failures}");
            assert!(waits.iter().max() > waits.iter().min(), "{failures}");
        }
        assert!((0..1000).any(|_| backoff(16) > Duration::from_secs(1800)));
    }

    #[tokio::test(start_paused = true)]
    async fn one_rejected_totp_code_is_a_wait_and_the_third_in_a_row_blocks() {
        let refused = Error::TotpRefused { clock_off: None };
        let mut login = Login::default();
        for (error, is_late) in [
            (&refused, false),
            (&refused, false),
            (&refused, true),
            (&Error::Timeout, false),
            (&refused, false),
            (&refused, false),
        ] {
            login.failed(error, is_late);
            assert_eq!(login.blocked, None);
            assert!(login.not_before.is_some_and(|time| time >= Instant::now() + BACKOFF.0));
        }
        login.failed(&refused, false);
        assert_eq!((login.blocked, login.failures), (Some(Blocked::TotpRequired), 7), "the waits grow");
    }
}
