//! A history of two days, made from two scrapes: counters grow at the rate between the two, hashrates vary, timestamps advance.
//!
//! The usual hashrate and the coins of a day need two days of samples, and a test can't wait that long.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Seconds between samples: two of them fit into the shortest `$__rate_interval`.
const STEP: u64 = 120;

/// The length of the history in seconds. Recorded values of the second day look back at the first.
pub(super) const LENGTH: u64 = 50 * 3600;

/// The exporter polls this many times as often as the history says, so that the test does not wait for hourly polls.
pub(super) const FASTER: f64 = 60.0;

/// Two scrapes of a target, and the labels that Prometheus gives it.
pub(super) struct Target {
    pub(super) labels: String,
    pub(super) before: String,
    pub(super) after: String,
    /// Seconds between the two.
    pub(super) between: f64,
}

/// Changes a world's samples: takes a series, its value and its age in seconds. Returns nothing to leave the sample out.
pub(super) type Change = fn(&str, f64, u64) -> Option<f64>;

/// How a value changed over time.
#[derive(Clone, Copy)]
enum Course {
    /// It is constant.
    Constant,
    /// It grows by this much a second.
    Growing(f64),
    /// A timestamp whose age is constant.
    Passing,
    /// It varies around its value.
    Moving,
    /// It grows by one for each block. Holds the seconds from block to block.
    Height(f64),
    /// The time of that block.
    BlockTime(f64),
}

/// Timestamps that are new at each poll.
const PASSING: &[&str] = &[
    "minergate_endpoint_last_success_timestamp_seconds",
    "minergate_mining_stats_timestamp_seconds",
    "minergate_worker_last_share_timestamp_seconds",
    "minergate_auth_token_timestamp_seconds",
    "minergate_api_paused_until_timestamp_seconds",
];

fn samples(text: &str) -> impl Iterator<Item = (&str, f64)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').unwrap()).map(|(series, value)| (series, value.parse().unwrap()))
}

fn course(series: &str, value: f64, before: &BTreeMap<&str, f64>, now: &BTreeMap<&str, f64>, between: f64) -> Course {
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let of_network = |metric: &str| now.get(&*format!("minergate_network_{metric}{{{labels}")).copied();
    // Bitcoin's difficulty does not count hashes.
    let by_difficulty = || Some(of_network("difficulty")? / of_network("hashrate_hashes_per_second")?);
    let block_time = by_difficulty().filter(|time| *time > 1.0).unwrap_or(600.0);
    match name {
        "minergate_network_block_height" => Course::Height(block_time),
        "minergate_network_block_timestamp_seconds" => Course::BlockTime(block_time),
        _ if PASSING.contains(&name) => Course::Passing,
        // The two scrapes are too close to count shares, so all shares grow at the rate of the hashrate.
        _ if name.contains("_share") && name.ends_with("_total") => {
            Course::Growing(value * work_rate(series, now).unwrap_or(0.0))
        }
        // A token is valid for an hour.
        "minergate_auth_logins_total" => Course::Growing(1.0 / 3600.0),
        _ if ["_total", "_bucket", "_sum", "_count"].iter().any(|end| name.ends_with(end)) => {
            let rate = (value - before.get(series).copied().unwrap_or(value)).max(0.0) / between;
            Course::Growing(if name.starts_with("minergate_api_") { rate / FASTER } else { rate })
        }
        _ if name.contains("hashrate_hashes") || name.contains("difficulty") => Course::Moving,
        _ if name == "minergate_balance_coins" => Course::Growing(value / 1e6),
        _ => Course::Constant,
    }
}

fn label<'a>(series: &'a str, name: &str) -> Option<&'a str> {
    Some(series.split_once(&format!("{name}=\""))?.1.split_once('"')?.0)
}

/// The growth of the account's work in a second, as a fraction of its total.
fn work_rate(series: &str, now: &BTreeMap<&str, f64>) -> Option<f64> {
    let mine = format!("account=\"{}\",currency=\"{}\"", label(series, "account")?, label(series, "currency")?);
    let hashrate = now.get(&*format!("minergate_mining_hashrate_hashes_per_second{{{mine}}}"))?;
    Some(hashrate / now.get(&*format!("minergate_mining_share_difficulty_total{{{mine},result=\"good\"}}"))?)
}

/// A pseudo-random number from -1 to 1 that depends on series and time only.
fn noise(series: &str, time: u64) -> f64 {
    let seed = series.bytes().fold(time.wrapping_mul(0x9E37_79B9_7F4A_7C15), |seed, byte| {
        (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    f64::from(u32::try_from(seed >> 40).unwrap()) / f64::from(1 << 23) - 1.0
}

#[expect(clippy::cast_precision_loss, reason = "times have far fewer than 52 bits")]
fn was(series: &str, value: f64, course: Course, ago: u64, end: u64) -> f64 {
    let seconds = ago as f64;
    match course {
        Course::Constant => value,
        // `value` is the total at the beginning of the history, so no total is below 0.
        Course::Growing(rate) => value + rate * (LENGTH as f64 - seconds),
        Course::Passing => value - seconds,
        Course::Moving => {
            let wave = (((end - ago) as f64) / 4000.0 + noise(series, 0) * 9.0).sin();
            value * (1.0 + 0.03 * wave + 0.015 * noise(series, end - ago))
        }
        Course::Height(block_time) => value - (seconds / block_time).floor(),
        Course::BlockTime(block_time) => value - (seconds / block_time).floor() * block_time,
    }
}

/// The history up to `end`, as the text in the `OpenMetrics` format that promtool makes blocks of. `gone` seconds ago the targets vanished:
/// from then on their only sample is `up`, with the value 0.
pub(super) fn open_metrics(targets: &[Target], end: u64, gone: u64, change: Change) -> String {
    let mut text = String::new();
    for target in targets {
        let before: BTreeMap<_, _> = samples(&target.before).collect();
        let now: BTreeMap<_, _> = samples(&target.after).collect();
        let count = f64::from(u32::try_from(now.len()).unwrap());
        let of_prometheus = [("up", 1.0), ("scrape_duration_seconds", 0.012), ("scrape_samples_scraped", count)];
        for (series, value) in now.iter().map(|(series, value)| (*series, *value)).chain(of_prometheus) {
            let course = course(series, value, &before, &now, target.between);
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let factor = if name == "minergate_endpoint_interval_seconds" { FASTER } else { 1.0 };
            let comma = if labels == "}" { "" } else { "," };
            // The first day is only used for the usual values, and can have fewer samples.
            let times = (0..=LENGTH / STEP).rev().map(|step| step * STEP);
            for ago in times.filter(|ago| *ago < 26 * 3600 || ago % (2 * STEP) == 0) {
                let value = match (ago < gone, series) {
                    (true, "up") => Some(0.0),
                    (true, _) => None,
                    (false, _) => change(series, factor * was(series, value, course, ago, end), ago),
                };
                if let Some(value) = value {
                    writeln!(text, "{name}{{{}{comma}{labels} {value} {}", target.labels, end - ago).unwrap();
                }
            }
        }
    }
    text.push_str("# EOF\n");
    text
}
