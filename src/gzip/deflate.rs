//! Deflate (RFC 1951) for lines that resemble the line before them, such as samples.
//!
//! A general compressor searches its window for matches. Here their position is known: a sample repeats the line before
//! it except for a label's value and the number. So each line is compared with the line before it; after a difference, the comparison continues
//! after the next quote. With deflate's fixed codes, this takes a twentieth of the time and gives twice the size.

/// The end of a stream: an empty last block.
pub(super) const END: [u8; 2] = [0x03, 0x00];

/// Minimum and maximum length of a match, and its maximum distance.
const MATCH: std::ops::RangeInclusive<usize> = 3..=258;
const WINDOW: usize = 32_768;

/// Bits, the first one lowest, and their number.
#[derive(Clone, Copy)]
struct Code(u32, u32);

/// Compresses text as blocks that end at a byte and do not refer to anything before them, and adds them to `bytes`.
pub(super) fn lines(text: &[u8], bytes: &mut Vec<u8>) {
    let start = bytes.len();
    // A literal has at most nine bits, and a match has fewer than its literals would have; the rest is for the block's frame.
    bytes.resize(start + text.len() + text.len() / 8 + 16, 0);
    let mut out = Bits { bytes: &mut bytes[start..], at: 0, pending: 0, count: 0 };
    // Not the last block; fixed codes.
    out.push(Code(0b010, 3));
    let (mut before, mut rest): (&[u8], _) = (&[], text);
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let (line, others) = rest.split_at(end);
        push_line(&mut out, line, before);
        (before, rest) = (line, others);
    }
    out.push(END_OF_BLOCK);
    // An empty stored block ends at a byte. It is not the last block; its length and the inverted length follow.
    out.push(Code(0, 3));
    out.align();
    out.push(Code(0xffff_0000, 32));
    let end = start + out.at;
    bytes.truncate(end);
}

/// Writes a line; `before` is the line directly before it.
fn push_line(out: &mut Bits<'_>, line: &[u8], before: &[u8]) {
    let (mut at, mut old) = (0, 0);
    while at < line.len() {
        let same = common(&line[at..], &before[old..]);
        let distance = before.len() - old + at;
        if same >= *MATCH.start() && distance <= WINDOW {
            push_match(out, same, distance);
        } else {
            push_literals(out, &line[at..at + same]);
        }
        (at, old) = (at + same, old + same);
        // The lines differ here. They may be equal again after a value, from the next quote on.
        let skips = quote(&line[at..]).and_then(|skip| Some((skip, quote(&before[old..])?)));
        let Some((skip, old_skip)) = skips else {
            return push_literals(out, &line[at..]);
        };
        push_literals(out, &line[at..at + skip]);
        (at, old) = (at + skip, old + old_skip);
    }
}

/// The length of the common prefix of two texts.
fn common(a: &[u8], b: &[u8]) -> usize {
    let mut same = 0;
    for (a, b) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
        let differ = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differ != 0 {
            return same + differ.trailing_zeros() as usize / 8;
        }
        same += 8;
    }
    same + a[same..].iter().zip(&b[same..]).take_while(|(a, b)| a == b).count()
}

fn quote(text: &[u8]) -> Option<usize> {
    memchr::memchr(b'"', text)
}

fn push_literals(out: &mut Bits<'_>, text: &[u8]) {
    let (fours, rest) = text.as_chunks();
    for four in fours {
        if four.is_ascii() {
            // Their codes have eight bits each: the byte plus 0x30, highest bit first.
            let codes = u32::from_le_bytes(*four) + 0x3030_3030;
            out.push(Code(codes.reverse_bits().swap_bytes(), 32));
        } else {
            push_bytes(out, four);
        }
    }
    push_bytes(out, rest);
}

fn push_bytes(out: &mut Bits<'_>, bytes: &[u8]) {
    for byte in bytes {
        out.push(LITERALS[usize::from(*byte)]);
    }
}

/// Writes a repetition of the bytes at `distance` before, in as many matches as necessary.
fn push_match(out: &mut Bits<'_>, length: usize, distance: usize) {
    let mut rest = length;
    while rest > 0 {
        // The rest must not be too short for a match.
        let part = match rest {
            ..=258 => rest,
            259..=260 => rest - *MATCH.start(),
            _ => *MATCH.end(),
        };
        out.push(LENGTHS[part - *MATCH.start()]);
        out.push(distance_code(distance));
        rest -= part;
    }
}

/// Writes bits into bytes.
struct Bits<'a> {
    bytes: &'a mut [u8],
    at: usize,
    pending: u64,
    count: u32,
}

impl Bits<'_> {
    #[inline]
    fn push(&mut self, Code(bits, count): Code) {
        self.pending |= u64::from(bits) << self.count;
        self.count += count;
        if self.count >= 32 {
            #[expect(clippy::cast_possible_truncation, reason = "the other half stays")]
            self.put((self.pending as u32).to_le_bytes());
            self.pending >>= 32;
            self.count -= 32;
        }
    }

    #[inline]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        self.bytes[self.at..self.at + N].copy_from_slice(&bytes);
        self.at += N;
    }

    /// Fills the last byte.
    fn align(&mut self) {
        for _ in 0..self.count.div_ceil(8) {
            let [byte, ..] = self.pending.to_le_bytes();
            self.put([byte]);
            self.pending >>= 8;
        }
        self.count = 0;
    }
}

/// Huffman codes are written highest bit first, everything else lowest bit first (RFC 1951, 3.1.1).
const fn huffman(code: u32, count: u32) -> Code {
    Code(code.reverse_bits() >> (32 - count), count)
}

const END_OF_BLOCK: Code = Code(0, 7);

/// The fixed codes of bytes (RFC 1951, 3.2.6).
static LITERALS: [Code; 256] = {
    let mut codes = [Code(0, 0); 256];
    let mut byte = 0;
    while byte < 256 {
        codes[byte as usize] = if byte < 144 { huffman(0x30 + byte, 8) } else { huffman(0x190 + byte - 144, 9) };
        byte += 1;
    }
    codes
};

/// The fixed codes of lengths from 3 to 258 with their extra bits (RFC 1951, 3.2.5).
static LENGTHS: [Code; 256] = {
    let mut codes = [Code(0, 0); 256];
    let mut over: u32 = 0;
    while over < 255 {
        // Lengths from 3 on are in groups of four equal steps. After the first two groups, the step doubles each time.
        let extra = if over < 8 { 0 } else { over.ilog2() - 2 };
        let symbol = 257 + extra * 4 + (over >> extra);
        let Code(bits, count) = if symbol < 280 { huffman(symbol - 256, 7) } else { huffman(0xc0 + symbol - 280, 8) };
        codes[over as usize] = Code(bits | (over & ((1 << extra) - 1)) << count, count + extra);
        over += 1;
    }
    // The maximum length has its own code.
    codes[255] = huffman(0xc0 + 285 - 280, 8);
    codes
};

/// The fixed code of a distance with its extra bits (RFC 1951, 3.2.5).
fn distance_code(distance: usize) -> Code {
    #[expect(clippy::cast_possible_truncation, reason = "at most WINDOW")]
    let over = distance as u32 - 1;
    let extra = if over < 4 { 0 } else { over.ilog2() - 1 };
    let Code(bits, count) = huffman(extra * 2 + (over >> extra), 5);
    Code(bits | (over & ((1 << extra) - 1)) << count, count + extra)
}
