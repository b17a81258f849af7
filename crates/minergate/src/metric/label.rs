//! Label sets as text, and the rules for label values from the API.

use crate::currency;

/// Maximum length of a nickname or a worker's name as a label value, in characters.
const NAME_LENGTH: usize = 64;

/// Writes a label in the format of both text formats: `name="value"`.
pub fn write_label(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str("=\"");
    let mut rest = value;
    while let Some(at) = rest.find(['\\', '"', '\n']) {
        text.push_str(&rest[..at]);
        text.push_str(match rest.as_bytes()[at] {
            b'\\' => "\\\\",
            b'"' => "\\\"",
            _ => "\\n",
        });
        rest = &rest[at + 1..];
    }
    text.push_str(rest);
    text.push('"');
}

/// Writes a label set without braces. With an invalid currency, it writes nothing and returns
/// false.
pub(super) fn write_labels(text: &mut String, names: &[&str], values: &[Option<&str>]) -> bool {
    let start = text.len();
    for (name, value) in names.iter().zip(values) {
        if text.len() > start {
            text.push(',');
        }
        match (*name, *value) {
            ("currency", Some(code)) if !currency::is_valid(code) => {
                text.truncate(start);
                return false;
            }
            ("nickname", Some(value)) => write_label(text, name, &nickname(value)),
            (_, value) => write_label(text, name, value.unwrap_or_default()),
        }
    }
    true
}

/// A nickname as a label value: printable, at most 64 characters. Some people use their e-mail address as a nickname;
/// it must not appear on a dashboard.
fn nickname(nickname: &str) -> String {
    if nickname.contains('@') {
        return "hidden".to_owned();
    }
    printable(nickname).take(NAME_LENGTH).collect()
}

/// A worker's name as a label value: printable, at most 64 characters. A name with an e-mail address becomes `other`, an empty one `unnamed`.
pub fn worker_name(name: &str) -> String {
    if name.contains('@') {
        return "other".to_owned();
    }
    let name: String = printable(name).take(NAME_LENGTH).collect();
    if name.trim().is_empty() { "unnamed".to_owned() } else { name }
}

/// A text from the API in a form that is safe to show. Control characters are replaced, because a terminal would execute them. Characters
/// that reorder or break a line are removed, because the text could look like another one.
pub fn printable(text: &str) -> impl Iterator<Item = char> {
    let shown = text.chars().filter(|c| c.is_control() || is_printable(*c));
    shown.map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
}

/// Whether a character neither controls a terminal nor reorders or breaks a line.
pub fn is_printable(c: char) -> bool {
    !c.is_control() && !is_line_separator(c) && !is_bidirectional_control(c)
}

fn is_line_separator(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Unicode's `Bidi_Control`, and the deprecated format characters after it.
fn is_bidirectional_control(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
}

/// The escaped value of a label in a label set.
pub(super) fn find<'a>(set: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = set;
    loop {
        let (key, after) = rest.split_once("=\"")?;
        let mut is_escaped = false;
        let end = after.bytes().position(|byte| {
            let ends = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            ends
        })?;
        if key == name {
            return Some(&after[..end]);
        }
        rest = after[end + 1..].strip_prefix(',')?;
    }
}

/// Undoes the escaping of [`write_label`].
pub(super) fn unescaped(written: &str) -> String {
    let mut text = String::with_capacity(written.len());
    let mut chars = written.chars();
    while let Some(c) = chars.next() {
        text.push(match c {
            '\\' => match chars.next() {
                Some('n') | None => '\n',
                Some(escaped) => escaped,
            },
            c => c,
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_in_a_value_are_escaped() {
        for (value, expected) in [
            ("", "n=\"\""),
            ("plain", "n=\"plain\""),
            ("a\"b\\c\nd", "n=\"a\\\"b\\\\c\\nd\""),
            ("\\\\", "n=\"\\\\\\\\\""),
            ("é\"", "n=\"é\\\"\""),
        ] {
            let mut text = String::new();
            write_label(&mut text, "n", value);
            assert_eq!(text, expected);
            text.push_str(",last=\"\"");
            assert_eq!(find(&text, "n").map(unescaped).as_deref(), Some(value));
            assert_eq!(find(&text, "last"), Some(""));
        }
    }

    #[test]
    fn a_nickname_is_printable_and_short() {
        for (given, expected) in [
            ("joe", "joe"),
            ("מיכאל", "מיכאל"),
            ("👨\u{200d}👩\u{200d}👧", "👨\u{200d}👩\u{200d}👧"),
            ("a\tb\u{0}c\u{7f}d\u{85}e\u{9b}", "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}"),
            ("\u{202e}eoj\u{202c}\u{2066}\u{2069}\u{200e}\u{200f}\u{61c}\u{206a}", "eoj"),
            ("one\u{2028}two\u{2029}three", "onetwothree"),
            ("\u{fdd0}\u{ffff}\u{10ffff}\u{feff}", "\u{fdd0}\u{ffff}\u{10ffff}\u{feff}"),
            ("joe@example.com", "hidden"),
        ] {
            assert_eq!(nickname(given), expected);
        }
        let long = "\u{202e}é".repeat(100);
        assert_eq!(nickname(&long), "é".repeat(64), "removed characters do not count");
    }

    #[test]
    fn a_label_is_found_by_its_whole_name() {
        let set = "endpoint=\"status\",currency=\"xmr\",result=\"good\"";
        assert_eq!(find(set, "currency"), Some("xmr"));
        assert_eq!(find(set, "result"), Some("good"));
        assert_eq!(find(set, "point"), None);
        assert_eq!(find("", "currency"), None);
    }
}
