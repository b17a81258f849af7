//! Numbers as the text that they become, one behind the other.

use std::ops::Range;

use crate::text;

/// Bytes that the text's room grows by. Mostly the next text has about the same length, and room in the same memory: new memory for each
/// would leave holes.
const STEP: usize = 256;

/// Numbers as text.
#[derive(Clone, Default)]
pub(super) struct Values {
    text: String,
    /// Of each number's text: no double takes more than 24 bytes.
    lengths: Vec<u8>,
}

/// A place between two numbers.
#[derive(Clone, Copy, Default)]
pub(super) struct Mark {
    /// Numbers before it.
    index: usize,
    byte: usize,
}

impl Values {
    /// No numbers yet, with room for some more than these.
    pub(super) fn none_with_room(&self) -> Values {
        Values { text: String::with_capacity(self.text.len() + STEP), lengths: Vec::with_capacity(self.len() + STEP) }
    }

    pub(super) fn len(&self) -> usize {
        self.lengths.len()
    }

    pub(super) fn end(&self) -> Mark {
        Mark { index: self.lengths.len(), byte: self.text.len() }
    }

    /// The place so many numbers behind another.
    pub(super) fn after(&self, mark: Mark, numbers: usize) -> Mark {
        let index = mark.index + numbers;
        Mark {
            index,
            byte: mark.byte + self.lengths[mark.index..index].iter().map(|length| usize::from(*length)).sum::<usize>(),
        }
    }

    pub(super) fn iter(&self, range: Range<Mark>) -> impl Iterator<Item = &str> {
        let (mut rest, lengths) = self.part(range);
        lengths.iter().map(move |length| {
            let value;
            (value, rest) = rest.split_at(usize::from(*length));
            value
        })
    }

    /// What lies between two places: the same for the same numbers.
    pub(super) fn part(&self, range: Range<Mark>) -> (&str, &[u8]) {
        (&self.text[range.start.byte..range.end.byte], &self.lengths[range.start.index..range.end.index])
    }

    pub(super) fn push(&mut self, value: f64) {
        let start = self.text.len();
        text::write_value(&mut self.text, value);
        self.lengths.push(u8::try_from(self.text.len() - start).unwrap_or(u8::MAX));
    }

    pub(super) fn push_part(&mut self, (text, lengths): (&str, &[u8])) {
        self.text.push_str(text);
        self.lengths.extend_from_slice(lengths);
    }

    /// Becomes the same as others.
    pub(super) fn replace(&mut self, others: &Values) {
        let length = others.text.len();
        if self.text.capacity().checked_sub(length).is_none_or(|spare| spare > 2 * STEP) {
            self.text = String::with_capacity(length.next_multiple_of(STEP));
        }
        self.text.clear();
        self.text.push_str(&others.text);
        if self.lengths.len() != others.lengths.len() {
            self.lengths = Vec::with_capacity(others.lengths.len());
        }
        self.lengths.clear();
        self.lengths.extend_from_slice(&others.lengths);
    }
}
