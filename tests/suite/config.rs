//! The configuration of the exporter: examples, sources of values, and mistakes.

mod environment;
mod examples;
mod mistakes;
mod places;
mod secrets;
pub(crate) mod wallets;
mod yaml;

use std::ffi::OsString;

use minergate::api::{Credentials, Secret};
use minergate_exporter::config::{Config, Sources};
use minergate_exporter::poller::Plan;

/// Most configurations of tests leave this out.
const BASE_URL: (&str, &str) = ("MINERGATE_EXPORTER__API__BASE_URL", "http://127.0.0.1:1");

/// The plan of a configuration with these accounts, each with a token, and with these lines of `[poll]`.
pub(crate) fn plan(accounts: &[&str], poll: &str) -> Plan {
    let accounts =
        accounts.iter().fold(String::new(), |text, name| format!("{text}[[accounts]]\nname = \"{name}\"\ntoken = \"t\"\n"));
    plan_of(&format!("[poll]\n{poll}\n{accounts}"))
}

/// The plan of a whole configuration, to which the URL of the API is added.
pub(crate) fn plan_of(text: &str) -> Plan {
    let sources = Sources { text: Some(text), environment: environment(&[BASE_URL]), ..Sources::default() };
    Config::load_for_query(sources).unwrap().plan
}

fn token(token: &str) -> Credentials {
    Credentials::Token { token: Secret::of_text(token).unwrap(), email: None }
}

fn environment(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    variables.iter().map(|(name, value)| (name.into(), value.into())).collect()
}
