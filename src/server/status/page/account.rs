//! One account: a line with its state and what it has, and folded below it all else.

use maud::{Markup, html};

use super::table;
use crate::server::status::account::Account;
use crate::server::status::fault::Fault;
use crate::server::status::state::State;
use crate::server::status::words::{ago, balance, count, si, span, workers};

/// What is shown at most of an account beside others: a page of accounts that have much is small, too.
const CURRENCIES: usize = 6;
const FAULTS: usize = 3;

/// The line is unfolded if something is wrong, or if it `is_chosen`; then all is shown. `alone` is the URL where it is.
pub(super) fn account(account: &Account, is_chosen: bool, alone: impl Fn() -> String) -> Markup {
    let is_wrong = !account.faults.is_empty() || account.state == State::Blocked;
    let faults = account.faults.iter().enumerate().take(if is_chosen { usize::MAX } else { FAULTS });
    let is_cut = account.workers.len() < account.worker_count
        || !is_chosen && (account.currencies.len() > CURRENCIES || account.faults.len() > FAULTS);
    html! {
        details data-key=(account.name) open[is_wrong || is_chosen] {
            summary {
                span class={ "state " (account.state.word()) } { (account.state.word()) }
                span class="who" {
                    b { (account.name) }
                    @if account.state != State::Ok { span class={ "why " (account.state.word()) } { (account.words) } }
                }
                (values(account, if is_chosen { usize::MAX } else { CURRENCIES }))
            }
            @for (i, fault) in faults {
                @let is_said = i == 0 && fault.is_said(account.state);
                p class="fault" { (more(fault, !is_said || account.state == State::Blocked, !is_said)) }
            }
            @if is_wrong {
                details data-key={ (account.name) "@rest" } open[is_chosen] { summary { "details" } (rest(account)) }
            } @else { (rest(account)) }
            @if is_cut { p { a href=(alone()) { "all of this account" } } }
        }
    }
}

/// What the line does not say.
fn rest(account: &Account) -> Markup {
    html! {
        (table::workers(account))
        (shares(account))
        (table::endpoints(&account.endpoints))
    }
}

/// What the account has, a line for each currency: first those that are mined.
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

/// What the account's line does not say of a fault; its endpoints and its words only if they are wanted.
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

/// How many shares were good.
fn shares(account: &Account) -> Markup {
    let ratios = account.currencies.iter().filter_map(|(code, currency)| Some((code, currency.good_share_ratio?)));
    let ratios: Vec<String> = ratios.map(|(code, ratio)| format!("{code} {:.2} %", 100.0 * ratio)).collect();
    html! { @if !ratios.is_empty() { p { "Good shares since the account began: " (ratios.join(", ")) } } }
}
