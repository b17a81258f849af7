//! The newest samples of all loops of an endpoint, and their text, which is compressed before a scrape needs it.
//!
//! Prometheus requests gzip, and most samples are the same as at the last scrape. So samples are compressed when they change, and a scrape
//! only joins the compressed pieces (see `gzip`). A block holds the samples of some loops that are adjacent in the order of their subjects.
//! Each family has one compressed piece for each block. A poll changes the samples of one loop, and so the pieces of one block. A block is
//! small enough to be compressed again at each poll, and large enough that there are few pieces to join and that lines compress well.
//!
//! Plain text is written from the samples at the scrape. Storing it would take five times the memory.

use std::ops::{AddAssign, Range, SubAssign};
use std::sync::Arc;

use tokio::time::Instant;

use crate::gzip::{Member, Piece};
use crate::subject::Subject;
use crate::text::{self, Format, SampleWriter};
use minergate::metric::{Family, Samples};

/// The label that identifies a sample's subject, and its value.
pub type Label<'a> = (&'static str, &'a str);

/// Returns the label for the samples of a subject.
pub type ScopeLabel = fn(&Subject) -> Option<Label<'_>>;

/// Number of samples above which a block is split in two.
const BLOCK: usize = 512;

/// The samples of loops, one for each subject, ordered by subject. A clone is cheap, and does not change when newer samples come.
#[derive(Clone)]
pub struct Blocks {
    label: ScopeLabel,
    families: Arc<[FamilyText]>,
    list: Vec<Block>,
    /// One for each family.
    columns: Vec<Column>,
}

/// The samples of some loops, ordered by subject. Never empty.
type Block = Arc<[Entry]>;

/// The samples of one loop. A clone shares the values.
#[derive(Clone)]
pub struct Entry {
    pub subject: Subject,
    pub samples: Samples,
    /// When they become stale.
    end: Option<Instant>,
}

/// The texts around a family's samples.
struct FamilyText {
    sample_name: String,
    /// The HELP, TYPE and UNIT lines of the family, in the order of [`Format::ALL`].
    headers: [Header; 2],
}

/// The lines before a family's samples.
struct Header {
    text: String,
    piece: Piece,
}

/// A family's pieces, one for each block. They are adjacent, because a scrape reads them in this order.
#[derive(Clone, Default)]
struct Column {
    pieces: Arc<[Piece]>,
    /// The sum of their sizes.
    size: Size,
}

impl Column {
    fn replace(&mut self, block: usize, new: Piece) {
        let piece = &mut Arc::make_mut(&mut self.pieces)[block];
        self.size -= Size::of(piece);
        piece.replace(new);
        self.size += Size::of(piece);
    }

    /// Replaces a range of pieces with this number of empty pieces.
    fn splice(&mut self, place: Range<usize>, new: usize) {
        place.clone().for_each(|block| self.replace(block, Piece::default()));
        let (before, after) = (&self.pieces[..place.start], &self.pieces[place.end..]);
        self.pieces = [before, &vec![Piece::default(); new], after].concat().into();
    }
}

/// A prepared change of one loop's samples, already compressed.
pub struct Change {
    /// The block's index.
    place: usize,
    /// Number of blocks that are replaced: one, or none if there are no blocks yet.
    old: usize,
    /// The new blocks: one, its two halves, or none. Each has its new pieces with the indexes of their families.
    new: Vec<(Block, Vec<(usize, Piece)>)>,
}

/// The position of a writer in an exposition.
#[derive(Default)]
pub struct Cursor {
    family: usize,
    /// Number of blocks, or loops, whose samples of the current family are written.
    done: usize,
    /// The lines before the family's samples are written.
    has_begun: bool,
}

impl Cursor {
    fn next_family(&mut self) {
        *self = Cursor { family: self.family + 1, ..Cursor::default() };
    }
}

