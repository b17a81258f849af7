//! The table of faults. Everything else loops over it.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::Value;

use super::{body, change};
use crate::noise::Seed;
use minergate_server::{Error, LoginRefusal, ReadRefusal, application_error, framework_error, json_response};

/// One fault.
#[derive(Debug)]
pub struct Fault {
    pub name: &'static str,
    /// A description for users.
    pub does: &'static str,
    /// The endpoints that can have it.
    pub(super) applies_to: AppliesTo,
    /// The default of the time parameter, for faults that have one.
    pub(super) time: Option<Duration>,
    pub(super) effect: Effect,
}

/// Which endpoints can have a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AppliesTo {
    All,
    Login,
    /// Those about accounts and wallets.
    Accounts,
    /// Those that need a token.
    Tokens,
    Wallets,
    /// Those whose answers have totals.
    Counters,
}

/// What a fault does to a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Effect {
    /// Delays the answer by the time.
    Late,
    /// Sends no answer, and resets the connection after the time.
    Reset,
    /// Sends another answer. The request is not executed.
    Instead(fn(Duration) -> Response),
    /// Sends the answer from the time when the rule became active.
    Frozen,
    /// Sends the answer, with totals counted from the time when the rule became active.
    Restarted,
    /// Sends the pool's answer about an unknown wallet.
    WalletUnknown,
    /// Changes the answer's JSON.
    Changed(fn(&mut Value, Seed)),
    /// Sends the answer's bytes incorrectly, after a head with the right length.
    Sent(fn(Bytes, Duration) -> Body),
}

use Effect::{Changed, Frozen, Instead, Late, Reset, Restarted, Sent, WalletUnknown};

const SECOND: Duration = Duration::from_secs(1);

/// Deeper than any JSON parser accepts.
const DEPTH: usize = 100_000;

/// More entries than any list of the API has.
const ENTRIES: usize = 200_000;

/// All faults.
pub static FAULTS: &[Fault] = &[
    fault("latency", "answers late, after the time", Late).time(SECOND.saturating_mul(2)),
    fault("timeout", "never answers, and resets the connection after the time", Reset).time(SECOND.saturating_mul(600)),
    fault("reset", "resets the connection instead of answering", Reset),
    fault("429", "status 429, Retry-After with the time in seconds", Instead(too_many)).time(SECOND.saturating_mul(30)),
    fault("429-date", "status 429, Retry-After with the date after the time", Instead(too_many_until))
        .time(SECOND.saturating_mul(30)),
    fault("500", "status 500, the API's InternalError", Instead(internal)),
    fault("502", "status 502, HTML as of a proxy", Instead(bad_gateway)),
    fault("503", "status 503, HTML, Retry-After with the time in seconds", Instead(unavailable))
        .time(SECOND.saturating_mul(30)),
    fault("html", "HTML instead of JSON, with status 200", Instead(html)),
    fault("truncated", "half of the body, then closes the connection", Sent(body::half)),
    fault("endless", "a body that does not end (before 1 GiB)", Instead(endless)),
    fault("slow-body", "the head at once, the body byte by byte with the time between", Sent(body::slow)).time(SECOND),
    fault("wrong-types", "every number, text and object becomes something of another type", Changed(change::wrong_types)),
    fault("missing-fields", "about half of each object's fields are missing", Changed(change::missing_fields)),
    fault("nulls", "every value is null", Changed(change::nulls)),
    fault("nan", "NaN, Infinity or words instead of numbers", Changed(change::not_numbers)),
    fault("deep", "JSON that is nested 100,000 deep", Instead(deep)),
    fault("huge-list", "a list of 200,000 empty objects", Instead(huge_list)),
    fault("many-currencies", "5,000 made-up currency codes more", Changed(change::many_currencies)),
    fault("hostile-labels", "keys and texts with quotes, newlines, NULs, e-mail addresses", Changed(change::hostile_labels)),
    fault("frozen", "always the answer from the time when the rule became active", Frozen).applies_to(AppliesTo::Accounts),
    fault(
        "correction",
        "every total is 0.01 % lower, as after a correction or a reorganisation",
        Changed(change::corrected),
    )
    .applies_to(AppliesTo::Counters),
    fault("counter-reset", "every total counts from 0 again, from the time when the rule became active", Restarted)
        .applies_to(AppliesTo::Counters),
    fault("expired-token", "status 401, the token has expired", Instead(expired_token)).applies_to(AppliesTo::Tokens),
    fault("forbidden", "status 403", Instead(forbidden)),
    fault("wrong-password", "the login's WrongEmailOrPassword", Instead(wrong_password)).applies_to(AppliesTo::Login),
    fault("totp-required", "the login's TotpRequired", Instead(totp_required)).applies_to(AppliesTo::Login),
    fault("captcha", "the login wants a captcha", Instead(captcha)).applies_to(AppliesTo::Login),
    fault("login-internal", "the login's InternalError that the public host answered", Instead(login_internal))
        .applies_to(AppliesTo::Login),
    fault("discontinued", "ApiDiscontinued with an empty message", Instead(discontinued)),
    fault("error-200", "an error with status 200", Instead(error_200)),
    fault("redirect", "status 302 to another host", Instead(redirect)),
    fault("wallet-unknown", "the pool does not know the wallet", WalletUnknown).applies_to(AppliesTo::Wallets),
];

