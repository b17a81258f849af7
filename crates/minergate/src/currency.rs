//! Currencies: the format of a code, and the documented currencies with their decimals.
//!
//! The pool added and dropped coins over the years, so codes are an open set. An unknown code is accepted,
//! and only values that need its decimals are missing.

use std::collections::BTreeMap;

/// The documented currencies: code, name, decimals of the smallest unit.
pub static CURRENCIES: &[(&str, &str, u8)] = &[
    ("aeon", "Aeon", 12),
    ("bcn", "Bytecoin", 8),
    ("btc", "Bitcoin", 8),
    ("btg", "Bitcoin Gold", 8),
    ("dsh", "Dashcoin", 8),
    ("etc", "Ethereum Classic", 18),
    ("eth", "Ethereum", 18),
    ("fcn", "FantomCoin", 8),
    ("inf8", "Infinium-8", 12),
    ("ltc", "Litecoin", 8),
    ("mcn", "MonetaVerde", 8),
    ("qcn", "QuazarCoin", 8),
    ("xdn", "DigitalNote", 8),
    ("xmr", "Monero", 12),
    ("zec", "Zcash", 8),
];

/// Whether a text can be a currency's code: 1 to 16 of `a-z`, `0-9`, `_` and `-`.
pub fn is_valid(code: &str) -> bool {
    (1..=16).contains(&code.len()) && code.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

/// Whether the API's documentation or its real answers contain the currency.
pub fn is_documented(code: &str) -> bool {
    decimals(code).is_some()
}

/// Decimals of a documented currency's smallest unit.
pub fn decimals(code: &str) -> Option<u8> {
    CURRENCIES.binary_search_by_key(&code, |(code, ..)| code).ok().map(|i| CURRENCIES[i].2)
}

/// Decimals of the smallest units: the documented ones, and those that the configuration adds or corrects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decimals(BTreeMap<String, u8>);

/// Only the documented decimals.
pub static DOCUMENTED: Decimals = Decimals(BTreeMap::new());

impl Decimals {
    pub fn new(configured: BTreeMap<String, u8>) -> Self {
        Decimals(configured)
    }

    /// Decimals of a currency's smallest unit; `None` if they are not known.
    pub fn of(&self, code: &str) -> Option<u8> {
        self.0.get(code).copied().or_else(|| decimals(code))
    }

    /// An amount in the smallest unit as coins; `None` if the decimals are not known.
    pub fn coins(&self, code: &str, atomic_units: f64) -> Option<f64> {
        // Powers of ten up to 10^22 are exact, so only the quotient is rounded.
        Some(atomic_units / 10f64.powi(self.of(code)?.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_valid() {
        assert!(CURRENCIES.is_sorted_by_key(|(code, ..)| code));
        assert!(CURRENCIES.iter().all(|(code, ..)| is_valid(code)));
    }

    #[test]
    fn a_code_is_short_and_plain() {
        for valid in ["xmr", "inf8", "a", "new_coin-2", "0123456789abcdef"] {
            assert!(is_valid(valid), "{valid}");
        }
        for invalid in ["", "XMR", "a b", "é", "x\n", "\"", "0123456789abcdefg", "user@example.com"] {
            assert!(!is_valid(invalid), "{invalid:?}");
        }
    }

    #[test]
    fn configured_decimals_add_and_correct() {
        let decimals = Decimals::new([("newcoin".to_owned(), 3), ("bcn".to_owned(), 2)].into());
        assert_eq!(decimals.coins("xmr", 1e12), Some(1.0));
        assert_eq!(decimals.coins("newcoin", 1500.0), Some(1.5));
        assert_eq!(decimals.coins("bcn", 150.0), Some(1.5));
        assert_eq!(decimals.coins("unknown", 1.0), None);
    }
}
