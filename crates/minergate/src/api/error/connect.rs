//! Reasons for failed connections, in fixed words.

use std::io::{self, ErrorKind};

const PROXY_REFUSED: &str =
    "the proxy of the environment refused the connection; is HTTPS_PROXY, HTTP_PROXY or ALL_PROXY right?";
const PROXY_AUTHENTICATION: &str =
    "the proxy of the environment wants a user and a password (HTTP 407); give them in HTTPS_PROXY";
const PROXY_FAILED: &str = "the proxy of the environment did not connect to the host; is HTTPS_PROXY, HTTP_PROXY or ALL_PROXY right, and may it go there?";

/// Whether the reason comes from the proxy.
pub(super) fn is_of_proxy(reason: &str) -> bool {
    [PROXY_REFUSED, PROXY_AUTHENTICATION, PROXY_FAILED].contains(&reason)
}

/// The innermost reason of a failed connection, in fixed words.
pub(super) fn reason(error: &(dyn std::error::Error + 'static), through_proxy: bool) -> &'static str {
    let mut source = Some(error);
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            match (io.kind(), through_proxy) {
                (ErrorKind::ConnectionRefused, false) => return "connection refused",
                (ErrorKind::ConnectionRefused, true) => return PROXY_REFUSED,
                (ErrorKind::ConnectionReset, false) => return "connection reset",
                (ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable, false) => {
                    return "no route to the host";
                }
                _ => {}
            }
            // An I/O error does not list a wrapped error among its sources.
            if let Some(inner) = io.get_ref() {
                source = Some(inner);
                continue;
            }
        }
        if error.downcast_ref::<rustls::Error>().is_some() {
            return "TLS failed; is the certificate valid and its CA trusted?";
        }
        // reqwest has no public type for this.
        if through_proxy && error.to_string().contains("proxy auth") {
            return PROXY_AUTHENTICATION;
        }
        source = error.source();
    }
    if through_proxy { PROXY_FAILED } else { "name not found, or host unreachable" }
}
