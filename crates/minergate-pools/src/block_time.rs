//! The time from one block of a currency to the next.

use std::time::Duration;

/// Currencies with the seconds between their blocks, on average, as their protocols have it.
static BLOCK_TIMES: &[(&str, u64)] =
    &[("aeon", 240), ("bcn", 120), ("btc", 600), ("btg", 600), ("etc", 13), ("ltc", 150), ("xmr", 120), ("zec", 75)];

/// The average time from one block of a currency to the next, where it is known.
pub fn block_time(currency: &str) -> Option<Duration> {
    let found = BLOCK_TIMES.iter().find(|(code, _)| *code == currency);
    found.map(|(_, seconds)| Duration::from_secs(*seconds))
}
