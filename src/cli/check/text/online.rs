//! The results of `check --online` as text. A failure of an account is shown once, even if it affects many endpoints.

use std::collections::BTreeSet;
use std::io::{self, Write};

use anstyle::Style;

use super::{INDENTATION, LISTED, counted};
use crate::cli::check::report::Poll;
use crate::cli::terminal::{BAD, GOOD, HEADING, PLAIN, QUIET, Table, styled};
use minergate::spelling;

/// Kinds of errors that follow from a failed login. Nothing was sent.
const FOLLOWING: &[&str] = &["login_blocked", "login_postponed"];

/// Maximum number of endpoints named in one row.
const NAMED: usize = 4;

/// Polls of one account with the same result.
struct Row<'a> {
    polls: Vec<&'a Poll>,
}

pub(super) fn write(polls: &[Poll], out: &mut impl Write) -> io::Result<()> {
    let read = polls.iter().filter(|poll| poll.ok).count();
    writeln!(out, "\n{} {read} of {} read", styled(HEADING, "Online"), polls.len())?;
    let rows: Vec<Row<'_>> = polls.chunk_by(|a, b| a.account == b.account).flat_map(rows).collect();
    let mut table = Table::default();
    let headings = ["account", "endpoint", "status", "time", "what was read"];
    table.row(headings.map(|heading| (QUIET, heading.to_owned())));
    let listed: Vec<&Row<'_>> = rows.iter().filter(|row| rows.len() <= LISTED || !row.is_ok()).collect();
    for row in listed.iter().take(LISTED) {
        table.row(row.cells(polls));
    }
    if !listed.is_empty() {
        table.write(out, INDENTATION)?;
    }
    if listed.len() > LISTED {
        writeln!(out, "{INDENTATION}and {} more that failed; --format json has all", listed.len() - LISTED)?;
    }
    Ok(())
}

/// The polls of one account: a row for each success, and a row for each reason of failures.
fn rows(polls: &[Poll]) -> Vec<Row<'_>> {
    let follows = |poll: &Poll| poll.kind.is_some_and(|kind| FOLLOWING.contains(&kind));
    let mut rows: Vec<Row<'_>> = Vec::new();
    for poll in polls.iter().filter(|poll| poll.ok || !follows(poll)) {
        match rows.iter_mut().find(|row| !poll.ok && row.polls.iter().any(|one| !one.ok && one.words == poll.words)) {
            Some(row) => row.polls.push(poll),
            None => rows.push(Row { polls: vec![poll] }),
        }
    }
    // Errors that follow from a failed login are in the row of the login.
    for poll in polls.iter().filter(|poll| follows(poll)) {
        match rows.iter_mut().find(|row| !row.is_ok()) {
            Some(row) => row.polls.push(poll),
            None => rows.push(Row { polls: vec![poll] }),
        }
    }
    rows
}

impl Row<'_> {
    fn is_ok(&self) -> bool {
        self.polls.iter().all(|poll| poll.ok)
    }

    fn cells(&self, all: &[Poll]) -> [(Style, String); 5] {
        let first = self.polls[0];
        let of_account = all.iter().filter(|poll| poll.account == first.account).count();
        let (endpoint, which) = match self.polls.len() {
            1 => (name(first), String::new()),
            n if n == of_account => (format!("all {n} endpoints"), String::new()),
            n => (format!("{n} of {of_account} endpoints"), format!(" ({})", self.names())),
        };
        let (style, status) = if self.is_ok() { (GOOD, "ok") } else { (BAD, "failed") };
        let seconds = self.polls.iter().map(|poll| poll.seconds).fold(0.0, f64::max);
        [
            (PLAIN, if first.account.is_empty() { "-".to_owned() } else { first.account.clone() }),
            (PLAIN, endpoint),
            (style, status.to_owned()),
            (QUIET, format!("{seconds:.2} s")),
            (PLAIN, format!("{}{which}", first.words)),
        ]
    }

    fn names(&self) -> String {
        spelling::list(self.polls.iter().map(|poll| name(poll)), NAMED)
    }
}

