//! The status page's HTML. It needs no script: details fold by themselves, and the browser asks again after a while.

use std::time::Duration;

use maud::{DOCTYPE, Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::words::{ago, clock, coins, si, span};
use super::{Account, Currency, Endpoint, Error, Network, Status};
use crate::server::App;
use minergate::duration;

/// Seconds after which the browser asks again.
const REFRESH: u32 = 30;

/// With so many accounts or fewer, all are unfolded.
const UNFOLDED: usize = 5;

/// The page; `name` is what accounts were searched by.
pub(super) fn page(app: &App, status: &Status, name: &str) -> String {
    let at = |path: &str| app.external_path(path);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="refresh" content=(REFRESH);
                title { "MinerGate exporter" }
                link rel="stylesheet" href=(at("/status.css"));
            }
            body {
                header {
                    h1 { "MinerGate exporter" }
                    p { (summary(status)) }
                    nav {
                        a href=(at(&app.telemetry_path)) { "metrics" } " "
                        a href=(at("/api/v1/status")) { "this page as JSON" } " "
                        a href=(at("/sd")) { "targets" } " "
                        a href=(at("/-/ready")) { "readiness" } " "
                        a href=(at("/docs/metrics.md")) { "what the metrics mean" }
                    }
                }
                main {
                    (accounts(status, name, &at("/")))
                    (networks(status))
                    @if !status.pool.is_empty() {
                        section { h2 { "Pool and networks, polls" } (endpoints(&status.pool)) }
                    }
                }
                footer { "Version " (status.version) ". Times are UTC. Asks again every " (REFRESH) " s." }
            }
        }
    }
    .into_string()
}

fn summary(status: &Status) -> String {
    let of = |state: &str| status.accounts.iter().filter(|account| account.state == state).count();
    let shown = if status.page_count > 1 { " on this page" } else { "" };
    let plural = if status.account_count == 1 { "" } else { "s" };
    format!(
        "{} account{plural}; {} ok, {} failing, {} with a blocked login, {} not polled yet{shown}.",
        status.account_count,
        of("ok"),
        of("failing"),
        of("stopped"),
        of("waiting"),
    )
}

fn accounts(status: &Status, name: &str, here: &str) -> Markup {
    let page = |number: usize| format!("{here}?page={number}&name={}", utf8_percent_encode(name, NON_ALPHANUMERIC));
    html! {
        section {
            h2 { "Accounts" }
            @if status.page_count > 1 || !name.is_empty() {
                form action=(here) method="get" {
                    input type="search" name="name" value=(name) aria-label="Part of a name" placeholder="part of a name";
                    button { "Find" }
                    @if status.page > 1 { a href=(page(status.page - 1)) { "before" } }
                    span { "page " (status.page) " of " (status.page_count) }
                    @if status.page < status.page_count { a href=(page(status.page + 1)) { "after" } }
                }
            }
            @if status.accounts.is_empty() { p { "None." } }
            @for account in &status.accounts {
                details open[account.state == "stopped" || status.account_count <= UNFOLDED] {
                    summary {
                        span class={ "state " (account.state) } { (account.words) }
                        strong { (account.name) }
                        span class="total" { (total(account)) }
                    }
                    (currencies(account))
                    (endpoints(&account.endpoints))
                }
            }
        }
    }
}

/// What an account mines, on one line.
fn total(account: &Account) -> String {
    let hashrate =
        |(code, currency): (&String, &Currency)| Some(format!("{code} {}", si(currency.hashrate_hashes_per_second?, "H/s")));
    account.currencies.iter().filter_map(hashrate).collect::<Vec<_>>().join(", ")
}

fn currencies(account: &Account) -> Markup {
    html! {
        @if !account.currencies.is_empty() {
            table {
                thead { tr { th { "currency" } th { "hashrate" } th { "workers" } th { "balance" } th { "good shares" } } }
                tbody {
                    @for (code, currency) in &account.currencies {
                        tr {
                            th { (code) }
                            (cell("hashrate", currency.hashrate_hashes_per_second.map(|rate| si(rate, "H/s"))))
                            (cell("workers", currency.workers.map(|workers| workers.to_string())))
                            (cell("balance", currency.balance_coins.map(coins)))
                            (cell("good shares", currency.good_share_ratio.map(|ratio| format!("{:.2} %", 100.0 * ratio))))
                        }
                    }
                }
            }
        }
    }
}

fn endpoints(endpoints: &[Endpoint]) -> Markup {
    html! {
        table {
            thead { tr { th { "endpoint" } th { "every" } th { "last success" } th { "next poll" } th { "error" } } }
            tbody {
                @for endpoint in endpoints {
                    tr class=[endpoint.error.is_some().then_some("failing")] {
                        th { (endpoint.name) " " (endpoint.currency) }
                        (cell("every", Some(duration::print(Duration::from_secs_f64(endpoint.interval_seconds)))))
                        (cell("last success", endpoint.last_success_timestamp_seconds.map(|time| format!("{}, {}", clock(time), ago(time)))))
                        (cell("next poll", endpoint.next_poll_in_seconds.map(|wait| format!("in {}", span(wait)))))
                        (cell("error", endpoint.error.as_ref().map(|error| failure(error, endpoint.next_poll_late))))
                    }
                }
            }
        }
    }
}

fn networks(status: &Status) -> Markup {
    let row = |code: &str, network: &Network| {
        html! {
            tr {
                th { (code) }
                (cell("profit rank", network.profit_rank.map(|rank| rank.to_string())))
                (cell("height", network.block_height.map(|height| height.to_string())))
                (cell("last block", network.block_timestamp_seconds.map(ago)))
                (cell("difficulty", network.difficulty.map(|difficulty| si(difficulty, ""))))
                (cell("hashrate", network.hashrate_hashes_per_second.map(|rate| si(rate, "H/s"))))
                (cell("reward", network.block_reward_coins.map(coins)))
            }
        }
    };
    html! {
        @if !status.networks.is_empty() {
            section {
                h2 { "Networks" }
                table {
                    thead { tr { th { "currency" } th { "profit rank" } th { "height" } th { "last block" } th { "difficulty" } th { "hashrate" } th { "reward" } } }
                    tbody { @for (code, network) in &status.networks { (row(code, network)) } }
                }
            }
        }
    }
}

/// A failure, for how long it has gone on, and why the next poll is late.
fn failure(error: &Error, late: Option<&str>) -> String {
    let late = late.map(|reason| format!("; {reason}")).unwrap_or_default();
    format!("{}, for {}{late}", error.words, span(error.for_seconds))
}

/// A cell that names its column, which a narrow screen shows instead of the table's head. What is not known is empty.
fn cell(column: &str, text: Option<String>) -> Markup {
    html! { @if let Some(text) = text { td data-column=(column) { (text) } } @else { td {} } }
}
