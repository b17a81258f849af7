//! A poll from the answer's bytes until its samples are on /metrics.

use std::hint::black_box;
use std::time::Duration;

use minergate::endpoints;
use minergate_exporter::store::Key;
use minergate_exporter::subject::Subject;
use tokio::time::Instant;

use crate::Effort;
use crate::table::{Table, median};
use crate::world::{self, World};

pub(crate) fn measure(table: &mut Table, effort: Effort) {
    Table::section("A poll's way from the answer's bytes to being on /metrics");
    let world = World { accounts: effort.pick(20, 1000), endpoints: world::ALL };
    let exposition = world.exposition();
    let endpoint = endpoints::find("mining_stats").expect("an endpoint");
    let subject = |account| Subject::Account(format!("farm-{account:05}").into());
    let key = |account| Key { subject: subject(account), endpoint: endpoint.name };
    let polls: Vec<(Key, String)> = (1..=effort.pick(2, 40))
        .flat_map(|round| (0..50).map(move |account| (account * world.accounts / 50, round)))
        .map(|(account, round)| (key(account), world::answer(endpoint.name, account, round)))
        .collect();
    // One thread that never waits: its time is CPU time, except for other work of the machine. The median excludes that.
    let time = |work: &mut dyn FnMut(&Key, &str)| {
        let times = polls.iter().map(|(key, body)| {
            let start = Instant::now();
            work(key, body);
            start.elapsed().as_secs_f64() * 1e6
        });
        median(times.collect())
    };
    let decode = time(&mut |_, body| {
        black_box(world::read(endpoint, body));
    });
    let whole = time(&mut |key, body| {
        let dropped = exposition.store.replace(key, world::read(endpoint, body), Duration::from_secs(86_400)).dropped;
        exposition.health.succeeded(key, dropped, std::time::SystemTime::now());
    });
    Table::told(&format!("a mining/stats answer of {} bytes: decode and read", polls[0].1.len()), "us", decode);
    table.at_most(&format!("all of it, at {} accounts", world.accounts), "us", whole, 120.0);
}
