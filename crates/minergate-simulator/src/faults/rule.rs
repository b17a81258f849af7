//! A fault rule as people write it: which fault, how often, for which endpoint and account.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::table::{AppliesTo, FAULTS, Fault};
use crate::nodejs_pool::{self, ROUTES};
use crate::world;
use minergate::api::LOGIN;
use minergate::duration;
use minergate::endpoints::{ENDPOINTS, Scope};
use minergate::metric::Family;
use minergate::spelling;

const FORM: &str = "[ENDPOINT/]FAULT[=TIME][:RATE][@ACCOUNT]";

/// A rule, parsed from and printed as `[ENDPOINT/]FAULT[=TIME][:RATE][@ACCOUNT]`.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(super) fault: &'static Fault,
    /// The time parameter of the fault; 0 if it has none.
    pub(super) time: Duration,
    /// The fraction of requests that it hits, from 0 to 1.
    pub(super) rate: f64,
    /// The endpoint that it applies to; `None` means all that can have the fault.
    endpoint: Option<&'static str>,
    /// The name of the account that it applies to; `None` means all requests, also those without an account.
    account: Option<String>,
}

/// The endpoints that a rule can name.
pub(crate) fn endpoint_names() -> impl Iterator<Item = &'static str> + Clone {
    let pool = ROUTES.iter().map(|route| route.endpoint);
    std::iter::once(LOGIN).chain(ENDPOINTS.iter().map(|endpoint| endpoint.name)).chain(pool)
}

/// The help text about rules.
pub fn fault_help() -> String {
    let width = FAULTS.iter().map(|fault| fault.name.len()).max().unwrap_or_default();
    let lines = FAULTS.iter().map(|fault| {
        let time = fault.time.map(|time| format!(" [{}]", duration::print(time))).unwrap_or_default();
        format!("  {:width$}  {}{time}\n", fault.name, fault.does)
    });
    format!(
        "Faults to simulate: {FORM}; can be given several times. The first rule that hits a request counts; which requests \
         are hit is drawn from the seed.\n\n\
         Such as 429:0.1 (a tenth of all requests), login/captcha@farm-2, balance/latency=5s.\n\n\
         ENDPOINT is {}; without it, all that can have the fault. RATE is from 0 to 1, without it 1. ACCOUNT is a name, \
         such as farm-2, or rig-1 for a wallet's. While the simulator runs, PUT /-/faults replaces the rules with a JSON list of such texts.\n\n\
         FAULT, with the usual TIME of those that have one:\n{}",
        endpoint_names().collect::<Vec<_>>().join(", "),
        lines.collect::<String>(),
    )
}

impl Rule {
    pub(super) fn fits(&self, endpoint: &str, account: &str) -> bool {
        self.endpoint.map_or_else(|| self.fault.applies_to.holds(endpoint), |only| only == endpoint)
            && self.account.as_ref().is_none_or(|only| only == account)
    }

    /// Checks that the rule's account exists, for this number of accounts with credentials and of accounts with a wallet.
    pub(crate) fn check_account(&self, accounts: usize, wallets: usize) -> Result<(), String> {
        let Some(name) = &self.account else { return Ok(()) };
        let kinds = [(accounts, account as Name), (wallets, nodejs_pool::account)];
        if kinds.iter().any(|(count, account)| (0..*count).any(|i| account(i) == *name)) {
            return Ok(());
        }
        let range = |(count, account): &(usize, Name)| match count {
            0 => None,
            1 => Some(account(0)),
            _ => Some(format!("{} to {}", account(0), account(count - 1))),
        };
        let known: Vec<String> = kinds.iter().filter_map(range).collect();
        if known.is_empty() {
            return Err(format!("there is no account `{name}`, nor any other"));
        }
        Err(format!("there is no account `{name}`; accounts are {}", known.join(" and ")))
    }
}

/// The name of an account with this index.
type Name = fn(usize) -> String;

fn account(user: usize) -> String {
    world::name(user as u64)
}

