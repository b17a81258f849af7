//! An exposition, written bit by bit.

use std::iter::Peekable;

use bytes::Bytes;

use super::{Encoding, Filter, Format, Snapshot};
use crate::blocks::{Blocks, Place};
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
    /// What has begun and what is still to be written, each with the number of its section.
    places: Peekable<Box<dyn Iterator<Item = (usize, Place)> + Send>>,
    is_over: bool,
}

impl Making {
    pub(super) fn new(snapshot: Snapshot, format: Format, filter: Filter) -> Making {
        let sections: Vec<_> = snapshot.sections.iter().map(Blocks::places).enumerate().collect();
        let places = sections.into_iter().flat_map(|(section, places)| places.map(move |place| (section, place)));
        let places: Box<dyn Iterator<Item = _> + Send> = Box::new(places);
        Making { snapshot, format, filter, places: places.peekable(), is_over: false }
    }

    /// Writes on, until there are so many bytes of text or all is written.
    pub(super) fn write(&mut self, text: &mut String, bytes: usize) {
        let Making { snapshot, format, filter, places, is_over } = self;
        while text.len() < bytes && !*is_over {
            if let Some((section, place)) = places.peek_mut() {
                snapshot.sections[*section].write(place, text, bytes, *format, |subject| filter.shows(subject));
                places.next_if(|(_, place)| place.is_over());
            } else {
                if filter.shows_exporter() {
                    text.push_str(&snapshot.own.text);
                }
                text.push_str(format.end());
                *is_over = true;
            }
        }
    }

    /// Joins on, until there are so many compressed bytes or all is joined. Filters nothing.
    fn join(&mut self, member: &mut Member, bytes: usize) {
        let Making { snapshot, format, places, is_over, .. } = self;
        while member.ready() < bytes && !*is_over {
            if let Some((section, place)) = places.peek_mut() {
                snapshot.sections[*section].join(place, member, bytes, *format);
                places.next_if(|(_, place)| place.is_over());
            } else {
                member.push(&snapshot.own.piece);
                member.push(&Piece::new(format.end()));
                *is_over = true;
            }
        }
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
