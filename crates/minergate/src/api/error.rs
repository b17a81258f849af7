//! Errors of requests. Each has one word for metrics and one sentence for the user.
//!
//! No error quotes text from the API or the user, because an answer, a URL or a header can contain personal data.

mod connect;
mod envelope;

use tokio::time::Instant;

use super::account::Blocked;
use super::secret::SecretError;

pub type Result<T> = std::result::Result<T, Error>;

/// Why a request has no usable answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// No connection: name not found, connection refused, or TLS failed.
    #[error("could not connect: {0}")]
    Connect(&'static str),
    /// The connection broke before the answer was whole.
    #[error("the connection broke before the answer was whole")]
    Broken,
    /// No whole answer within the client's timeout.
    #[error("no whole answer in time")]
    Timeout,
    /// HTTP 429: the host asks for a pause.
    #[error("the API asks for fewer requests (HTTP 429)")]
    RateLimited {
        /// When the pause ends.
        until: Instant,
    },
    /// HTTP 503.
    #[error("the API is unavailable (HTTP 503)")]
    Unavailable {
        /// When the pause ends, if the answer asked for one.
        until: Option<Instant>,
    },
    /// Nothing was sent because an earlier answer asked for a pause.
    #[error("nothing was sent: the API asked for a pause")]
    Paused { until: Instant },
    /// HTTP 5xx, or the API's `InternalError`.
    #[error("the API failed (HTTP {status})")]
    Server { status: u16 },
    /// HTTP 404.
    #[error("the API has no such page (HTTP 404)")]
    NotFound,
    /// HTTP 407: the proxy set in the environment requires a user and a password.
    #[error("the proxy of the environment wants a user and a password (HTTP 407); give them in HTTP_PROXY")]
    Proxy,
    /// Any other HTTP 4xx.
    #[error("the API refused the request (HTTP {status})")]
    Client { status: u16 },
    /// A redirect to another host, or too many redirects.
    #[error("the API redirects elsewhere (HTTP {status}), which is not followed")]
    Redirect { status: u16 },
    /// HTTP 401 or 403, or an error code about the token.
    #[error("the API refused the token (HTTP {status})")]
    Unauthorized { status: u16 },
    /// The login was refused.
    #[error("the API refused the e-mail address or the password")]
    WrongPassword,
    /// The login needs a TOTP code.
    #[error("the API wants a TOTP code")]
    TotpRequired,
    /// The login's TOTP code was refused.
    #[error("the API refused the TOTP code{}", clock_off_words(*.clock_off))]
    TotpRefused {
        /// Seconds that this machine's clock is ahead of the API's; `None` if the difference is small.
        clock_off: Option<i64>,
    },
    /// The login requires a captcha.
    #[error("the API wants a captcha; give the account a token from a browser's session")]
    Captcha,
    /// The public host's answer since 2019.
    #[error("the API says that it is discontinued")]
    Discontinued,
    /// A pool does not know the wallet.
    #[error("the pool does not know the wallet; has it found a share there yet, and is its address right?")]
    WalletUnknown,
    /// Any other error of the API.
    #[error("the API answered with an error of its own (HTTP {status})")]
    Api { status: u16 },
    /// The answer exceeds the size limit.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge { limit: usize },
    /// The answer is not JSON, or does not have the endpoint's shape.
    #[error("the answer is not of the documented shape (line {line}, column {column})")]
    Shape { line: usize, column: usize },
    /// The answer is not UTF-8 text.
    #[error("the answer is {0}; is there a proxy in front of the API?")]
    Encoding(&'static str),
    /// Nothing was sent because logins are blocked.
    #[error("login blocked: {}; {}", .0.description(), .0.remedy())]
    LoginBlocked(Blocked),
    /// Nothing was sent because a login or a token failed recently, or the login budget is used up.
    #[error("waiting before the next login")]
    LoginPostponed { until: Instant },
    /// Nothing was sent because a secret's file can't be used. The message does not contain the path, which can be the secret itself.
    #[error("can't use {name}: {fault}; put the secret there on one line, for this user to read")]
    SecretFile { name: &'static str, fault: SecretError },
    /// Nothing was sent because the TOTP secret is invalid.
    #[error("the TOTP secret is not base32 (letters A to Z, digits 2 to 7)")]
    TotpSecret,
    /// Nothing was sent because the token can't be put in a header.
    #[error("the token holds characters that no HTTP header can")]
    TokenSyntax,
    /// The machine's TLS can't be used.
    #[error("TLS can't be set up on this machine; are CA certificates installed?")]
    Tls,
}

/// All outcomes of a request: `ok`, and the words of [`Error::kind`] for errors after something was sent.
pub const REQUEST_KINDS: &[&str] = &[
    "ok",
    "connect",
    "broken",
    "timeout",
    "rate_limited",
    "unavailable",
    "server_error",
    "not_found",
    "client_error",
    "redirect",
    "unauthorized",
    "wrong_password",
    "totp_required",
    "totp_refused",
    "captcha",
    "discontinued",
    "wallet_unknown",
    "api_error",
    "too_large",
    "shape",
];

/// The other words of [`Error::kind`]: reasons why a poll sent nothing.
pub const UNSENT_KINDS: &[&str] = &["paused", "login_blocked", "login_postponed", "secret", "tls"];

impl Error {
    /// One word from a closed set, for labels and log fields.
    pub fn kind(&self) -> &'static str {
        match self {
            Error::Connect(_) | Error::Proxy => "connect",
            Error::Broken => "broken",
            Error::Timeout => "timeout",
            Error::RateLimited { .. } => "rate_limited",
            Error::Unavailable { .. } => "unavailable",
            Error::Paused { .. } => "paused",
            Error::Server { .. } => "server_error",
            Error::NotFound => "not_found",
            Error::Client { .. } => "client_error",
            Error::Redirect { .. } => "redirect",
            Error::Unauthorized { .. } => "unauthorized",
            Error::WrongPassword => "wrong_password",
            Error::TotpRequired => "totp_required",
            Error::TotpRefused { .. } => "totp_refused",
            Error::Captcha => "captcha",
            Error::Discontinued => "discontinued",
            Error::WalletUnknown => "wallet_unknown",
            Error::Api { .. } => "api_error",
            Error::TooLarge { .. } => "too_large",
            Error::Shape { .. } | Error::Encoding(_) => "shape",
            Error::LoginBlocked(_) => "login_blocked",
            Error::LoginPostponed { .. } => "login_postponed",
            Error::SecretFile { .. } | Error::TotpSecret | Error::TokenSyntax => "secret",
            Error::Tls => "tls",
        }
    }

    /// An error on the way to the server or back.
    pub fn transport(error: &reqwest::Error, through_proxy: bool) -> Error {
        // The error is only inspected and never printed, because it contains the URL and text from the server.
        if error.is_timeout() {
            Error::Timeout
        } else if error.is_connect() {
            Error::Connect(connect::reason(error, through_proxy))
        } else {
            Error::Broken
        }
    }

    /// The error in a complete answer with this status and body; `None` if it is a normal answer.
    pub fn of_answer(status: u16, body: &[u8]) -> Option<Error> {
        match envelope::code(body) {
            Some(code) => Some(Error::from_code(&code, status)),
            None if (200..300).contains(&status) => None,
            None => Some(Error::from_status(status)),
        }
    }

    fn from_status(code: u16) -> Error {
        match code {
            401 | 403 => Error::Unauthorized { status: code },
            404 => Error::NotFound,
            407 => Error::Proxy,
            429 => Error::RateLimited { until: Instant::now() },
            300..=399 => Error::Redirect { status: code },
            503 => Error::Unavailable { until: None },
            500..=599 => Error::Server { status: code },
            _ => Error::Client { status: code },
        }
    }

    fn from_code(code: &str, status: u16) -> Error {
        let lower = code.to_ascii_lowercase();
        match lower.as_str() {
            "apidiscontinued" => Error::Discontinued,
            "wrongemailorpassword" | "missingemail" => Error::WrongPassword,
            "totprequired" => Error::TotpRequired,
            "internalerror" => Error::Server { status },
            "resourcenotfound" => Error::NotFound,
            _ if lower.contains("captcha") => Error::Captcha,
            _ if lower.contains("totp") => Error::TotpRefused { clock_off: None },
            _ if ["token", "unauthorized", "forbidden", "session"].iter().any(|word| lower.contains(word)) => {
                Error::Unauthorized { status }
            }
            _ if (200..300).contains(&status) => Error::Api { status },
            _ => match Error::from_status(status) {
                Error::Client { status } => Error::Api { status },
                by_status => by_status,
            },
        }
    }

    /// Whether the error comes from a proxy set in the environment, not from the API.
    pub fn is_of_proxy(&self) -> bool {
        matches!(self, Error::Proxy) || matches!(self, Error::Connect(reason) if connect::is_of_proxy(reason))
    }

    /// Whether the error is temporary, so that a retry can help.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Error::Connect(_)
                | Error::Broken
                | Error::Timeout
                | Error::RateLimited { .. }
                | Error::Unavailable { .. }
                | Error::Server { status: 500..=599 }
        )
    }

    /// Whether the API will give the same answer until somebody changes something. This does not include an HTML page or an error with status
    /// 200, because it can come from a proxy during maintenance.
    pub fn stays(&self) -> bool {
        match self {
            Error::NotFound
            | Error::Proxy
            | Error::Client { .. }
            | Error::Redirect { .. }
            | Error::Unauthorized { .. }
            | Error::Discontinued => true,
            Error::Api { status } => (400..500).contains(status),
            _ => false,
        }
    }

    /// The time from which a new request is useful, if it is known.
    pub fn until(&self) -> Option<Instant> {
        match self {
            Error::RateLimited { until } | Error::Paused { until } | Error::LoginPostponed { until } => Some(*until),
            Error::Unavailable { until } => *until,
            _ => None,
        }
    }

    /// The reason for which this error of a login blocks further logins, if it does.
    pub(super) fn blocks_logins(&self) -> Option<Blocked> {
        match self {
            // A refusal without a reason is treated as a wrong password: locking the account would be worse than waiting.
            Error::WrongPassword | Error::Unauthorized { .. } => Some(Blocked::WrongPassword),
            Error::TotpRequired => Some(Blocked::TotpRequired),
            Error::Captcha => Some(Blocked::Captcha),
            Error::Discontinued => Some(Blocked::Discontinued),
            _ => None,
        }
    }
}

