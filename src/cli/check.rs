//! `check`: shows what was read from the configuration, what is wrong with it, and whether the API can be read.

mod alerts;
mod online;
mod pools;
mod report;
mod text;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use self::report::Report;
use super::terminal;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Also log in and read each endpoint once
    #[arg(long)]
    online: bool,
    /// How to print the result
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
}

pub(super) async fn run(flags: &Flags, all: &super::Flags) -> anyhow::Result<ExitCode> {
    let (mut report, config) = Report::new(all.load()).await;
    if let Some(config) = config.filter(|_| flags.online && report.ok) {
        let polls = online::run(&config).await?;
        report.ok = polls.iter().all(|poll| poll.ok);
        report.online = Some(polls);
    }
    match flags.format {
        Format::Text => text::write(&report, &mut terminal::stdout())?,
        Format::Json => writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&report)?)?,
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
