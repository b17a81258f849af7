//! `history`: past events from the accounts' lists, as OpenMetrics with timestamps, for promtool's backfill.

mod event;
mod series;
mod table;

use std::io::{BufWriter, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;

use self::event::{Event, Events};
use self::series::{Spacing, cumulative};
pub(super) use self::table::COUNTERS;
use super::{PARTLY, check_accounts};
use crate::config::Config;
use crate::explanation::explanation;
use crate::health::Health;
use crate::pipeline::Hosts;
use crate::poller::Plan;
use crate::text::{self, Format};
use minergate::api;
use minergate::duration;
use minergate::metric::write_label;

/// The time range that Prometheus is still writing itself. It must not be backfilled.
const HEAD: Duration = Duration::from_secs(3 * 3600);

const HOUR: Duration = Duration::from_secs(3600);

/// A year. Older samples are daily: with hourly ones, ten years would be eight megabytes for each counter.
const RECENT: Duration = Duration::from_secs(365 * 24 * 3600);

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// An account, by its name in the configuration; can be given several times [default: all]
    #[arg(long, value_name = "NAME")]
    account: Vec<String>,
    /// Maximum time from one sample of a counter to the next [default: 1h, and 24h for samples older than a year]
    #[arg(long, value_name = "DURATION", value_parser = every)]
    every: Option<Duration>,
    /// Leave out samples younger than this: Prometheus is still writing the last three hours itself
    #[arg(long, value_name = "DURATION", default_value = "3h", value_parser = duration::parse)]
    until: Duration,
}

fn every(text: &str) -> Result<Duration, String> {
    match duration::parse(text)? {
        every if every < Duration::from_secs(1) => Err("give 1s or more".to_owned()),
        every if every > RECENT => Err("give 8760h or less".to_owned()),
        every => Ok(every),
    }
}

/// The given spacing for all times; by default an hour, and a day for times more than a year ago.
fn spacing(every: Option<Duration>, now: i64) -> anyhow::Result<Spacing> {
    let milliseconds = |duration: Duration| i64::try_from(duration.as_millis()).context("--every is too long");
    Ok(Spacing {
        old: milliseconds(every.unwrap_or(24 * HOUR))?,
        recent: milliseconds(every.unwrap_or(HOUR))?,
        recent_from: now - milliseconds(RECENT)?,
    })
}

/// The lists of one account that could be read.
struct AccountHistory {
    account: String,
    /// Whether the lists are of wallets at pools, most of which do not report fees.
    at_pools: bool,
    lists: Vec<(&'static str, Events)>,
}

pub(super) async fn run(flags: &Flags, all: &super::Flags) -> anyhow::Result<ExitCode> {
    let config = all.load_for_query()?;
    config.log.init();
    let now = jiff::Timestamp::now().as_millisecond();
    let (histories, failed) = read(&config, flags, now).await?;
    let spacing = spacing(flags.every, now)?;
    let end = now - i64::try_from(flags.until.as_millis()).context("--until is too long")?;
    write(&histories, spacing, end, &mut BufWriter::new(std::io::stdout().lock()))?;
    if flags.until < HEAD {
        tracing::warn!("Prometheus is still writing its last three hours itself; do not backfill these into one that runs");
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(PARTLY) })
}