fn clock_off_words(clock_off: Option<i64>) -> String {
    match clock_off {
        Some(seconds) if seconds < 0 => format!("; this machine's clock is {} seconds behind the API's", -seconds),
        Some(seconds) => format!("; this machine's clock is {seconds} seconds ahead of the API's"),
        None => "; is the TOTP secret right? A code is valid once: wait 30 s after another login".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_statuses_have_their_kinds() {
        for (code, status, kind) in [
            ("WrongEmailOrPassword", 400, "wrong_password"),
            ("WrongEmailOrPassword", 200, "wrong_password"),
            ("TotpRequired", 400, "totp_required"),
            ("MissingEmail", 400, "wrong_password"),
            ("CaptchaRequired", 400, "captcha"),
            ("ApiDiscontinued", 410, "discontinued"),
            ("InternalError", 200, "server_error"),
            ("InvalidToken", 200, "unauthorized"),
            ("TokenInvalid", 401, "unauthorized"),
            ("TokenInvalid", 400, "unauthorized"),
            ("MissingToken", 401, "unauthorized"),
            ("MissingToken", 200, "unauthorized"),
            ("ResourceNotFound", 404, "not_found"),
            ("ResourceNotFound", 400, "not_found"),
            ("InvalidContent", 400, "api_error"),
            ("MethodNotAllowed", 405, "api_error"),
            ("WrongTotp", 400, "totp_refused"),
            ("Whatever", 401, "unauthorized"),
            ("TooManyRequests", 429, "rate_limited"),
            ("Whatever", 200, "api_error"),
            ("Whatever", 400, "api_error"),
            ("Whatever", 502, "server_error"),
            ("Whatever", 503, "unavailable"),
        ] {
            let error = Error::from_code(code, status);
            assert_eq!(error.kind(), kind, "{code} {status}");
            assert!(REQUEST_KINDS.contains(&kind), "{kind} is not among the outcomes");
        }
    }
}
