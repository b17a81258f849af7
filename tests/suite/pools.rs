//! Wallets at pools, end to end: the built binary, and fake pools that answer, fail or are slow.

pub(crate) mod fake_pool;
mod faults;
mod personal;
mod prometheus;
mod reload;
mod requests;
mod shards;
mod values;
mod workers;

use std::fs;
use std::path::{Path, PathBuf};

use self::fake_pool::FakePool;
use crate::process::get;
use crate::scrape::Scrape;

/// A made-up address that looks like one of Monero's.
const ADDRESS: &str = "4AdUndXHHZ6cfufTMvppY6JwXNouMBzSkbLYfpAV5Usx3skxNgYeYTRj5UzqtReoS44qo9mtmXCqY45DJ852K5Jv2684Rge";

/// `[[pools]]` with one pool; `more` are further keys. Its burst is high enough for tests.
fn pool(name: &str, software: &str, currency: &str, fake: &FakePool, more: &str) -> String {
    let url = &fake.url;
    format!(
        "[[pools]]\nname = \"{name}\"\nsoftware = \"{software}\"\nurl = \"{url}\"\ncurrency = \"{currency}\"\nburst = 1000\n{more}\n"
    )
}

/// A pool of Monero called `fake`, with the software nodejs-pool.
fn monero(fake: &FakePool, more: &str) -> String {
    pool("fake", "nodejs-pool", "xmr", fake, more)
}

/// An account with a wallet at the pool called `fake`.
fn rig(name: &str, address: &str) -> String {
    format!("[[accounts]]\nname = \"{name}\"\nwallets = {{ fake = \"{address}\" }}\n")
}

/// Writes a configuration of these parts into the directory.
fn write(directory: &Path, parts: &[&str]) -> PathBuf {
    let path = directory.join("c.toml");
    fs::write(&path, parts.concat()).unwrap();
    path
}

/// `[poll]` with the same interval for these endpoints.
fn poll(interval: &str, endpoints: &[&str]) -> String {
    let lines: Vec<String> = endpoints.iter().map(|endpoint| format!("{endpoint} = \"{interval}\"\n")).collect();
    format!("[poll]\n{}", lines.concat())
}

fn scrape(url: &str) -> Scrape {
    Scrape::read(&get(&format!("{url}/metrics"), &[]).text())
}

/// The loops of a scrape: the labels account, endpoint and currency, and whether the loop is up.
fn loops(scrape: &Scrape) -> Vec<(String, bool)> {
    let family = "minergate_endpoint_up";
    let loops = scrape.0.iter().filter_map(|(series, value)| Some((series.strip_prefix(family)?, *value == 1.0)));
    loops.map(|(labels, is_up)| (labels.replace(['{', '}', '"'], ""), is_up)).collect()
}

/// Whether there are loops and all are up.
fn all_up(scrape: &Scrape) -> bool {
    let loops = loops(scrape);
    !loops.is_empty() && loops.iter().all(|(_, is_up)| *is_up)
}
