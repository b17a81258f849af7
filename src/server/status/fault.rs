//! The faults of an account. Endpoints that fail in the same way are one fault.

use std::collections::BTreeMap;

use minergate::api::{Blocked, Error};
use serde::Serialize;

use super::endpoint::Endpoint;
use super::state::AccountState;

/// Kinds of errors that concern the account's login or follow from it, and so belong to no single endpoint.
const OF_LOGIN: &[&str] =
    &["wrong_password", "totp_required", "totp_refused", "captcha", "login_blocked", "login_postponed"];

/// Further kinds of errors that can block logins. If logins are not blocked, they do not concern the login.
const BLOCKING: &[&str] = &["discontinued", "unauthorized"];

/// Kinds of errors for which nothing was sent, because of an earlier error.
const FOLLOWING: &[&str] = &["paused", "login_postponed"];

#[derive(Debug, Serialize)]
pub(super) struct Fault {
    pub(super) kind: &'static str,
    pub(super) words: String,
    /// The failing endpoints: `all 10 endpoints`, or their names.
    pub(super) endpoints: String,
    /// The number of these endpoints.
    pub(super) endpoint_count: usize,
    pub(super) for_seconds: f64,
    /// The latest success of these endpoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_success_timestamp_seconds: Option<f64>,
    /// The time until the first of their next polls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_poll_in_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_poll_late: Option<String>,
}

