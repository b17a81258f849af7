//! What `check` found, for people.

use std::io::{self, Write};
use std::time::Duration;

use super::pools::Pool;
use super::report::{Account, Endpoint, FirstRound, Poll, Report, Requests, Understood};
use crate::cli::terminal::{BAD, GOOD, HEADING, PLAIN, QUIET, Table, WARNING, styled, wrapped};
use minergate::duration;

/// Accounts and polls that are listed one by one; of more, only what is wrong.
const LISTED: usize = 60;

const INDENTATION: &str = "  ";

pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if let Some(understood) = &report.understood {
        overview(understood, out)?;
    }
    if let Some(polls) = &report.online {
        online(polls, out)?;
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
        1 => ", 1 warning".to_owned(),
        n => format!(", {n} warnings"),
    };
    let polls = report.online.as_deref().unwrap_or_default();
    let (failed, all) = (polls.iter().filter(|poll| !poll.ok).count(), polls.len());
    match report.errors.len() {
        _ if report.ok => writeln!(out, "\n{}{warnings}", styled(GOOD, "All is well")),
        0 if failed > 0 => writeln!(out, "\n{}{warnings}", styled(BAD, format_args!("{failed} of {all} could not be read"))),
        0 | 1 => writeln!(out, "\n{}{warnings}", styled(BAD, "Something is wrong")),
        n => writeln!(out, "\n{}{warnings}", styled(BAD, format_args!("{n} things are wrong"))),
    }
}

fn overview(understood: &Understood, out: &mut impl Write) -> io::Result<()> {
    let mut table = Table::default();
    match (&understood.base_url, &understood.requests) {
        (Some(base_url), Some(requests)) => {
            table.row([(HEADING, "API".to_owned()), (PLAIN, base_url.clone())]);
            for (heading, (style, text)) in ["Requests", "", "First round"].into_iter().zip(sent(requests)) {
                if !text.is_empty() {
                    table.row([(HEADING, heading.to_owned()), (style, text)]);
                }
            }
        }
        _ => table.row([(HEADING, "API".to_owned()), (PLAIN, "none: api.base_url is left out".to_owned())]),
    }
    table.write(out, "")?;
    pools(&understood.pools, out)?;
    accounts(&understood.accounts, out)?;

    writeln!(out, "\n{}", styled(HEADING, "Endpoints"))?;
    let mut table = Table::default();
    let stretch = understood.requests.as_ref().map_or(1.0, |requests| requests.stretch);
    for endpoint in &understood.endpoints {
        let (style, interval) = interval(endpoint, stretch);
        table.row([(PLAIN, endpoint.name.to_owned()), (style, interval), (QUIET, what_for(endpoint, understood))]);
    }
    table.write(out, INDENTATION)
}

/// Requests to the API: their rate, a warning if that is over the limit, and the first round after a start.
fn sent(requests: &Requests) -> [(anstyle::Style, String); 3] {
    let style = if requests.stretch > 1.0 { WARNING } else { PLAIN };
    let FirstRound { polls, logins, seconds } = &requests.first_round;
    let takes = duration::print(Duration::from_secs_f64(seconds.ceil()));
    [
        (
            style,
            format!(
                "{:.2} a second, {} of api.requests_per_second ({})",
                requests.per_second,
                share(requests),
                requests.limit
            ),
        ),
        (style, stretched(requests)),
        (PLAIN, format!("{polls} polls and {logins} logins in {takes}")),
    ]
}

fn share(requests: &Requests) -> String {
    match requests.per_second / requests.limit * 100.0 {
        little if little < 1.0 => "less than 1 %".to_owned(),
        share => format!("{share:.0} %"),
    }
}

/// Empty if the requests are within the limit.
fn stretched(requests: &Requests) -> String {
    let stretch = requests.stretch;
    if stretch > 1.0 {
        format!("that is over the limit: intervals become {stretch:.1} times as long")
    } else {
        String::new()
    }
}

