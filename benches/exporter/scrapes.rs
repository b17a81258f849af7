//! Scrapes, compared with an axum server that sends the same body from memory.

use std::path::PathBuf;
use std::time::Duration;

use minergate_exporter::exposition::{self, Encoding, Filter, Format};
use tokio::time::Instant;

use crate::Effort;
use crate::client::{Client, Cost, Server, cost};
use crate::table::{Table, median};
use crate::world::{self, World};

/// Both sides are measured in alternating rounds, so that both have the same conditions.
const ROUNDS: usize = 5;

/// Pause between two scrapes: long enough that both processes sleep, as between scrapes of Prometheus.
const PAUSE: Duration = Duration::from_millis(150);

/// Accounts; a twentieth of them is polled between two scrapes.
const TWENTIETH: usize = 20;

/// A measured case.
#[derive(Clone, Copy)]
struct Case<'a> {
    accounts: &'a str,
    gzip: bool,
    /// Before each scrape, every Nth account is polled: 1 is all, 20 is 5 %.
    polled: Option<usize>,
    pause: Duration,
}

pub(crate) fn measure(table: &mut Table, effort: Effort) {
    Table::section(
        "A scrape every 150 ms with a poll of every loop in between, beside the same body sent from memory by a bare axum server",
    );
    let paced = |accounts| Case { accounts, gzip: true, polled: Some(1), pause: PAUSE };
    for (accounts, times, goal) in [("1", 12, None), ("10", 12, None), ("100", 12, Some(3.0)), ("1000", 4, Some(3.0))] {
        compare(table, paced(accounts), effort.pick(1, times), goal);
    }
    Table::section("The same, beside a small ready page of the same server (/-/healthy)");
    for (accounts, goal) in [("1", 1.5), ("10", 2.0)] {
        beside_page(table, effort, accounts, goal);
    }
    Table::section("A large scrape at once, beside the same body sent from memory");
    let large = |gzip, polled| Case { accounts: "1000", gzip, polled, pause: Duration::ZERO };
    compare(table, large(true, None), effort.pick(2, 40), Some(3.0));
    compare(table, large(true, Some(TWENTIETH)), effort.pick(2, 20), Some(3.0));
    compare(table, large(false, None), effort.pick(2, 40), Some(6.0));
    part(table, effort);
    made(effort);
    growth(effort);
}

/// A scrape of one account with `account=`, with few or many other accounts.
fn part(table: &mut Table, effort: Effort) {
    Table::section("/metrics?account= of one account of many, every 150 ms");
    let path = "/metrics?account=farm-00007";
    let servers = ["10", "600"].map(|accounts| Server::own("exposition", accounts));
    let mut clients = servers.each_ref().map(|server| Client::of(&server.address, path, true));
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..effort.pick(1, ROUNDS) {
        for ((server, client), costs) in servers.iter().zip(&mut clients).zip(&mut costs) {
            costs.push(cost(server, client, effort.pick(1, 12), PAUSE, Some(&|| server.order("poll 1"))).cpu);
        }
    }
    let [ten, many] = costs.map(median);
    table.at_most_times("600 accounts, beside 10: CPU", "us", many, ten, 2.0);
}

/// The cost of making the bodies of a thousand accounts, without sending them.
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
            match exposition.body(Format::Text, encoding, &Filter::All) {
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

fn compare(table: &mut Table, case: Case<'_>, times: usize, goal: Option<f64>) {
    let ours = Server::own("exposition", case.accounts);
    let mut our_client = Client::new(&ours.address, case.gzip);
    let body = our_client.body();
    let samples = samples(&ours);
    let file = Body::new(&body, case.gzip);
    let fixed = Server::own("body", &file.0.display().to_string());
    let mut fixed_client = Client::new(&fixed.address, case.gzip);
    // Before both answers, so that both find the core's caches in the same state.
    let poll = || ours.order(&format!("poll {}", case.polled.unwrap_or(usize::MAX)));
    let polled: Option<&dyn Fn()> = case.polled.map(|_| &poll as _);
    let cost = |server: &Server, client: &mut Client, times| cost(server, client, times, case.pause, polled);
    // One unmeasured run each fills caches and allocates memory.
    cost(&ours, &mut our_client, 3);
    cost(&fixed, &mut fixed_client, 3);
    let (mut measured, mut compared) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        measured.push(cost(&ours, &mut our_client, times));
        compared.push(cost(&fixed, &mut fixed_client, times));
    }
    let middle = |costs: &[Cost], of: fn(&Cost) -> f64| median(costs.iter().map(of).collect());
    let what = format!(
        "{} accounts, {samples} samples, {}{} ({} kB)",
        case.accounts,
        if case.gzip { "gzip" } else { "identity" },
        if case.polled == Some(TWENTIETH) { ", 5 % of the accounts polled in between" } else { "" },
        body.len() / 1000
    );
    let cpu = |costs: &[Cost]| middle(costs, |cost| cost.cpu);
    let latency = |costs: &[Cost]| middle(costs, |cost| cost.latency);
    for (name, of) in [("CPU", &cpu as &dyn Fn(&[Cost]) -> f64), ("p50 latency", &latency)] {
        let (what, measured, compared) = (format!("{what}: {name}"), of(&measured), of(&compared));
        match goal {
            Some(goal) => table.at_most_times(&what, "us", measured, compared, goal),
            None => Table::beside(&what, "us", measured, compared),
        }
    }
}

/// Compares scrapes with small pages of the same server. They take many short turns, because the cost of so little work changes from second to
/// second.
fn beside_page(table: &mut Table, effort: Effort, accounts: &str, goal: f64) {
    let server = Server::own("exposition", accounts);
    let mut clients = ["/metrics", "/-/healthy"].map(|path| Client::of(&server.address, path, true));
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..effort.pick(1, 30) {
        for (client, costs) in clients.iter_mut().zip(&mut costs) {
            costs.push(cost(&server, client, effort.pick(1, 4), PAUSE, Some(&|| server.order("poll 1"))).cpu);
        }
    }
    let [scrape, page] = costs.map(median);
    table.at_most_times(&format!("{accounts} accounts: CPU"), "us", scrape, page, goal);
}

/// The cost of a sample for growing numbers of samples.
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
        let cost = cost(&server, &mut client, effort.pick(2, 10), Duration::ZERO, None);
        Table::told(&format!("{samples} samples: CPU a sample"), "ns", cost.cpu * 1000.0 / samples as f64);
        Table::told(&format!("{samples} samples: memory a sample"), "bytes", bytes);
    }
}

fn samples(server: &Server) -> usize {
    let text = Client::new(&server.address, false).body();
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && line[0] != b'#').count()
}

/// A file with a body. It is deleted when this is dropped.
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
