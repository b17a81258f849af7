//! What can be said of a wallet's address without asking anybody. No sentence quotes the address, which is personal data.

mod ethereum;
mod monero;

/// The longest address, in bytes. Those of today's currencies have at most some 110, with a payment id 180.
const MAX_LENGTH: usize = 256;

/// Letters and digits in a row that make a text look like an address: the shortest addresses, those of Bitcoin, have 26.
const LIKE_AN_ADDRESS: usize = 26;

/// Currencies whose addresses are as Ethereum's.
const LIKE_ETHEREUM: &[&str] = &["clo", "etc", "eth", "ethw", "exp", "octa", "ubq"];

/// Currencies of the `CryptoNote` family whose addresses have Monero's encoding and checksum.
const LIKE_MONERO: &[&str] = &["aeon", "bcn", "dsh", "fcn", "inf8", "mcn", "qcn", "xdn", "xmr"];

/// The address in what a person wrote: without the spaces and line ends around it.
///
/// It begins with a letter or a digit and goes on with these and `.+-_:`, since pools take a payment id behind an address, and some currencies
/// write their name before it. Such a text can change no URL either.
///
/// # Errors
/// Why it can be no address of any currency, to stand behind its place: "is empty".
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

/// Why the address is probably wrong, if it is. Nothing is said of a currency whose addresses are not known here.
///
/// What stands behind the first `.` is not looked at: `nodejs-pool` takes a payment id there.
pub fn doubt(currency: &str, address: &str) -> Option<&'static str> {
    if address.contains('+') {
        return Some("has a + in it: miners give a difficulty behind the address so, and a pool's API does not know it");
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

/// The address at Monero's main network with these public keys: the spend key, and behind it the view key.
pub fn monero(keys: &[u8; 64]) -> String {
    monero::of_keys(keys)
}

/// Whether a text that should be something else looks like an address: many letters and digits in a row, with a digit among them.
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
