//! The data of the status page and the JSON: the requested accounts, and the state of everything.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::StatusQuery;
use super::account::Account;
use super::currency::{by_account, totals};
use super::endpoint::Endpoint;
use super::network::Network;
use super::state::{AccountState, Counts};
use super::total::Total;
use super::verdict::Verdict;
use super::worker::Worker;
use crate::exposition::Exposition;

/// Maximum number of accounts on one page.
const PAGE: usize = 50;

/// The order of the accounts.
#[derive(Clone, Copy)]
pub(super) enum Order {
    ByName,
    /// Accounts with problems come first.
    ByState,
}

/// The whole answer of `/api/v1/status`.
#[derive(Debug, Serialize)]
pub(super) struct StatusReport {
    pub(super) version: &'static str,
    /// Every account was polled at least once.
    pub(super) ready: bool,
    /// Whether everything is right.
    #[serde(flatten)]
    pub(super) verdict: Verdict,
    /// Number of all accounts, independent of the query.
    pub(super) account_count: usize,
    /// All accounts, by state.
    pub(super) counts: Counts,
    /// Number of accounts that match the query, on all pages.
    pub(super) match_count: usize,
    pub(super) page: usize,
    pub(super) page_count: usize,
    pub(super) accounts: Vec<Account>,
    /// The totals of all accounts, by currency.
    pub(super) totals: BTreeMap<String, Total>,
    /// Number of accounts without known values, which no total contains.
    pub(super) accounts_without_values: usize,
    /// Loops that belong to no account.
    pub(super) pool: Vec<Endpoint>,
    pub(super) networks: BTreeMap<String, Network>,
}

impl StatusReport {
    pub(super) fn new(exposition: &Exposition, query: &StatusQuery, order: Order) -> StatusReport {
        let health = &exposition.health;
        let (mut counts, mut matching, mut pool) = (Counts::default(), Vec::new(), Vec::new());
        health.subjects.for_each(|subject| {
            let Some(name) = subject.subject.account() else { return pool.extend(Endpoint::all(subject, health)) };
            let state = AccountState::of(subject);
            counts.add(state);
            if query.matches(name) {
                matching.push((state, name.clone()));
            }
        });
        if let Order::ByState = order {
            matching.sort();
        }
        let match_count = matching.len();
        let page_count = match_count.div_ceil(PAGE).max(1);
        let page = query.page.unwrap_or(1).clamp(1, page_count);
        let shown: Vec<Arc<str>> = matching.into_iter().skip((page - 1) * PAGE).take(PAGE).map(|(_, name)| name).collect();

        // This is a copy, because polls end meanwhile.
        let sections = exposition.store.fresh().all();
        let mut currencies = by_account(&sections);
        let totals = totals(currencies.values());
        let accounts_without_values = counts.sum().saturating_sub(currencies.len());
        // Only the shown accounts have an entry.
        let mut workers: BTreeMap<&str, Vec<Worker>> =
            shown.iter().map(|name| (&**name, Worker::all(&sections, name))).collect();
        let mut accounts = BTreeMap::new();
        health.subjects.for_each(|subject| {
            let Some(name) = subject.subject.account() else { return };
            let Some(workers) = workers.remove(&**name) else { return };
            let own = currencies.remove(name).unwrap_or_default();
            accounts.insert(name.clone(), Account::new(subject, health, own, workers, query.account.is_some()));
        });
        StatusReport {
            version: env!("CARGO_PKG_VERSION"),
            ready: health.subjects.is_ready(),
            verdict: Verdict::new(counts, &pool, health.stall().as_ref()),
            account_count: counts.sum(),
            counts,
            match_count,
            page,
            page_count,
            accounts: shown.iter().filter_map(|name| accounts.remove(name)).collect(),
            totals,
            accounts_without_values,
            pool,
            networks: Network::all(&sections),
        }
    }
}

impl StatusQuery {
    fn matches(&self, name: &str) -> bool {
        match &self.account {
            Some(account) => name == account,
            None => name.to_lowercase().contains(&self.name.trim().to_lowercase()),
        }
    }
}
