//! What the exporter is doing now, for people (`/`) and programs (`/api/v1/status`): the same facts, twice.
//!
//! Made from what /metrics is made from, and under the same rule: nothing personal, nothing secret.

mod page;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_FRAME_OPTIONS,
};
use axum::response::{Html, IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::App;
use crate::exposition::Filter;
use crate::health::SubjectHealth;
use crate::store::Fresh;
use minergate::metric::Sample;

/// Accounts on one page.
const PAGE: usize = 50;

/// What a browser may do with the page: show it, with our own style sheet.
const SECURITY: [(HeaderName, &str); 5] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; layout-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (HeaderName::from_static("x-content-type-options"), "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
];

/// Everything, as `/api/v1/status` answers it.
#[derive(Debug, Serialize)]
struct Status {
    version: &'static str,
    /// Every account was tried.
    ready: bool,
    /// Accounts there are, on this page and on others.
    account_count: usize,
    page: usize,
    page_count: usize,
    accounts: Vec<Account>,
    /// Loops that belong to no account.
    pool: Vec<Endpoint>,
    networks: BTreeMap<String, Network>,
}

#[derive(Debug, Serialize)]
struct Account {
    name: String,
    /// `ok`, `failing`, `stopped` or `waiting`.
    state: &'static str,
    /// The same in words.
    words: String,
    /// Those that the account uses.
    currencies: BTreeMap<String, Currency>,
    endpoints: Vec<Endpoint>,
}

/// What an account has of one currency; what is not known is left out.
#[derive(Debug, Default, Serialize)]
struct Currency {
    #[serde(skip_serializing_if = "Option::is_none")]
    hashrate_hashes_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workers: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance_coins: Option<f64>,
    /// Good shares among all, since the account began.
    #[serde(skip_serializing_if = "Option::is_none")]
    good_share_ratio: Option<f64>,
    #[serde(skip)]
    shares: (f64, f64),
}

#[derive(Debug, Serialize)]
struct Endpoint {
    name: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    currency: String,
    up: bool,
    interval_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_success_timestamp_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_poll_in_seconds: Option<f64>,
    /// Why the next poll is not at its interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_poll_late: Option<&'static str>,
    /// The failure that goes on: its kind, in words, and for how long.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error>,
}

#[derive(Debug, Serialize)]
struct Error {
    kind: &'static str,
    words: String,
    for_seconds: f64,
}

#[derive(Debug, Default, Serialize)]
struct Network {
    #[serde(skip_serializing_if = "Option::is_none")]
    block_height: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block_timestamp_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    difficulty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hashrate_hashes_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block_reward_coins: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profit_rank: Option<f64>,
}

/// What is asked for: a page, or the accounts whose names hold a text.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    page: Option<usize>,
    name: String,
}

pub(super) async fn json(State(app): State<Arc<App>>, Query(wanted): Query<Wanted>) -> Response {
    match app.clone().make(move || Json(status(&app, &wanted)).into_response()).await {
        Ok(response) | Err(response) => (SECURITY, response).into_response(),
    }
}

pub(super) async fn html(State(app): State<Arc<App>>, Query(wanted): Query<Wanted>) -> Response {
    let page = move |app: &App| Html(page::page(app, &status(app, &wanted), &wanted.name)).into_response();
    match app.clone().make(move || page(&app)).await {
        Ok(response) | Err(response) => (SECURITY, response).into_response(),
    }
}

pub(super) async fn style() -> Response {
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "max-age=3600")];
    (headers, include_str!("status/style.css")).into_response()
}

fn status(app: &App, wanted: &Wanted) -> Status {
    let subjects = &app.exposition.health.subjects;
    let mut names = subjects.account_names();
    let account_count = names.len();
    names.retain(|name| name.contains(&wanted.name));
    let page_count = names.len().div_ceil(PAGE).max(1);
    let page = wanted.page.unwrap_or(1).clamp(1, page_count);
    let shown: Vec<Arc<str>> = names.into_iter().skip((page - 1) * PAGE).take(PAGE).collect();

    let (mut currencies, networks) = values(&app.exposition.store.fresh(), &shown);
    let (mut accounts, mut pool) = (Vec::new(), Vec::new());
    subjects.for_each(|health| {
        let Some(name) = health.subject.account() else { return pool.extend(endpoints(health)) };
        if shown.binary_search(name).is_ok() {
            let (state, words) = words::state(health);
            let currencies = currencies.remove(&**name).unwrap_or_default();
            accounts.push(Account {
                name: name.to_string(),
                state,
                words,
                currencies,
                endpoints: endpoints(health).collect(),
            });
        }
    });
    let (version, ready) = (env!("CARGO_PKG_VERSION"), subjects.is_ready());
    Status { version, ready, account_count, page, page_count, accounts, pool, networks }
}

