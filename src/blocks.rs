//! The newest samples of many loops that share their families, and their text, compressed before anybody asks for it.
//!
//! Prometheus asks for gzip, every time, and most samples are the same as at the last scrape. So text is compressed when samples
//! come, and a scrape only joins what is ready (see `gzip`). What can be joined separately is a piece: the samples of one family in
//! one block, that is, of some neighbours in the order of their subjects. A poll changes one loop's samples, and so the pieces of one
//! block; a block is kept so small that this is cheap, and so large that there are few pieces to join and a line finds another to
//! resemble. Where plain text is asked for, it is written from the samples by the same code: kept, it would take five times
//! the memory.

mod block;

use std::ops::{AddAssign, Range, SubAssign};
use std::sync::Arc;

use tokio::time::Instant;

use self::block::{Block, Loop};
use crate::gzip::{Member, Piece};
use crate::subject::Subject;
use crate::text::{self, Format, SampleWriter};
use minergate::metric::{Family, Layout, Samples};

/// The label that says whose a sample is, and its value.
pub type Label<'a> = (&'static str, &'a str);

/// Says which label the samples of a subject have.
pub type Scope = fn(&Subject) -> Option<Label<'_>>;

/// Samples beyond which a block is cut in two.
const BLOCK: usize = 512;

/// The samples of loops, one for each subject, in order of these. A clone costs little, and stays as it is when newer samples come.
#[derive(Clone)]
pub struct Blocks {
    scope: Scope,
    families: Arc<[Lines]>,
    neighbours: Vec<Arc<Block>>,
    /// One for each family.
    columns: Vec<Column>,
    version: u64,
}

/// What stands around and before a family's samples.
struct Lines {
    sample_name: String,
    /// The lines about the family, in the order of [`Format::ALL`].
    headers: [Header; 2],
}

/// Lines about a family.
struct Header {
    text: String,
    piece: Piece,
}

/// A family's pieces, one for each block: side by side, as a scrape wants one after another.
#[derive(Clone, Default)]
struct Column {
    pieces: Arc<Vec<Piece>>,
    /// What they come to.
    size: Size,
}

impl Column {
    fn replace(&mut self, block: usize, new: Piece) {
        let piece = &mut Arc::make_mut(&mut self.pieces)[block];
        self.size -= Size::of(piece);
        piece.replace(new);
        self.size += Size::of(piece);
    }
}

/// A change of one loop's samples, already compressed.
pub struct Change {
    /// Where the change is among the neighbours.
    place: usize,
    /// How many blocks it replaces: one, or none before there are any.
    old: usize,
    /// Those in their place: one, its two halves, or none. Each with its new pieces and their families.
    new: Vec<(Block, Vec<(usize, Piece)>)>,
}

/// A family on its way into an exposition.
pub struct Place {
    family: usize,
    /// Those whose samples are not written yet.
    blocks: Range<usize>,
    /// The lines about it are written.
    has_begun: bool,
}

impl Place {
    /// Whether all its samples are written.
    pub fn is_over(&self) -> bool {
        self.blocks.is_empty()
    }
}

/// Bytes of an exposition.
#[derive(Clone, Copy, Debug, Default)]
pub struct Size {
    pub text: usize,
    pub compressed: usize,
}

impl AddAssign for Size {
    fn add_assign(&mut self, other: Size) {
        self.text += other.text;
        self.compressed += other.compressed;
    }
}

impl SubAssign for Size {
    fn sub_assign(&mut self, other: Size) {
        self.text -= other.text;
        self.compressed -= other.compressed;
    }
}

impl Size {
    pub fn of(piece: &Piece) -> Size {
        Size { text: piece.text_len(), compressed: piece.len() }
    }
}

impl Blocks {
    /// Samples of these families. `path` is the API's, where they come from there.
    pub fn new(scope: Scope, families: impl Iterator<Item = &'static Family>, path: Option<&'static str>) -> Blocks {
        let lines = |family: &Family| Lines {
            sample_name: family.sample_name(),
            headers: Format::ALL.map(|format| {
                let text = text::header(format, family, path);
                Header { piece: Piece::new(&text), text }
            }),
        };
        let families: Arc<[Lines]> = families.map(lines).collect();
        let columns = vec![Column::default(); families.len()];
        Blocks { scope, families, neighbours: Vec::new(), columns, version: 0 }
    }

    /// Another number after each change of what is shown.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Samples in all.
    pub fn len(&self) -> usize {
        self.neighbours.iter().map(|block| block.len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.neighbours.is_empty()
    }

    /// The samples of a loop.
    pub fn get(&self, subject: &Subject) -> Option<Samples> {
        let block = self.neighbours.get(self.place(subject))?;
        block.samples(block.find(subject).ok()?)
    }

    /// What a loop's samples are of.
    pub fn layout(&self, subject: &Subject) -> Option<&Arc<Layout>> {
        let block = self.neighbours.get(self.place(subject))?;
        Some(&block.loops()[block.find(subject).ok()?].layout)
    }

    /// The subjects of all loops, in order.
    pub fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.loops().map(|one| &one.subject)
    }

    fn loops(&self) -> impl Iterator<Item = &Loop> {
        self.neighbours.iter().flat_map(|block| block.loops())
    }

