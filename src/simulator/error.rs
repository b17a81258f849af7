//! What the API answers when not with what it is asked for, in both shapes that it has for errors.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::accounts::{Denial, Refusal};
use super::json_response;

/// What a request is answered with when not with what it asks for.
pub(super) enum Error {
    NotFound,
    MethodNotAllowed,
    /// With the status that says why.
    BadBody(StatusCode),
    Denied(Denial),
    Refused(Refusal),
}

impl From<Denial> for Error {
    fn from(denial: Denial) -> Self {
        Error::Denied(denial)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error::Refused(refusal)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let error = |code, message| json!({ "error": code, "message": message });
        // The API has two shapes of errors; refused tokens have this one.
        let denied = |code, message| json!({ "code": code, "message": message });
        let (status, body) = match self {
            Error::NotFound => (StatusCode::NOT_FOUND, error("NotFound", "There is nothing here.")),
            Error::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, error("MethodNotAllowed", "This is not the method for this path."))
            }
            Error::BadBody(status) => (status, error("BadRequest", "The body is neither JSON nor a form, or too large.")),
            Error::Denied(Denial::NoToken) => (StatusCode::UNAUTHORIZED, denied("Unauthorized", "A token is required.")),
            Error::Denied(Denial::InvalidToken) => {
                (StatusCode::UNAUTHORIZED, denied("InvalidToken", "The token is wrong or has expired."))
            }
            Error::Refused(refusal) => (
                StatusCode::BAD_REQUEST,
                match refusal {
                    Refusal::MissingEmail => {
                        json!({ "error": "MissingEmail", "message": "An e-mail address is required.", "argument": "email" })
                    }
                    Refusal::WrongEmailOrPassword => error("WrongEmailOrPassword", "Email and password did not match."),
                    Refusal::TotpRequired => error(
                        "TotpRequired",
                        "Two-factor authorization is enabled for this account. Please provide TOTP code.",
                    ),
                    Refusal::WrongTotp => error("WrongTotp", "The TOTP code is wrong or was used before."),
                },
            ),
        };
        json_response(status, body.to_string())
    }
}

/// An error that is none of the above.
pub(super) fn other(status: StatusCode, code: &str, message: &str) -> Response {
    json_response(status, json!({ "error": code, "message": message }).to_string())
}
