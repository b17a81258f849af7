//! The result of `check` as text.

mod online;

use std::io::{self, Write};
use std::time::Duration;

use super::pools::Pool;
use super::report::{Account, ConfigSummary, Endpoint, FirstRound, Report, Requests};
use crate::cli::terminal::{BAD, GOOD, HEADING, PLAIN, QUIET, Table, WARNING, styled, wrapped};
use minergate::duration;

/// Maximum number of accounts and polls that are listed. Beyond it, only those with errors are listed.
pub(super) const LISTED: usize = 60;

pub(super) const INDENTATION: &str = "  ";

pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if let Some(summary) = &report.summary {
        overview(summary, out)?;
    }
    if let Some(polls) = &report.online {
        online::write(polls, out)?;
    }
    for (heading, style, sentences) in [("Warnings", WARNING, &report.warnings), ("Errors", BAD, &report.errors)] {
        if !sentences.is_empty() {
            writeln!(out, "\n{}", styled(HEADING, heading))?;
        }
        for sentence in sentences {
            writeln!(out, "{INDENTATION}{} {}", styled(style, "!"), wrapped(sentence, INDENTATION.len() + 2))?;
        }
    }
    let warnings = match report.warnings.len() {
        0 => String::new(),
        n => format!("; {}", counted(n, "warning")),
    };
    let (style, verdict) = verdict(report);
    writeln!(out, "\n{}", styled(style, wrapped(&(verdict + &warnings), 0)))
}

/// A sentence that says whether everything is right.
fn verdict(report: &Report) -> (anstyle::Style, String) {
    match (&report.online, report.errors.len()) {
        (Some(polls), 0) => online::verdict(polls),
        (None, 0) => (GOOD, "All is well".to_owned()),
        (_, 1) => (BAD, "Something is wrong".to_owned()),
        (_, n) => (BAD, format!("{n} things are wrong")),
    }
}

fn overview(summary: &ConfigSummary, out: &mut impl Write) -> io::Result<()> {
    let mut table = Table::default();
    match (&summary.base_url, &summary.requests) {
        (Some(base_url), Some(requests)) => {
            table.row([(HEADING, "API".to_owned()), (PLAIN, base_url.clone())]);
            let FirstRound { polls, logins, .. } = &requests.first_round;
            let Requests { per_second, limit, .. } = requests;
            let sent = format!("{per_second:.2} a second, {} of api.requests_per_second ({limit})", share(requests));
            table.row([(HEADING, "Requests".to_owned()), (style(requests), sent)]);
            if let Some(stretched) = stretched(requests) {
                table.row([(HEADING, String::new()), (WARNING, stretched)]);
            }
            let round = format!("{polls} polls and {logins} logins in {}", requests.first_round.takes());
            table.row([(HEADING, "First round".to_owned()), (PLAIN, round)]);
        }
        _ => table.row([(HEADING, "API".to_owned()), (PLAIN, "none: api.base_url is left out".to_owned())]),
    }
    table.write(out, "")?;
    pools(&summary.pools, out)?;
    accounts(&summary.accounts, out)?;

    writeln!(out, "\n{}", styled(HEADING, "Endpoints"))?;
    let mut table = Table::default();
    let stretch = summary.requests.as_ref().map_or(1.0, |requests| requests.stretch);
    for endpoint in &summary.endpoints {
        let (style, interval) = interval(endpoint, stretch);
        table.row([(PLAIN, endpoint.name.to_owned()), (style, interval), (QUIET, polled_for(endpoint, summary))]);
    }
    table.write(out, INDENTATION)
}

fn share(requests: &Requests) -> String {
    match requests.per_second / requests.limit * 100.0 {
        little if little < 1.0 => "less than 1 %".to_owned(),
        share => format!("{share:.0} %"),
    }
}

fn style(requests: &Requests) -> anstyle::Style {
    if requests.stretch > 1.0 { WARNING } else { PLAIN }
}

/// A warning if the polls need more requests than the limit allows.
fn stretched(Requests { stretch, .. }: &Requests) -> Option<String> {
    (*stretch > 1.0).then(|| format!("that is over the limit: intervals become {stretch:.1} times as long"))
}