    /// Compresses a loop's newest samples, which are too old at `end`. Nothing changes before [`Blocks::apply`].
    pub fn prepare(&self, subject: &Subject, samples: Samples, end: Option<Instant>) -> Change {
        let place = self.place(subject);
        let old = self.neighbours.get(place);
        let (block, changed) = old.map_or(&Block::default(), |old| old).with(subject, (self.scope)(subject), samples, end);
        let halves = if block.len() > BLOCK { block.split() } else { None };
        let new = match halves {
            Some(halves) => halves.map(|half| self.compress(half, &vec![true; self.families.len()])).into(),
            None => vec![self.compress(block, &changed)],
        };
        Change { place, old: old.map_or(0, |_| 1), new }
    }

    /// Compresses what is left without a loop's samples, if it has any. Nothing changes before [`Blocks::apply`].
    pub fn prepare_removal(&self, subject: &Subject) -> Option<Change> {
        let place = self.place(subject);
        let old = self.neighbours.get(place)?;
        let (block, changed) = old.without(old.find(subject).ok()?);
        let new = if block.loops().is_empty() { Vec::new() } else { vec![self.compress(block, &changed)] };
        Some(Change { place, old: 1, new })
    }

    /// Shows a change. It must be prepared from the samples as they are now.
    pub fn apply(&mut self, Change { place, old, new }: Change) {
        if new.len() < old {
            self.neighbours.remove(place);
            for column in &mut self.columns {
                column.replace(place, Piece::default());
                Arc::make_mut(&mut column.pieces).remove(place);
            }
            self.version += 1;
        }
        for _ in old..new.len() {
            self.neighbours.insert(place, Arc::default());
            self.columns.iter_mut().for_each(|column| Arc::make_mut(&mut column.pieces).insert(place, Piece::default()));
        }
        for (place, (block, pieces)) in (place..).zip(new) {
            self.neighbours[place] = Arc::new(block);
            for (family, piece) in pieces {
                self.columns[family].replace(place, piece);
                self.version += 1;
            }
        }
    }

    /// Takes the newest samples of a loop, and when they will be too old.
    pub fn put(&mut self, subject: &Subject, samples: Samples, end: Option<Instant>) {
        let change = self.prepare(subject, samples, end);
        self.apply(change);
    }

    /// Drops the samples of a loop, if there are any.
    pub fn remove(&mut self, subject: &Subject) {
        if let Some(change) = self.prepare_removal(subject) {
            self.apply(change);
        }
    }

    /// The loops whose samples are too old.
    pub fn old(&self, now: Instant) -> Vec<Subject> {
        let old = self.loops().filter(|one| one.end.is_some_and(|end| end <= now));
        old.map(|one| one.subject.clone()).collect()
    }

    /// When the next samples will be too old.
    pub fn next_end(&self) -> Option<Instant> {
        self.loops().filter_map(|one| one.end).min()
    }

    /// The families, in the order in which they are shown.
    pub fn places(&self) -> impl Iterator<Item = Place> + use<> {
        let blocks = self.neighbours.len();
        (0..self.families.len()).map(move |family| Place { family, blocks: 0..blocks, has_begun: false })
    }

    /// Writes a family's samples of the subjects that are wanted, up to the end of the block where there are so many bytes of
    /// text; before the first, the lines about it.
    pub fn write(
        &self,
        place: &mut Place,
        text: &mut String,
        bytes: usize,
        format: Format,
        wanted: impl Fn(&Subject) -> bool,
    ) {
        let lines = &self.families[place.family];
        let start = text.len();
        if !place.has_begun {
            text.push_str(&lines.headers[format as usize].text);
        }
        let header = text.len();
        let mut samples = SampleWriter::new(text, &lines.sample_name);
        for block in place.blocks.by_ref() {
            self.neighbours[block].write(place.family, &mut samples, &wanted);
            if samples.text_len() >= bytes {
                break;
            }
        }
        // A family without samples is not spoken of.
        if text.len() == header {
            text.truncate(start);
        } else {
            place.has_begun = true;
        }
    }

    /// Adds compressed samples, which are the same as [`Blocks::write`] writes, until there are so many bytes to take.
    pub fn join(&self, place: &mut Place, member: &mut Member, bytes: usize, format: Format) {
        let pieces = &self.columns[place.family].pieces;
        for piece in place.blocks.by_ref().map(|block| &pieces[block]).filter(|piece| !piece.is_empty()) {
            if !place.has_begun {
                member.push(&self.families[place.family].headers[format as usize].piece);
                place.has_begun = true;
            }
            member.push(piece);
            if member.ready() >= bytes {
                break;
            }
        }
    }

    /// What all samples come to, with the lines about their families.
    pub fn size(&self, format: Format) -> Size {
        let mut size = Size::default();
        for (family, column) in self.families.iter().zip(&self.columns).filter(|(_, column)| column.size.text > 0) {
            size += Size::of(&family.headers[format as usize].piece);
            size += column.size;
        }
        size
    }

    /// Where the block is that holds a subject, or would.
    fn place(&self, subject: &Subject) -> usize {
        // Never empty, so each block has a first subject.
        self.neighbours
            .partition_point(|block| block.loops().first().is_some_and(|first| first.subject <= *subject))
            .saturating_sub(1)
    }

    /// A block with its pieces, of the families that have changed.
    fn compress(&self, block: Block, changed: &[bool]) -> (Block, Vec<(usize, Piece)>) {
        let mut text = String::new();
        let families = self.families.iter().enumerate().zip(changed).filter(|(_, changed)| **changed);
        let pieces = families.map(|((family, lines), _)| {
            text.clear();
            block.write(family, &mut SampleWriter::new(&mut text, &lines.sample_name), |_| true);
            (family, Piece::new(&text))
        });
        let pieces = pieces.collect();
        (block, pieces)
    }
}

#[cfg(test)]
mod tests;
