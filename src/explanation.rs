//! What the client's errors mean to whoever wrote the configuration: the key that may be wrong.

use minergate::api::Error;

/// The error in a sentence, with the key to look at.
pub fn explanation(error: &Error) -> String {
    match error {
        Error::Timeout => "no whole answer within api.timeout".to_owned(),
        Error::NotFound | Error::Redirect { .. } | Error::Discontinued => format!("{error}; is api.base_url right?"),
        Error::TotpRequired => format!("{error}; give the account's totp_secret"),
        error => error.to_string(),
    }
}