impl AppliesTo {
    fn holds(self, endpoint: &str) -> bool {
        match self {
            AppliesTo::All => true,
            AppliesTo::Login => endpoint == LOGIN,
            AppliesTo::Accounts => AppliesTo::Tokens.holds(endpoint) || AppliesTo::Wallets.holds(endpoint),
            AppliesTo::Tokens => ENDPOINTS.iter().any(|row| row.name == endpoint && row.scope == Scope::Account),
            AppliesTo::Wallets => ROUTES.iter().any(|route| route.endpoint == endpoint && route.is_of_wallet()),
            AppliesTo::Counters => {
                // Names of counters end in `_total`. The API has no totals for single workers.
                let is_total = |family: &Family| family.suffix() == "_total" && !family.stem.starts_with("worker_");
                ENDPOINTS.iter().any(|row| row.name == endpoint && row.families().any(is_total))
                    || ROUTES.iter().any(|route| route.endpoint == endpoint && route.has_totals)
            }
        }
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Rule, String> {
        let (rest, account) = split(text, '@');
        let (rest, rate) = split(rest, ':');
        let (rest, time) = split(rest, '=');
        let (endpoint, name) = rest.split_once('/').map_or((None, rest), |(endpoint, name)| (Some(endpoint), name));
        if name.is_empty() {
            return Err(format!("no fault is named; write {FORM}, such as `429:0.1`"));
        }
        let fault = FAULTS
            .iter()
            .find(|fault| fault.name == name)
            .ok_or_else(|| unknown("fault", name, FAULTS.iter().map(|fault| fault.name)))?;
        let endpoint = endpoint.map(|endpoint| place(fault, endpoint)).transpose()?;
        let time = match (time, fault.time) {
            (Some(time), Some(_)) => duration::parse(time)?,
            (Some(time), None) => return Err(format!("`{name}` takes no time; leave out `={time}`")),
            (None, usual) => usual.unwrap_or_default(),
        };
        let rate = rate.map_or(Ok(1.0), |rate| {
            let number = rate.parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
            number.ok_or_else(|| format!("`{rate}` is not a rate; write a number from 0 to 1"))
        })?;
        if account.is_some_and(str::is_empty) {
            return Err("no account is named after `@`; write a name, such as `@farm-2`".to_owned());
        }
        Ok(Rule { fault, time, rate, endpoint, account: account.map(str::to_owned) })
    }
}

/// The parts of a text before and after a sign.
fn split(text: &str, sign: char) -> (&str, Option<&str>) {
    text.split_once(sign).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// The endpoint with this name, if it can have the fault.
fn place(fault: &Fault, name: &str) -> Result<&'static str, String> {
    let endpoint =
        endpoint_names().find(|known| *known == name).ok_or_else(|| unknown("endpoint", name, endpoint_names()))?;
    if fault.applies_to.holds(endpoint) {
        return Ok(endpoint);
    }
    let places: Vec<&str> = endpoint_names().filter(|endpoint| fault.applies_to.holds(endpoint)).collect();
    Err(format!("`{endpoint}` can't have the fault `{}`; only {} can", fault.name, places.join(", ")))
}

fn unknown(what: &str, word: &str, known: impl Iterator<Item = &'static str> + Clone) -> String {
    let hint = spelling::question(word, known.clone());
    format!("unknown {what} `{word}`; {hint}known are {}", known.collect::<Vec<_>>().join(", "))
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(endpoint) = self.endpoint {
            write!(f, "{endpoint}/")?;
        }
        f.write_str(self.fault.name)?;
        if self.fault.time.is_some_and(|usual| usual != self.time) {
            write!(f, "={}", duration::print(self.time))?;
        }
        if self.rate < 1.0 {
            write!(f, ":{}", self.rate)?;
        }
        match &self.account {
            Some(account) => write!(f, "@{account}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_written() {
        for (text, written) in [
            ("429", "429"),
            ("429:0.1", "429:0.1"),
            ("429=5s:0.1", "429=5s:0.1"),
            ("login/captcha:1@farm-7", "login/captcha@farm-7"),
            ("balance/html@farm-2", "balance/html@farm-2"),
            ("latency=2s", "latency"),
            ("latency=1m 30s:0", "latency=1m30s:0"),
            ("status/slow-body=0s", "status/slow-body=0s"),
        ] {
            let rule: Rule = text.parse().unwrap();
            assert_eq!(rule.to_string(), written, "{text}");
        }
        for fault in FAULTS {
            assert!(fault.name.parse::<Rule>().is_ok(), "{}", fault.name);
        }
    }

    #[test]
    fn an_invalid_rule_is_an_error_that_says_what_is_wrong() {
        let faults = FAULTS.iter().map(|fault| fault.name).collect::<Vec<_>>().join(", ");
        let endpoints = endpoint_names().collect::<Vec<_>>().join(", ");
        let accounts = ENDPOINTS.iter().filter(|endpoint| endpoint.scope == Scope::Account);
        let tokens = accounts.map(|endpoint| endpoint.name).collect::<Vec<_>>().join(", ");
        for (text, sentence) in [
            ("", "no fault is named; write [ENDPOINT/]FAULT[=TIME][:RATE][@ACCOUNT], such as `429:0.1`".to_owned()),
            ("login/", "no fault is named; write [ENDPOINT/]FAULT[=TIME][:RATE][@ACCOUNT], such as `429:0.1`".to_owned()),
            ("captca", format!("unknown fault `captca`; did you mean `captcha`? known are {faults}")),
            ("@#!", format!("no fault is named; write {FORM}, such as `429:0.1`")),
            ("qqq", format!("unknown fault `qqq`; known are {faults}")),
            ("balanse/html", format!("unknown endpoint `balanse`; did you mean `balance`? known are {endpoints}")),
            ("balance/captcha", "`balance` can't have the fault `captcha`; only login can".to_owned()),
            ("login/expired-token", format!("`login` can't have the fault `expired-token`; only {tokens} can")),
            ("html=2s", "`html` takes no time; leave out `=2s`".to_owned()),
            (
                "latency=2",
                "a duration needs a unit; write a number with its unit, such as \"30s\", \"5m\", \"1h\" or \"7d\""
                    .to_owned(),
            ),
            ("429:1.5", "`1.5` is not a rate; write a number from 0 to 1".to_owned()),
            ("429:-1", "`-1` is not a rate; write a number from 0 to 1".to_owned()),
            ("429:NaN", "`NaN` is not a rate; write a number from 0 to 1".to_owned()),
            ("429:", "`` is not a rate; write a number from 0 to 1".to_owned()),
            ("429@", "no account is named after `@`; write a name, such as `@farm-2`".to_owned()),
        ] {
            assert_eq!(text.parse::<Rule>().unwrap_err(), sentence, "{text}");
        }
    }

    #[test]
    fn a_rule_for_an_account_that_does_not_exist_is_an_error() {
        let rule: Rule = "429@farm-4".parse().unwrap();
        assert_eq!(rule.check_account(4, 0), Ok(()));
        assert_eq!("429@rig-2".parse::<Rule>().unwrap().check_account(0, 2), Ok(()));
        for (accounts, wallets, known) in [
            (3, 0, "; accounts are farm-1 to farm-3"),
            (3, 1, "; accounts are farm-1 to farm-3 and rig-1"),
            (1, 2, "; accounts are farm-1 and rig-1 to rig-2"),
            (0, 0, ", nor any other"),
        ] {
            let sentence = format!("there is no account `farm-4`{known}");
            assert_eq!(rule.check_account(accounts, wallets), Err(sentence));
        }
    }

    #[test]
    fn the_help_names_every_fault() {
        let help = fault_help();
        assert!(FAULTS.iter().all(|fault| help.contains(&format!("\n  {} ", fault.name))), "{help}");
        assert!(endpoint_names().all(|endpoint| help.contains(endpoint)), "{help}");
    }
}
