//! Warnings about certificates that are not valid now, or that expire soon.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use x509_parser::parse_x509_certificate;

/// Seconds before the expiry of a certificate at which it should have been renewed.
const SOON: i64 = 14 * 86_400;

/// A warning about a certificate's validity period, if necessary.
pub(super) fn warning(certificate: &[u8]) -> Option<String> {
    let (_, certificate) = parse_x509_certificate(certificate).ok()?;
    let validity = certificate.validity();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|now| i64::try_from(now.as_secs()).ok())?;
    judged(validity.not_before.timestamp(), validity.not_after.timestamp(), now)
}

/// All times are Unix seconds.
fn judged(not_before: i64, not_after: i64, now: i64) -> Option<String> {
    // A certificate that is valid for a day or a week is renewed in the last third of this time, as its issuer intends.
    let soon = SOON.min((not_after - not_before) / 3);
    if now > not_after {
        Some(format!("holds a certificate that expired on {}; renew it", date(not_after)))
    } else if now < not_before {
        Some(format!("holds a certificate that is valid from {} on; is this machine's clock right?", date(not_before)))
    } else if not_after - now < soon {
        Some(format!("holds a certificate that expires on {}; renew it", date(not_after)))
    } else {
        None
    }
}

fn date(time: i64) -> String {
    Timestamp::from_second(time).map_or_else(|_| "an unknown date".to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_warned_about_before_its_time_after_it_and_shortly_before_its_end() {
        const DAY: i64 = 86_400;
        for (not_before, not_after, now, part) in [
            (0, 90 * DAY, 75 * DAY, None),
            (0, 90 * DAY, 77 * DAY, Some("expires on 1970-04-01T00:00:00Z")),
            (0, 90 * DAY, 90 * DAY, Some("expires on 1970-04-01T00:00:00Z")),
            (0, 90 * DAY, 90 * DAY + 1, Some("expired on 1970-04-01T00:00:00Z")),
            (DAY, 90 * DAY, 0, Some("valid from 1970-01-02T00:00:00Z on")),
            // A certificate that is valid for a day.
            (0, DAY, DAY / 2, None),
            (0, DAY, DAY - DAY / 4, Some("expires on 1970-01-02T00:00:00Z")),
            (i64::MIN / 4, i64::MAX / 4, 0, None),
        ] {
            let warning = judged(not_before, not_after, now);
            assert_eq!(warning.is_some(), part.is_some(), "{now}: {warning:?}");
            assert!(warning.unwrap_or_default().contains(part.unwrap_or_default()), "{now}");
        }
    }
}
