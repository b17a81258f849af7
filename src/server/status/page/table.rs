//! The page's tables.

use std::time::Duration;

use maud::{Markup, html};
use minergate::duration;

use crate::server::status::account::Account;
use crate::server::status::endpoint::Endpoint;
use crate::server::status::format::{ago, coins, count, counted, number, si, span};
use crate::server::status::report::StatusReport;

/// The totals are unfolded if there are at most this number of currencies.
const FEW: usize = 3;

/// The totals of all accounts.
pub(super) fn totals(report: &StatusReport) -> Markup {
    html! {
        @if !report.totals.is_empty() {
            details data-key="@totals" open[report.totals.len() <= FEW] {
                summary { "Totals of " (counted(report.totals.len(), "currency", "currencies")) }
                table class="totals" {
                    thead { tr { th { "currency" } th { "accounts" } th { "hashrate" } th { "workers" } th { "coins" } } }
                    tbody {
                        @for (code, total) in &report.totals {
                            tr {
                                th { (code) }
                                td { (count(total.accounts)) }
                                (cell(total.hashrate_hashes_per_second.map(|rate| si(rate, "H/s"))))
                                (cell(total.workers.map(number)))
                                (cell(total.balance_coins.map(|coins| format!("{coins:.8}"))))
                            }
                        }
                    }
                }
                @if report.accounts_without_values > 0 {
                    p { "Not included: " (counted(report.accounts_without_values, "account", "accounts")) " without known values." }
                }
            }
        }
    }
}

/// The account's workers, or the first of them.
pub(super) fn workers(account: &Account) -> Markup {
    html! {
        @if !account.workers.is_empty() {
            table class="workers" {
                thead { tr { th { "worker" } th { "hashrate" } th { "last share" } } }
                tbody {
                    @for worker in &account.workers {
                        tr {
                            th { (worker.name) @if account.currencies.len() > 1 { " " small { (worker.currency) } } }
                            (cell(worker.hashrate_hashes_per_second.map(|rate| si(rate, "H/s"))))
                            (cell(worker.last_share_timestamp_seconds.map(ago)))
                        }
                    }
                }
            }
            @if account.workers.len() < account.worker_count { p { "and " (count(account.worker_count - account.workers.len())) " more" } }
        }
    }
}

pub(super) fn endpoints(endpoints: &[Endpoint]) -> Markup {
    html! {
        table class="polls" {
            thead { tr { th { "endpoint" } th { "every" } th { "last success" } th { "next poll" } } }
            tbody {
                @for endpoint in endpoints {
                    tr class=[endpoint.error.is_some().then_some("failing")] {
                        th { (endpoint.name) " " (endpoint.currency) }
                        td { (duration::print(Duration::from_secs_f64(endpoint.interval_seconds))) }
                        (cell(endpoint.last_success_timestamp_seconds.map(ago)))
                        (cell(next_poll(endpoint)))
                    }
                }
            }
        }
    }
}

fn next_poll(endpoint: &Endpoint) -> Option<String> {
    let wait = format!("in {}", span(endpoint.next_poll_in_seconds?));
    // If the endpoint fails, the reason for the delay is shown with its fault.
    let late = endpoint.next_poll_late.as_ref().filter(|_| endpoint.error.is_none());
    Some(late.cloned().unwrap_or(wait))
}

pub(super) fn networks(report: &StatusReport) -> Markup {
    html! {
        @if !report.networks.is_empty() {
            details data-key="@networks" {
                summary { "Networks of " (counted(report.networks.len(), "currency", "currencies")) }
                table class="networks" {
                    thead { tr { th { "currency" } th { "profit rank" } th { "height" } th { "last block" } th { "difficulty" } th { "hashrate" } th { "reward" } } }
                    tbody {
                        @for (code, network) in &report.networks {
                            tr {
                                th { (code) }
                                (cell(network.profit_rank.map(number)))
                                (cell(network.block_height.map(number)))
                                (cell(network.block_timestamp_seconds.map(ago)))
                                (cell(network.difficulty.map(|difficulty| si(difficulty, ""))))
                                (cell(network.hashrate_hashes_per_second.map(|rate| si(rate, "H/s"))))
                                (cell(network.block_reward_coins.map(coins)))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The polls that belong to no account.
pub(super) fn polls_of_none(report: &StatusReport) -> Markup {
    let failing: Vec<&Endpoint> = report.pool.iter().filter(|endpoint| endpoint.error.is_some()).collect();
    html! {
        @if !report.pool.is_empty() {
            details data-key="@polls" open[!failing.is_empty()] {
                summary { "Polls of pools and networks: " (count(report.pool.len())) ", " (count(failing.len())) " failing" }
                @for endpoint in failing {
                    @if let Some(error) = &endpoint.error {
                        p class="fault" {
                            (endpoint.name) " " (endpoint.currency) ": " strong { (error.words) } ", for " (span(error.for_seconds))
                            @if let Some(late) = &endpoint.next_poll_late { "; " (late) }
                        }
                    }
                }
                (endpoints(&report.pool))
            }
        }
    }
}

/// A cell. An unknown value is empty.
fn cell(text: Option<String>) -> Markup {
    html! { td { @if let Some(text) = text { (text) } } }
}
