//! The checksum of a concatenated text, calculated from the checksums of its parts.
//!
//! A CRC is a remainder of polynomials over GF(2): the checksum of the text before `n` bytes is multiplied by x^8n, and that of the `n` bytes is
//! added.
//! crc32fast can do the same, but calculates the power each time. Here it is stored with the piece, so that joining takes one
//! multiplication.

/// CRC-32's polynomial (RFC 1952, 8), bits reversed: the highest bit is x^0.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// 1, as a polynomial.
const ONE: u32 = 1 << 31;

/// Checksum and length of a text, as in the end of a gzip member.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Checksum {
    pub(super) crc: u32,
    /// Bytes, modulo 2^32.
    pub(super) length: u32,
}

/// A text's checksum, and the factor for appending the text to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    checksum: Checksum,
    /// x^8n for the `n` bytes of the text.
    shift: u32,
}

impl Default for Part {
    /// For an empty text.
    fn default() -> Self {
        Part { checksum: Checksum::default(), shift: ONE }
    }
}

impl Part {
    pub(super) fn of(text: &[u8]) -> Part {
        #[expect(clippy::cast_possible_truncation, reason = "gzip has the length modulo 2^32")]
        let length = text.len() as u32;
        Part { checksum: Checksum { crc: crc32fast::hash(text), length }, shift: power(text.len()) }
    }

    /// Bytes of the text, modulo 2^32.
    pub(super) fn length(self) -> u32 {
        self.checksum.length
    }
}

impl Checksum {
    /// The checksum of this text followed by the other.
    pub(super) fn then(self, other: Part) -> Checksum {
        Checksum {
            crc: multiply(other.shift, self.crc) ^ other.checksum.crc,
            length: self.length.wrapping_add(other.checksum.length),
        }
    }
}

/// The product of two polynomials modulo CRC-32's.
const fn multiply(a: u32, mut b: u32) -> u32 {
    let (mut product, mut bit) = (0, 32);
    while bit > 0 {
        bit -= 1;
        product ^= b & 0_u32.wrapping_sub(a >> bit & 1);
        b = (b >> 1) ^ (POLYNOMIAL & 0_u32.wrapping_sub(b & 1));
    }
    product
}

/// x^8 and its repeated squares.
static SQUARES: [u32; usize::BITS as usize] = {
    let mut squares = [ONE >> 8; usize::BITS as usize];
    let mut i = 1;
    while i < squares.len() {
        squares[i] = multiply(squares[i - 1], squares[i - 1]);
        i += 1;
    }
    squares
};

/// x^8n.
fn power(n: usize) -> u32 {
    let factors = SQUARES.iter().enumerate().filter(|(bit, _)| n >> bit & 1 == 1);
    factors.fold(ONE, |product, (_, square)| multiply(product, *square))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_make_the_whole(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..5)) {
            let joined = parts.iter().fold(Checksum::default(), |sum, part| sum.then(Part::of(part)));
            prop_assert_eq!(joined, Part::of(&parts.concat()).checksum);
        }
    }
}
