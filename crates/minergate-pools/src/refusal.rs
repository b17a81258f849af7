//! What an answer's status and body say is wrong, in the words of the API client.
//!
//! Pools send errors with HTTP 200: `{"error":"Not found"}` for a wallet that they do not know, other texts for the rest.

use minergate::answer::{Text, object};
use minergate::api::{self, Error};

object! {
    /// An error of a pool's.
    pub struct Refusal {
        pub error: Text = "error",
    }
}

/// Reads the answer to a request about the pool or its network.
pub(crate) fn of_pool(status: u16, body: &[u8]) -> Option<Error> {
    let refused = text(body).is_some();
    match status {
        200..300 if refused => Some(Error::Api { status }),
        200..300 => None,
        // No token was sent that could be refused.
        401 | 403 => Some(Error::Client { status }),
        // An empty body has no code of the MinerGate API, so the status decides.
        _ => Error::of_answer(status, b""),
    }
}

/// Reads the answer to a request about a wallet.
pub(crate) fn of_wallet(status: u16, body: &[u8]) -> Option<Error> {
    let is_unknown = || text(body).is_some_and(|text| text.to_ascii_lowercase().contains("not found"));
    match status {
        200..300 | 404 if is_unknown() => Some(Error::WalletUnknown),
        _ => of_pool(status, body),
    }
}

/// The same of a software that answers 404 without a body for a wallet that it does not know.
pub(crate) fn of_wallet_or_empty(status: u16, body: &[u8]) -> Option<Error> {
    match status {
        404 if body.trim_ascii().is_empty() => Some(Error::WalletUnknown),
        _ => of_wallet(status, body),
    }
}

fn text(body: &[u8]) -> Option<String> {
    let refusal: Refusal = api::decode(body).ok()?;
    refusal.error.get().map(str::to_owned)
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
