//! The log of polls: a failure is said once when it begins, once when it becomes another, and once when it ends.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::scrape::Scrape;

/// What the log says of each loop (account, endpoint, currency).
#[derive(Default)]
pub(super) struct Journal {
    /// The kind of the failure that goes on; nothing when it is over.
    failing: BTreeMap<[String; 3], Option<String>>,
    /// All kinds of failures, by account.
    kinds: BTreeMap<String, BTreeSet<String>>,
}

impl Journal {
    /// Reads a log, and checks that its lines follow each other as they should.
    pub(super) fn read(log: &str) -> Journal {
        let mut journal = Journal::default();
        for line in log.lines() {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let field = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            let key = ["account", "endpoint", "currency"].map(field);
            // The loop of a network ends when nobody uses its currency any more, and another may begin.
            let is_lasting = key[2].is_empty();
            match &*field("message") {
                "poll failed" => {
                    let kind = field("kind");
                    let before = journal.failing.insert(key.clone(), Some(kind.clone())).flatten();
                    assert!(!is_lasting || before.as_ref() != Some(&kind), "said again: {line}");
                    if is_lasting {
                        journal.kinds.entry(key[0].clone()).or_default().insert(kind);
                    }
                }
                "poll succeeds again" => {
                    assert!(line["failed_for"].as_f64().is_some_and(|seconds| seconds >= 0.0), "{line}");
                    let before = journal.failing.insert(key, None).flatten();
                    assert!(!is_lasting || before.is_some(), "nothing had failed: {line}");
                }
                _ => {}
            }
        }
        journal
    }

    /// The kinds of all failures of an account's loops.
    pub(super) fn kinds(&self, account: &str) -> BTreeSet<String> {
        self.kinds.get(account).cloned().unwrap_or_default()
    }

    /// Whether the account waits before its next login.
    pub(super) fn waits(&self, account: &str) -> bool {
        self.failing.iter().any(|(key, kind)| key[0] == account && kind.as_deref() == Some("login_postponed"))
    }

    /// Whether a scrape says of each account's loops what the log says.
    pub(super) fn agrees_with(&self, scrape: &Scrape) -> bool {
        let mut lasting = self.failing.iter().filter(|(key, _)| key[2].is_empty());
        lasting.all(|([account, endpoint, _], failing)| {
            let series = format!("minergate_endpoint_up{{account=\"{account}\",endpoint=\"{endpoint}\",currency=\"\"}}");
            scrape.get(&series) == Some(f64::from(failing.is_none()))
        })
    }
}
