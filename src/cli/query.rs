//! `query`: one method of the API for one account, as a table for people or as the API's own JSON.

mod columns;
mod decimal;
mod field;
mod json;
mod list;
mod number;
mod text;
mod wallets;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::terminal;
use crate::config::Config;
use crate::explanation::explanation;
use minergate::api::{Account, Client, Error, Settings};
use minergate::currency;
use minergate::endpoints::{self, ENDPOINTS, Endpoint, Request, Scope};
use minergate::spelling;
use serde_json::value::RawValue;

/// Maximum number of accounts that a message names.
const NAMED: usize = 10;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// What to request
    #[arg(value_name = "METHOD", value_parser = methods())]
    method: String,
    /// A currency (of transfers, withdrawals, status), or an invoice's id
    #[arg(value_name = "ARGUMENT")]
    argument: Option<String>,
    /// The account to ask for, by its name in the configuration; needed if there are several
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// How to print the answer [default: text on a terminal, else json]
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

fn methods() -> PossibleValuesParser {
    PossibleValuesParser::new(ENDPOINTS.iter().map(|endpoint| endpoint.name))
}

pub(super) async fn run(flags: &Flags, all: &super::Flags) -> anyhow::Result<ExitCode> {
    let endpoint = endpoints::find(&flags.method).with_context(|| format!("no method {}", flags.method))?;
    let argument = argument(endpoint, flags.argument.as_deref())?;
    let config = all.load_for_query()?;
    config.log.init();
    let account = account(endpoint, flags.account.as_deref(), &config)?;
    let answer = answer(endpoint, account, argument.as_deref(), &config).await?;
    let is_terminal = io::stdout().is_terminal();
    match flags.format.unwrap_or(if is_terminal { Format::Text } else { Format::Json }) {
        Format::Text => {
            let decimals = &config.plan.reading.decimals;
            text::write(&answer, endpoint, argument.as_deref(), decimals, &mut terminal::stdout())?;
        }
        Format::Json if is_terminal => writeln!(io::stdout(), "{}", json::escaped(answer.get()))?,
        Format::Json => writeln!(io::stdout(), "{}", answer.get())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The answer of the account's pools or of the API. Without an account: of the pools that have the currency, or else of the API.
async fn answer(
    endpoint: &'static Endpoint,
    account: Option<&str>,
    argument: Option<&str>,
    config: &Config,
) -> anyhow::Result<Box<RawValue>> {
    match account {
        Some(name) if config.wallets.iter().any(|wallet| *wallet.account == *name) => {
            return wallets::of_account(endpoint, name, argument, config).await;
        }
        None => {
            if let Some(answer) = wallets::of_pools(endpoint, argument, config).await? {
                return Ok(answer);
            }
        }
        Some(_) => {}
    }
    let api = config.require_api()?;
    let account = config.accounts.iter().find(|known| account.is_some_and(|name| **known.name() == *name));
    let client = Client::new(api, Arc::new(|_| ()))?;
    let request = Request { account: account.map(|account| &**account), argument, ..Request::default() };
    let answer = endpoint.fetch_json(&client, request).await;
    answer.map_err(|error| explained(&error, endpoint, account.map(|account| &**account), argument.is_some(), api))
}

/// The argument, if the endpoint takes one.
fn argument(endpoint: &Endpoint, given: Option<&str>) -> anyhow::Result<Option<String>> {
    let name = endpoint.name;
    let path = endpoint.part.unwrap_or(endpoint.path);
    match given {
        None if endpoint.scope == Scope::Network => {
            bail!("{name}: of which currency? Give its code, as in: query {name} xmr")
        }
        None => Ok(None),
        Some(code) if path.contains("{currency}") => {
            let lower = code.to_ascii_lowercase();
            if currency::is_valid(&lower) {
                return Ok(Some(lower));
            }
            Err(anyhow!("{name}: `{code}` can't be a currency's code; give one such as xmr"))
        }
        Some("") => Err(anyhow!("{name}: the id is empty; leave it out for all")),
        Some(id) if path.contains("{id}") => Ok(Some(id.to_owned())),
        Some(_) => Err(anyhow!("{name} takes no argument; leave it out")),
    }
}

/// The name of the account for the request. `None` if the answer is the same for all accounts.
fn account<'a>(endpoint: &Endpoint, wanted: Option<&str>, config: &'a Config) -> anyhow::Result<Option<&'a str>> {
    let name = endpoint.name;
    if !endpoint.is_of_account() {
        return match wanted {
            Some(_) => Err(anyhow!("{name} is the same for every account; leave out --account")),
            None => Ok(None),
        };
    }
    let names: Vec<&str> = config.account_names().into_iter().map(|name| &**name).collect();
    let found = match (wanted, names.as_slice()) {
        (_, []) => bail!("{name} is an account's, and the configuration has no [[accounts]]; add one"),
        (None, [account]) => account,
        (None, _) => bail!("{name}: of which account? Give --account with one of {}", spelling::list(names.iter(), NAMED)),
        (Some(wanted), names) => names.iter().find(|name| **name == wanted).with_context(|| {
            let question = spelling::question(wanted, names.iter().copied());
            format!(
                "--account: no account is called `{wanted}`; {question}those are {}",
                spelling::list(names.iter(), NAMED)
            )
        })?,
    };
    Ok(Some(found))
}

/// The error with the URL, the endpoint and the account.
fn explained(error: &Error, endpoint: &Endpoint, account: Option<&Account>, of_one: bool, api: &Settings) -> anyhow::Error {
    let of = account.map(|account| format!(" of {}", account.name())).unwrap_or_default();
    let name = endpoint.name;
    let reason = match error {
        Error::NotFound if of_one && endpoint.part.is_some_and(|part| part.contains("{id}")) => {
            format!("there is none with that id (HTTP 404); query {name} lists them")
        }
        Error::NotFound if of_one => "the API knows no such currency (HTTP 404); is api.base_url right?".to_owned(),
        Error::Connect(_) | Error::Broken | Error::Server { .. } | Error::Unavailable { .. } if !error.is_of_proxy() => {
            format!("{error}; is api.base_url right?")
        }
        Error::RateLimited { .. } => format!("{error}; try again in a minute"),
        error => explanation(error, None),
    };
    anyhow!("{}: {name}{of}: {reason}", api.base_url)
}
