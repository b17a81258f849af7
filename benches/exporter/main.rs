//! The cost of a scrape, a poll and the daemon, compared with the lowest possible cost in the same run.
//!
//! `cargo bench` prints the table; `cargo bench -- --brief` runs everything once with small loads, without goals. Servers
//! are separate processes of this program, so that their CPU time can be read. The first argument says which server it is.
//! `scripts/bench` also installs other exporters, which are then in the table too.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a bench prints, counts in doubles, and ends where it can't go on"
)]

mod client;
mod daemon;
mod designs;
mod peers;
mod pipeline;
mod polls;
mod prometheus;
mod scrapes;
mod server;
mod table;
mod world;

use std::process::ExitCode;

use crate::table::Table;

/// The size of the measurement.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Effort {
    /// Just enough to run everything.
    Brief,
    /// Large enough for figures.
    Full,
}

impl Effort {
    /// The number for this size.
    pub(crate) fn pick<T>(self, brief: T, full: T) -> T {
        if self == Effort::Brief { brief } else { full }
    }
}

/// A function that fills a part of the table.
type Measure = fn(&mut Table, Effort);

fn main() -> ExitCode {
    // As the program does.
    minergate_memory::share();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| *word != "--bench").collect();
    let (effort, only) = match words[..] {
        ["serve", kind, argument] => return server::main(kind, argument),
        ["--brief"] => (Effort::Brief, None),
        [] => (Effort::Full, None),
        [only] => (Effort::Full, Some(only)),
        _ => {
            eprintln!("usage: [--brief | scrapes | designs | polls | pipeline | daemon | prometheus | peers]");
            return ExitCode::from(2);
        }
    };
    client::take_core();
    // For the simple client; the exporter's own client does this itself.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut table = Table::default();
    let parts: [(&str, Measure); 7] = [
        ("scrapes", scrapes::measure),
        ("designs", designs::measure),
        ("polls", polls::measure),
        ("pipeline", pipeline::measure),
        ("daemon", daemon::measure),
        ("prometheus", prometheus::measure),
        ("peers", peers::measure),
    ];
    for (_, measure) in parts.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        measure(&mut table, effort);
    }
    let missed = table.missed();
    if effort == Effort::Full && missed > 0 {
        eprintln!("{missed} of the goals were missed");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
