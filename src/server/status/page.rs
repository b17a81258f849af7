//! The status page's HTML. It needs no script: details fold by themselves, and without one the browser loads the page again.

mod account;
mod table;

use maud::{DOCTYPE, Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use self::account::account;
use super::Wanted;
use super::facts::Facts;
use super::state::State;
use super::words::{clock_seconds, count};
use crate::server::App;

/// Seconds after which the page is refreshed.
const REFRESH: u32 = 30;

/// With so many accounts or fewer there is no search.
const FEW: usize = 10;

pub(super) fn page(app: &App, facts: &Facts, wanted: &Wanted) -> String {
    let at = |path: &str| app.external_path(path);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                noscript { meta http-equiv="refresh" content=(REFRESH); }
                title { "MinerGate exporter" }
                link rel="stylesheet" href=(at("/status.css"));
                script src=(at("/status.js")) data-seconds=(REFRESH) defer {}
            }
            body {
                header {
                    h1 { "MinerGate exporter" }
                    nav {
                        a href=(at(&app.telemetry_path)) { "metrics" } " "
                        a href=(at("/api/v1/status")) { "status as JSON" } " "
                        a href=(at("/sd")) { "targets" } " "
                        a href=(at("/-/ready")) { "readiness" } " "
                        a href=(at("/docs/metrics.md")) { "what the metrics mean" }
                    }
                }
                main {
                    p id="silent" class="failing" { "The exporter does not answer. What it said last:" }
                    (now(facts))
                    @if facts.account_count > FEW || !wanted.name.is_empty() { (search(wanted, &at("/"))) }
                    (shown(facts, wanted, &at("/")))
                }
                footer { "Version " (facts.version) ". Times are UTC. Refreshed every " (REFRESH) " s." }
            }
        }
    }
    .into_string()
}

/// What is true of all accounts. The script replaces it.
fn now(facts: &Facts) -> Markup {
    let counts = facts.counts.all().into_iter().filter(|(state, count)| *count > 0 || *state == State::Ok);
    html! {
        div id="now" {
            p class={ "verdict " (facts.verdict.state.word()) } { strong { (facts.verdict.words) } " " small { (clock_seconds()) } }
            @if facts.account_count > 1 {
                ul class="counts" {
                    @for (state, accounts) in counts { li { span class={ "state " (state.word()) } { (count(accounts)) " " (state.word()) } } }
                }
                (table::totals(facts))
            }
        }
    }
}

/// The script leaves it as it is, with what is being typed.
fn search(wanted: &Wanted, here: &str) -> Markup {
    html! {
        form action=(here) method="get" role="search" {
            input type="search" name="name" value=(wanted.name) aria-label="Part of an account's name" placeholder="part of a name";
            button { "Find" }
            @if !wanted.name.is_empty() { a href=(here) { "all accounts" } }
        }
    }
}

/// The accounts of this page, and what belongs to none. The script replaces it.
fn shown(facts: &Facts, wanted: &Wanted, here: &str) -> Markup {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let page = |number: usize| format!("{here}?page={number}&name={}", encoded(&wanted.name));
    let is_chosen = wanted.account.is_some() || facts.account_count == 1;
    html! {
        div id="shown" {
            section class="accounts" {
                h2 { "Accounts" }
                p class="found" {
                    @if wanted.account.is_some() { a href=(here) { "all " (count(facts.account_count)) " accounts" } }
                    @else if !wanted.name.trim().is_empty() { (found(facts)) }
                }
                @if !facts.accounts.is_empty() {
                    div class="head" aria-hidden="true" {
                        span { "state" } span { "account" }
                        span class="values" { span class="value" { span { "currency" } span { "hashrate" } span { "workers" } span { "balance" } } }
                    }
                }
                @for one in &facts.accounts { (account(one, is_chosen, || format!("{here}?account={}", encoded(&one.name)))) }
                @if facts.page_count > 1 {
                    nav class="pages" {
                        @if facts.page > 1 { a rel="prev" href=(page(facts.page - 1)) { "previous" } " " }
                        "page " (facts.page) " of " (facts.page_count)
                        @if facts.page < facts.page_count { " " a rel="next" href=(page(facts.page + 1)) { "next" } }
                    }
                }
            }
            @if wanted.account.is_none() {
                (table::networks(facts))
                (table::polls_of_none(facts))
            }
        }
    }
}

/// How many accounts a search has found.
fn found(facts: &Facts) -> String {
    let plural = if facts.account_count == 1 { "account" } else { "accounts" };
    let verb = if facts.match_count == 1 { "matches" } else { "match" };
    format!("{} of {} {plural} {verb}.", count(facts.match_count), count(facts.account_count))
}