impl Fault {
    /// The faults of an account, the most important first.
    pub(super) fn all(endpoints: &[Endpoint], blocked: Option<Blocked>) -> Vec<Fault> {
        let failing = || endpoints.iter().filter_map(|endpoint| Some((endpoint, endpoint.error.as_ref()?)));
        // The error that another error follows from.
        let cause = |of: &Endpoint, is_cause: fn(&str) -> bool| {
            let mut causes = failing().filter(|(endpoint, error)| endpoint.currency == of.currency && is_cause(error.kind));
            causes.next().map(|(_, error)| (error.kind, error.words.clone()))
        };
        let login = blocked.map(Error::LoginBlocked).map(|error| (error.kind(), error.to_string()));
        let mut groups: BTreeMap<(&'static str, String), Vec<&Endpoint>> = BTreeMap::new();
        for (endpoint, error) in failing() {
            let cause = match error.kind {
                "paused" => cause(endpoint, |kind| ["rate_limited", "unavailable"].contains(&kind)),
                kind if OF_LOGIN.contains(&kind) || blocked.is_some() && BLOCKING.contains(&kind) => {
                    login.clone().or_else(|| cause(endpoint, |kind| OF_LOGIN.contains(&kind) && !FOLLOWING.contains(&kind)))
                }
                _ => None,
            };
            groups.entry(cause.unwrap_or_else(|| (error.kind, error.words.clone()))).or_default().push(endpoint);
        }
        let mut faults: Vec<Fault> =
            groups.into_iter().map(|((kind, words), failing)| Fault::new(kind, words, &failing, endpoints)).collect();
        faults.sort_by_key(|fault| {
            let rank = (!OF_LOGIN.contains(&fault.kind), FOLLOWING.contains(&fault.kind));
            (rank, std::cmp::Reverse(fault.endpoint_count))
        });
        faults
    }

    /// Whether the account's description in this state already contains its most important fault.
    pub(super) fn is_described_by(&self, state: AccountState) -> bool {
        state != AccountState::Blocked || self.kind == "login_blocked"
    }

    fn new(kind: &'static str, words: String, failing: &[&Endpoint], all: &[Endpoint]) -> Fault {
        let next_polls = failing.iter().filter_map(|endpoint| Some((endpoint.next_poll_in_seconds?, endpoint)));
        let next_poll = next_polls.min_by(|(one, _), (other, _)| one.total_cmp(other));
        Fault {
            kind,
            words,
            endpoints: names(failing, all),
            endpoint_count: failing.len(),
            for_seconds: failing.iter().filter_map(|e| Some(e.error.as_ref()?.for_seconds)).fold(0.0, f64::max),
            last_success_timestamp_seconds: failing.iter().filter_map(|e| e.last_success_timestamp_seconds).reduce(f64::max),
            next_poll_in_seconds: next_poll.map(|(seconds, _)| seconds),
            next_poll_late: next_poll.and_then(|(_, endpoint)| endpoint.next_poll_late.clone()),
        }
    }
}

/// A name for some of an account's endpoints: `all 10 endpoints`, `all of xmr`, `balance, workers of xmr`.
fn names(some: &[&Endpoint], all: &[Endpoint]) -> String {
    if some.len() > 1 && some.len() == all.len() {
        return format!("all {} endpoints", all.len());
    }
    let mut by_currency: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for endpoint in some {
        by_currency.entry(&endpoint.currency).or_default().push(endpoint.name);
    }
    let names = |(currency, names): (&str, Vec<&str>)| {
        if currency.is_empty() {
            names.join(", ")
        } else if names.len() > 1 && names.len() == all.iter().filter(|endpoint| endpoint.currency == currency).count() {
            format!("all of {currency}")
        } else {
            format!("{} of {currency}", names.join(", "))
        }
    };
    by_currency.into_iter().map(names).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::endpoint;
    use super::*;

    /// Describes the faults of endpoints, each given by its name, its currency, and the kind and the message of its error.
    fn faults(endpoints: &[(&'static str, &str, &'static str, &str)], blocked: Option<Blocked>) -> Vec<String> {
        let endpoint = |(name, currency, kind, words): &(&'static str, &str, &'static str, &str)| {
            let error = endpoint::Error { kind, words: (*words).to_owned(), for_seconds: 1.0 };
            let error = Some(error).filter(|_| !kind.is_empty());
            Endpoint { name, currency: (*currency).to_owned(), error, ..Endpoint::default() }
        };
        let endpoints: Vec<Endpoint> = endpoints.iter().map(endpoint).collect();
        Fault::all(&endpoints, blocked).into_iter().map(|fault| format!("{}: {}", fault.endpoints, fault.words)).collect()
    }

    #[test]
    fn endpoints_that_fail_alike_are_one_fault_and_a_login_fails_once() {
        let blocked = "login blocked: wrong password; give other credentials, or try these once more with check --online";
        let none: [&str; 0] = [];
        assert_eq!(faults(&[("balance", "", "", "")], None), none);
        for (endpoints, reason, expected) in [
            (vec![("a", "", "timeout", "late"), ("b", "", "", ""), ("c", "", "timeout", "late")], None, vec!["a, c: late"]),
            (vec![("a", "", "timeout", "late"), ("b", "", "timeout", "late")], None, vec!["all 2 endpoints: late"]),
            // The same kind with another message.
            (
                vec![("a", "", "server_error", "500"), ("b", "", "server_error", "502"), ("c", "", "server_error", "502")],
                None,
                vec!["b, c: 502", "a: 500"],
            ),
            // An error that follows from another one is not a separate fault, or not the most important one.
            (
                vec![("a", "", "paused", "pause"), ("b", "", "rate_limited", "429"), ("c", "", "shape", "shape")],
                None,
                vec!["a, b: 429", "c: shape"],
            ),
            (
                vec![("a", "", "paused", "pause"), ("b", "", "paused", "pause"), ("c", "", "shape", "shape")],
                None,
                vec!["c: shape", "a, b: pause"],
            ),
            // The error of the login, and the errors that follow from it.
            (
                vec![
                    ("a", "", "login_postponed", "wait"),
                    ("b", "", "totp_refused", "code"),
                    ("c", "", "shape", "shape"),
                    ("d", "", "", ""),
                ],
                None,
                vec!["a, b: code", "c: shape"],
            ),
            (vec![("a", "", "login_postponed", "wait"), ("b", "", "", "")], None, vec!["a: wait"]),
            (
                vec![("a", "", "wrong_password", "refused"), ("b", "", "login_blocked", "blocked"), ("c", "", "", "")],
                Some(Blocked::WrongPassword),
                vec![&*format!("a, b: {blocked}")],
            ),
            // One of two wallets fails.
            (
                vec![
                    ("a", "etc", "", ""),
                    ("a", "xmr", "wallet_unknown", "?"),
                    ("b", "etc", "timeout", "late"),
                    ("b", "xmr", "wallet_unknown", "?"),
                ],
                None,
                vec!["all of xmr: ?", "b of etc: late"],
            ),
        ] {
            assert_eq!(faults(&endpoints, reason), expected);
        }
    }
}
