//! Label sets as text, and the rules for label values that come from the API.

use crate::currency;

/// Longest nickname that becomes a label value, in characters.
const NICKNAME_LENGTH: usize = 64;

/// Writes a label as both formats have it: `name="value"`.
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

/// Writes a label set without its braces. An invalid currency has no place in one: then nothing is written, and the answer is
/// false.
pub(super) fn write_labels(text: &mut String, names: &[&str], values: &[&str]) -> bool {
    let start = text.len();
    for (name, value) in names.iter().zip(values) {
        if text.len() > start {
            text.push(',');
        }
        match *name {
            "currency" if !currency::is_valid(value) => {
                text.truncate(start);
                return false;
            }
            "nickname" => write_label(text, name, &nickname(value)),
            _ => write_label(text, name, value),
        }
    }
    true
}

/// A nickname as a label value: printable, at most 64 characters. People have used their e-mail address as a nickname,
/// which is nobody's business on a dashboard.
fn nickname(nickname: &str) -> String {
    if nickname.contains('@') {
        return "hidden".to_owned();
    }
    let printable = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    nickname.chars().take(NICKNAME_LENGTH).map(printable).collect()
}

/// The value of a label in a written set. It and those before it must be of the kind that needs no escaping, as all but
/// accounts' names and nicknames are.
pub(super) fn find<'a>(set: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = set;
    loop {
        let (key, after) = rest.split_once("=\"")?;
        let (value, after) = after.split_once('"')?;
        if key == name {
            return Some(value);
        }
        rest = after.strip_prefix(',')?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_value_is_escaped() {
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
        }
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
