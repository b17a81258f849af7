//! The log of failures: one line when a failure begins, one when its kind changes, and one when it ends.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::scrape::Scrape;

/// The messages at the beginning and the end of a failure: of the API, of an account, of a loop.
const MESSAGES: [(&str, &str); 3] =
    [("api down", "api up again"), ("account down", "account up again"), ("poll failed", "poll succeeds again")];

/// The state of each subject by the log (message of the beginning, account, endpoint, currency).
#[derive(Default)]
pub(super) struct Journal {
    /// The kind of the present failure, if there is one.
    failing: BTreeMap<[String; 4], Option<String>>,
    /// All kinds of failures, by account.
    kinds: BTreeMap<String, BTreeSet<String>>,
}

impl Journal {
    /// Reads a log, and checks the order of its lines.
    pub(super) fn read(log: &str) -> Journal {
        let mut journal = Journal::default();
        for line in log.lines() {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let field = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            let message = field("message");
            let Some((begin, end)) = MESSAGES.iter().find(|(begin, end)| [*begin, *end].contains(&message.as_str())) else {
                continue;
            };
            let [account, endpoint, currency] = ["account", "endpoint", "currency"].map(field);
            // The loop of a network ends when no account uses its currency, and a new one can begin.
            if !currency.is_empty() {
                continue;
            }
            let key = [(*begin).to_owned(), account.clone(), endpoint, currency];
            if message == *end {
                assert!(line["failed_for"].as_f64().is_some_and(|seconds| seconds >= 0.0), "{line}");
                assert!(journal.failing.insert(key, None).flatten().is_some(), "nothing had failed: {line}");
            } else {
                let kind = field("kind");
                let before = journal.failing.insert(key, Some(kind.clone())).flatten();
                assert!(before.as_ref() != Some(&kind), "said again: {line}");
                journal.kinds.entry(account).or_default().insert(kind);
            }
        }
        journal
    }

    /// The kinds of all failures that were reported of an account.
    pub(super) fn kinds(&self, account: &str) -> BTreeSet<String> {
        self.kinds.get(account).cloned().unwrap_or_default()
    }

    /// Whether a scrape agrees with the log: a subject with a reported failure is down, and one without is up.
    pub(super) fn agrees_with(&self, scrape: &Scrape) -> bool {
        let value = |series: String| scrape.get(&series);
        self.failing.iter().filter(|(_, kind)| kind.is_some()).all(|([message, account, endpoint, _], _)| {
            let down = match message.as_str() {
                "api down" => return false,
                "account down" => value(format!("minergate_up{{account=\"{account}\"}}")),
                _ => value(format!("minergate_endpoint_up{{account=\"{account}\",endpoint=\"{endpoint}\",currency=\"\"}}")),
            };
            down == Some(0.0)
        })
    }
}
