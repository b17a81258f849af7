//! What the clients' errors mean to the person who wrote the configuration: the key that may be wrong.

use minergate::api::Error;

/// The error in a sentence, with the key to look at: of the API, or of a pool by its name.
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
    // The errors are those of the API's client, which also asks pools.
    if pool.is_some() { words.replace("the API", "the pool") } else { words }
}
