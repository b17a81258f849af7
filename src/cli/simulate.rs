//! `simulate`: the simulator alone, for any client of the API.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;

use super::{shutdown, terminal};
use crate::server;
use minergate::{duration, file};
use minergate_simulator::{Config, Rule, Simulator};
use textwrap::{Options, WordSplitter};

const WORLD: &str = "What is simulated";
const FAULTS: &str = "Faults";

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Address to serve the API on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:10188")]
    listen: String,
    /// Number of accounts
    #[arg(help_heading = WORLD, long, value_name = "N", default_value_t = 3, value_parser = whole::<usize>)]
    accounts: usize,
    /// Number of wallets at the simulated pool; their accounts are rig-1, rig-2 and so on
    #[arg(help_heading = WORLD, long, value_name = "N", default_value_t = 1, value_parser = whole::<usize>)]
    wallets: usize,
    /// Seed of the simulated numbers: the same seed gives the same numbers at the same time
    #[arg(help_heading = WORLD, long, value_name = "S", default_value_t = 1, value_parser = whole::<u64>)]
    seed: u64,
    /// Serve the documented answers unchanged
    #[arg(help_heading = WORLD, long)]
    documented: bool,
    /// How long a token is valid after its login
    #[arg(help_heading = WORLD, long, value_name = "DURATION", default_value = "1h", value_parser = duration::parse)]
    token_lifetime: Duration,
    /// Faults to simulate: [ENDPOINT/]FAULT[=TIME][:RATE][@ACCOUNT]; can be given several times
    #[arg(long, value_name = "RULE", long_help = fault_help(), help_heading = FAULTS)]
    fault: Vec<Rule>,
    /// Write an exporter configuration for the accounts and wallets to this file, readable by its owner only
    #[arg(long, value_name = "FILE")]
    write_config: Option<PathBuf>,
}

/// The help text about faults, wrapped so that descriptions stay in their column.
fn fault_help() -> String {
    // clap indents each line of a long help by ten spaces.
    const WIDTH: usize = 80 - 10;
    let line = |line: &str| {
        let column =
            line.strip_prefix("  ").and_then(|row| Some(2 + row.find("  ")? + row[row.find("  ")?..].find(|c| c != ' ')?));
        let Some(column) = column else { return line.to_owned() };
        let indent = " ".repeat(column);
        textwrap::fill(line, Options::new(WIDTH).subsequent_indent(&indent).word_splitter(WordSplitter::NoHyphenation))
    };
    minergate_simulator::fault_help().lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Parses a whole number, with an understandable error.
pub(super) fn whole<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "give a whole number, such as 10".to_owned())
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let Flags { listen, accounts, wallets, seed, documented, token_lifetime, fault: faults, write_config } = flags;
    let config = Config { accounts, wallets, seed, documented, token_lifetime, faults };
    config.check().map_err(|fault| anyhow::anyhow!("--fault: {fault}"))?;
    if let Some(fault) = server::address_fault(&listen) {
        anyhow::bail!("--listen: {fault}");
    }
    let simulator = Simulator::new(config);
    let listener =
        TcpListener::bind(&listen).await.with_context(|| format!("can't listen on {listen}; give another --listen"))?;
    let base_url = format!("http://{}", listener.local_addr()?);
    if let Some(path) = &write_config {
        write_private(path, &simulator.exporter_config(&base_url))
            .map_err(file::Error::from)
            .map_err(|error| anyhow::anyhow!("can't write {}: {error}; give another --write-config", path.display()))?;
    }
    // The URL is at the end, where programs can find it.
    let what = format!("The simulated API (accounts: {accounts}), with a pool below /nodejs-pool (wallets: {wallets}),");
    terminal::announce(format!("{what} is at {base_url}\n")).await;
    simulator.serve(listener, shutdown::requested()?).await?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a file that only its owner can read, because it contains passwords, although only of simulated accounts.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}