/// Reads the accounts' lists. Also returns how many could not be read.
async fn read(config: &Config, flags: &Flags, now: i64) -> anyhow::Result<(Vec<AccountHistory>, usize)> {
    check_accounts(&flags.account, config)?;
    let is_wanted = |name: &str| flags.account.is_empty() || flags.account.iter().any(|wanted| wanted == name);
    if config.account_names().is_empty() {
        bail!("a history is an account's, and the configuration has no [[accounts]]; add one");
    }
    let hosts = Hosts::default().reconfigured(config, &Arc::new(Health::default()))?;
    let plan = hosts.plan(config, &Plan::default());
    #[expect(clippy::cast_precision_loss, reason = "a time of today is exact in a double")]
    let now = now as f64 / 1000.0;
    let mut reading = ListsRead::default();
    let at_api = config.accounts.iter().filter(|account| is_wanted(account.name()));
    for (account, client) in at_api.flat_map(|account| hosts.api.iter().map(move |client| (account, client))) {
        for endpoint in ["withdrawals", "transfers", "invoices"] {
            let read = event::read(endpoint, client, account, now).await;
            reading.add(account.name(), None, endpoint, read);
        }
    }
    for (wallet, _) in plan.wallets.iter().filter(|(wallet, _)| is_wanted(wallet.account())) {
        if wallet.pool().settings().software.fills("withdrawals") {
            let read = event::payments(wallet, now).await;
            reading.add(wallet.account(), Some(&wallet.pool().settings().name), "withdrawals", read);
        }
    }
    match reading.last {
        Some(error) if reading.histories.iter().all(|history| history.lists.is_empty()) => {
            bail!("{}: nothing could be read: {error}", config.hosts())
        }
        _ => Ok((reading.histories, reading.failed)),
    }
}

/// The lists that were read so far.
#[derive(Default)]
struct ListsRead {
    histories: Vec<AccountHistory>,
    failed: usize,
    /// The latest error.
    last: Option<String>,
}

impl ListsRead {
    /// Adds the result of reading a list: of an account at the API, or of a wallet at a pool.
    fn add(&mut self, account: &str, pool: Option<&str>, endpoint: &'static str, read: api::Result<Events>) {
        if self.histories.last().is_none_or(|history| history.account != account) {
            self.histories.push(AccountHistory { account: account.to_owned(), at_pools: pool.is_some(), lists: Vec::new() });
        }
        match read {
            Ok(events) => {
                if events.unusable > 0 {
                    tracing::warn!(
                        account,
                        pool,
                        endpoint,
                        entries = events.unusable,
                        "entries without a usable time or currency"
                    );
                }
                if let Some(history) = self.histories.last_mut() {
                    history.lists.push((endpoint, events));
                }
            }
            Err(error) => {
                let words = explanation(&error, pool);
                tracing::error!(account, pool, endpoint, kind = error.kind(), error = words, "list not read");
                (self.failed, self.last) = (self.failed + 1, Some(words));
            }
        }
    }
}

fn write(histories: &[AccountHistory], spacing: Spacing, end: i64, out: &mut impl Write) -> anyhow::Result<()> {
    for counter in COUNTERS {
        let family = &counter.family;
        let name = family.sample_name();
        write!(out, "{}", text::header(Format::OpenMetrics, family, None))?;
        for history in histories {
            let mut scope = String::new();
            write_label(&mut scope, "account", &history.account);
            let lists = history.lists.iter().filter(|(endpoint, _)| *endpoint == counter.endpoint).map(|(_, list)| list);
            let mut unknown = 0;
            for (list, (labels, samples)) in lists.flat_map(|list| {
                cumulative(&list.events, counter.adds, spacing, end).into_iter().map(move |samples| (list, samples))
            }) {
                let Some(samples) = samples else {
                    // For a pool that never reports the value, no warning is needed.
                    let has_amount = |event: &Event| event.labels == labels && (counter.adds)(event).is_some();
                    unknown += usize::from(!history.at_pools || list.events.iter().any(has_amount));
                    continue;
                };
                for sample in samples {
                    let (seconds, rest) = (sample.time.div_euclid(1000), sample.time.rem_euclid(1000));
                    writeln!(out, "{name}{{{scope},{labels}}} {} {seconds}.{rest:03}", sample.value.normalize())?;
                }
            }
            if unknown > 0 {
                tracing::warn!(
                    account = history.account,
                    metric = name,
                    sums = unknown,
                    "entries do not say how much; their sums are left out"
                );
            }
        }
    }
    write!(out, "{}", Format::OpenMetrics.end())?;
    Ok(out.flush()?)
}
