//! Decodes the bytes of an answer as JSON, and repairs common defects.
//!
//! Defects that leave the rest of the answer unambiguous are repaired: a byte order mark, invalid UTF-8, half of a surrogate
//! pair, a bare `NaN` or `Infinity`. Other bodies are errors that name the defect.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::value::RawValue;

use super::{Error, Result};
use crate::answer::{FromJson, Maybe};

/// First bytes of bodies that are not UTF-8 text, with a description.
const FOREIGN: &[(&[u8], &str)] = &[
    (b"\x1f\x8b", "compressed with gzip, which was not asked for"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd, which was not asked for"),
    (b"\x78\x01", "compressed with zlib, which was not asked for"),
    (b"\x78\x5e", "compressed with zlib, which was not asked for"),
    (b"\x78\x9c", "compressed with zlib, which was not asked for"),
    (b"\x78\xda", "compressed with zlib, which was not asked for"),
    (b"\xff\xfe", "UTF-16 or UTF-32, and JSON is UTF-8"),
    (b"\xfe\xff", "UTF-16, and JSON is UTF-8"),
];

/// Decodes an answer.
///
/// # Errors
/// [`Error::Encoding`] when the body is compressed or not UTF-8, [`Error::Shape`] when it is not JSON or not of the type's shape.
pub fn decode<T: FromJson>(body: &[u8]) -> Result<T> {
    let text = text(body)?;
    // Most answers have no defects and are parsed once.
    let read = serde_json::from_str(&text).or_else(|_| serde_json::from_str(&repaired(&text, is_not_finite)));
    let Maybe(answer) = read.map_err(|error| shape(&error))?;
    answer.ok_or(Error::Shape { line: 1, column: 1 })
}

/// The answer's JSON, unchanged.
///
/// # Errors
/// As [`decode`], except that any shape is accepted.
pub(crate) fn json(body: &[u8]) -> Result<Box<RawValue>> {
    serde_json::from_str(&repaired(&text(body)?, is_no_number)).map_err(|error| shape(&error))
}

/// The message of `serde_json` quotes the answer, which can contain personal data, so only the place is used.
fn shape(error: &serde_json::Error) -> Error {
    Error::Shape { line: error.line(), column: error.column() }
}

/// The text of a body.
pub(super) fn text(body: &[u8]) -> Result<Cow<'_, str>> {
    match FOREIGN.iter().find(|(start, _)| body.starts_with(start)) {
        Some((_, what)) => Err(Error::Encoding(what)),
        None => Ok(String::from_utf8_lossy(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body))),
    }
}

/// The text with repairs: half of a surrogate pair becomes U+FFFD, and a word for which `is_fault` is true becomes null.
pub(super) fn repaired(text: &str, is_fault: fn(&str) -> bool) -> Cow<'_, str> {
    let repairs = repairs(text, is_fault);
    if repairs.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut repaired = String::with_capacity(text.len() + repairs.len());
    let mut copied = 0;
    for (range, replacement) in repairs {
        repaired += &text[copied..range.start];
        repaired += replacement;
        copied = range.end;
    }
    Cow::Owned(repaired + &text[copied..])
}

/// The parts to replace, with their replacements.
fn repairs(text: &str, is_fault: fn(&str) -> bool) -> Vec<(Range<usize>, &'static str)> {
    let json = text.as_bytes();
    let mut repairs = Vec::new();
    let (mut at, mut in_string) = (0, false);
    while let Some(byte) = json.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => match (code_unit(&json[start..]), code_unit(json.get(start + 6..).unwrap_or_default())) {
                (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => at = start + 12,
                (Some(0xd800..0xe000), _) => {
                    at = start + 6;
                    repairs.push((start..at, "\\ufffd"));
                }
                _ => at = start + 2,
            },
            _ if !in_string && is_of_word(*byte) => {
                at += json[at..].iter().take_while(|byte| is_of_word(**byte)).count();
                if is_fault(&text[start..at]) {
                    repairs.push((start..at, "null"));
                }
            }
            _ => {}
        }
    }
    repairs
}

/// The UTF-16 code unit of an escape such as `\u00e9`, if the text begins with one.
fn code_unit(json: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(json.strip_prefix(b"\\u")?.get(..4)?).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

/// Whether a byte belongs to a word or a number.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

/// Whether a word is a number that JSON can't represent, such as `NaN`, `Infinity` or `-inf`.
pub(super) fn is_no_number(word: &str) -> bool {
    !word.ends_with(|c: char| c.is_ascii_digit()) && is_not_finite(word)
}

/// Whether a word is not a finite number, such as `NaN` or `1e999`. `serde_json` would reject the whole answer because of it.
fn is_not_finite(word: &str) -> bool {
    word.parse().is_ok_and(|number: f64| !number.is_finite())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn unambiguous_defects_are_repaired() {
        for (body, expected) in [
            (&br#"{"a": "joe\ud83d"}"#[..], r#"{"a": "joe\ufffd"}"#),
            (br#""\ud83d\ud83d\ude00\ude00\uD83Dx""#, r#""\ufffd\ud83d\ude00\ufffd\ufffdx""#),
            (
                br#"{"\udfff": 1, "\\ud83d": 2, "\ud8": 3, "\u+d83": 4}"#,
                r#"{"\ufffd": 1, "\\ud83d": 2, "\ud8": 3, "\u+d83": 4}"#,
            ),
            (b"\xef\xbb\xbf[]", "[]"),
            (b"[NaN, -Infinity,inf ,\n+nan,-Inf]", "[null, null,null ,\nnull,null]"),
            (br#"["abc\n", NaN]"#, r#"["abc\n", null]"#),
            (br#"["NaN", "\"NaN", -1e-5, nano, 1e999, null]"#, r#"["NaN", "\"NaN", -1e-5, nano, 1e999, null]"#),
            (b"[\"caf\xe9\"]", "[\"caf\u{fffd}\"]"),
            (b"\"\xed\xa0\xbd\"", "\"\u{fffd}\u{fffd}\u{fffd}\""),
            (b"\"\\", "\"\\"),
            (br#""\ud83d\u"#, r#""\ufffd\u"#),
            (b"", ""),
        ] {
            assert_eq!(repaired(&text(body).unwrap(), is_no_number), expected, "{body:?}");
        }
    }

    #[test]
    fn a_body_that_is_not_text_is_an_error_that_names_its_format() {
        for (body, word) in [
            (&b"\x1f\x8b\x08\x00"[..], "gzip"),
            (b"\x28\xb5\x2f\xfd\x04", "zstd"),
            (b"\x78\x9c\xab", "zlib"),
            (b"\xff\xfe{\0}\0", "UTF-16"),
            (b"\xfe\xff\0{\0}", "UTF-16"),
        ] {
            let error = decode::<()>(body).unwrap_err();
            assert_eq!(error.kind(), "shape");
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    proptest! {
        #[test]
        fn valid_json_is_unchanged(texts in prop::collection::vec(any::<String>(), 0..9), number in any::<i64>()) {
            let json = serde_json::json!({"NaN": texts, "n": [number, true, null]}).to_string();
            prop_assert_eq!(repairs(&text(json.as_bytes()).unwrap(), is_not_finite), vec![]);
        }

        #[test]
        fn a_repaired_text_needs_no_repair(body in r#"([nN][aA][nN]|[-+]|inf|["\\u{}:,]|d83d|dc00|\xef|.){0,40}"#) {
            let once = repaired(&body, is_not_finite).into_owned();
            prop_assert_eq!(repairs(&once, is_not_finite), vec![]);
        }
    }
}
