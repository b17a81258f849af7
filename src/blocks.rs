//! The newest rows of many loops that share their families, and their text, compressed before anybody asks for it.
//!
//! Prometheus asks for gzip, every time, and most samples are the same as at the last scrape. So text is compressed when rows
//! come, and a scrape only joins what is ready (see `gzip`). What can be joined separately is a piece: the samples of one family in
//! one block, that is, of some neighbours in the order of their names. A poll changes one loop's rows, and so the pieces of one
//! block; a block is kept so small that this is cheap, and so large that there are few pieces to join and a line finds another to
//! resemble. Where plain text is asked for, it is written from the rows by the same code: kept, it would take five times
//! the memory.

use std::sync::Arc;

use crate::gzip::{Member, Piece};
use crate::metric::{Family, Rows};
use crate::text::{self, Format};

/// Samples beyond which a block is cut in two.
const BLOCK: usize = 512;

/// The rows of loops, in order of their names.
pub struct Blocks {
    /// The label that says whose a sample is: its value is the loop's name.
    scope: Option<&'static str>,
    families: Vec<Lines>,
    neighbours: Vec<Block>,
    version: u64,
}

/// What stands around and before a family's samples.
struct Lines {
    sample_name: String,
    /// The lines about the family, in the order of [`Format::ALL`].
    headers: [(String, Piece); 2],
}

/// Neighbours.
struct Block {
    /// Never empty.
    rows: Vec<(Arc<str>, Arc<Rows>)>,
    /// One for each family.
    pieces: Vec<Piece>,
}

impl Blocks {
    /// Rows of these families. `path` is the API's, where they come from there.
    pub fn new(
        scope: Option<&'static str>,
        families: impl Iterator<Item = &'static Family>,
        path: Option<&'static str>,
    ) -> Blocks {
        let lines = |family: &Family| Lines {
            sample_name: family.sample_name(),
            headers: Format::ALL.map(|format| {
                let header = text::header(format, family, path);
                let piece = Piece::new(&header);
                (header, piece)
            }),
        };
        Blocks { scope, families: families.map(lines).collect(), neighbours: Vec::new(), version: 0 }
    }

    /// Another number after each change of what is shown.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Samples in all.
    pub fn len(&self) -> usize {
        self.neighbours.iter().map(Block::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.neighbours.is_empty()
    }

    /// The rows of a loop.
    pub fn get(&self, name: &str) -> Option<&Arc<Rows>> {
        let block = self.neighbours.get(self.place(name))?;
        block.find(name).ok().map(|at| &block.rows[at].1)
    }

    /// The rows of all loops, in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &(Arc<str>, Arc<Rows>)> {
        self.neighbours.iter().flat_map(|block| &block.rows)
    }

    /// Takes the newest rows of a loop.
    pub fn put(&mut self, name: &Arc<str>, rows: Rows) {
        let place = self.place(name);
        let rows = Arc::new(rows);
        let Some(block) = self.neighbours.get_mut(place) else {
            self.neighbours.push(Block { rows: vec![(name.clone(), rows)], pieces: Vec::new() });
            return self.compress(place, |_| true);
        };
        match block.find(name) {
            Ok(at) => {
                let before = std::mem::replace(&mut block.rows[at].1, rows.clone());
                if !self.cut(place) {
                    self.compress(place, |family| !rows.family(family).eq(before.family(family)));
                }
            }
            Err(at) => {
                block.rows.insert(at, (name.clone(), rows.clone()));
                if !self.cut(place) {
                    self.compress(place, |family| rows.family(family).next().is_some());
                }
            }
        }
    }

    /// Drops the rows of a loop, if there are any.
    pub fn remove(&mut self, name: &str) {
        let place = self.place(name);
        let Some(block) = self.neighbours.get_mut(place) else { return };
        let Ok(at) = block.find(name) else { return };
        let (_, rows) = block.rows.remove(at);
        if block.rows.is_empty() {
            self.neighbours.remove(place);
            self.version += 1;
        } else {
            self.compress(place, |family| rows.family(family).next().is_some());
        }
    }

    /// Writes the samples of the loops whose names are wanted as text.
    pub fn write(&self, text: &mut String, format: Format, wanted: impl Fn(&str) -> bool) {
        for (family, lines) in self.families.iter().enumerate() {
            let start = text.len();
            text.push_str(&lines.headers[format as usize].0);
            let header = text.len();
            for (name, rows) in self.iter().filter(|(name, _)| wanted(name)) {
                text::write_samples(text, &lines.sample_name, self.scope.map(|label| (label, &**name)), rows.family(family));
            }
            // A family without samples is not spoken of.
            if text.len() == header {
                text.truncate(start);
            }
        }
    }

    /// Adds the compressed samples of all loops, which are the same as [`Blocks::write`] writes.
    pub fn join(&self, member: &mut Member, format: Format) {
        for (family, lines) in self.families.iter().enumerate() {
            let mut pieces =
                self.neighbours.iter().map(|block| &block.pieces[family]).filter(|piece| !piece.is_empty()).peekable();
            if pieces.peek().is_some() {
                member.push(&lines.headers[format as usize].1);
            }
            pieces.for_each(|piece| member.push(piece));
        }
    }

    /// Bytes that the compressed samples take.
    pub fn compressed_len(&self) -> usize {
        self.pieces().map(Piece::len).sum()
    }

    /// Bytes of the samples' text.
    pub fn text_len(&self) -> usize {
        self.pieces().map(Piece::text_len).sum()
    }

    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.neighbours.iter().flat_map(|block| &block.pieces)
    }

    /// Where the block is that holds a name, or would.
    fn place(&self, name: &str) -> usize {
        // Never empty, so each block has a first name.
        self.neighbours
            .partition_point(|block| block.rows.first().is_some_and(|(first, _)| **first <= *name))
            .saturating_sub(1)
    }

    /// Cuts a block in two if it has become too large.
    fn cut(&mut self, place: usize) -> bool {
        let block = &mut self.neighbours[place];
        if block.len() <= BLOCK || block.rows.len() < 2 {
            return false;
        }
        let rows = block.rows.split_off(block.rows.len() / 2);
        block.rows.shrink_to_fit();
        self.neighbours.insert(place + 1, Block { rows, pieces: Vec::new() });
        self.compress(place, |_| true);
        self.compress(place + 1, |_| true);
        true
    }

    /// Makes the pieces of a block anew, of the families that have changed.
    fn compress(&mut self, place: usize, changed: impl Fn(usize) -> bool) {
        let block = &mut self.neighbours[place];
        block.pieces.resize_with(self.families.len(), Piece::default);
        let mut text = String::new();
        for (family, lines) in self.families.iter().enumerate().filter(|(family, _)| changed(*family)) {
            text.clear();
            for (name, rows) in &block.rows {
                let scope = self.scope.map(|label| (label, &**name));
                text::write_samples(&mut text, &lines.sample_name, scope, rows.family(family));
            }
            block.pieces[family] = Piece::new(&text);
            self.version += 1;
        }
    }
}

impl Block {
    fn len(&self) -> usize {
        self.rows.iter().map(|(_, rows)| rows.len()).sum()
    }

    /// Where a loop's rows are, or would be.
    fn find(&self, name: &str) -> Result<usize, usize> {
        self.rows.binary_search_by(|(other, _)| (**other).cmp(name))
    }
}
