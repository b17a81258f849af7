//! Compares our design with three simpler ones: the cost of a scrape and of a poll, the size of the body, the memory of a sample, and the
//! lines of code. All designs have the same samples and write the same lines.
//!
//! The simple designs lack features that ours has: held counters, a limit on currencies, samples that become stale, polls during a scrape,
//! filters, two formats, plain text, and bodies in parts.

mod blocks;
mod encoder;
mod text;

use std::collections::BTreeMap;
use std::io::{BufRead, Read};
use std::process::Command;
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use flate2::read::GzDecoder;
use minergate::endpoints::{ENDPOINTS, Endpoint};
use minergate::metric::{Context, Family, Samples};
use minergate_exporter::exposition::{Body, Encoding, Exposition, Filter, Format};
use minergate_exporter::health::{SUBJECT_METRICS, SubjectHealth};
use minergate_exporter::store::Key;
use minergate_exporter::text::header;
use tokio::time::Instant;

use self::blocks::Blocks;
use self::encoder::Encoder;
use self::text::Text;
use crate::Effort;
use crate::client::Server;
use crate::table::{Table, median};
use crate::world::{self, DAY, World};

/// Families whose samples change together: those of an endpoint's answer, or those of an account's health.
struct Section {
    families: Vec<&'static Family>,
    /// The endpoint's path; nothing for the health.
    path: Option<&'static str>,
    names: Vec<String>,
    headers: Vec<String>,
}

/// In the order of the exposition: the endpoints, then the health.
static SECTIONS: LazyLock<Vec<Section>> = LazyLock::new(|| {
    let endpoints = ENDPOINTS.iter().map(|endpoint| Section::new(endpoint.families().collect(), Some(endpoint.path)));
    let health = Section::new(SUBJECT_METRICS.iter().map(|metric| &metric.family).collect(), None);
    endpoints.chain([health]).collect()
});

impl Section {
    fn new(families: Vec<&'static Family>, path: Option<&'static str>) -> Section {
        let names = families.iter().map(|family| family.sample_name()).collect();
        let headers = families.iter().map(|family| header(Format::OpenMetrics, family, path)).collect();
        Section { families, path, names, headers }
    }
}

/// A design's name, its description, and the text of its source files.
type Named = (&'static str, &'static str, &'static [&'static str]);

const DESIGNS: [Named; 4] = [
    ("encoder", "prometheus-client's encoder and zlib-rs -1 at the scrape", &[include_str!("designs/encoder.rs")]),
    ("text", "text for each loop and family at the poll, zlib-rs -1 at the scrape", &[include_str!("designs/text.rs")]),
    ("blocks", "zlib-rs -1 for each block and family at the poll", &[include_str!("designs/blocks.rs")]),
    (
        "ours",
        "ours",
        &[
            include_str!("../../src/blocks.rs"),
            include_str!("../../src/gzip.rs"),
            include_str!("../../src/gzip/checksum.rs"),
            include_str!("../../src/gzip/deflate.rs"),
            include_str!("../../src/exposition.rs"),
            include_str!("../../src/exposition/parts.rs"),
        ],
    ),
];

/// A design with its samples.
enum Design {
    Simple(Simple, BTreeMap<Arc<str>, SubjectHealth>),
    Ours(Exposition),
}

enum Simple {
    Encoder(Encoder),
    Text(Text),
    Blocks(Blocks),
}

