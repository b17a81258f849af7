//! `check`: what the configuration was understood as.

use std::io::Write;
use std::process::ExitCode;

use crate::config::Config;
use crate::duration;
use crate::endpoints::{ENDPOINTS, Scope};
use crate::server::Web;

pub(super) fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let plan = config.plan()?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "API       {}", config.api.base_url)?;
    writeln!(out, "\nAccounts  {}", plan.accounts.len())?;
    for (account, endpoints) in &plan.accounts {
        let endpoints = endpoints.as_ref().map_or_else(|| "all endpoints".to_owned(), |names| names.join(", "));
        writeln!(out, "  {:<24} {:<18} {endpoints}", account.name(), account.way_in())?;
    }
    writeln!(out, "\nEndpoints")?;
    for endpoint in ENDPOINTS {
        let interval = plan.poll.interval(endpoint).map_or_else(|| "off".to_owned(), duration::print);
        let of = match endpoint.scope {
            Scope::Account => "per account",
            Scope::Pool => "once",
            Scope::Network => "per currency",
        };
        writeln!(out, "  {:<24} {interval:<18} {of}", endpoint.name)?;
    }
    let currencies = plan.currencies.as_ref().map(|codes| codes.iter().cloned().collect::<Vec<_>>().join(", "));
    writeln!(out, "\nNetworks  {}", currencies.as_deref().unwrap_or("those of the currencies that the accounts use"))?;
    let rate: f64 = plan.loops().iter().map(|l| 1.0 / l.interval.as_secs_f64()).sum();
    let limit = config.api.requests_per_second;
    writeln!(out, "\nRequests  {rate:.2} a second, without logins and networks in use; at most {limit} are sent")?;
    if rate > limit {
        writeln!(out, "          That is more than the limit: intervals will stretch to {:.1} times.", rate / limit)?;
    }
    let web = Web::load(config.web.config_file.as_deref())?;
    for warning in config.warnings()?.into_iter().chain(web.warnings()) {
        writeln!(out, "\nWarning   {warning}")?;
    }
    let mut unreadable = 0;
    for (account, _) in &plan.accounts {
        if let Err(error) = account.read_secrets() {
            unreadable += 1;
            writeln!(out, "\nAccount {}: {error}", account.name())?;
        }
    }
    Ok(if unreadable == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
