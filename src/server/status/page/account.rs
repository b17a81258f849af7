//! One account: a line with its state and what it has, and folded below it all else.

use maud::{Markup, html};

use super::table;
use crate::server::status::account::Account;
use crate::server::status::fault::Fault;
use crate::server::status::state::State;
use crate::server::status::words::{ago, balance, si, span, things};

/// The line is unfolded if something is wrong, or if it `is_chosen`. `alone` is the URL of the account with all its workers.
pub(super) fn account(account: &Account, is_chosen: bool, alone: impl Fn() -> String) -> Markup {
    let is_wrong = !account.faults.is_empty() || account.state == State::Blocked;
    html! {
        details data-key=(account.name) open[is_wrong || is_chosen] {
            summary {
                span class={ "state " (account.state.word()) } { (account.state.word()) }
                span class="who" {
                    b { (account.name) }
                    @if account.state != State::Ok { span class={ "why " (account.state.word()) } { (account.words) } }
                }
                (values(account))
            }
            @for (i, fault) in account.faults.iter().enumerate() { p class="fault" { (more(fault, i > 0)) } }
            (shares(account))
            (table::workers(account, alone))
            @if is_wrong {
                details data-key={ (account.name) "@endpoints" } {
                    summary { (things(count_of(account), "endpoint")) }
                    (table::endpoints(&account.endpoints))
                }
            } @else { (table::endpoints(&account.endpoints)) }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "some dozens at most")]
fn count_of(account: &Account) -> f64 {
    account.endpoints.len() as f64
}

/// What the account has, a line for each currency.
fn values(account: &Account) -> Markup {
    html! {
        span class="values" {
            @for (code, currency) in &account.currencies {
                span class="value" {
                    span { (code) @if let Some(pool) = &currency.pool { " " small { (pool) } } }
                    span { @if let Some(hashrate) = currency.hashrate_hashes_per_second { (si(hashrate, "H/s")) } }
                    span { @if let Some(workers) = currency.workers { (things(workers, "worker")) } }
                    span { @if let Some(coins) = currency.balance_coins { (balance(coins, code)) } }
                }
            }
        }
    }
}

/// What the line does not say of a fault; with `words` also what it is.
fn more(fault: &Fault, words: bool) -> Markup {
    let success = fault
        .last_success_timestamp_seconds
        .map_or("never polled successfully".to_owned(), |time| format!("last success {}", ago(time)));
    html! {
        (fault.endpoints) ": "
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
