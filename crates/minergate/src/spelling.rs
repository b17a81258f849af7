//! Words in messages: a suggestion for a misspelled word, and a list that is not too long.
//!
//! An error quotes a wrong key only if it resembles a known one, because any other text can be a secret whose key was forgotten.

/// The known key that was probably meant, if any.
///
/// Keys consist of small letters and underscores, so a word with a digit or a sign is never a key.
pub fn nearest_key<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let is_plain = word.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '_' | '-'));
    is_plain.then(|| nearest(&word.replace('-', "_"), known)).flatten()
}

/// The known word that was probably meant, if any.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let distances = known.into_iter().map(|known| (strsim::damerau_levenshtein(&word, &known.to_ascii_lowercase()), known));
    // One mistake in four letters: with more mistakes, it is another word.
    let is_near = |(distance, known): &(usize, &str)| *distance <= (known.len() / 4).max(1) && *distance < known.len();
    distances.filter(is_near).min().map(|(_, known)| known)
}

/// The question whether that word was meant, for use in an error message; empty if no known word is similar.
pub fn question<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default()
}

/// The first words of a list that can be long, for use in a message: `a, b and 998 more`.
pub fn list(words: impl ExactSizeIterator<Item = impl ToString>, most: usize) -> String {
    let more = words.len().saturating_sub(most);
    let shown = words.take(most).map(|word| word.to_string()).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_key_is_recognized_and_another_word_is_not() {
        let known = ["base_url", "timeout", "token", "requests_per_second", "name"];
        for (word, meant) in [
            ("base_uri", "base_url"),
            ("BASE-URL", "base_url"),
            ("baseurl", "base_url"),
            ("tiemout", "timeout"),
            ("tokn", "token"),
            ("request_per_sec", "requests_per_second"),
        ] {
            assert_eq!(nearest_key(word, known), Some(meant), "{word}");
        }
        for word in ["hunter", "t0ken", "tok", "correct-horse", "", "a b", "naïve", "timeout!"] {
            assert_eq!(nearest_key(word, known), None, "{word}");
        }
    }

    #[test]
    fn a_name_may_have_digits_and_signs() {
        let known = ["farm-1", "farm-2", "rig"];
        for (word, asked) in [("frm-2", "did you mean `farm-2`? "), ("Rig", "did you mean `rig`? "), ("barn", "")] {
            assert_eq!(question(word, known), asked, "{word}");
        }
    }

    #[test]
    fn a_long_list_is_cut() {
        for (words, text) in
            [(&[][..], ""), (&["a"], "a"), (&["a", "b"], "a, b"), (&["a", "b", "c", "d"], "a, b and 2 more")]
        {
            assert_eq!(list(words.iter(), 2), text);
        }
    }
}
