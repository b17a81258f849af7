//! Checks of a wallet's address that need no request. No message quotes the address, which is personal data.

mod ethereum;
mod monero;

/// The longest address, in bytes. Addresses of today's currencies have up to 110, or 180 with a payment ID.
const MAX_LENGTH: usize = 256;

/// A run of at least this many letters and digits looks like an address. The shortest addresses, Bitcoin's, have 26.
const LIKE_AN_ADDRESS: usize = 26;

/// Currencies whose addresses have Ethereum's format.
const LIKE_ETHEREUM: &[&str] = &["clo", "etc", "eth", "ethw", "exp", "octa", "ubq"];

/// Currencies of the `CryptoNote` family whose addresses have Monero's encoding and checksum.
const LIKE_MONERO: &[&str] = &["aeon", "bcn", "dsh", "fcn", "inf8", "mcn", "qcn", "xdn", "xmr"];

/// The address without the white space around it.
///
/// It must begin with a letter or a digit. After that, `.+-_:` are allowed too: pools accept a payment ID after the address, and some
/// currencies put their name before it. None of these characters changes the meaning of a URL.
///
/// # Errors
/// Why this is not an address of any currency, as the end of a sentence about the key: "is empty".
pub fn parse(written: &str) -> Result<&str, &'static str> {
    let address = written.trim();
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b".+-_:".contains(&b);
    if address.is_empty() {
        Err("is empty; give the wallet's address")
    } else if address.len() > MAX_LENGTH {
        Err("is longer than any address; give the wallet's address alone")
    } else if !address.bytes().all(is_allowed) || !address.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        Err("holds a character that no address has; give the wallet's address alone, of letters and digits")
    } else {
        Ok(address)
    }
}

/// Why the address is probably wrong. `None` if it looks right, or if the form of the currency's addresses is not known here.
///
/// The part after the first `.` is not checked: `nodejs-pool` accepts a payment ID there.
pub fn doubt(currency: &str, address: &str) -> Option<&'static str> {
    if address.contains('+') {
        return Some(
            "has a + in it: miners can add a difficulty to the address that way, but a pool's API does not know such an address",
        );
    }
    let address = address.split('.').next().unwrap_or(address);
    if LIKE_ETHEREUM.contains(&currency) {
        ethereum::doubt(address)
    } else if LIKE_MONERO.contains(&currency) {
        monero::doubt(address, currency == "xmr")
    } else {
        None
    }
}

/// The standard address of Monero's main network for two public keys of 32 bytes: the spend key, then the view key.
pub fn monero(keys: &[u8; 64]) -> String {
    monero::of_keys(keys)
}

/// Whether a text for another purpose, such as a name, looks like an address: a long run of letters and digits with at least one digit.
pub fn is_like_one(text: &str) -> bool {
    let mut runs = text.split(|c: char| !c.is_ascii_alphanumeric());
    runs.any(|run| run.len() >= LIKE_AN_ADDRESS && run.bytes().any(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_has_letters_and_digits_and_few_signs() {
        for right in ["4AbC", "0x00ff", "4Ab.0011", "kaspa:qq", "nano_1a", "4Ab+1000", &"a".repeat(256)] {
            assert_eq!(parse(&format!(" {right}\r\n")), Ok(right), "{right}");
        }
        for (wrong, word) in [
            (" \n", "is empty"),
            (&"a".repeat(257), "longer than any"),
            ("4Ab/stats", "a character"),
            ("4Ab cd", "a character"),
            ("4Ab\u{e9}", "a character"),
            ("4Ab%2f", "a character"),
            ("4Ab?x=1", "a character"),
            ("me@example.com", "a character"),
            ("..", "a character"),
            (".4Ab", "a character"),
        ] {
            assert!(parse(wrong).unwrap_err().contains(word), "{wrong}");
        }
    }

    #[test]
    fn a_name_or_a_host_does_not_look_like_an_address() {
        for other in ["supportxmr", "my rig number 1", "api.some-pool.example.com", "abcdefghijklmnopqrstuvwxyzabcdef"] {
            assert!(!is_like_one(other), "{other}");
        }
        for address in ["0x0000000000000000000000000000000000000001", &format!("/miner/4{}/stats", "A".repeat(94))] {
            assert!(is_like_one(address), "{address}");
        }
    }

    #[test]
    fn only_known_currencies_are_doubted_and_suffixes_only_where_they_are_wrong() {
        assert_eq!(doubt("newcoin", "anything"), None);
        let zero = "0x0000000000000000000000000000000000000000";
        for currency in LIKE_ETHEREUM {
            assert_eq!(doubt(currency, &format!("{zero}.rig")), None);
            assert!(doubt(currency, &format!("{zero}+5000")).unwrap().contains("a + in it"));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,120}", address in "[1-9A-Za-z]{90,110}") {
            for currency in ["xmr", "etc", "bcn", "other"] {
                let _ = (doubt(currency, &text), doubt(currency, &address), parse(&text), is_like_one(&text));
            }
        }
    }
}
