//! The host and port that a request is for.

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, Version};

/// The host, with its port if it is given: HTTP/2's `:authority`, or the header Host.
pub(super) fn of(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let header = || headers.get(HOST)?.to_str().ok()?.parse().ok();
    // A URL's part before an @ is not meant for the server.
    uri.authority().cloned().or_else(header).filter(|authority: &Authority| !authority.as_str().contains('@'))
}

/// Whether the request gives its host as its version of HTTP requires it (RFC 9112, 3.2; RFC 9113, 8.3.1).
pub(super) fn is_valid(request: &Request) -> bool {
    let mut named = request.headers().get_all(HOST).iter();
    let (first, second) = (named.next(), named.next());
    let is_enough = first.is_some()
        || match request.version() {
            Version::HTTP_11 => false,
            Version::HTTP_2 => request.uri().authority().is_some(),
            _ => true,
        };
    let is_host = |text: &str| text.is_empty() || text.parse::<Authority>().is_ok_and(|host| !host.as_str().contains('@'));
    is_enough && second.is_none() && first.is_none_or(|first| first.to_str().is_ok_and(is_host))
}
