//! What `check` found, for people.

use std::io::{self, Write};
use std::time::Duration;

use super::report::{Endpoint, FirstRound, Poll, Report, Understood};
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
    let Understood { base_url, requests, accounts, endpoints, currencies } = understood;
    let mut table = Table::default();
    table.row([(HEADING, "API".to_owned()), (PLAIN, base_url.clone())]);
    let share = match requests.per_second / requests.limit * 100.0 {
        little if little < 1.0 => "less than 1".to_owned(),
        share => format!("{share:.0}"),
    };
    let style = if requests.stretch > 1.0 { WARNING } else { PLAIN };
    let sent = format!("{:.2} a second, {share} % of api.requests_per_second ({})", requests.per_second, requests.limit);
    table.row([(HEADING, "Requests".to_owned()), (style, sent)]);
    if requests.stretch > 1.0 {
        let stretched = format!("that is over the limit: intervals become {:.1} times as long", requests.stretch);
        table.row([(PLAIN, String::new()), (style, stretched)]);
    }
    let FirstRound { polls, logins, seconds } = &requests.first_round;
    let takes = duration::print(Duration::from_secs_f64(seconds.ceil()));
    table.row([(HEADING, "First round".to_owned()), (PLAIN, format!("{polls} polls and {logins} logins in {takes}"))]);
    table.write(out, "")?;

    writeln!(out, "\n{} {}", styled(HEADING, "Accounts"), accounts.len())?;
    let mut table = Table::default();
    for account in accounts.iter().take(LISTED) {
        let endpoints = account.endpoints.as_ref().map_or_else(|| "all endpoints".to_owned(), |names| names.join(", "));
        table.row([(PLAIN, account.name.clone()), (PLAIN, account.login.to_owned()), (QUIET, endpoints)]);
    }
    table.write(out, INDENTATION)?;
    if accounts.len() > LISTED {
        writeln!(out, "{INDENTATION}and {} more; --format json has all", accounts.len() - LISTED)?;
    }

    writeln!(out, "\n{}", styled(HEADING, "Endpoints"))?;
    let mut table = Table::default();
    for endpoint in endpoints {
        let (style, interval) = interval(endpoint, requests.stretch);
        table.row([
            (PLAIN, endpoint.name.to_owned()),
            (style, interval),
            (QUIET, what_for(endpoint, currencies.as_deref())),
        ]);
    }
    table.write(out, INDENTATION)
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

fn what_for(endpoint: &Endpoint, currencies: Option<&[String]>) -> String {
    match (endpoint.scope, endpoint.interval_seconds) {
        (_, None) => String::new(),
        ("account", _) if endpoint.loops == 1 => "1 account".to_owned(),
        ("account", _) => format!("{} accounts", endpoint.loops),
        ("network", _) => match currencies {
            Some([]) => "no network".to_owned(),
            Some(codes) => format!("networks of {}", codes.join(", ")),
            None => "networks of the currencies in use".to_owned(),
        },
        _ if endpoint.loops == 0 => "another instance's".to_owned(),
        _ => "the pool".to_owned(),
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
