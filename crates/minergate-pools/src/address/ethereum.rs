//! Addresses of Ethereum and its relatives: `0x` and 40 hexadecimal digits. Which letters are upper case is a checksum (EIP-55).

use sha3::{Digest as _, Keccak256};

/// Why this is probably not an address; `None` if it looks right. An address all in lower case or all in upper case has no checksum.
pub(super) fn doubt(address: &str) -> Option<&'static str> {
    let Some(digits) = address.strip_prefix("0x") else {
        return Some("does not begin with 0x, as addresses of this currency do");
    };
    if digits.len() != 40 {
        return Some("does not have 40 digits after 0x, as addresses of this currency do; is a part missing?");
    }
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Some("holds letters other than a to f after 0x; is there a typo?");
    }
    let has = |is: fn(&u8) -> bool| digits.as_bytes().iter().any(is);
    let is_checked = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    (is_checked && !is_right(digits)).then_some("has a wrong checksum; is there a typo?")
}

/// Whether the checksum is right: a letter is upper case if the digit at the same place in the hash of the lower-case address is 8 or more.
fn is_right(digits: &str) -> bool {
    let hash = Keccak256::digest(digits.to_ascii_lowercase());
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .bytes()
        .zip(nibbles)
        .all(|(digit, nibble)| !digit.is_ascii_alphabetic() || digit.is_ascii_uppercase() == (nibble >= 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of EIP-55.
    const RIGHT: &[&str] = &[
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ];

    #[test]
    fn the_examples_of_eip_55_are_right_and_a_changed_letter_is_wrong() {
        for address in RIGHT {
            assert_eq!(doubt(address), None, "{address}");
        }
        for address in &RIGHT[2..] {
            let wrong = address.replacen(['b', 'B', 'c', 'C'], "a", 1);
            assert_eq!(doubt(&wrong), Some("has a wrong checksum; is there a typo?"), "{wrong}");
        }
    }

    #[test]
    fn each_mistake_has_its_message() {
        let hex = "0".repeat(40);
        for (address, word) in [
            (hex.clone(), "0x"),
            (format!("0x{}", &hex[1..]), "40 digits"),
            (format!("0x{hex}0"), "40 digits"),
            (format!("0x{}g", &hex[1..]), "a to f"),
            (String::new(), "0x"),
        ] {
            assert!(doubt(&address).unwrap().contains(word), "{address}");
        }
    }
}
