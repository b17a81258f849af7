//! Scrapes by real Prometheus servers: their own metrics of a scrape, and the exporter's CPU time. The environment variable `PROMETHEUS` is
//! the program of version 2, `PROMETHEUS_3` the directory of version 3; `scripts/bench` sets both.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tokio::time::Instant;

use crate::Effort;
use crate::client::{Client, Server};
use crate::peers::free_address;
use crate::table::Table;

/// A new Prometheus must scrape all targets within this time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Prometheus' metrics of its latest scrape of a target, and the target's CPU time.
pub(crate) struct Scrape {
    /// In seconds.
    pub(crate) duration: f64,
    samples: f64,
    /// CPU time from one scrape to the next in milliseconds: of the scrape, and of the target's background work.
    cpu: f64,
}

pub(crate) fn measure(_: &mut Table, effort: Effort) {
    Table::section("Scrapes by a real Prometheus");
    let programs = [
        ("Prometheus 2", std::env::var_os("PROMETHEUS").map(Into::into)),
        ("Prometheus 3", std::env::var_os("PROMETHEUS_3").map(|directory| Path::new(&directory).join("prometheus"))),
    ];
    for (version, program) in programs {
        let Some(program) = program else {
            println!("| {version} was not measured: scripts/bench installs it | | | | | |");
            continue;
        };
        let servers =
            effort.pick(["1", "10"], ["1", "1000"]).map(|accounts| (accounts, Server::own("exposition", accounts)));
        let targets = servers.each_ref().map(|(accounts, server)| (*accounts, server));
        let interval = effort.pick(Duration::from_secs(1), Duration::from_secs(3));
        for (accounts, scrape) in scraped(&program, &targets, interval, effort.pick(1, 5)) {
            let what = format!("{version}, {accounts} accounts, every {} s", interval.as_secs());
            Table::told(&format!("{what}: scrape_duration_seconds"), "s", scrape.duration);
            Table::told(&format!("{what}: scrape_samples_scraped"), "", scrape.samples);
            Table::told(&format!("{what}: the exporter's CPU in an interval"), "ms", scrape.cpu);
        }
    }
}

/// Lets a Prometheus scrape targets, and measures so many intervals after the first scrape of each. The first scrape creates the series
/// and takes longer; it is measured only if `intervals` is 0.
pub(crate) fn scraped<'a>(
    program: &Path,
    targets: &[(&'a str, &Server)],
    interval: Duration,
    intervals: u32,
) -> Vec<(&'a str, Scrape)> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let addresses: Vec<&str> = targets.iter().map(|(_, server)| &*server.address).collect();
    let config = directory.path().join("prometheus.yml");
    let seconds = interval.as_secs();
    let text = format!(
        "global: {{scrape_interval: {seconds}s, scrape_timeout: {seconds}s}}\nscrape_configs: [{{job_name: bench, static_configs: [{{targets: {addresses:?}}}]}}]\n"
    );
    std::fs::write(&config, text).expect("a configuration");
    let address = free_address();
    let mut command = Command::new(program);
    command.arg(format!("--config.file={}", config.display()));
    command.arg(format!("--storage.tsdb.path={}", directory.path().join("tsdb").display()));
    command.arg(format!("--web.listen-address={address}"));
    let server = Server::at(&mut command, &address);
    let begin = Instant::now();
    let has_scraped = |target: &&str| value(&server, "scrape_samples_scraped", target).is_some_and(|samples| samples > 0.0);
    while !(is_ready(&address) && addresses.iter().all(has_scraped)) {
        assert!(begin.elapsed() < PATIENCE, "Prometheus has not scraped all targets");
        std::thread::sleep(Duration::from_millis(100));
    }
    let cpu = || targets.iter().map(|(_, server)| server.cpu()).collect::<Vec<_>>();
    let before = cpu();
    std::thread::sleep(interval * intervals);
    let spent = before.into_iter().zip(cpu()).map(|(before, after)| after.saturating_sub(before));
    let scrape = |(target, spent): (&str, Duration)| {
        let value = |metric| value(&server, metric, target).expect("a value of a target that was scraped");
        let cpu = spent.as_secs_f64() * 1e3 / f64::from(intervals.max(1));
        Scrape { duration: value("scrape_duration_seconds"), samples: value("scrape_samples_scraped"), cpu }
    };
    let scrapes = addresses.iter().copied().zip(spent).map(scrape);
    targets.iter().map(|(name, _)| *name).zip(scrapes).collect()
}

/// Whether a Prometheus answers queries, which it does some time after it has begun to listen.
fn is_ready(address: &str) -> bool {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.write_all(b"GET /-/ready HTTP/1.0\r\n\r\n").expect("it is asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer.split(' ').nth(1) == Some("200")
}

/// The value of a target's metric in a Prometheus.
fn value(server: &Server, metric: &str, target: &str) -> Option<f64> {
    // The query's braces, quotes and equals sign are escaped.
    let path = format!("/api/v1/query?query={metric}%7Binstance%3D%22{target}%22%7D");
    let answer: serde_json::Value = serde_json::from_slice(&Client::of(&server.address, &path, false).body()).expect("JSON");
    answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()
}