/// The size of an exposition in bytes.
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
    /// Samples of these families. `path` is the path of the API that they come from, if any.
    pub fn new(label: ScopeLabel, families: impl Iterator<Item = &'static Family>, path: Option<&'static str>) -> Blocks {
        let families: Arc<[FamilyText]> = families.map(|family| FamilyText::new(family, path)).collect();
        let columns = vec![Column::default(); families.len()];
        Blocks { label, families, list: Vec::new(), columns }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.entries().map(|entry| entry.samples.len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The samples of a loop.
    pub fn get(&self, subject: &Subject) -> Option<&Samples> {
        let block = self.list.get(self.place(subject))?;
        Some(&block[find(block, subject).ok()?].samples)
    }

    /// The samples of every loop, ordered by subject.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.list.iter().flat_map(|block| block.iter())
    }

    /// The samples of the loops from a subject on.
    pub fn entries_from(&self, subject: &Subject) -> impl Iterator<Item = &Entry> {
        let place = self.place(subject);
        let before = self.list.get(place).map_or(0, |block| find(block, subject).unwrap_or_else(|place| place));
        self.list.get(place..).unwrap_or_default().iter().flat_map(|block| block.iter()).skip(before)
    }

    /// Compresses a loop's newest samples, which become stale at `end`. Nothing changes before [`Blocks::apply`].
    pub fn prepare(&self, subject: &Subject, mut samples: Samples, end: Option<Instant>) -> Change {
        let place = self.place(subject);
        let mut entries = self.list.get(place).map(|block| block.to_vec()).unwrap_or_default();
        let old = usize::from(!entries.is_empty());
        let found = find(&entries, subject);
        let (Ok(at) | Err(at)) = found;
        // Neighbours with the same label sets share one layout.
        let alike = [at, at.wrapping_sub(1), at + 1].into_iter().filter_map(|at| entries.get(at));
        alike.take_while(|other| !samples.share_layout(other.samples.layout())).for_each(drop);
        let before = found.is_ok().then(|| entries[at].clone());
        let entry = Entry { subject: subject.clone(), samples, end };
        let has_changed = |family| before.as_ref().is_none_or(|before| !before.samples.is_same(&entry.samples, family));
        let changed: Vec<usize> = (0..self.families.len()).filter(|family| has_changed(*family)).collect();
        match found {
            Ok(at) => entries[at] = entry,
            Err(at) => entries.insert(at, entry),
        }
        let is_large = entries.len() > 1 && entries.iter().map(|entry| entry.samples.len()).sum::<usize>() > BLOCK;
        let new = if is_large {
            let (first, second) = entries.split_at(entries.len() / 2);
            let all = || 0..self.families.len();
            vec![self.compress(first, all()), self.compress(second, all())]
        } else {
            vec![self.compress(&entries, changed.into_iter())]
        };
        Change { place, old, new }
    }

    /// Compresses the block again without a loop's samples, if it has any. Nothing changes before [`Blocks::apply`].
    pub fn prepare_removal(&self, subject: &Subject) -> Option<Change> {
        let place = self.place(subject);
        let mut entries = self.list.get(place)?.to_vec();
        let removed = entries.remove(find(&entries, subject).ok()?);
        let changed = (0..self.families.len()).filter(|family| !removed.samples.values(*family).is_empty());
        let new = if entries.is_empty() { Vec::new() } else { vec![self.compress(&entries, changed)] };
        Some(Change { place, old: 1, new })
    }

    /// Applies a prepared change. The samples must be the same as when it was prepared.
    pub fn apply(&mut self, Change { place, old, new }: Change) {
        if new.len() != old {
            let blocks = place..place + old;
            self.columns.iter_mut().for_each(|column| column.splice(blocks.clone(), new.len()));
            self.list.splice(blocks, new.iter().map(|_| Arc::default()));
        }
        for (place, (block, pieces)) in (place..).zip(new) {
            self.list[place] = block;
            for (family, piece) in pieces {
                self.columns[family].replace(place, piece);
            }
        }
    }

    /// Replaces the samples of a loop. They become stale at `end`.
    pub fn put(&mut self, subject: &Subject, samples: Samples, end: Option<Instant>) {
        let change = self.prepare(subject, samples, end);
        self.apply(change);
    }

    /// Removes the samples of a loop, if there are any.
    pub fn remove(&mut self, subject: &Subject) {
        if let Some(change) = self.prepare_removal(subject) {
            self.apply(change);
        }
    }

    /// The loops whose samples are stale.
    pub fn old(&self, now: Instant) -> Vec<Subject> {
        let old = self.entries().filter(|entry| entry.end.is_some_and(|end| end <= now));
        old.map(|entry| entry.subject.clone()).collect()
    }

    /// When the next samples become stale.
    pub fn next_end(&self) -> Option<Instant> {
        self.entries().filter_map(|entry| entry.end).min()
    }

    /// Writes samples of the given loops as text until the text has this number of bytes. Returns whether everything is written.
    pub fn write(&self, at: &mut Cursor, entries: &[Entry], text: &mut String, bytes: usize, format: Format) -> bool {
        while let Some(family) = self.families.get(at.family) {
            for entry in &entries[at.done..] {
                at.done += 1;
                if entry.samples.values(at.family).is_empty() {
                    continue;
                }
                if !at.has_begun {
                    text.push_str(&family.headers[format as usize].text);
                    at.has_begun = true;
                }
                self.write_samples(at.family, entry, &mut SampleWriter::new(text, &family.sample_name));
                if text.len() >= bytes {
                    return false;
                }
            }
            at.next_family();
        }
        true
    }

    /// Joins the compressed samples of all loops until the member has this number of bytes. Returns whether everything is joined.
    pub fn join(&self, at: &mut Cursor, member: &mut Member, bytes: usize, format: Format) -> bool {
        while let (Some(family), Some(column)) = (self.families.get(at.family), self.columns.get(at.family)) {
            for piece in &column.pieces[at.done..] {
                at.done += 1;
                if piece.is_empty() {
                    continue;
                }
                if !at.has_begun {
                    member.push(&family.headers[format as usize].piece);
                    at.has_begun = true;
                }
                member.push(piece);
                if member.ready() >= bytes {
                    return false;
                }
            }
            at.next_family();
        }
        true
    }

    /// The size of all samples with the lines before them.
    pub fn size(&self, format: Format) -> Size {
        let mut size = Size::default();
        for (family, column) in self.families.iter().zip(&self.columns).filter(|(_, column)| column.size.text > 0) {
            size += Size::of(&family.headers[format as usize].piece);
            size += column.size;
        }
        size
    }

    /// The index of the block that holds a subject, or would hold it.
    fn place(&self, subject: &Subject) -> usize {
        self.list.partition_point(|block| block.first().is_some_and(|first| first.subject <= *subject)).saturating_sub(1)
    }

    /// A block with its pieces of the changed families.
    fn compress(&self, entries: &[Entry], changed: impl Iterator<Item = usize>) -> (Block, Vec<(usize, Piece)>) {
        let mut text = String::new();
        let pieces = changed.map(|family| {
            text.clear();
            let mut writer = SampleWriter::new(&mut text, &self.families[family].sample_name);
            for entry in entries {
                self.write_samples(family, entry, &mut writer);
            }
            (family, Piece::new(&text))
        });
        let pieces = pieces.collect();
        (entries.into(), pieces)
    }

    fn write_samples(&self, family: usize, Entry { subject, samples, .. }: &Entry, writer: &mut SampleWriter<'_>) {
        writer.write((self.label)(subject), samples.layout().labels(family).zip(samples.values(family).iter().copied()));
    }
}

impl FamilyText {
    fn new(family: &Family, path: Option<&str>) -> FamilyText {
        let headers = Format::ALL.map(|format| {
            let text = text::header(format, family, path);
            Header { piece: Piece::new(&text), text }
        });
        FamilyText { sample_name: family.sample_name(), headers }
    }
}

/// The index of a subject's entry, or where it would be inserted.
fn find(entries: &[Entry], subject: &Subject) -> Result<usize, usize> {
    entries.binary_search_by(|entry| entry.subject.cmp(subject))
}

#[cfg(test)]
mod tests;
