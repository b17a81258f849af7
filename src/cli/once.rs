//! `once`: polls everything once, and shows what `/metrics` would show after that.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueHint};

use super::{PARTLY, check_accounts, textfile};
use crate::explanation::explanation;
use crate::exposition::{Filter, Format};
use crate::pipeline::Pipeline;
use crate::poller::Outcome;
use minergate::api::Error;

/// Poll everything once and print the metrics, or write them for `node_exporter`'s textfile collector.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Write to this regular file, or to the target of this link, by a rename: a reader sees the old metrics or the
    /// new ones, never a part. A new file has mode 0644; an existing file keeps its owner and mode
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    textfile: Option<PathBuf>,
    /// Poll and show this account alone, without pool, networks and the exporter's own metrics; can be given several times
    #[arg(long, value_name = "NAME")]
    account: Vec<String>,
}

pub(super) async fn run(flags: &Flags, all: &super::Flags) -> anyhow::Result<ExitCode> {
    let mut config = all.load()?;
    config.log.init();
    for warning in config.warnings().await {
        tracing::warn!(warning, "configuration");
    }
    // Checked before any poll: there should be no login if the metrics can't be written.
    if let Some(path) = &flags.textfile {
        textfile::check(path)?;
    }
    check_accounts(&flags.account, &config)?;
    if !flags.account.is_empty() {
        config.keep_accounts(|account| flags.account.iter().any(|name| name == account));
    }
    let Pipeline { hosts, poller, exposition, .. } = Pipeline::new(&config)?;
    let outcomes = poller.round(hosts.concurrency(), |_| (), |_, _| ()).await;
    let failures = outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
    if failures == outcomes.len() {
        let old = if flags.textfile.is_some() { "; the file stays as it was" } else { "" };
        anyhow::bail!("{}: nothing could be read: {}{old}", config.hosts(), reasons(&outcomes));
    }
    let text = own_metrics(&exposition.render(Format::Text, &Filter::only(flags.account.iter().cloned().collect(), false)));
    match &flags.textfile {
        Some(path) => textfile::replace(path, &text)?,
        None => std::io::stdout().write_all(text.as_bytes())?,
    }
    Ok(if failures == 0 { ExitCode::SUCCESS } else { ExitCode::from(PARTLY) })
}

/// The reasons of failed polls, the most frequent first.
fn reasons<T>(outcomes: &[Outcome<T>]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let errors = || outcomes.iter().filter_map(|outcome| Some((outcome.result.as_ref().err()?, outcome.pool.as_deref())));
    // A postponed or blocked login is a consequence of a failed one.
    let follows = |error: &&Error| matches!(error, Error::LoginPostponed { .. } | Error::LoginBlocked(_));
    let all_follow = errors().all(|(error, _)| follows(&error));
    for (error, pool) in errors().filter(|(error, _)| all_follow || !follows(error)) {
        *counts.entry(explanation(error, pool)).or_default() += 1;
    }
    let mut reasons: Vec<_> = counts.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let reasons: Vec<String> = reasons.into_iter().map(|(reason, count)| format!("{reason} ({count} polls)")).collect();
    reasons.join(", ")
}

/// The exposition without `process_*`: for a process that ends at once they say nothing, and they would collide with `node_exporter`'s
/// metrics of the same names.
fn own_metrics(text: &str) -> String {
    let name = |line: &str| line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ").starts_with("process_");
    text.lines().filter(|line| !name(line)).flat_map(|line| [line, "\n"]).collect()
}
