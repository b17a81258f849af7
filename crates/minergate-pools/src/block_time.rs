//! The target time between two blocks of a coin.

use std::time::Duration;

/// Code and seconds of the coins whose protocol fixes the time, sorted by code.
static BLOCK_TIMES: &[(&str, u64)] = &[
    ("aeon", 240),
    ("bcn", 120),
    ("btc", 600),
    ("btg", 600),
    ("ccx", 120),
    ("erg", 120),
    ("etc", 13),
    ("ltc", 150),
    ("rvn", 60),
    ("sal", 120),
    ("wow", 300),
    ("xdn", 240),
    ("xmr", 120),
    ("zec", 75),
    ("zeph", 120),
];

/// The average time between two blocks of the currency, if it is known. A network's hashrate is its difficulty divided by this time.
pub fn block_time(currency: &str) -> Option<Duration> {
    let place = BLOCK_TIMES.binary_search_by_key(&currency, |(code, _)| code).ok()?;
    Some(Duration::from_secs(BLOCK_TIMES[place].1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_valid() {
        assert!(BLOCK_TIMES.is_sorted_by_key(|(code, _)| code));
        assert!(BLOCK_TIMES.iter().all(|(code, seconds)| minergate::currency::is_valid(code) && *seconds > 0));
    }

    #[test]
    fn only_known_coins_have_a_block_time() {
        assert_eq!(block_time("xmr"), Some(Duration::from_secs(120)));
        assert_eq!(block_time("etc"), Some(Duration::from_secs(13)));
        assert_eq!(block_time("eth"), None);
        assert_eq!(block_time(""), None);
    }
}
