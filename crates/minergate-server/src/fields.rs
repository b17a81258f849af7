//! The fields of a login, as clients send them.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{Form, FromRequest, Request};
use axum::http::{StatusCode, header};
use secrecy::SecretString;
use serde_json::Value;

use super::Error;

/// The fields, from JSON or a form.
pub(super) struct Fields(HashMap<String, Value>);

impl Fields {
    /// Reads the fields of a form, or of JSON with any content type. If the body is empty or is JSON without fields, there are none. Axum
    /// limits the size of both.
    ///
    /// # Errors
    /// [`Error::BadBody`].
    pub(super) async fn read(request: Request) -> Result<Fields, Error> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if content_type.is_some_and(|value| value.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded")) {
            let form = Form::from_request(request, &()).await;
            return form.map(|Form(fields)| Fields(fields)).map_err(|rejection| Error::BadBody(rejection.status()));
        }
        let body = Bytes::from_request(request, &()).await.map_err(|rejection| Error::BadBody(rejection.status()))?;
        if body.trim_ascii().is_empty() {
            return Ok(Fields(HashMap::new()));
        }
        match serde_json::from_slice(&body) {
            Ok(Value::Object(fields)) => Ok(Fields(fields.into_iter().collect())),
            Ok(_) => Ok(Fields(HashMap::new())),
            Err(_) => Err(Error::BadBody(StatusCode::BAD_REQUEST)),
        }
    }

    pub(super) fn email(&self) -> Option<String> {
        self.text("email")
    }

    /// Empty if there is no password.
    pub(super) fn password(&self) -> SecretString {
        self.text("password").unwrap_or_default().into()
    }

    /// The TOTP code, if there is one. Without a code, clients send 0 or nothing.
    pub(super) fn totp(&self) -> Option<String> {
        let code = self.text("totp").filter(|code| code.trim() != "0")?;
        // A number has lost its leading zeros.
        Some(format!("{:0>6}", code.trim()))
    }

    /// A field's text. Clients send numbers as numbers or as strings.
    fn text(&self, key: &str) -> Option<String> {
        match self.0.get(key)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

#[cfg(test)]
impl Fields {
    pub(super) fn of(json: Value) -> Fields {
        Fields(serde_json::from_value(json).unwrap())
    }
}
