//! The fields of a login, as clients send them.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{Form, FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use secrecy::SecretString;
use serde_json::Value;

use super::Error;

const FORM: &str = "application/x-www-form-urlencoded";

/// The fields, from JSON or a form.
pub(super) struct Fields(HashMap<String, Value>);

impl Fields {
    /// Reads the fields of a form, or of JSON with any content type. If the body is empty or is JSON without fields, there are none. Axum
    /// limits the size of both.
    ///
    /// # Errors
    /// [`Error::BadBody`].
    pub(super) async fn read(mut request: Request) -> Result<Fields, Error> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if content_type.is_some_and(|value| value.to_ascii_lowercase().starts_with(FORM)) {
            // Axum accepts the type in small letters only.
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(FORM));
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

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[tokio::test]
    async fn a_form_and_json_are_read_whatever_the_case_of_the_content_type() {
        let (form, json) = ("email=me%40example.com&password=a+b", r#"{"email": "me@example.com", "password": "a b"}"#);
        for (content_type, body) in [
            ("application/x-www-form-urlencoded", form),
            ("Application/X-WWW-Form-URLEncoded; charset=UTF-8", form),
            ("application/json", json),
            ("text/plain", json),
        ] {
            let request = Request::post("/").header(header::CONTENT_TYPE, content_type).body(Body::from(body)).unwrap();
            let fields = Fields::read(request).await.unwrap();
            assert_eq!(fields.email().as_deref(), Some("me@example.com"), "{content_type}");
            assert_eq!(fields.text("password").as_deref(), Some("a b"), "{content_type}");
        }
    }
}
