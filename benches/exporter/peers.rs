//! Other exporters with the same samples, and Prometheus' metrics of their scrapes. Programs are named by variables of the
//! environment, which `scripts/bench` sets: PUSHGATEWAY (Go's client), PYTHON (with `prometheus_client`), PROMETHEUS.

use std::env;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Effort;
use crate::client::{Client, Server, cost};
use crate::prometheus::scraped;
use crate::table::Table;

pub(crate) fn measure(_: &mut Table, effort: Effort) {
    let (Ok(pushgateway), Ok(python)) = (env::var("PUSHGATEWAY"), env::var("PYTHON_CLIENT")) else {
        println!("\nOther exporters were not measured: scripts/bench installs them.");
        return;
    };
    Table::section("Other exporters with the same samples, gzipped");
    let directory = env::temp_dir().join(format!("exporter-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a temporary directory");
    let mut ours = Server::own("exposition", effort.pick("10", "1000"));
    let text = String::from_utf8(Client::new(&ours.address, false).body()).expect("text");
    // Each exporter has its own metrics of the process.
    let text = text.split_once("# HELP process_").map_or(&*text, |(before, _)| before);
    let file = directory.join("samples.txt");
    std::fs::write(&file, text).expect("a temporary file");

    let address = free_address();
    let mut go =
        Server::at(Command::new(pushgateway).args(["--web.listen-address", &address, "--log.level", "error"]), &address);
    push(&address, text);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/exporter/peer.py");
    let mut client_of_python = Server::start(Command::new(python).arg(script).arg(&file));

    let samples = text.lines().filter(|line| !line.starts_with('#')).count();
    for (name, server) in
        [("this exporter", &mut ours), ("Pushgateway (Go)", &mut go), ("prometheus_client (Python)", &mut client_of_python)]
    {
        let mut client = Client::new(&server.address, true);
        client.scrape();
        let cost = cost(server, &mut client, effort.pick(1, 5), Duration::ZERO, None);
        let kilobytes = client.scrape() as f64 / 1000.0;
        Table::told(&format!("{name}, {samples} samples: CPU"), "ms", cost.cpu / 1000.0);
        Table::told(&format!("{name}: p50 latency"), "ms", cost.latency / 1000.0);
        Table::told(&format!("{name}: body"), "kB", kilobytes);
        Table::told(&format!("{name}: resident memory a sample"), "bytes", server.resident() / samples as f64);
    }
    if let Ok(prometheus) = env::var("PROMETHEUS") {
        let targets =
            [("this exporter", &ours), ("Pushgateway (Go)", &go), ("prometheus_client (Python)", &client_of_python)];
        let intervals = effort.pick(0, 2);
        for (name, seen) in scraped(Path::new(&prometheus), &targets, Duration::from_secs(10), intervals) {
            Table::told(&format!("{name}: Prometheus' scrape_duration_seconds"), "s", seen.duration);
        }
    }
    let _ = std::fs::remove_dir_all(directory);
}

/// Pushes text to a Pushgateway.
fn push(address: &str, text: &str) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let head = format!(
        "PUT /metrics/job/bench HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes()).expect("a head");
    stream.write_all(text.as_bytes()).expect("a body");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// An address that is free now.
pub(crate) fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}
