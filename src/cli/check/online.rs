//! `check --online`: logs in, and reads each endpoint once.

use std::io::{IsTerminal as _, Write as _};

use super::report::Poll;
use crate::cli::terminal;
use crate::config::Config;
use crate::explanation::explanation;
use crate::pipeline::Pipeline;
use crate::poller::Outcome;
use crate::store::Key;
use minergate::endpoints::ENDPOINTS;
use minergate::metric::{Family, Kind, Sample, Samples};
use minergate::spelling;

/// Maximum number of currencies that are named.
const NAMED: usize = 4;

pub(super) async fn run(config: &Config) -> anyhow::Result<Vec<Poll>> {
    // The user may have corrected rejected credentials.
    config.plan.accounts.iter().for_each(|(account, _)| account.retry_rejected());
    let Pipeline { hosts, poller, .. } = Pipeline::new(config)?;
    let mut progress = Progress::new();
    let outcomes = poller.round(hosts.concurrency(), words, |outcome, all| progress.step(outcome, all)).await;
    progress.end();
    let mut polls: Vec<Poll> = outcomes.into_iter().map(poll).collect();
    let place = |poll: &Poll| ENDPOINTS.iter().position(|endpoint| endpoint.name == poll.endpoint);
    // In the order of the configuration: accounts with their endpoints in the table's order, then pool and networks.
    let names = config.account_names();
    let account = |poll: &Poll| names.iter().position(|name| ***name == *poll.account).unwrap_or(usize::MAX);
    polls.sort_by(|a, b| (account(a), place(a), &a.currency).cmp(&(account(b), place(b), &b.currency)));
    Ok(polls)
}

fn poll(outcome: Outcome<String>) -> Poll {
    let Outcome { key: Key { subject, endpoint }, pool, duration, result } = outcome;
    let (account, currency) = subject.labels();
    let kind = result.as_ref().err().map(minergate::api::Error::kind);
    let seconds = (duration.as_secs_f64() * 1000.0).round() / 1000.0;
    let words = result.unwrap_or_else(|error| explanation(&error, pool.as_deref()));
    Poll { account: account.to_owned(), endpoint, currency: currency.to_owned(), ok: kind.is_none(), seconds, kind, words }
}

/// A description of the samples.
fn words(samples: &Samples) -> String {
    let values = samples.len();
    let currencies = samples.layout().currencies();
    match (values, currencies.len()) {
        (0, _) => "nothing: the answer is empty".to_owned(),
        // A single value is shown itself.
        (1, 0) => {
            samples.families().find_map(|(family, mut samples)| Some(lone(family, samples.next()?))).unwrap_or_default()
        }
        (_, 0) => format!("{values} values"),
        _ => {
            let noun = if values == 1 { "value" } else { "values" };
            format!("{values} {noun} of {}", spelling::list(currencies.iter(), NAMED))
        }
    }
}

fn lone(family: &Family, sample: Sample<'_>) -> String {
    match family.kind {
        // The label's value with its quotes.
        Kind::Info => format!("{}: {}", family.help, sample.labels.split_once('=').map_or("", |(_, value)| value)),
        _ => format!("{}: {}", family.help, sample.value),
    }
}

/// A progress line on a terminal. It is not shown elsewhere.
struct Progress {
    is_shown: bool,
    done: usize,
}

impl Progress {
    fn new() -> Progress {
        let progress = Progress { is_shown: std::io::stderr().is_terminal(), done: 0 };
        progress.show("asking");
        progress
    }

    fn step<T>(&mut self, outcome: &Outcome<T>, all: usize) {
        self.done += 1;
        let Key { subject, endpoint } = &outcome.key;
        let (account, currency) = subject.labels();
        let parts: Vec<&str> = [account, currency, endpoint].into_iter().filter(|part| !part.is_empty()).collect();
        self.show(&format!("{} of {all}: {}", self.done, parts.join(" ")));
    }

    fn end(self) {
        self.show("");
    }

    fn show(&self, text: &str) {
        if self.is_shown {
            // A line that wraps at the edge could not be erased.
            let room = terminal::columns_of(&std::io::stderr()).unwrap_or(usize::MAX).saturating_sub(1);
            let text: String = text.chars().take(room).collect();
            // An error does not matter: the line is only for a viewer.
            let _ = write!(std::io::stderr(), "\r\x1b[K{text}");
        }
    }
}
