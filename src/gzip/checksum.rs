//! The checksum of a text that is put together from others whose checksums are known.
//!
//! A CRC is a remainder of polynomials over GF(2): what stands before `n` bytes is multiplied by x^8n, and the rest is added.
//! crc32fast can do so too, but finds the power anew each time; here it is kept with the piece, so that joining is one
//! multiplication.

/// CRC-32's polynomial (RFC 1952, 8), bits reversed: the highest bit is x^0.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// 1, as a polynomial.
const ONE: u32 = 1 << 31;

/// What gzip says of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checksum {
    pub(super) crc: u32,
    /// Bytes, modulo 2^32.
    pub(super) length: u32,
    /// x^8n for the `n` bytes of the text.
    shift: u32,
}

impl Default for Checksum {
    /// That of no text.
    fn default() -> Self {
        Checksum { crc: 0, length: 0, shift: ONE }
    }
}

impl Checksum {
    pub(super) fn of(text: &[u8]) -> Checksum {
        #[expect(clippy::cast_possible_truncation, reason = "gzip has the length modulo 2^32")]
        let length = text.len() as u32;
        Checksum { crc: crc32fast::hash(text), length, shift: power(text.len()) }
    }

    /// That of this text and then the other.
    pub(super) fn then(self, other: Checksum) -> Checksum {
        Checksum {
            crc: multiply(other.shift, self.crc) ^ other.crc,
            length: self.length.wrapping_add(other.length),
            // Of use only where a whole becomes a part again, which it never does; but a checksum is one either way.
            shift: multiply(self.shift, other.shift),
        }
    }
}

/// The product of two polynomials modulo CRC-32's.
fn multiply(a: u32, mut b: u32) -> u32 {
    let mut product = 0;
    for bit in (0..32).rev() {
        product ^= b & 0_u32.wrapping_sub(a >> bit & 1);
        b = (b >> 1) ^ (POLYNOMIAL & 0_u32.wrapping_sub(b & 1));
    }
    product
}

/// x^8n.
fn power(n: usize) -> u32 {
    // x^8, squared again and again.
    let (mut result, mut square, mut rest) = (ONE, ONE >> 8, n);
    while rest > 0 {
        if rest & 1 == 1 {
            result = multiply(result, square);
        }
        square = multiply(square, square);
        rest >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_make_the_whole(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..5)) {
            let joined = parts.iter().fold(Checksum::default(), |sum, part| sum.then(Checksum::of(part)));
            let whole = Checksum::of(&parts.concat());
            prop_assert_eq!((joined.crc, joined.length, joined.shift), (whole.crc, whole.length, whole.shift));
        }
    }
}