fn pools(pools: &[Pool], out: &mut impl Write) -> io::Result<()> {
    if pools.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{} {}", styled(HEADING, "Pools"), pools.len())?;
    let mut table = Table::default();
    for pool in pools.iter().take(LISTED) {
        let Pool { requests, wallets, burst, .. } = pool;
        let Requests { per_second, limit, first_round, .. } = requests;
        let place = format!("{} at {}, {}, {}", pool.currency, pool.host, pool.software, counted(*wallets, "wallet"));
        table.row([(PLAIN, pool.name.clone()), (PLAIN, place)]);
        let sent = format!("at most {per_second:.2} requests a second, {} of {limit}; ", share(requests));
        let round = format!("first round: {} polls in {}, with bursts of {burst}", first_round.polls, first_round.takes());
        table.row([(PLAIN, String::new()), (style(requests), sent + &round)]);
    }
    table.write(out, INDENTATION)?;
    let over_limit = pools.iter().filter_map(|pool| Some((&pool.name, stretched(&pool.requests)?)));
    for (name, stretched) in over_limit.take(LISTED) {
        writeln!(out, "{INDENTATION}{name}: {}", styled(WARNING, stretched))?;
    }
    more(pools.len(), out)
}

fn accounts(accounts: &[Account], out: &mut impl Write) -> io::Result<()> {
    let with_wallets = accounts.iter().filter(|account| !account.wallets.is_empty()).count();
    let places = match (accounts.len() - with_wallets, with_wallets) {
        (_, 0) => String::new(),
        (0, _) => ", with wallets at pools".to_owned(),
        (at_api, _) => format!(": {at_api} at the API, {with_wallets} with wallets at pools"),
    };
    writeln!(out, "\n{} {}{places}", styled(HEADING, "Accounts"), accounts.len())?;
    let mut table = Table::default();
    for account in accounts.iter().take(LISTED) {
        let endpoints = account.endpoints.as_ref().map_or_else(|| "all endpoints".to_owned(), |names| names.join(", "));
        let mut at: Vec<String> =
            account.wallets.iter().map(|wallet| format!("{} at {}", wallet.currency, wallet.pool)).collect();
        let gateway = if at.is_empty() { "" } else { "gateway: " };
        at.extend(account.login.map(|login| format!("{gateway}{login}")));
        table.row([(PLAIN, account.name.clone()), (PLAIN, at.join(", ")), (QUIET, endpoints)]);
    }
    table.write(out, INDENTATION)?;
    more(accounts.len(), out)
}

fn more(all: usize, out: &mut impl Write) -> io::Result<()> {
    if all > LISTED { writeln!(out, "{INDENTATION}and {} more; --format json has all", all - LISTED) } else { Ok(()) }
}

fn interval(endpoint: &Endpoint, stretch: f64) -> (anstyle::Style, String) {
    let Some(seconds) = endpoint.interval_seconds else { return (WARNING, "off".to_owned()) };
    let every = duration::print(Duration::from_secs_f64(seconds));
    if stretch > 1.0 {
        let stretched = Duration::from_secs_f64((seconds * stretch).round());
        (WARNING, format!("every {every}, in fact {}", duration::print(stretched)))
    } else {
        (PLAIN, format!("every {every}"))
    }
}

fn polled_for(endpoint: &Endpoint, ConfigSummary { base_url, currencies, .. }: &ConfigSummary) -> String {
    let (at_api, at_pools) = (endpoint.loops - endpoint.at_pools, endpoint.at_pools);
    match (endpoint.scope, endpoint.interval_seconds) {
        (_, None) => String::new(),
        ("account", _) => match (at_api, at_pools) {
            (0, 0) => "no account has it".to_owned(),
            (_, 0) => counted(at_api, "account"),
            (0, _) => counted(at_pools, "wallet"),
            _ => format!("{}, {}", counted(at_api, "account"), counted(at_pools, "wallet")),
        },
        ("network", _) => match currencies.as_deref() {
            Some([]) => "no network".to_owned(),
            Some(codes) => format!("networks of {}", codes.join(", ")),
            None => "networks of the currencies in use".to_owned(),
        },
        _ if endpoint.loops == 0 && base_url.is_none() => "no pool has it".to_owned(),
        _ if endpoint.loops == 0 => "polled by another instance".to_owned(),
        _ if at_pools == 0 => "the API".to_owned(),
        _ if at_api == 0 => counted(at_pools, "pool"),
        _ => format!("the API, {}", counted(at_pools, "pool")),
    }
}

/// A number with its noun.
pub(super) fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
