//! An exposition, written bit by bit.

use bytes::Bytes;

use super::{Encoding, Filter, Format, Snapshot};
use crate::blocks::Place;
use crate::gzip::{Member, Piece};

/// A part has about so many bytes: little beside what it is made of, and much for a connection.
const PART_BYTES: usize = 96 << 10;

/// Room for what a part has beyond that, as it ends behind a block's samples.
const SPARE_BYTES: usize = 24 << 10;

/// An exposition that is being written.
pub(super) struct Making {
    snapshot: Snapshot,
    format: Format,
    filter: Filter,
    /// What is still to be written, each with the number of its section.
    places: Box<dyn Iterator<Item = (usize, Place)> + Send>,
    /// The section that is being written, and its family that has begun.
    section: usize,
    begun: Option<usize>,
    is_over: bool,
}

impl Making {
    pub(super) fn new(snapshot: Snapshot, format: Format, filter: Filter) -> Making {
        let sections: Vec<_> = snapshot.sections.iter().map(|(_, rows)| rows.places()).enumerate().collect();
        let places = sections.into_iter().flat_map(|(section, places)| places.map(move |place| (section, place)));
        Making { snapshot, format, filter, places: Box::new(places), section: 0, begun: None, is_over: false }
    }

    /// Writes on, until there are so many bytes of text or all is written.
    pub(super) fn write(&mut self, text: &mut String, bytes: usize) {
        while text.len() < bytes && !self.is_over {
            let next = self.next();
            let Making { snapshot, format, filter, begun, .. } = self;
            if let Some(place) = next {
                let (is_account, rows) = &snapshot.sections[self.section];
                // What is no account's stands under the exporter's name.
                rows.write(place, text, *format, begun, |name| filter.shows(if *is_account { name } else { "" }));
            } else {
                if filter.shows("") {
                    text.push_str(&snapshot.own.text);
                }
                text.push_str(format.end());
            }
        }
    }

    /// Joins on, until there are so many compressed bytes or all is joined. Filters nothing.
    fn join(&mut self, member: &mut Member, bytes: usize) {
        while member.ready() < bytes && !self.is_over {
            let next = self.next();
            let Making { snapshot, format, begun, .. } = self;
            if let Some(place) = next {
                snapshot.sections[self.section].1.join(place, member, *format, begun);
            } else {
                member.push(&snapshot.own.piece);
                member.push(&Piece::new(format.end()));
            }
        }
    }

    /// What comes next; nothing at the end, when only what belongs to no section is left.
    fn next(&mut self) -> Option<Place> {
        let next = self.places.next();
        self.is_over = next.is_none();
        let (section, place) = next?;
        if section != self.section {
            (self.section, self.begun) = (section, None);
        }
        Some(place)
    }
}

/// A whole exposition's body in parts, each made when it is wanted.
pub struct Parts {
    making: Making,
    /// Nothing for plain text, and at the end.
    member: Option<Member>,
}

impl Parts {
    pub(super) fn new(making: Making, encoding: Encoding) -> Parts {
        let member = (encoding == Encoding::Gzip).then(|| Member::with_capacity(PART_BYTES + SPARE_BYTES));
        Parts { making, member }
    }

    /// All parts as one, if that is so long.
    pub(super) fn whole(mut self, length: usize) -> Bytes {
        self.part(usize::MAX, length).unwrap_or_default()
    }

    fn part(&mut self, bytes: usize, room: usize) -> Option<Bytes> {
        if self.making.is_over {
            return None;
        }
        let Some(member) = &mut self.member else {
            let mut text = String::with_capacity(room);
            self.making.write(&mut text, bytes);
            return Some(text.into());
        };
        self.making.join(member, bytes);
        if self.making.is_over { Some(self.member.take()?.finish().into()) } else { Some(member.take(room).into()) }
    }
}

impl Iterator for Parts {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.part(PART_BYTES, PART_BYTES + SPARE_BYTES)
    }
}
