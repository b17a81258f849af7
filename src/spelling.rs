//! Which known word a misspelled one stands for.
//!
//! An error may quote a wrong key only if it resembles a known one: any other can be a secret whose own key was forgotten.

/// The known word that was probably meant, if one was.
///
/// Known words are of small letters and underscores, so one with a digit or a sign in it is none of them.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if !word.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '_' | '-')) {
        return None;
    }
    let word = word.to_ascii_lowercase().replace('-', "_");
    let distances = known.into_iter().map(|known| (strsim::damerau_levenshtein(&word, &known.to_ascii_lowercase()), known));
    // One mistake in four letters: more is another word.
    distances.filter(|(distance, known)| *distance <= (known.len() / 4).max(1)).min().map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_word_is_recognized_and_another_one_is_not() {
        let known = ["base_url", "timeout", "token", "requests_per_second", "name"];
        for (word, meant) in [
            ("base_uri", "base_url"),
            ("BASE-URL", "base_url"),
            ("baseurl", "base_url"),
            ("tiemout", "timeout"),
            ("tokn", "token"),
            ("request_per_sec", "requests_per_second"),
        ] {
            assert_eq!(nearest(word, known), Some(meant), "{word}");
        }
        for word in ["hunter", "t0ken", "tok", "correct-horse", "", "a b", "naïve", "timeout!"] {
            assert_eq!(nearest(word, known), None, "{word}");
        }
    }
}
