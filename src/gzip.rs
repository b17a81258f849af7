//! Gzip made from prepared pieces.
//!
//! Deflated text can be concatenated if each piece ends at a byte and has no references to earlier pieces, and the
//! checksum of the whole can be calculated from the checksums of the pieces. So text that did not change since the last scrape is not
//! compressed again: a [`Piece`] is made when its text changes, and a [`Member`] only copies pieces.

mod checksum;
mod deflate;

use std::sync::Arc;

use self::checksum::{Checksum, Part};

/// Compressed text that can be part of a gzip member.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// The next text often has about the same length and can use the same memory. New memory for each would fragment the heap.
    room: Arc<[u8]>,
    /// Number of unused bytes at the end of the room.
    spare: u8,
    checksum: Part,
}

/// The room grows in steps of this number of bytes.
const STEP: usize = 32;

/// Maximum unused room that is kept.
const SPARE: u8 = 96;

impl Piece {
    /// Compresses text that consists of lines.
    pub fn new(text: &str) -> Piece {
        if text.is_empty() {
            return Piece::default();
        }
        let mut bytes = Vec::new();
        deflate::lines(text.as_bytes(), &mut bytes);
        let length = bytes.len();
        bytes.resize(length.next_multiple_of(STEP), 0);
        let spare = u8::try_from(bytes.len() - length).unwrap_or_default();
        Piece { room: bytes.into(), spare, checksum: Part::of(text.as_bytes()) }
    }

    /// Replaces it with another piece, in the same memory if possible.
    pub fn replace(&mut self, other: Piece) {
        let spare = self.room.len().checked_sub(other.len()).and_then(|spare| u8::try_from(spare).ok());
        if let Some(spare) = spare.filter(|spare| *spare <= SPARE && !other.is_empty())
            && let Some(room) = Arc::get_mut(&mut self.room)
        {
            room[..other.len()].copy_from_slice(other.deflated());
            (self.spare, self.checksum) = (spare, other.checksum);
        } else {
            *self = other;
        }
    }

    fn deflated(&self) -> &[u8] {
        &self.room[..self.len()]
    }

    pub fn is_empty(&self) -> bool {
        self.room.is_empty()
    }

    /// Size in bytes.
    pub fn len(&self) -> usize {
        self.room.len() - usize::from(self.spare)
    }

    /// Size of its text in bytes.
    pub fn text_len(&self) -> usize {
        self.checksum.length() as usize
    }
}

/// A gzip file (RFC 1952) that is being made.
pub struct Member {
    bytes: Vec<u8>,
    checksum: Checksum,
    /// Checksums not folded in yet; deferring keeps the copy loop tight.
    /// while it waits for the one.
    pending: Vec<Part>,
}

/// Deflate, no name, no time, no extra flags, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

impl Member {
    /// Size of a member without its pieces, in bytes.
    pub const FRAME: usize = HEADER.len() + deflate::END.len() + 2 * size_of::<u32>();

    /// Begins a member with capacity for this number of bytes.
    pub fn with_capacity(bytes: usize) -> Member {
        let mut member = Member { bytes: Vec::with_capacity(bytes), checksum: Checksum::default(), pending: Vec::new() };
        member.bytes.extend_from_slice(&HEADER);
        member
    }

    pub fn push(&mut self, piece: &Piece) {
        self.bytes.extend_from_slice(piece.deflated());
        self.pending.push(piece.checksum);
    }

    fn fold_pending(&mut self) {
        self.checksum = self.pending.drain(..).fold(self.checksum, Checksum::then);
    }

    /// Removes and returns the bytes so far, and reserves capacity for more.
    pub fn take(&mut self, bytes: usize) -> Vec<u8> {
        self.fold_pending();
        std::mem::replace(&mut self.bytes, Vec::with_capacity(bytes))
    }

    /// The number of bytes that can be taken.
    pub fn ready(&self) -> usize {
        self.bytes.len()
    }

    /// The rest of the member.
    pub fn finish(mut self) -> Vec<u8> {
        self.fold_pending();
        self.bytes.extend_from_slice(&deflate::END);
        self.bytes.extend_from_slice(&self.checksum.crc.to_le_bytes());
        self.bytes.extend_from_slice(&self.checksum.length.to_le_bytes());
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use proptest::prelude::*;

    use super::*;

    fn gunzip(bytes: &[u8]) -> String {
        let mut text = String::new();
        GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
        text
    }

    fn member(texts: &[String]) -> Vec<u8> {
        let mut member = Member::with_capacity(0);
        for text in texts {
            member.push(&Piece::new(text));
        }
        member.finish()
    }

    #[test]
    fn an_empty_text_is_a_valid_member() {
        assert_eq!(gunzip(&member(&[])), "");
    }

    #[test]
    fn similar_lines_are_compressed_well() {
        let line = |i: u32| format!("minergate_workers{{account=\"farm-{}\",currency=\"xmr\"}} {i}\n", i % 50);
        let text: String = (0..1000).map(line).collect();
        let compressed = member(std::slice::from_ref(&text));
        assert!(compressed.len() * 5 < text.len(), "{} of {}", compressed.len(), text.len());
    }

    #[test]
    fn far_and_long_matches_are_within_the_format_s_bounds() {
        let long = "x".repeat(32_768);
        for length in [2, 3, 257, 258, 259, 260, 261, 516, 32_766, 32_767, 32_768] {
            let text = format!("{}\n{}1\n", &long[..length], &long[..length]);
            assert_eq!(gunzip(&member(std::slice::from_ref(&text))), text, "{length}");
        }
    }

    #[test]
    fn text_that_becomes_longer_fits() {
        // Bytes whose codes have nine bits, and a match with the minimum length at the maximum distance.
        for length in [1, 2, 7, 8, 64, 1000, 16_000] {
            let odd = "\u{ff}".repeat(length);
            let text = format!("abc{odd}\nabc{odd}x\n");
            assert_eq!(gunzip(&member(&[odd, text.clone()])), "\u{ff}".repeat(length) + &text, "{length}");
        }
    }

    proptest! {
        #[test]
        fn compressed_text_is_decompressed_unchanged(texts in prop::collection::vec("([a-c\"\\PC]{0,9}\n?){0,40}", 0..6)) {
            prop_assert_eq!(gunzip(&member(&texts)), texts.concat());
        }

        #[test]
        fn compressed_samples_are_decompressed_unchanged(
            samples in prop::collection::vec(("[a-c]{1,3}", "[a-b]{1,2}", -1e9..1e9), 0..60),
            cut in any::<prop::sample::Index>(),
        ) {
            let line = |(account, currency, value): &(String, String, f64)| {
                format!("minergate_workers{{account=\"{account}\",currency=\"{currency}\"}} {value}\n")
            };
            let lines: Vec<String> = samples.iter().map(line).collect();
            let (first, second) = lines.split_at(cut.index(lines.len() + 1));
            prop_assert_eq!(gunzip(&member(&[first.concat(), second.concat()])), lines.concat());
        }
    }
}
