//! Wallets at pools, end to end: the built binary beside pools that answer, fail, are slow and change.

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

/// A pool of that name and software; `more` are further keys. It can be asked as often as tests ask.
fn pool(name: &str, software: &str, currency: &str, fake: &FakePool, more: &str) -> String {
    let url = &fake.url;
    format!(
        "[[pools]]\nname = \"{name}\"\nsoftware = \"{software}\"\nurl = \"{url}\"\ncurrency = \"{currency}\"\nburst = 1000\n{more}\n"
    )
}

/// A nodejs-pool called `fake`, of Monero.
fn monero(fake: &FakePool, more: &str) -> String {
    pool("fake", "nodejs-pool", "xmr", fake, more)
}

/// An account with a wallet at the pool called `fake`.
fn rig(name: &str, address: &str) -> String {
    format!("[[accounts]]\nname = \"{name}\"\nwallets = {{ fake = \"{address}\" }}\n")
}

/// Puts the configuration into the directory's file; what stands first is its top.
fn write(directory: &Path, parts: &[&str]) -> PathBuf {
    let path = directory.join("c.toml");
    fs::write(&path, parts.concat()).unwrap();
    path
}

/// Every endpoint that the interval is for.
fn poll(interval: &str, endpoints: &[&str]) -> String {
    let lines: Vec<String> = endpoints.iter().map(|endpoint| format!("{endpoint} = \"{interval}\"\n")).collect();
    format!("[poll]\n{}", lines.concat())
}

fn scrape(url: &str) -> Scrape {
    Scrape::read(&get(&format!("{url}/metrics"), &[]).text())
}

/// The loops that a scrape shows, as account, endpoint and currency, and whether each is up.
fn loops(scrape: &Scrape) -> Vec<(String, bool)> {
    let family = "minergate_endpoint_up";
    let loops = scrape.0.iter().filter_map(|(series, value)| Some((series.strip_prefix(family)?, *value == 1.0)));
    loops.map(|(labels, is_up)| (labels.replace(['{', '}', '"'], ""), is_up)).collect()
}

/// Whether all loops are up, and there are some.
fn all_up(scrape: &Scrape) -> bool {
    let loops = loops(scrape);
    !loops.is_empty() && loops.iter().all(|(_, is_up)| *is_up)
}
