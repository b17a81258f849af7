//! A simple design: like ours, but zlib-rs compresses each family of a block. A scrape joins the pieces.

use std::sync::Arc;

use crc32fast::Hasher;
use flate2::{Compress, Compression, FlushCompress};
use minergate::metric::Samples;
use minergate_exporter::text::SampleWriter;

use super::SECTIONS;

/// A block with more samples is split in two.
const BLOCK: usize = 512;

/// Deflated text with the checksum and the length of the text. It ends at a byte boundary and refers to nothing before it.
#[derive(Clone, Default)]
struct Piece(Box<[u8]>, Hasher, u32);

/// Neighbouring accounts, and a piece for each family.
#[derive(Clone, Default)]
struct Block {
    accounts: Vec<(Arc<str>, Samples)>,
    pieces: Vec<Piece>,
}

pub(crate) struct Blocks {
    headers: Vec<Vec<Piece>>,
    sections: Vec<Vec<Block>>,
    compress: Compress,
}

impl Blocks {
    pub(crate) fn new() -> Blocks {
        let mut compress = Compress::new(Compression::fast(), false);
        let headers =
            SECTIONS.iter().map(|section| section.headers.iter().map(|text| Piece::new(&mut compress, text)).collect());
        Blocks { headers: headers.collect(), sections: vec![vec![Block::default()]; SECTIONS.len()], compress }
    }

    pub(crate) fn put(&mut self, section: usize, account: &Arc<str>, mut samples: Samples) {
        let (names, blocks) = (&SECTIONS[section].names, &mut self.sections[section]);
        let place = blocks.partition_point(|block| block.accounts.first().is_some_and(|first| first.0 <= *account));
        let place = place.saturating_sub(1);
        let Block { accounts, pieces } = &mut blocks[place];
        pieces.resize(names.len(), Piece::default());
        let mut changed: Vec<usize> = (0..names.len()).collect();
        let found = accounts.binary_search_by(|(other, _)| other.cmp(account));
        let (Ok(at) | Err(at)) = found;
        let mut neighbours = [at, at.wrapping_sub(1)].into_iter().filter_map(|at| accounts.get(at));
        neighbours.any(|(_, other)| samples.share_layout(other.layout()));
        match found {
            Ok(at) => {
                changed.retain(|family| !accounts[at].1.is_same(&samples, *family));
                accounts[at].1 = samples;
            }
            Err(at) => accounts.insert(at, (account.clone(), samples)),
        }
        let sizes = accounts.iter().map(|(_, samples)| samples.len());
        if accounts.len() > 1 && sizes.sum::<usize>() > BLOCK {
            let second = Block { accounts: accounts.split_off(accounts.len() / 2), pieces: pieces.clone() };
            blocks.insert(place + 1, second);
            changed = (0..names.len()).collect();
            for family in &changed {
                blocks[place + 1].compress(&mut self.compress, *family, &names[*family]);
            }
        }
        for family in changed {
            blocks[place].compress(&mut self.compress, family, &names[family]);
        }
    }

    pub(crate) fn scrape(&mut self, own: &str) -> Vec<u8> {
        let mut body = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
        let (mut checksum, mut length) = (Hasher::new(), 0_u32);
        let own = Piece::new(&mut self.compress, own);
        let mut push = |piece: &Piece| {
            body.extend_from_slice(&piece.0);
            checksum.combine(&piece.1);
            length = length.wrapping_add(piece.2);
        };
        for (headers, blocks) in self.headers.iter().zip(&self.sections) {
            for (family, header) in headers.iter().enumerate() {
                let pieces = blocks.iter().filter_map(|block| block.pieces.get(family));
                let mut pieces = pieces.filter(|piece| !piece.0.is_empty()).peekable();
                pieces.peek().into_iter().for_each(|_| push(header));
                pieces.for_each(&mut push);
            }
        }
        push(&own);
        // An empty last block.
        body.extend_from_slice(&[0x03, 0x00]);
        body.extend_from_slice(&checksum.finalize().to_le_bytes());
        body.extend_from_slice(&length.to_le_bytes());
        body
    }
}

impl Block {
    fn compress(&mut self, compress: &mut Compress, family: usize, name: &str) {
        let mut text = String::new();
        let mut writer = SampleWriter::new(&mut text, name);
        for (account, samples) in &self.accounts {
            let samples = samples.layout().labels(family).zip(samples.values(family).iter().copied());
            writer.write(Some(("account", account)), samples);
        }
        self.pieces[family] = Piece::new(compress, &text);
    }
}

impl Piece {
    fn new(compress: &mut Compress, text: &str) -> Piece {
        if text.is_empty() {
            return Piece::default();
        }
        let mut deflated = Vec::with_capacity(text.len() + text.len() / 8 + 64);
        compress.reset();
        compress.compress_vec(text.as_bytes(), &mut deflated, FlushCompress::Sync).expect("memory");
        let mut checksum = Hasher::new();
        checksum.update(text.as_bytes());
        Piece(deflated.into(), checksum, text.len() as u32)
    }
}