fn endpoints(health: &SubjectHealth) -> impl Iterator<Item = Endpoint> {
    health.loops.iter().map(|((name, currency), l)| Endpoint {
        name,
        currency: currency.as_deref().unwrap_or_default().to_owned(),
        up: l.up,
        interval_seconds: l.interval.as_secs_f64(),
        last_success_timestamp_seconds: l.last_success,
        next_poll_in_seconds: l.next.map(|next| next.saturating_duration_since(Instant::now()).as_secs_f64()),
        next_poll_late: l.failing.as_ref().and_then(|failing| failing.late),
        error: l.failing.as_ref().map(|failing| Error {
            kind: failing.kind,
            words: failing.words.clone(),
            for_seconds: failing.since.elapsed().as_secs_f64(),
        }),
    })
}

type Currencies = BTreeMap<String, Currency>;

/// What the samples say of the shown accounts' currencies and of the networks.
fn values(fresh: &Fresh<'_>, shown: &[Arc<str>]) -> (BTreeMap<String, Currencies>, BTreeMap<String, Network>) {
    let mut accounts: BTreeMap<String, Currencies> = BTreeMap::new();
    let mut networks: BTreeMap<String, Network> = BTreeMap::new();
    for (endpoint, samples) in fresh.iter() {
        // Looked up one by one: a page costs the same however many accounts are on others.
        let filter = Filter::Some { accounts: shown.iter().map(ToString::to_string).collect(), others: false };
        let filter = if endpoint.is_of_account() { filter } else { Filter::All };
        for entry in filter.entries(samples) {
            let (subject, samples) = (&entry.subject, &entry.samples);
            for (family, series) in samples.families() {
                for one in series {
                    let Some(code) = one.label("currency").or(subject.currency().map(|code| &**code)).map(str::to_owned)
                    else {
                        continue;
                    };
                    if let Some(name) = subject.account().filter(|_| Currency::shows(family.stem)) {
                        accounts.entry(name.to_string()).or_default().entry(code).or_default().set(family.stem, one);
                    } else if Network::shows(family.stem) {
                        networks.entry(code).or_default().set(family.stem, one.value);
                    }
                }
            }
        }
    }
    // A balance names every coin of the pool.
    for currencies in accounts.values_mut() {
        currencies.retain(|_, currency| currency.is_used());
    }
    (accounts, networks)
}

impl Currency {
    fn shows(stem: &str) -> bool {
        ["mining_workers", "mining_hashrate", "workers", "workers_hashrate", "balance", "mining_shares"].contains(&stem)
    }

    /// Whether the account has anything of it, or once had.
    fn is_used(&self) -> bool {
        let values = [self.hashrate_hashes_per_second, self.workers, self.balance_coins];
        values.into_iter().flatten().any(|value| value != 0.0) || self.shares.1 > 0.0
    }

    fn set(&mut self, stem: &str, one: Sample<'_>) {
        match stem {
            "workers" => self.workers = Some(one.value),
            "workers_hashrate" => self.hashrate_hashes_per_second = Some(one.value),
            "balance" => self.balance_coins = Some(one.value),
            // The mining statistics' stand in for those of the workers' endpoint, which are newer.
            "mining_workers" => drop(self.workers.get_or_insert(one.value)),
            "mining_hashrate" => drop(self.hashrate_hashes_per_second.get_or_insert(one.value)),
            _ => {
                let (good, all) = &mut self.shares;
                *all += one.value;
                *good += if one.label("result") == Some("good") { one.value } else { 0.0 };
                self.good_share_ratio = (*all > 0.0).then_some(*good / *all);
            }
        }
    }
}

impl Network {
    fn shows(stem: &str) -> bool {
        const SHOWN: [&str; 6] = [
            "pool_profit_rank",
            "network_block_height",
            "network_block_timestamp",
            "network_difficulty",
            "network_hashrate",
            "network_block_reward",
        ];
        SHOWN.contains(&stem)
    }

    fn set(&mut self, stem: &str, value: f64) {
        let field = match stem {
            "pool_profit_rank" => &mut self.profit_rank,
            "network_block_height" => &mut self.block_height,
            "network_block_timestamp" => &mut self.block_timestamp_seconds,
            "network_difficulty" => &mut self.difficulty,
            "network_hashrate" => &mut self.hashrate_hashes_per_second,
            _ => &mut self.block_reward_coins,
        };
        *field = Some(value);
    }
}
