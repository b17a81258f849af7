//! Whether everything is right, in one sentence.

use serde::Serialize;

use super::endpoint::Endpoint;
use super::format::{count, counted};
use super::state::{AccountState, Counts};
use crate::health::Stall;

/// The overall state.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Verdict {
    /// Never `ok` if something is unknown.
    pub(super) state: AccountState,
    pub(super) words: String,
}

impl Verdict {
    /// The overall state of all accounts, and of the polls that belong to no account.
    pub(super) fn new(counts: Counts, others: &[Endpoint], stall: Option<&Stall>) -> Verdict {
        let (all, wrong) = (counts.sum(), counts.failing + counts.blocked);
        let accounts = counted(all, "account", "accounts");
        let failing = others.iter().filter(|endpoint| endpoint.error.is_some()).count();
        let of_others = format!("{failing} of {} polls of pools and networks fail", others.len());
        let (state, words) = if let Some(stall) = stall {
            (AccountState::Failing, format!("Polling has stalled: {stall}. The values below may be old."))
        } else if wrong > 0 {
            let verb = if wrong == 1 { "needs" } else { "need" };
            let of_others = if failing > 0 { format!(" {of_others}.") } else { String::new() };
            (AccountState::Failing, format!("{} of {accounts} {verb} attention.{of_others}", count(wrong)))
        } else if failing > 0 {
            (AccountState::Failing, format!("No account fails, but {of_others}."))
        } else if all == 0 {
            (AccountState::Waiting, "No account is polled here.".to_owned())
        } else if counts.waiting > 0 {
            let verb = if counts.waiting == 1 { "waits" } else { "wait" };
            (AccountState::Waiting, format!("Not known yet: {} of {accounts} {verb} for polls.", count(counts.waiting)))
        } else {
            (AccountState::Ok, format!("All is well: the latest polls of {accounts} succeeded."))
        };
        Verdict { state, words }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::server::status::endpoint::Error;

    fn endpoint(fails: bool) -> Endpoint {
        let error = fails.then(|| Error { kind: "timeout", words: "no answer".to_owned(), for_seconds: 1.0 });
        Endpoint { error, ..Endpoint::default() }
    }

    #[test]
    fn all_is_well_only_if_everything_is_known_to_be_well() {
        let counts = |failing, blocked, waiting, ok| Counts { failing, blocked, waiting, ok };
        let (good, bad) = (vec![endpoint(false)], vec![endpoint(true), endpoint(false)]);
        let stall = Stall::Blocked(Duration::from_secs(90));
        for (counts, others, stall, state, words) in [
            (counts(0, 0, 0, 3), &good, None, AccountState::Ok, "All is well: the latest polls of 3 accounts succeeded."),
            (counts(0, 0, 0, 1), &good, None, AccountState::Ok, "All is well: the latest polls of 1 account succeeded."),
            (counts(0, 0, 1, 2), &good, None, AccountState::Waiting, "Not known yet: 1 of 3 accounts waits for polls."),
            (counts(0, 0, 0, 0), &good, None, AccountState::Waiting, "No account is polled here."),
            (
                counts(0, 0, 1, 2),
                &bad,
                None,
                AccountState::Failing,
                "No account fails, but 1 of 2 polls of pools and networks fail.",
            ),
            (counts(0, 1, 0, 1999), &good, None, AccountState::Failing, "1 of 2,000 accounts needs attention."),
            (
                counts(2, 1, 0, 0),
                &bad,
                None,
                AccountState::Failing,
                "3 of 3 accounts need attention. 1 of 2 polls of pools and networks fail.",
            ),
            (
                counts(0, 0, 0, 3),
                &good,
                Some(&stall),
                AccountState::Failing,
                "Polling has stalled: the poller has not run for 1m30s. The values below may be old.",
            ),
        ] {
            assert_eq!(Verdict::new(counts, others, stall), Verdict { state, words: words.to_owned() });
        }
    }
}
