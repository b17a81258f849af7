//! The bodies of the API's errors.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::api::body::{is_no_number, repaired, text};

/// The code of an error body in one of the API's two shapes, `{"error": CODE, "message": ..}` and `{"code": CODE,
/// "message": ..}`; `None` if the body is a normal answer. A currency could be called `error` or `code`, but its value would be
/// a number or an object, not a text.
pub(super) fn code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        error: Option<&'a RawValue>,
        #[serde(borrow)]
        code: Option<&'a RawValue>,
        #[serde(borrow)]
        message: Option<&'a RawValue>,
    }
    let text = text(body).ok()?;
    // Most answers need not be parsed here.
    if !text.trim_ascii_start().starts_with('{') || !["\"error\"", "\"code\""].iter().any(|key| text.contains(key)) {
        return None;
    }
    let text = repaired(&text, is_no_number);
    let envelope: Envelope<'_> = serde_json::from_str(&text).ok()?;
    let word = |raw: &'_ RawValue| {
        let word: String = serde_json::from_str(raw.get()).ok()?;
        word.trim().parse::<f64>().is_err().then_some(word)
    };
    let word = envelope.error.and_then(word).or_else(|| envelope.code.and_then(word));
    // A number as the code, such as an HTTP status. In a map of currencies, no amount would have a text `message` beside it.
    let numbered =
        || envelope.message.is_some_and(|m| m.get().starts_with('"')) && envelope.error.or(envelope.code).is_some();
    word.or_else(|| numbered().then(String::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_are_errors_and_answers_are_not() {
        for (body, expected) in [
            (r#"{"error": "TotpRequired", "message": "text"}"#, Some("TotpRequired")),
            (r#"{"error": "MissingEmail", "message": "text", "argument": "email"}"#, Some("MissingEmail")),
            (r#"{"code": "ApiDiscontinued", "message": ""}"#, Some("ApiDiscontinued")),
            (r#"{"error": "Something"}"#, Some("Something")),
            (r#"{"code": 500, "message": "text"}"#, Some("")),
            (r#"{"code": "InternalError", "message": null}"#, Some("InternalError")),
            ("\u{feff}{\"error\": \"TotpRequired\"}", Some("TotpRequired")),
            (r#"{"error": "TotpRequired", "message": "\ud83d", "\ud83d": NaN}"#, Some("TotpRequired")),
            (r#"{"error": "1.5", "code": "2.5"}"#, None),
            (r#"{"error": {"hashrate": 1}, "code": {"hashrate": 1}}"#, None),
            (r#"{"bcn": "30.5"}"#, None),
            (r#"["error"]"#, None),
            ("<html>", None),
            ("", None),
        ] {
            assert_eq!(code(body.as_bytes()).as_deref(), expected, "{body}");
        }
    }
}
