//! Made-up Monero addresses: they are well-formed, and nobody has their keys.

use sha3::{Digest, Keccak256};

use crate::noise::Seed;

/// What a standard address of Monero's main network begins with.
const NETWORK: u8 = 18;

/// Bytes of the public spend key and the public view key.
const KEYS: u64 = 64;

/// Bytes of the hash that stand at the end.
const CHECKSUM: usize = 4;

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The address of that seed: 95 characters, with a valid checksum.
pub(super) fn of(seed: Seed) -> String {
    let mut bytes = vec![NETWORK];
    bytes.extend((0..KEYS).map(|i| u8::try_from(seed.nth(i).below(256)).unwrap_or_default()));
    let checksum = Keccak256::digest(&bytes);
    bytes.extend(checksum.iter().take(CHECKSUM));
    bytes.chunks(8).flat_map(base58).collect()
}

/// Monero writes blocks of eight bytes, each as 11 characters. An address ends with five bytes, which are 7 characters.
fn base58(block: &[u8]) -> impl Iterator<Item = char> {
    let value = block.iter().fold(0, |value: u64, byte| value << 8 | u64::from(*byte));
    let width = if block.len() == 8 { 11 } else { 7 };
    let digit = move |place| usize::try_from(value / 58_u64.pow(place) % 58).unwrap_or_default();
    (0..width).rev().map(move |place| char::from(ALPHABET[digit(place)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(address: &str) -> Vec<u8> {
        let digit = |c: &u8| ALPHABET.iter().position(|known| known == c).unwrap();
        let block = |block: &[u8]| {
            let value = block.iter().fold(0_u128, |value, c| value * 58 + digit(c) as u128);
            let width = if block.len() == 11 { 8 } else { 5 };
            value.to_be_bytes()[16 - width..].to_vec()
        };
        address.as_bytes().chunks(11).flat_map(block).collect()
    }

    #[test]
    fn an_address_has_95_characters_and_a_valid_checksum() {
        for i in 0..200 {
            let address = of(Seed::new(i));
            assert!(address.len() == 95 && address.starts_with('4'), "{address}");
            let bytes = bytes(&address);
            let (payload, checksum) = bytes.split_at(65);
            assert_eq!((payload[0], checksum), (NETWORK, &Keccak256::digest(payload)[..CHECKSUM]), "{address}");
        }
    }
}