const fn fault(name: &'static str, does: &'static str, effect: Effect) -> Fault {
    Fault { name, does, applies_to: AppliesTo::All, time: None, effect }
}

impl Fault {
    const fn applies_to(self, applies_to: AppliesTo) -> Fault {
        Fault { applies_to, ..self }
    }

    const fn time(self, time: Duration) -> Fault {
        Fault { time: Some(time), ..self }
    }
}

fn page(status: StatusCode, title: &str) -> Response {
    let html = format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n");
    (status, Html(html)).into_response()
}

fn html(_: Duration) -> Response {
    page(StatusCode::OK, "We will be back soon")
}

fn bad_gateway(_: Duration) -> Response {
    page(StatusCode::BAD_GATEWAY, "502 Bad Gateway")
}

fn unavailable(after: Duration) -> Response {
    let page = page(StatusCode::SERVICE_UNAVAILABLE, "503 Service Temporarily Unavailable");
    ([(header::RETRY_AFTER, after.as_secs().to_string())], page).into_response()
}

fn too_many(after: Duration) -> Response {
    limited(after.as_secs().to_string())
}

fn too_many_until(after: Duration) -> Response {
    // Rounded up to a whole second, because the date has no fraction.
    let end = jiff::Timestamp::now() + (after + SECOND);
    limited(DateTimePrinter::new().timestamp_to_rfc9110_string(&end).unwrap_or_default())
}

fn limited(retry_after: String) -> Response {
    let error = framework_error(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", "Too many requests.");
    ([(header::RETRY_AFTER, retry_after)], error).into_response()
}

fn internal(_: Duration) -> Response {
    framework_error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "Something went wrong.")
}

fn login_internal(_: Duration) -> Response {
    framework_error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "Cannot read property 'send' of undefined")
}

fn endless(_: Duration) -> Response {
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body::endless()).into_response()
}

fn deep(_: Duration) -> Response {
    json_response(StatusCode::OK, "[".repeat(DEPTH) + &"]".repeat(DEPTH))
}

fn huge_list(_: Duration) -> Response {
    json_response(StatusCode::OK, format!("[{}{{}}]", "{},".repeat(ENTRIES - 1)))
}

fn expired_token(_: Duration) -> Response {
    Error::ReadRefused(ReadRefusal::InvalidToken).into_response()
}

fn forbidden(_: Duration) -> Response {
    application_error(StatusCode::FORBIDDEN, "Forbidden", "This is not for you.")
}

fn wrong_password(_: Duration) -> Response {
    Error::LoginRefused(LoginRefusal::WrongEmailOrPassword).into_response()
}

fn totp_required(_: Duration) -> Response {
    Error::LoginRefused(LoginRefusal::TotpRequired).into_response()
}

fn captcha(_: Duration) -> Response {
    application_error(StatusCode::BAD_REQUEST, "CaptchaRequired", "Please prove that you are no robot.")
}

fn discontinued(_: Duration) -> Response {
    framework_error(StatusCode::GONE, "ApiDiscontinued", "")
}

fn error_200(_: Duration) -> Response {
    application_error(StatusCode::OK, "ValidationError", "Something about the request is wrong.")
}

fn redirect(_: Duration) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, "http://redirect.invalid/1.0/")]).into_response()
}
