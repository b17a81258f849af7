//! The status page's HTML. It works without scripts: details can be unfolded, and the browser reloads the page.

mod account;
mod table;

use maud::{DOCTYPE, Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use self::account::account;
use super::StatusQuery;
use super::format::{clock_seconds, count, counted};
use super::report::StatusReport;
use super::state::AccountState;
use crate::server::App;

/// Seconds after which the page is refreshed.
const REFRESH: u32 = 30;

/// Number of accounts up to which there is no search.
const FEW: usize = 10;

pub(super) fn page(app: &App, report: &StatusReport, query: &StatusQuery) -> String {
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
                    p id="silent" class="failing" { "The exporter does not answer. Its last status:" }
                    (now(report))
                    @if report.account_count > FEW || !query.name.is_empty() { (search(query, &at("/"))) }
                    (shown(report, query, &at("/")))
                }
                footer { "Version " (report.version) ". Times are UTC. Refreshed every " (REFRESH) " s." }
            }
        }
    }
    .into_string()
}

/// The state of all accounts. The script replaces it.
fn now(report: &StatusReport) -> Markup {
    let counts = report.counts.all().into_iter().filter(|(state, count)| *count > 0 || *state == AccountState::Ok);
    html! {
        div id="now" {
            p class={ "verdict " (report.verdict.state.name()) } { strong { (report.verdict.words) } " " small { (clock_seconds()) } }
            @if report.account_count > 1 {
                ul class="counts" {
                    @for (state, accounts) in counts { li { span class={ "state " (state.name()) } { (count(accounts)) " " (state.name()) } } }
                }
                (table::totals(report))
            }
        }
    }
}

/// The search. The script does not replace it, because somebody may be typing.
fn search(query: &StatusQuery, here: &str) -> Markup {
    html! {
        form action=(here) method="get" role="search" {
            input type="search" name="name" value=(query.name) aria-label="Part of an account's name" placeholder="part of a name";
            button { "Find" }
            @if !query.name.is_empty() { a href=(here) { "all accounts" } }
        }
    }
}

/// The accounts of this page, and everything that belongs to no account. The script replaces it.
fn shown(report: &StatusReport, query: &StatusQuery, here: &str) -> Markup {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let page = |number: usize| format!("{here}?page={number}&name={}", encoded(&query.name));
    let is_chosen = query.account.is_some() || report.account_count == 1;
    html! {
        div id="shown" {
            section class="accounts" {
                h2 { "Accounts" }
                p class="found" {
                    @if query.account.is_some() { a href=(here) { "all " (count(report.account_count)) " accounts" } }
                    @else if !query.name.trim().is_empty() { (found(report)) }
                }
                @if !report.accounts.is_empty() {
                    div class="head" aria-hidden="true" {
                        span { "state" } span { "account" }
                        span class="values" { span class="value" { span { "currency" } span { "hashrate" } span { "workers" } span { "balance" } } }
                    }
                }
                @for one in &report.accounts { (account(one, is_chosen, || format!("{here}?account={}", encoded(&one.name)))) }
                @if report.page_count > 1 {
                    nav class="pages" {
                        @if report.page > 1 { a rel="prev" href=(page(report.page - 1)) { "previous" } " " }
                        "page " (report.page) " of " (report.page_count)
                        @if report.page < report.page_count { " " a rel="next" href=(page(report.page + 1)) { "next" } }
                    }
                }
            }
            @if query.account.is_none() {
                (table::networks(report))
                (table::polls_of_none(report))
            }
        }
    }
}

/// The result of a search.
fn found(report: &StatusReport) -> String {
    let accounts = counted(report.account_count, "account", "accounts");
    let verb = if report.match_count == 1 { "matches" } else { "match" };
    format!("{} of {accounts} {verb}.", count(report.match_count))
}
