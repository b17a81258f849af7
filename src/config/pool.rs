//! `[[pools]]`: pools at which accounts have wallets, and the limits for requests to them.

use std::collections::BTreeMap;
use std::time::Duration;

use minergate::api::{self, parse_base_url};
use minergate::spelling;
use minergate_pools::{SOFTWARES, Settings, Software, address, block_time};
use schemars::JsonSchema;
use serde::Deserialize;

use super::error::KeyError;
use super::tables::variable_name;
use super::{account, codes, duration, keys};

/// The limits of durations here.
const SHORTEST_AGE: Duration = Duration::from_secs(1);
const LONGEST_AGE: Duration = Duration::from_secs(3600);
const LONGEST_BLOCK_TIME: Duration = Duration::from_secs(86_400);

/// One section for each pool at which accounts have wallets. Each pool has its own limits. A currency's network and top miners
/// are polled at the first pool here that has the currency, or else at `[api]`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "pool", extend("required" = ["name", "software", "url", "currency"], "examples" = [
    {"name": "supportxmr", "software": "nodejs-pool", "url": "https://supportxmr.com/api", "currency": "xmr"},
    {"name": "2miners-etc", "software": "open-ethereum-pool", "url": "https://etc.2miners.com", "currency": "etc"},
]))]
pub(super) struct Pool {
    /// The pool's name, for the accounts' `wallets`. Not an address, because the name appears on every page.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[^@]*$"))]
    pub(super) name: String,
    /// The software of the pool: docs/pools.md says which pools run which.
    #[schemars(extend("enum" = softwares()))]
    software: String,
    /// The URL of the pool's API. The paths of the software are appended.
    #[schemars(url)]
    url: String,
    /// The code of the currency that is mined there.
    #[serde(deserialize_with = "codes::currency")]
    #[schemars(regex(pattern = "^[a-z0-9_-]{1,16}$"))]
    pub(super) currency: String,
    /// Decimals of the unit in which the pool counts coins. Left out: those of the software for the currency, or of `decimals` above.
    #[serde(deserialize_with = "codes::decimals_of_one")]
    #[schemars(range(max = codes::MAX_DECIMALS), extend("examples" = [12]))]
    decimals: Option<u8>,
    /// Average time between two blocks of the currency, for the network's hashrate. Left out: the currency's, if it is known.
    #[serde(deserialize_with = "duration::optional")]
    #[schemars(schema_with = "duration::optional_schema")]
    block_time: Option<Duration>,
    /// Requests a second to the pool, for all wallets together. Can be a fraction.
    #[schemars(range(min = 0.001, max = 100_000.0))]
    requests_per_second: f64,
    /// Requests that can be sent at once after a pause.
    #[schemars(range(min = 1.0, max = 100_000.0))]
    burst: f64,
    /// Maximum number of requests in flight.
    #[schemars(range(min = 1, max = 10_000))]
    concurrency: usize,
    /// Time limit for one request, from connecting to the last byte.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(schema_with = "duration::schema", extend("default" = minergate::duration::print(api::Settings::TIMEOUT)))]
    timeout: Duration,
    /// How long an answer of the pool is reused for all polls that need it, "1s" to "1h".
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(schema_with = "duration::schema", extend("default" = minergate::duration::print(Settings::MAX_AGE)))]
    max_age: Duration,
}

impl Default for Pool {
    fn default() -> Self {
        Pool {
            name: String::new(),
            software: String::new(),
            url: String::new(),
            currency: String::new(),
            decimals: None,
            block_time: None,
            requests_per_second: Settings::REQUESTS_PER_SECOND,
            burst: Settings::BURST,
            concurrency: Settings::CONCURRENCY,
            timeout: api::Settings::TIMEOUT,
            max_age: Settings::MAX_AGE,
        }
    }
}