/// An endpoint, its loop, and the JSON of an answer.
type Answer = (&'static Endpoint, Key, String);

impl Design {
    /// A design with all accounts of a world, after one round of polls.
    fn new(name: &str, world: World) -> Design {
        let simple = match name {
            "encoder" => Simple::Encoder(Encoder::new()),
            "text" => Simple::Text(Text::new()),
            "blocks" => Simple::Blocks(Blocks::new()),
            _ => return Design::Ours(world.exposition()),
        };
        let mut design = Design::Simple(simple, BTreeMap::new());
        (0..world.accounts).flat_map(|account| answers(world, account, 0)).for_each(|answer| design.poll(&answer));
        design
    }

    /// Takes an answer's bytes up to the point where samples and health can be scraped.
    fn poll(&mut self, (endpoint, key, body): &Answer) {
        let samples = world::read(endpoint, body);
        match self {
            Design::Simple(simple, healths) => {
                let account = key.subject.account().expect("an account's endpoint");
                let place = ENDPOINTS.iter().position(|other| other.name == endpoint.name).expect("an endpoint");
                simple.put(place, account, samples);
                let health = healths.entry(account.clone()).or_insert_with(|| SubjectHealth::new(key.subject.clone()));
                let own = health.loops.entry((endpoint.name, None)).or_default();
                (own.tried, own.up) = (true, true);
                own.last_success = SystemTime::UNIX_EPOCH.elapsed().ok().map(|elapsed| elapsed.as_secs_f64());
                simple.put(ENDPOINTS.len(), account, Samples::read(SUBJECT_METRICS, health, &Context::default()));
            }
            Design::Ours(exposition) => {
                let dropped = exposition.store.replace(key, samples, DAY).dropped;
                exposition.health.succeeded(key, dropped, SystemTime::now());
            }
        }
    }

    /// Makes the gzipped body of a scrape. `own` has the exporter's own metrics; our design has them already.
    fn scrape(&mut self, own: &str, mut send: impl FnMut(&[u8])) {
        match self {
            Design::Simple(simple, _) => send(&simple.scrape(own)),
            Design::Ours(exposition) => match exposition.body(Format::OpenMetrics, Encoding::Gzip, &Filter::All) {
                Body::Whole(body) => send(&body),
                Body::Parts(_, parts) => parts.for_each(|part| send(&part)),
            },
        }
    }

    /// The body of a scrape.
    fn body(&mut self, own: &str) -> Vec<u8> {
        let mut body = Vec::new();
        self.scrape(own, |part| body.extend_from_slice(part));
        body
    }
}

impl Simple {
    fn put(&mut self, section: usize, account: &Arc<str>, samples: Samples) {
        match self {
            Simple::Encoder(design) => design.put(section, account, &samples),
            Simple::Text(design) => design.put(section, account, &samples),
            Simple::Blocks(design) => design.put(section, account, samples),
        }
    }

    fn scrape(&mut self, own: &str) -> Vec<u8> {
        match self {
            Simple::Encoder(design) => design.scrape(own),
            Simple::Text(design) => design.scrape(own),
            Simple::Blocks(design) => design.scrape(own),
        }
    }
}

fn answers(world: World, account: usize, round: usize) -> impl Iterator<Item = Answer> {
    world.loops(account).map(move |(endpoint, key)| (endpoint, key, world::answer(endpoint.name, account, round)))
}

pub(crate) fn measure(_: &mut Table, effort: Effort) {
    let world = World { accounts: effort.pick(20, 1000), endpoints: world::ALL };
    let rounds = effort.pick(1, 7);
    let expected = text(&Design::new("ours", world).body(""));
    let samples = expected.lines().filter(|line| !line.starts_with('#')).count();
    let own = expected.find("# HELP minergate_exporter_build ").map_or("", |at| &expected[at..]);
    Table::section(&format!("Simpler designs, {samples} samples; 5 % of the accounts are polled between two scrapes"));
    let empty = Server::own("design", "ours 0").resident();
    for (name, what, files) in DESIGNS {
        let mut design = Design::new(name, world);
        let body = design.body(own);
        if let Design::Simple(..) = design {
            same_lines(name, &text(&body), &expected);
        }
        let (mut means, mut largest, mut scrapes) = (Vec::new(), Vec::new(), Vec::new());
        for round in 1..=rounds {
            let accounts = (0..world.accounts).step_by(20);
            let answers: Vec<Answer> = accounts.flat_map(|account| answers(world, account, round)).collect();
            let begin = Instant::now();
            for answer in &answers {
                let start = Instant::now();
                design.poll(answer);
                if answer.0.name == "mining_stats" {
                    largest.push(start.elapsed().as_secs_f64() * 1e6);
                }
            }
            means.push(begin.elapsed().as_secs_f64() * 1e6 / answers.len() as f64);
            let start = Instant::now();
            design.scrape(own, |_| ());
            scrapes.push(start.elapsed().as_secs_f64() * 1e3);
        }
        drop(design);
        let resident = Server::own("design", &format!("{name} {}", world.accounts)).resident();
        Table::told(&format!("{what}: CPU of making a body"), "ms", median(scrapes));
        Table::told(&format!("{what}: CPU of a poll, mean of all endpoints"), "us", median(means));
        Table::told(&format!("{what}: CPU of a poll of mining/stats"), "us", median(largest));
        Table::told(&format!("{what}: body"), "kB", body.len() as f64 / 1e3);
        Table::told(&format!("{what}: memory a sample"), "bytes", (resident - empty) / samples as f64);
        Table::told(&format!("{what}: lines of code"), "", files.iter().map(|code| lines(code)).sum::<usize>() as f64);
    }
    Table::told("gzip -6 of the same text: body", "kB", gzip(&expected) as f64 / 1e3);
}

/// Holds a design's samples, so that its memory can be measured. The argument is its name and the number of accounts.
pub(crate) fn hold(argument: &str) {
    let (name, accounts) = argument.split_once(' ').expect("a design and a number of accounts");
    let world = World { accounts: accounts.parse().expect("a number of accounts"), endpoints: world::ALL };
    let mut design = Design::new(name, world);
    design.scrape("", |_| ());
    // The caller waits for a line, which is the address of other servers.
    println!("{name}");
    std::io::stdin().lock().lines().for_each(drop);
}

fn text(body: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(body).read_to_string(&mut text).expect("gzip");
    text
}

/// Panics if a design's lines differ from ours. Values may be written differently, and the times of polls differ.
fn same_lines(name: &str, text: &str, expected: &str) {
    assert_eq!(text.lines().count(), expected.lines().count(), "{name}");
    for (line, expected) in text.lines().zip(expected.lines()) {
        let [(series, value), (expected, expected_value)] = [line, expected].map(|line| match line.rsplit_once(' ') {
            Some((series, value)) if !line.starts_with('#') => (series, value.parse::<f64>().ok()),
            _ => (line, None),
        });
        assert_eq!(series, expected, "{name}");
        let is_time = series.starts_with("minergate_endpoint_last_success_timestamp_seconds");
        assert!(value == expected_value || is_time, "{name}: {line}");
    }
}

/// Lines of a file that are neither empty, nor comments, nor its tests.
fn lines(file: &str) -> usize {
    let code = file.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

/// Size of a text that the program gzip compressed at its default level.
fn gzip(text: &str) -> usize {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), text).expect("a temporary file");
    let output = Command::new("gzip").args(["-6", "--stdout"]).arg(file.path()).output().expect("gzip");
    assert!(output.status.success());
    output.stdout.len()
}