fn pools(pools: &[Pool], out: &mut impl Write) -> io::Result<()> {
    if pools.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{} {}", styled(HEADING, "Pools"), pools.len())?;
    let mut table = Table::default();
    for pool in pools.iter().take(LISTED) {
        let Pool { requests, wallets, burst, .. } = pool;
        let (style, limit) = (if requests.stretch > 1.0 { WARNING } else { PLAIN }, requests.limit);
        let takes = duration::print(Duration::from_secs_f64(requests.first_round.seconds.ceil()));
        let noun = if *wallets == 1 { "wallet" } else { "wallets" };
        let sent = format!("at most {:.2} requests a second, {} of {limit}", requests.per_second, share(requests));
        table.row([
            (PLAIN, pool.name.clone()),
            (PLAIN, format!("{} at {}", pool.currency, pool.host)),
            (PLAIN, pool.software.to_owned()),
            (PLAIN, format!("{wallets} {noun}")),
            (style, sent),
            (QUIET, format!("{} polls in {takes}, burst {burst}", requests.first_round.polls)),
        ]);
    }
    table.write(out, INDENTATION)?;
    for pool in pools.iter().filter(|pool| pool.requests.stretch > 1.0).take(LISTED) {
        writeln!(out, "{INDENTATION}{}: {}", pool.name, styled(WARNING, stretched(&pool.requests)))?;
    }
    more(pools.len(), out)
}

fn accounts(accounts: &[Account], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n{} {}", styled(HEADING, "Accounts"), accounts.len())?;
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

fn what_for(endpoint: &Endpoint, Understood { base_url, pools, currencies, .. }: &Understood) -> String {
    let loops = endpoint.loops;
    match (endpoint.scope, endpoint.interval_seconds) {
        (_, None) => String::new(),
        ("account", _) => match (base_url, pools.is_empty(), loops) {
            (Some(_), true, 1) => "1 account".to_owned(),
            (Some(_), true, _) => format!("{loops} accounts"),
            (Some(_), false, _) => format!("{loops} accounts and wallets"),
            (None, _, 1) => "1 wallet".to_owned(),
            (None, ..) => format!("{loops} wallets"),
        },
        ("network", _) => match currencies.as_deref() {
            Some([]) => "no network".to_owned(),
            Some(codes) => format!("networks of {}", codes.join(", ")),
            None => "networks of the currencies in use".to_owned(),
        },
        _ if loops == 0 && base_url.is_none() => "no pool has it".to_owned(),
        _ if loops == 0 => "polled by another instance".to_owned(),
        _ if loops == 1 => "the pool".to_owned(),
        _ => format!("{loops} pools"),
    }
}

fn online(polls: &[Poll], out: &mut impl Write) -> io::Result<()> {
    let read = polls.iter().filter(|poll| poll.ok).count();
    writeln!(out, "\n{} {read} of {} read", styled(HEADING, "Online"), polls.len())?;
    let mut table = Table::default();
    let headings = ["account", "endpoint", "status", "time", "what was read"];
    table.row(headings.map(|heading| (QUIET, heading.to_owned())));
    for poll in polls.iter().filter(|poll| polls.len() <= LISTED || !poll.ok).take(LISTED) {
        let (style, status) = if poll.ok { (GOOD, "ok") } else { (BAD, "failed") };
        let endpoint =
            if poll.currency.is_empty() { poll.endpoint.to_owned() } else { format!("{} {}", poll.endpoint, poll.currency) };
        table.row([
            (PLAIN, if poll.account.is_empty() { "-".to_owned() } else { poll.account.clone() }),
            (PLAIN, endpoint),
            (style, status.to_owned()),
            (QUIET, format!("{:.2} s", poll.seconds)),
            (PLAIN, poll.words.clone()),
        ]);
    }
    table.write(out, INDENTATION)?;
    let failed = polls.len() - read;
    if failed > LISTED {
        writeln!(out, "{INDENTATION}and {} more that failed; --format json has all", failed - LISTED)?;
    }
    Ok(())
}
