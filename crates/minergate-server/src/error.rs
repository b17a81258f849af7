//! The API's answers to refused requests, in its two shapes for errors.
//!
//! The application has its error word in `error`. The framework below it (restify, judging by the messages) has it
//! in `code`.

use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::accounts::{LoginRefusal, ReadRefusal};
use super::json_response;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// There is no such currency or entry.
    NotFound,
    /// There is nothing at this path.
    NoRoute(String),
    MethodNotAllowed(Method),
    /// The body can't be read; the status gives the reason.
    BadBody(StatusCode),
    ReadRefused(ReadRefusal),
    LoginRefused(LoginRefusal),
    /// Too many logins failed. Logins are checked again after this time.
    TooManyLogins(Duration),
    /// The answer is not available now. The time until it can be requested again is given if it is known.
    Unavailable(Option<Duration>),
    /// An error of the server.
    Internal,
}

impl From<ReadRefusal> for Error {
    fn from(denial: ReadRefusal) -> Self {
        Error::ReadRefused(denial)
    }
}

impl From<LoginRefusal> for Error {
    fn from(refusal: LoginRefusal) -> Self {
        Error::LoginRefused(refusal)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Error::NotFound => application_error(StatusCode::NOT_FOUND, "NotFound", "There is nothing here."),
            Error::NoRoute(path) => {
                framework_error(StatusCode::NOT_FOUND, "ResourceNotFound", &format!("{path} does not exist"))
            }
            Error::MethodNotAllowed(method) => {
                framework_error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", &format!("{method} is not allowed"))
            }
            Error::BadBody(StatusCode::PAYLOAD_TOO_LARGE) => {
                framework_error(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "The request body is too large.")
            }
            Error::BadBody(status) => framework_error(status, "InvalidContent", "The body is neither JSON nor a form."),
            Error::ReadRefused(ReadRefusal::NoToken) => {
                application_error(StatusCode::UNAUTHORIZED, "MissingToken", "A token is required.")
            }
            Error::ReadRefused(ReadRefusal::InvalidToken) => {
                application_error(StatusCode::UNAUTHORIZED, "TokenInvalid", "The token is wrong or has expired.")
            }
            Error::TooManyLogins(wait) => {
                let message = "Too many logins failed. Please try again later.";
                later(framework_error(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message), Some(wait))
            }
            Error::Unavailable(wait) => {
                let message = "The pool is not available. Please try again later.";
                later(framework_error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", message), wait)
            }
            Error::Internal => {
                framework_error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "The request could not be processed.")
            }
            Error::LoginRefused(LoginRefusal::MissingEmail) => json_response(
                StatusCode::BAD_REQUEST,
                json!({ "error": "MissingEmail", "message": "User email must be specified.", "argument": "email" })
                    .to_string(),
            ),
            Error::LoginRefused(LoginRefusal::WrongEmailOrPassword) => {
                application_error(StatusCode::BAD_REQUEST, "WrongEmailOrPassword", "Email and password did not match.")
            }
            Error::LoginRefused(LoginRefusal::TotpRequired) => application_error(
                StatusCode::BAD_REQUEST,
                "TotpRequired",
                "Two-factor authorization is enabled for this account. Please provide TOTP code.",
            ),
            Error::LoginRefused(LoginRefusal::WrongTotp) => {
                application_error(StatusCode::BAD_REQUEST, "WrongTotp", "The TOTP code is wrong or was used before.")
            }
        }
    }
}

/// An error of the application.
pub fn application_error(status: StatusCode, code: &str, message: &str) -> Response {
    json_response(status, json!({ "error": code, "message": message }).to_string())
}

/// An error of the framework.
pub fn framework_error(status: StatusCode, code: &str, message: &str) -> Response {
    json_response(status, json!({ "code": code, "message": message }).to_string())
}

/// Adds a `Retry-After` header, in whole seconds.
fn later(mut response: Response, wait: Option<Duration>) -> Response {
    let seconds = wait.map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
    response.headers_mut().extend(seconds.map(|seconds| (RETRY_AFTER, seconds.into())));
    response
}