fn name(poll: &Poll) -> String {
    if poll.currency.is_empty() { poll.endpoint.to_owned() } else { format!("{} {}", poll.endpoint, poll.currency) }
}

/// A sentence that says whether everything was read.
pub(super) fn verdict(polls: &[Poll]) -> (Style, String) {
    let of_accounts = || polls.iter().filter(|poll| !poll.account.is_empty());
    let all = of_accounts().map(|poll| &*poll.account).collect::<BTreeSet<_>>().len();
    let failed = of_accounts().filter(|poll| !poll.ok).map(|poll| &*poll.account).collect::<BTreeSet<_>>().len();
    let others = || polls.iter().filter(|poll| poll.account.is_empty());
    let failed_others = others().filter(|poll| !poll.ok).count();
    let of_others = format!("{failed_others} of {} of pools and networks", counted(others().count(), "endpoint"));
    let of_accounts =
        format!("{failed} of {} {} problems", counted(all, "account"), if failed == 1 { "has" } else { "have" });
    match (failed, failed_others) {
        (0, 0) => {
            let answered = format!("{} answered", counted(polls.len(), "endpoint"));
            let accounts = if all == 0 { String::new() } else { format!("{}, ", counted(all, "account")) };
            (GOOD, format!("All is well: {accounts}{answered}"))
        }
        (0, _) => (BAD, format!("{of_others} could not be read")),
        (_, 0) => (BAD, of_accounts),
        _ => (BAD, format!("{of_accounts}, and {of_others} could not be read")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(account: &str, endpoint: &'static str, kind: Option<&'static str>, words: &str) -> Poll {
        let (account, words) = (account.to_owned(), words.to_owned());
        Poll { account, endpoint, currency: String::new(), ok: kind.is_none(), seconds: 0.0, kind, words }
    }

    #[test]
    fn a_failed_login_and_its_consequences_are_one_row() {
        let polls = [
            poll("a", "workers", Some("login_blocked"), "blocked"),
            poll("a", "balance", Some("wrong_password"), "wrong"),
            poll("a", "nickname", Some("login_blocked"), "blocked"),
            poll("b", "workers", None, "3 values"),
            poll("b", "balance", Some("timeout"), "late"),
            poll("b", "transfers", Some("timeout"), "late"),
            poll("b", "nickname", Some("shape"), "odd"),
            poll("c", "workers", Some("login_postponed"), "waiting"),
            poll("c", "balance", Some("login_postponed"), "waiting"),
            poll("", "status", Some("not_found"), "none"),
        ];
        let shown: Vec<_> = polls
            .chunk_by(|a, b| a.account == b.account)
            .flat_map(rows)
            .map(|row| row.cells(&polls).map(|(_, text)| text))
            .map(|[account, endpoint, status, _, words]| [account, endpoint, status, words].join("|"))
            .collect();
        assert_eq!(
            shown,
            [
                "a|all 3 endpoints|failed|wrong",
                "b|workers|ok|3 values",
                "b|2 of 4 endpoints|failed|late (balance, transfers)",
                "b|nickname|failed|odd",
                "c|all 2 endpoints|failed|waiting",
                "-|status|failed|none",
            ]
        );
        let (_, words) = verdict(&polls);
        assert_eq!(words, "3 of 3 accounts have problems, and 1 of 1 endpoint of pools and networks could not be read");
    }

    #[test]
    fn the_last_line_says_whether_all_is_well() {
        let (good, bad) = (None, Some("timeout"));
        for (polls, expected) in [
            (&[("a", good), ("a", good), ("b", good), ("", good)][..], "All is well: 2 accounts, 4 endpoints answered"),
            (&[("", good)], "All is well: 1 endpoint answered"),
            (&[("a", good), ("b", bad), ("b", bad)], "1 of 2 accounts has problems"),
            (&[("a", bad), ("b", bad), ("", good)], "2 of 2 accounts have problems"),
            (&[("a", good), ("", bad), ("", good)], "1 of 2 endpoints of pools and networks could not be read"),
        ] {
            let polls: Vec<Poll> = polls.iter().map(|(account, kind)| poll(account, "workers", *kind, "")).collect();
            assert_eq!(verdict(&polls).1, expected);
        }
    }
}
