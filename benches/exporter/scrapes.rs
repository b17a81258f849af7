//! Scrapes, compared with an axum server that sends the same body from memory.

use std::path::PathBuf;

use minergate_exporter::exposition::{self, Encoding, Format};
use tokio::time::Instant;

use crate::Effort;
use crate::client::{Client, Cost, Server, cost};
use crate::table::{Table, median};
use crate::world::{self, World};

/// Rounds that take turns, so that both sides have the same machine.
const ROUNDS: usize = 5;

/// Accounts of which a twentieth is polled between two scrapes.
const TWENTIETH: usize = 20;

pub(crate) fn measure(table: &mut Table, effort: Effort) {
    Table::section("A scrape, beside the same body sent from memory");
    // Few samples: one account that polls one endpoint, and one that polls all.
    for (argument, times) in [("1s", 2000), ("7", 2000), ("1000", 40)] {
        let small = !argument.starts_with("1000");
        let goal = if small { 1.3 } else { 3.0 };
        for gzip in [true, false] {
            compare(table, argument, gzip, None, effort.pick(3, times), goal);
        }
        if !small {
            compare(table, argument, true, Some(TWENTIETH), effort.pick(2, 20), goal);
        }
    }
    made(effort);
    growth(effort);
}

/// What it takes to make the bodies of a thousand accounts, without sending them.
fn made(effort: Effort) {
    Table::section("Of which making the body, at 1,000 accounts");
    let world = World { accounts: effort.pick(10, 1000), endpoints: world::ALL };
    let exposition = world.exposition();
    let time = |what: &str, encoding, step: Option<usize>| {
        let mut times = Vec::new();
        for round in 1..=effort.pick(2, 20) {
            if let Some(step) = step {
                (0..world.accounts).step_by(step).for_each(|account| world.poll(&exposition, account, round));
            }
            let start = Instant::now();
            match exposition.body(Format::Text, encoding) {
                exposition::Body::Whole(body) => drop(body),
                exposition::Body::Parts(_, parts) => parts.for_each(drop),
            }
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
        Table::told(what, "us", median(times));
    };
    time("gzip, nothing changed", Encoding::Gzip, None);
    time("gzip, 5 % of the accounts polled in between", Encoding::Gzip, Some(TWENTIETH));
    time("identity", Encoding::Identity, None);
}

fn compare(table: &mut Table, argument: &str, gzip: bool, step: Option<usize>, times: usize, goal: f64) {
    let ours = Server::own("exposition", argument);
    let mut our_client = Client::new(&ours.address, gzip);
    let body = our_client.body();
    let samples = samples(&ours);
    let file = Body::new(&body, gzip);
    let fixed = Server::own("body", &file.0.display().to_string());
    let mut fixed_client = Client::new(&fixed.address, gzip);
    // Before either answers, so that both find the core's caches as the polls have left them.
    let poll = || ours.order(&format!("poll {}", step.unwrap_or(usize::MAX)));
    let polled: Option<&dyn Fn()> = step.map(|_| &poll as _);
    let cost = |server: &Server, client: &mut Client, times| cost(server, client, times, polled);
    // Once each before anything is measured: caches, and memory that is then there.
    cost(&ours, &mut our_client, 3);
    cost(&fixed, &mut fixed_client, 3);
    let (mut measured, mut compared) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        measured.push(cost(&ours, &mut our_client, times));
        compared.push(cost(&fixed, &mut fixed_client, times));
    }
    let middle = |costs: &[Cost], of: fn(&Cost) -> f64| median(costs.iter().map(of).collect());
    let what = format!(
        "{samples} samples, {}{} ({} kB)",
        if gzip { "gzip" } else { "identity" },
        if step.is_some() { ", 5 % of the accounts polled in between" } else { "" },
        body.len() / 1000
    );
    let cpu = |costs: &[Cost]| middle(costs, |cost| cost.cpu);
    let latency = |costs: &[Cost]| middle(costs, |cost| cost.latency);
    table.at_most_times(&format!("{what}: CPU"), "us", cpu(&measured), cpu(&compared), goal);
    table.at_most_times(&format!("{what}: p50 latency"), "us", latency(&measured), latency(&compared), goal);
}

/// What a sample costs when there are ever more.
fn growth(effort: Effort) {
    Table::section("Growth: what one sample costs in a gzipped scrape and in memory");
    for accounts in effort.pick(&["1", "10"][..], &["1", "10", "100", "1000", "10000"][..]) {
        let empty = Server::own("exposition", "0");
        Client::new(&empty.address, true).scrape();
        let server = Server::own("exposition", accounts);
        let mut client = Client::new(&server.address, true);
        client.scrape();
        let samples = samples(&server);
        let bytes = (server.resident() - empty.resident()).max(0.0) / samples as f64;
        // Large answers are joined at each scrape; of small ones this is what it costs when something has changed.
        let cost = cost(&server, &mut client, effort.pick(2, 10), Some(&|| server.order("poll 1000000")));
        Table::told(&format!("{samples} samples: CPU a sample"), "ns", cost.cpu * 1000.0 / samples as f64);
        Table::told(&format!("{samples} samples: memory a sample"), "bytes", bytes);
    }
}

fn samples(server: &Server) -> usize {
    let text = Client::new(&server.address, false).body();
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && line[0] != b'#').count()
}

/// A file with a body, which goes with this.
struct Body(PathBuf);

impl Body {
    fn new(body: &[u8], gzip: bool) -> Body {
        let name = format!("exporter-bench-{}{}", std::process::id(), if gzip { ".gz" } else { "" });
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, body).expect("a temporary file");
        Body(path)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
