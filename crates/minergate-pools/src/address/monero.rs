//! Addresses of Monero and its relatives: base58 in blocks of eight bytes, with four bytes of Keccak-256 at the end.

use std::iter::successors;

use sha3::{Digest as _, Keccak256};

const ALPHABET: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Number of characters of a block with 0 to 8 bytes.
const CHARACTERS: [usize; 9] = [0, 2, 3, 5, 6, 7, 9, 10, 11];

const CHECKSUM: usize = 4;

/// The first byte of a standard address of Monero.
const STANDARD: u8 = 18;

/// First byte and length in characters of Monero's addresses: standard, with a payment ID, subaddress.
const MAIN_NETWORK: &[(u8, usize)] = &[(STANDARD, 95), (19, 106), (42, 95)];

/// The standard address with these public keys, 95 characters.
pub(super) fn of_keys(keys: &[u8]) -> String {
    with_checksum(STANDARD, keys)
}

fn with_checksum(first: u8, data: &[u8]) -> String {
    let mut bytes = [&[first], data].concat();
    let checksum = Keccak256::digest(&bytes);
    bytes.extend_from_slice(&checksum[..CHECKSUM]);
    encode(&bytes)
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for block in bytes.chunks(8) {
        let number = block.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let digit = |rest: u64| char::from(ALPHABET[usize::try_from(rest % 58).unwrap_or_default()]);
        // The lowest digit is the first here and the last in the text.
        let digits: Vec<char> =
            successors(Some(number), |rest| Some(rest / 58)).map(digit).take(CHARACTERS[block.len()]).collect();
        text.extend(digits.iter().rev());
    }
    text
}

/// Why this is probably not an address; `None` if it looks right. Length and network are checked for Monero only, not for its relatives.
pub(super) fn doubt(address: &str, is_monero: bool) -> Option<&'static str> {
    let is_length = |length| MAIN_NETWORK.iter().any(|(_, known)| *known == length);
    if is_monero && !is_length(address.len()) {
        return Some("does not have the 95 characters of an address, or 106 with a payment id; is a part missing?");
    }
    let typo = Some("has a wrong checksum; is there a typo?");
    let Some(bytes) = decode(address) else { return typo };
    let Some((data, checksum)) = bytes.split_at_checked(bytes.len().saturating_sub(CHECKSUM)) else { return typo };
    if data.is_empty() || Keccak256::digest(data)[..CHECKSUM] != *checksum {
        return typo;
    }
    let is_main = MAIN_NETWORK.contains(&(data[0], address.len()));
    (is_monero && !is_main).then_some("is not of Monero's main network")
}

/// Decodes base58; `None` if the text is not base58.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for block in text.as_bytes().chunks(CHARACTERS[8]) {
        let size = CHARACTERS.iter().position(|characters| *characters == block.len())?;
        let number = block.iter().try_fold(0u128, |number, b| {
            let digit = ALPHABET.iter().position(|known| known == b)?;
            Some(number * 58 + digit as u128)
        })?;
        let wide = number.to_be_bytes();
        let (rest, own) = wide.split_at(wide.len() - size);
        if rest.iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend_from_slice(own);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// From Monero's own tests (`tests/unit_tests/base58.cpp`).
    const OF_MONERO_S_TESTS: &str =
        "4AzKEX4gXdJdNeM6dfiBFL7kqund3HYGvMBF3ttsNd9SfzgYB6L7ep1Yg1osYJzLdaKAYSLVh6e6jKnAuzj3bw1oGy9kXCb";

    /// A made-up address with that first byte.
    fn address(first: u8, bytes: usize) -> String {
        with_checksum(first, &(0..).take(bytes).collect::<Vec<u8>>())
    }

    #[test]
    fn addresses_of_each_kind_are_right() {
        for address in [OF_MONERO_S_TESTS.to_owned(), address(18, 64), address(42, 64), address(19, 72)] {
            assert_eq!(doubt(&address, true), None, "{address}");
        }
        // A relative's address has another first byte, and often another length.
        assert_eq!(doubt(&address(114, 64), false), None);
    }

    #[test]
    fn each_mistake_has_its_message() {
        let right = OF_MONERO_S_TESTS;
        for (address, word) in [
            (right[1..].to_owned(), "95 characters"),
            (format!("{right}1"), "95 characters"),
            (String::new(), "95 characters"),
            (right.replacen('z', "y", 1), "checksum"),
            (right.replacen('z', "0", 1), "checksum"),
            ("z".repeat(95), "checksum"),
            (address(53, 64), "main network"),
            (address(18, 72), "main network"),
        ] {
            assert!(doubt(&address, true).unwrap().contains(word), "{address}");
        }
        for other in ["", "1", "11", "111111", "abc"] {
            assert!(doubt(other, false).unwrap().contains("checksum"), "{other}");
        }
    }

    proptest! {
        #[test]
        fn encoded_bytes_are_decoded(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
    }
}
