//! Errors of the clients as sentences that name the key of the configuration to check.

use minergate::api::Error;

/// The error as a sentence with the key to check: in `[api]`, or of the pool with this name.
pub fn explanation(error: &Error, pool: Option<&str>) -> String {
    let key = |key: &str| match (pool, key) {
        (Some(pool), key) => format!("{key} of the pool {pool}"),
        (None, "url") => "api.base_url".to_owned(),
        (None, key) => format!("api.{key}"),
    };
    let words = match error {
        Error::Timeout => format!("no whole answer within {}", key("timeout")),
        Error::NotFound | Error::Redirect { .. } | Error::Discontinued => format!("{error}; is {} right?", key("url")),
        Error::TotpRequired => format!("{error}; give the account's totp_secret"),
        error => error.to_string(),
    };
    // The API and pools have the same client, and its errors say "the API".
    if pool.is_some() { words.replace("the API", "the pool") } else { words }
}
