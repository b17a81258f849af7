//! The command line: subcommands, their help, and what each needs to run.

mod check;
mod demo;
mod examples;
mod flags;
mod gateway;
mod healthcheck;
mod history;
mod once;
mod query;
pub mod reference;
mod serve;
mod shutdown;
mod simulate;
mod terminal;
mod textfile;

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use tokio::runtime;

use self::flags::Flags;
use crate::server;
use minergate::spelling;

const VERSION: &str =
    concat!(env!("CARGO_PKG_VERSION"), " (revision: ", env!("REVISION"), ")\n  rust version:     ", env!("RUSTVERSION"));

/// Prometheus exporter for MinerGate mining pool accounts and networks.
///
/// It polls the API at its own pace, an interval for each endpoint and one limit for all accounts together, and serves the
/// last good answers on /metrics. Without a subcommand, it serves.
#[derive(Debug, Parser)]
#[command(version = VERSION, name = "minergate-exporter", after_help = BRIEFLY, after_long_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

const BRIEFLY: &str = "To try it without an account: minergate-exporter demo. More with --help, and in the man page.";

const EXAMPLES: &str = "\
Examples:
  # try it, without an account
  minergate-exporter demo
  # show what the configuration says, or what is wrong with it
  minergate-exporter check --config.file my.toml
  # poll, and serve http://localhost:10187/metrics
  minergate-exporter --config.file my.toml

The exit code is 0 when all went well, 1 when it did not, 2 when the command
line was wrong, and 3 when once or history could read a part only.";

/// The exit code of a command that did only a part of its work.
const PARTLY: u8 = 3;

/// The exit code of a command that a signal ended, as shells use it for SIGINT.
const STOPPED: u8 = 130;

/// Maximum number of threads that serve. A scrape takes milliseconds, and each thread needs memory.
const THREADS: usize = 4;

#[derive(Debug, Subcommand)]
enum Command {
    /// Poll the API and serve the metrics (the default)
    Serve,
    /// Start the simulator and the exporter in one, without account or configuration
    Demo,
    /// Read the configuration, and show what it says or what is wrong with it
    Check(check::Flags),
    /// Poll everything once and print the metrics, or write them to a file for the node exporter's textfile collector
    Once(once::Flags),
    /// Request one answer of the API: a table on a terminal, the API's own JSON in a pipe
    Query(query::Flags),
    /// Write past withdrawals, transfers and invoices as OpenMetrics with timestamps, for promtool to backfill
    ///
    /// Give promtool --max-block-duration=8760h, which its help does not list. Without it, promtool makes a block of every two hours
    /// and reads the whole file for each. If the past begins ten years ago, this takes half an hour or more instead of seconds.
    History(history::Flags),
    /// Serve the MinerGate API to other programs, from the wallets at pools
    ///
    /// Clients log in with the email and password of an account with wallets, or send its token. By default it listens on the loopback
    /// address only.
    Gateway(gateway::Flags),
    /// Start the simulator of the API alone
    Simulate(simulate::Flags),
    /// Ask a running exporter whether it is healthy; exit code 1 if not
    Healthcheck(healthcheck::Flags),
    /// Print a page that is generated from the exporter's own tables
    Reference {
        #[command(subcommand)]
        page: reference::Page,
    },
}

/// The command line with its help: each command shows the flags that it uses.
fn command() -> clap::Command {
    let mut command = Cli::command().max_term_width(120);
    command.build();
    command.mut_subcommands(|subcommand| {
        let is_gateway = subcommand.get_name() == "gateway";
        let is_demo = subcommand.get_name() == "demo";
        let is_healthcheck = subcommand.get_name() == "healthcheck";
        let serves = is_demo || subcommand.get_name() == "serve";
        let configured = !matches!(subcommand.get_name(), "demo" | "simulate" | "reference" | "help");
        examples::with_examples(subcommand).mut_args(|arg| {
            let useful = match arg.get_help_heading() {
                _ if !arg.is_global_set() => true,
                // The gateway has its own --listen, and serves all accounts.
                Some(flags::WEB | flags::CONFIGURATION) if is_gateway => {
                    matches!(arg.get_long(), Some("config.file" | "web.config.file"))
                }
                _ if is_healthcheck => {
                    matches!(arg.get_long(), Some("config.file" | "web.config.file" | "web.listen-address"))
                }
                Some(flags::WEB) => serves,
                _ => configured,
            };
            match arg.get_help() {
                // The demo is for this machine only.
                Some(help) if is_demo && arg.get_long() == Some("web.listen-address") => {
                    let help = help.to_string().replace(server::DEFAULT_ADDRESS, demo::ADDRESS);
                    arg.help(help)
                }
                _ if useful => arg,
                _ => arg.hide(true),
            }
        })
    })
}

/// Time for a command to clean up after a signal. Its output may have no reader.
const CLEAN_UP: Duration = Duration::from_secs(1);

/// Checks that these accounts are in the configuration.
fn check_accounts(wanted: &[String], config: &crate::config::Config) -> anyhow::Result<()> {
    let names: Vec<&str> = config.account_names().into_iter().map(|name| &**name).collect();
    match wanted.iter().find(|name| !names.contains(&name.as_str())) {
        Some(unknown) => {
            let question = spelling::question(unknown, names);
            anyhow::bail!("--account: no account is called `{unknown}`; {question}`check` lists them")
        }
        None => Ok(()),
    }
}

/// Runs a command that ends by itself, until a signal ends it. Without a handler, the first process of a container ignores signals.
async fn run_unless_stopped(command: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::select! {
        result = command => result,
        () = shutdown::requested_within(CLEAN_UP)? => Ok(ExitCode::from(STOPPED)),
    }
}

/// Runs the command given on the command line.
///
/// # Errors
/// Why the command failed.
pub fn run() -> anyhow::Result<ExitCode> {
    let matches = command().get_matches();
    let Cli { flags, command } = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let runtime = runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    let code = runtime.block_on(async {
        match command.unwrap_or(Command::Serve) {
            Command::Serve => serve::run(flags).await,
            Command::Demo => demo::run(&flags).await,
            Command::Gateway(gateway) => gateway::run(&gateway, &flags).await,
            Command::Simulate(simulation) => simulate::run(simulation).await,
            Command::Check(check) => run_unless_stopped(check::run(&check, &flags)).await,
            Command::Once(once) => run_unless_stopped(once::run(&once, &flags)).await,
            Command::Query(query) => run_unless_stopped(query::run(&query, &flags)).await,
            Command::History(history) => run_unless_stopped(Box::pin(history::run(&history, &flags))).await,
            Command::Reference { page } => reference::run(page),
            Command::Healthcheck(check) => healthcheck::run(&check, &flags).await,
        }
    });
    // A thread can still be blocked, for example by a name lookup. It must not delay the exit.
    runtime.shutdown_background();
    code
}
