//! An exposition, made part by part.

use bytes::Bytes;

use super::{Filter, Format, Snapshot};
use crate::blocks::{Cursor, Entry};
use crate::gzip::Member;

/// Approximate size of a part: small compared to all samples, large for a connection.
const PART_BYTES: usize = 96 << 10;

/// Additional capacity, since a part ends after the samples of a block.
const SPARE_BYTES: usize = 24 << 10;

/// The body of an exposition as an iterator of parts. Each part is made when it is taken.
pub enum Parts {
    Text(TextParts),
    Gzip(GzipParts),
}

impl Parts {
    /// All parts as one, with this length.
    pub(super) fn whole(self, length: usize) -> Bytes {
        match self {
            Parts::Text(parts) => parts.whole(length).into(),
            Parts::Gzip(mut parts) => parts.part(usize::MAX, length).unwrap_or_default().into(),
        }
    }
}

impl Iterator for Parts {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let room = PART_BYTES + SPARE_BYTES;
        match self {
            Parts::Text(parts) => parts.part(PART_BYTES, room).map(Bytes::from),
            Parts::Gzip(parts) => parts.part(PART_BYTES, room).map(Bytes::from),
        }
    }
}

/// Plain text, written from samples.
pub struct TextParts {
    snapshot: Snapshot,
    format: Format,
    filter: Filter,
    /// The loops of each section that are shown, last section first.
    sections: Vec<Vec<Entry>>,
    at: Cursor,
    is_over: bool,
}

impl TextParts {
    pub(super) fn new(snapshot: Snapshot, format: Format, filter: &Filter) -> TextParts {
        let sections = snapshot.sections.iter().rev().map(|blocks| filter.entries(blocks)).collect();
        TextParts { snapshot, format, filter: filter.clone(), sections, at: Cursor::default(), is_over: false }
    }

    /// The whole text, in memory for this many bytes.
    pub(super) fn whole(mut self, length: usize) -> String {
        self.part(usize::MAX, length).unwrap_or_default()
    }

    fn part(&mut self, bytes: usize, room: usize) -> Option<String> {
        if self.is_over {
            return None;
        }
        let TextParts { snapshot, format, filter, sections, at, is_over } = self;
        let mut text = String::with_capacity(room);
        while let Some(entries) = sections.last() {
            let blocks = &snapshot.sections[snapshot.sections.len() - sections.len()];
            if !blocks.write(at, entries, &mut text, bytes, *format) {
                return Some(text);
            }
            sections.pop();
            *at = Cursor::default();
        }
        text.push_str(if filter.shows_exporter() { &snapshot.own(*format).text } else { format.end() });
        *is_over = true;
        Some(text)
    }
}

/// Gzip, joined from ready pieces. It has all samples.
pub struct GzipParts {
    snapshot: Snapshot,
    format: Format,
    /// Number of sections that are joined already.
    joined: usize,
    at: Cursor,
    /// `None` at the end.
    member: Option<Member>,
}

impl GzipParts {
    pub(super) fn new(snapshot: Snapshot, format: Format) -> GzipParts {
        let member = Some(Member::with_capacity(PART_BYTES + SPARE_BYTES));
        GzipParts { snapshot, format, joined: 0, at: Cursor::default(), member }
    }

    fn part(&mut self, bytes: usize, room: usize) -> Option<Vec<u8>> {
        let GzipParts { snapshot, format, joined, at, member } = self;
        let joining = member.as_mut()?;
        while let Some(blocks) = snapshot.sections.get(*joined) {
            if !blocks.join(at, joining, bytes, *format) {
                return Some(joining.take(room));
            }
            (*joined, *at) = (*joined + 1, Cursor::default());
        }
        joining.push(&snapshot.own(*format).piece);
        Some(member.take()?.finish())
    }
}
