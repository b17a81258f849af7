//! One account: a line with its state and its values, and details below it.

use maud::{Markup, html};

use super::table;
use crate::server::status::account::Account;
use crate::server::status::fault::Fault;
use crate::server::status::format::{ago, balance, count, si, span, workers};
use crate::server::status::state::AccountState;

/// Limits for one of several accounts, so that the page stays small.
const CURRENCIES: usize = 6;
const FAULTS: usize = 3;

/// The details are unfolded if the account has a problem, or if it `is_chosen`; then everything is shown. `alone` returns the URL of the
/// account's own page.
pub(super) fn account(account: &Account, is_chosen: bool, alone: impl Fn() -> String) -> Markup {
    let is_wrong = !account.faults.is_empty() || account.state == AccountState::Blocked;
    let faults = account.faults.iter().enumerate().take(if is_chosen { usize::MAX } else { FAULTS });
    let is_cut = account.workers.len() < account.worker_count
        || !is_chosen && (account.currencies.len() > CURRENCIES || account.faults.len() > FAULTS);
    html! {
        details data-key=(account.name) open[is_wrong || is_chosen] {
            summary {
                span class={ "state " (account.state.name()) } { (account.state.name()) }
                span class="who" {
                    b { (account.name) }
                    @if account.state != AccountState::Ok { span class={ "why " (account.state.name()) } { (account.words) } }
                }
                (values(account, if is_chosen { usize::MAX } else { CURRENCIES }))
            }
            @for (i, fault) in faults {
                @let is_described = i == 0 && fault.is_described_by(account.state);
                p class="fault" { (more(fault, !is_described || account.state == AccountState::Blocked, !is_described)) }
            }
            @if is_wrong {
                details data-key={ (account.name) "@rest" } open[is_chosen] { summary { "details" } (rest(account)) }
            } @else { (rest(account)) }
            @if is_cut { p { a href=(alone()) { "all of this account" } } }
        }
    }
}

/// The details below the line.
fn rest(account: &Account) -> Markup {
    html! {
        (table::workers(account))
        (shares(account))
        (table::endpoints(&account.endpoints))
    }
}

/// The account's values, a line for each currency; mined currencies come first.
fn values(account: &Account, most: usize) -> Markup {
    let mut currencies: Vec<_> = account.currencies.iter().collect();
    currencies.sort_by_key(|(_, currency)| currency.hashrate_hashes_per_second.is_none_or(|hashrate| hashrate == 0.0));
    let shown = most.min(currencies.len());
    html! {
        span class="values" {
            @for (code, currency) in &currencies[..shown] {
                span class="value" {
                    span { (code) @if let Some(pool) = &currency.pool { " " small { (pool) } } }
                    span { @if let Some(hashrate) = currency.hashrate_hashes_per_second { (si(hashrate, "H/s")) } }
                    span { @if let Some(number) = currency.workers { (workers(number)) } }
                    span { @if let Some(coins) = currency.balance_coins { (balance(coins, code)) } }
                }
            }
            @if shown < currencies.len() { small { "and " (count(currencies.len() - shown)) " more" } }
        }
    }
}

/// The details of a fault that the account's line does not contain. Endpoints and words are only included if requested.
fn more(fault: &Fault, endpoints: bool, words: bool) -> Markup {
    let success = fault
        .last_success_timestamp_seconds
        .map_or("never polled successfully".to_owned(), |time| format!("last success {}", ago(time)));
    html! {
        @if endpoints { (fault.endpoints) ": " }
        @if words { strong { (fault.words) } ", " }
        "for " (span(fault.for_seconds)) "; " (success)
        @if let Some(seconds) = fault.next_poll_in_seconds { "; next poll in " (span(seconds)) }
        @if let Some(late) = &fault.next_poll_late { " (" (late) ")" }
    }
}

/// The ratio of good shares.
fn shares(account: &Account) -> Markup {
    let ratios = account.currencies.iter().filter_map(|(code, currency)| Some((code, currency.good_share_ratio?)));
    let ratios: Vec<String> = ratios.map(|(code, ratio)| format!("{code} {:.2} %", 100.0 * ratio)).collect();
    html! { @if !ratios.is_empty() { p { "Good shares since the account began: " (ratios.join(", ")) } } }
}
