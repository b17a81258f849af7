//! The daemon's start, size, and memory over time.

use std::ops::RangeInclusive;
use std::process::Command;
use std::time::Duration;

use tokio::time::Instant;

use crate::Effort;
use crate::client::{Client, Server};
use crate::peers::free_address;
use crate::table::{Table, median};

const PROGRAM: &str = env!("CARGO_BIN_EXE_minergate-exporter");

const MIB: f64 = 1_048_576.0;

pub(crate) fn measure(table: &mut Table, effort: Effort) {
    Table::section("The daemon");
    start(table, effort);
    let size = std::fs::metadata(PROGRAM).expect("the program").len();
    table.at_most("size of the binary", "MiB", size as f64 / MIB, 8.0);
    memory(table, effort);
    flatness(table, effort);
}

/// Time from exec to the first complete answer, before the first poll has ended; and the memory of a daemon with one account.
fn start(table: &mut Table, effort: Effort) {
    let simulator = Server::own("simulator", "");
    let directory = std::env::temp_dir().join(format!("exporter-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a temporary directory");
    let config = directory.join("one.toml");
    let text = format!(
        "[api]\nbase_url = \"http://{}\"\n\n[[accounts]]\nname = \"farm\"\nemail = \"user1@example.com\"\npassword = \"simulated\"\n",
        simulator.address
    );
    std::fs::write(&config, text).expect("a configuration");
    let mut times = Vec::new();
    for _ in 0..effort.pick(1, 15) {
        let address = free_address();
        let mut command = Command::new(PROGRAM);
        command.arg("--config.file").arg(&config).args(["--web.listen-address", &address, "--log.level", "error"]);
        let begin = Instant::now();
        let server = Server::at(&mut command, &address);
        let body = Client::new(&server.address, false).body();
        times.push(begin.elapsed().as_secs_f64() * 1e3);
        assert!(body.starts_with(b"# HELP"), "a whole answer");
    }
    table.at_most("from exec to the first answer", "ms", median(times), 10.0);
    let address = free_address();
    let mut command = Command::new(PROGRAM);
    command.arg("--config.file").arg(&config).args(["--web.listen-address", &address, "--log.level", "error"]);
    let server = Server::at(&mut command, &address);
    let mut client = Client::new(&server.address, true);
    std::thread::sleep(effort.pick(Duration::ZERO, Duration::from_secs(5)));
    for _ in 0..100 {
        client.scrape();
    }
    table.at_most("resident memory with one account, after 100 scrapes", "MiB", server.resident() / MIB, 10.0);
    let _ = std::fs::remove_dir_all(directory);
}

/// Memory of a thousand accounts while they are polled and scraped.
fn memory(table: &mut Table, effort: Effort) {
    let empty = Server::own("polled", "0");
    Client::new(&empty.address, true).scrape();
    let server = Server::own("polled", effort.pick("10", "1000"));
    let mut client = Client::new(&server.address, true);
    let rounds = effort.pick(1, 10);
    for round in 1..=rounds {
        server.order(&format!("round {round}"));
        (0..10).for_each(|_| _ = client.scrape());
    }
    let text = Client::new(&server.address, false).body();
    let samples = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && line[0] != b'#').count();
    let used = server.resident() - empty.resident();
    let what = format!("memory a sample of {samples}, after {rounds} rounds of polls and 100 scrapes");
    table.at_most(&what, "bytes", used / samples as f64, 80.0);
}

/// Memory of a hundred accounts in a thousand rounds: the maximum of the second half compared with that of the first, because the
/// allocator sometimes returns memory. A leak of one byte a poll would be four percent.
fn flatness(table: &mut Table, effort: Effort) {
    let server = Server::own("polled", effort.pick("10", "100"));
    let mut client = Client::new(&server.address, true);
    let tenth = effort.pick(1, 100);
    let mut most = |parts: RangeInclusive<usize>| {
        let resident = parts.map(|part| {
            server.order(&format!("round {}", part * tenth));
            (0..10).for_each(|_| _ = client.scrape());
            server.resident() / MIB
        });
        resident.fold(0.0, f64::max)
    };
    let (first, second) = (most(1..=5), most(6..=10));
    let what = format!("resident memory, the most in the second {} rounds, beside the first", 5 * tenth);
    table.at_most_times(&what, "MiB", second, first, 1.03);
}