impl Pool {
    /// The pool; `None` if it is invalid. The configured decimals of a currency are used if the software knows none.
    pub(super) fn settings(&self, decimals: &BTreeMap<String, u8>, errors: &mut Vec<KeyError>) -> Option<Settings> {
        let before = errors.len();
        let mut add = |key, message: String| errors.push(KeyError::new([key], message));
        if let Some(fault) = name_fault(&self.name) {
            add("name", fault.to_owned());
        }
        let software = software(&self.software).map_err(|message| add("software", message)).ok();
        let base_url = url(&self.url).map_err(|message| add("url", message)).ok();
        let currency = self.currency.as_str();
        if currency.is_empty() {
            add("currency", "missing; give the code of the currency that is mined there, such as \"xmr\"".to_owned());
        }
        let of_software = software.and_then(|software| software.decimals(currency));
        let decimals = self.decimals.or(of_software).or_else(|| decimals.get(currency).copied());
        let block_time = self.block_time.or_else(|| block_time(currency));
        // If the software or the currency is invalid, the rest can't be checked.
        if software.is_some() && !currency.is_empty() {
            if decimals.is_none() {
                add(
                    "decimals",
                    "missing, and not known of this currency; give those of its smallest unit, such as 12".to_owned(),
                );
            }
            if block_time.is_none() {
                let message =
                    "missing, and not known of this currency; give the average from block to block, such as \"2m\"";
                add("block_time", message.to_owned());
            }
        }
        if block_time.is_some_and(|time| time.is_zero() || time > LONGEST_BLOCK_TIME) {
            add("block_time", "out of range; give more than \"0s\" and at most \"1d\"".to_owned());
        }
        if !(0.001..=100_000.0).contains(&self.requests_per_second) {
            add("requests_per_second", "out of range; give 0.001 to 100000".to_owned());
        }
        if !(1.0..=100_000.0).contains(&self.burst) {
            add("burst", "out of range; give 1 to 100000".to_owned());
        }
        if !(1..=10_000).contains(&self.concurrency) {
            add("concurrency", "out of range; give 1 to 10000".to_owned());
        }
        if self.timeout.is_zero() {
            add("timeout", "must not be 0; give \"10s\" or so".to_owned());
        }
        if !(SHORTEST_AGE..=LONGEST_AGE).contains(&self.max_age) {
            add("max_age", "out of range; give \"1s\" to \"1h\"".to_owned());
        }
        if errors.len() > before {
            return None;
        }
        let mut http = api::Settings::new(base_url?);
        (http.timeout, http.concurrency) = (self.timeout, self.concurrency);
        (http.requests_per_second, http.burst) = (self.requests_per_second, Some(self.burst));
        super::USER_AGENT.clone_into(&mut http.user_agent);
        Some(Settings {
            name: self.name.as_str().into(),
            software: software?,
            currency: currency.into(),
            decimals: decimals?,
            block_time: block_time?,
            max_age: self.max_age,
            http,
        })
    }
}

/// The mistake in a pool's name, if there is one.
pub(super) fn name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("missing; every pool needs a name, by which the accounts' wallets name it");
    }
    // The variable ACCOUNTS__RIG__WALLETS__TOKEN is the token of an account whose name ends with `WALLETS`.
    let in_variables = variable_name(name).to_lowercase();
    let last = in_variables.rsplit("__").next().unwrap_or_default().trim_start_matches('_');
    let is_key = keys::is_known(&["accounts", "0", last]);
    let like_a_key = "ends as a key of accounts does, and variables could not distinguish the two; give another name";
    account::name_fault_near_wallets(name).or(is_key.then_some(like_a_key))
}

fn software(name: &str) -> Result<&'static Software, String> {
    Software::find(name).ok_or_else(|| {
        let known = softwares();
        let question = spelling::question(name, known.iter().copied());
        let fault = if name.is_empty() { "missing" } else { "not known" };
        format!("{fault}; {question}give one of {}", known.join(", "))
    })
}

fn softwares() -> Vec<&'static str> {
    SOFTWARES.iter().map(|software| software.name).collect()
}

fn url(text: &str) -> Result<api::Url, String> {
    if text.is_empty() {
        return Err("missing; give the URL of the pool's API, such as \"https://supportxmr.com/api\"".to_owned());
    }
    let url = parse_base_url(text)?;
    if address::is_like_one(url.path()) {
        return Err("holds what looks like a wallet's address; give the URL of the pool's API alone".to_owned());
    }
    Ok(url)
}
