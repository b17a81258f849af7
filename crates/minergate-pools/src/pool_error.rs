//! Errors of pools: status and body of an answer become an error of the API client.
//!
//! Pools also send errors with HTTP 200: `{"error":"Not found"}` for a wallet that they do not know, other texts for other errors.

use minergate::answer::{Text, object};
use minergate::api::{self, Error};

object! {
    /// A pool's error body.
    pub struct ErrorBody {
        pub error: Text = "error",
    }
}

/// The error in an answer about the pool or its network, if it has one.
pub(crate) fn of_pool(status: u16, body: &[u8]) -> Option<Error> {
    let refused = text(body).is_some();
    match status {
        200..300 if refused => Some(Error::Api { status }),
        200..300 => None,
        // No token was sent, so the pool can't have refused one.
        401 | 403 => Some(Error::Client { status }),
        // Only the MinerGate API has codes in its bodies, so the body is left out and the status decides.
        _ => Error::of_answer(status, b""),
    }
}

/// The error in an answer about a wallet, if it has one.
pub(crate) fn of_wallet(status: u16, body: &[u8]) -> Option<Error> {
    let is_unknown = || text(body).is_some_and(|text| text.to_ascii_lowercase().contains("not found"));
    match status {
        200..300 | 404 if is_unknown() => Some(Error::WalletUnknown),
        _ => of_pool(status, body),
    }
}

/// The same for software that answers 404 without a body if it does not know the wallet.
pub(crate) fn of_wallet_or_empty(status: u16, body: &[u8]) -> Option<Error> {
    match status {
        404 if body.trim_ascii().is_empty() => Some(Error::WalletUnknown),
        _ => of_wallet(status, body),
    }
}

fn text(body: &[u8]) -> Option<String> {
    let pool_error: ErrorBody = api::decode(body).ok()?;
    pool_error.error.get().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_has_its_kind_of_error() {
        let kinds = |status, body: &str| {
            [of_pool, of_wallet, of_wallet_or_empty]
                .map(|read| read(status, body.as_bytes()).map_or("-", |error| error.kind()))
        };
        for (status, body, expected) in [
            (200, r#"{"error":"Not found"}"#, ["api_error", "wallet_unknown", "wallet_unknown"]),
            (200, "\n{\"error\":\"not found\"}", ["api_error", "wallet_unknown", "wallet_unknown"]),
            (404, r#"{"error":"account not found"}"#, ["not_found", "wallet_unknown", "wallet_unknown"]),
            (200, r#"{"error":"Query failed"}"#, ["api_error"; 3]),
            (200, r#"{"error":"token missing"}"#, ["api_error"; 3]),
            (200, r#"{"error":null}"#, ["-"; 3]),
            (200, r#"{"hash":1}"#, ["-"; 3]),
            (200, "<html>", ["-"; 3]),
            (404, "", ["not_found", "not_found", "wallet_unknown"]),
            (404, "<html>", ["not_found"; 3]),
            (404, "Invalid API call", ["not_found"; 3]),
            (403, "<html>", ["client_error"; 3]),
            (429, "", ["rate_limited"; 3]),
            (500, r#"{"error":"Not found"}"#, ["server_error"; 3]),
            (503, "", ["unavailable"; 3]),
            (302, "", ["redirect"; 3]),
        ] {
            assert_eq!(kinds(status, body), expected, "{status} {body}");
        }
    }
}
