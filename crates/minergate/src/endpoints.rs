//! The table of the API's endpoints. Everything else loops over it.
//!
//! To add an endpoint, write `endpoints/x.rs` with its `SPEC`, put a real answer beside it as `endpoints/x.json`, and add
//! its line to the table here. To add a metric, add a row to the endpoint's `metrics`.

use std::marker::PhantomData;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::answer::FromJson;
use crate::api::{self, Account, Client, ReadRequest};
use crate::currency::{DOCUMENTED, Decimals};
use crate::metric::{Context, Family, Metric, Samples};

/// States of transfers, and statuses of withdrawals and invoices, that the API documents.
const STATES: &[&str] = &[FINISHED, PENDING];
const FINISHED: &str = "finished";
const PENDING: &str = "pending";

/// What an endpoint's answer is about. This decides the path, the token and the labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One account: requested with its token, labelled `account`.
    Account,
    /// The whole pool: requested without a token.
    Pool,
    /// One currency's network: requested without a token, `{currency}` in the path, labelled `currency`.
    Network,
}

/// One endpoint: its path, and how its answer becomes samples. Made by `of_account`, `of_pool` or `of_network`.
#[derive(Clone, Copy)]
pub struct Endpoint {
    /// The `endpoint` label, and the key of its interval in `[poll]` of the configuration.
    pub name: &'static str,
    /// The path below the base URL; `{currency}` stands for a code.
    pub path: &'static str,
    /// The path of one part of the answer, if the API has one; `{currency}` or `{id}` selects the part.
    pub part: Option<&'static str>,
    /// The path in earlier versions of the API, requested if the current one is not found.
    pub former_path: Option<&'static str>,
    pub scope: Scope,
    /// Default time from one poll to the next.
    pub interval: Duration,
    /// A real answer of the API. Tests compare with it, and the simulator starts from it.
    pub sample: &'static str,
    metrics: &'static dyn Table,
}

/// An endpoint with the type `B` of its decoded answer.
pub struct Spec<B> {
    endpoint: Endpoint,
    answer: PhantomData<fn() -> B>,
}

/// The metrics of an endpoint, without the type of its answer.
trait Table: Sync {
    fn family(&'static self, place: usize) -> Option<&'static Family>;

    fn read(&'static self, body: &[u8], context: &Context<'_>) -> api::Result<Samples>;
}

impl<B: FromJson, const N: usize> Table for [Metric<B>; N] {
    fn family(&'static self, place: usize) -> Option<&'static Family> {
        self.get(place).map(|metric| &metric.family)
    }

    fn read(&'static self, body: &[u8], context: &Context<'_>) -> api::Result<Samples> {
        Ok(Samples::read(self, &api::decode(body)?, context))
    }
}

/// An endpoint about one account.
const fn of_account(name: &'static str, path: &'static str) -> Endpoint {
    endpoint(name, path, Scope::Account)
}

/// An endpoint about the pool.
const fn of_pool(name: &'static str, path: &'static str) -> Endpoint {
    endpoint(name, path, Scope::Pool)
}

/// An endpoint about one currency's network, with `{currency}` in its path.
const fn of_network(name: &'static str, path: &'static str) -> Endpoint {
    endpoint(name, path, Scope::Network)
}

const fn endpoint(name: &'static str, path: &'static str, scope: Scope) -> Endpoint {
    const NONE: &[Metric<()>; 0] = &[];
    let interval = Duration::ZERO;
    Endpoint { name, path, part: None, former_path: None, scope, interval, sample: "", metrics: NONE }
}

impl Endpoint {
    const fn part(self, path: &'static str) -> Endpoint {
        Endpoint { part: Some(path), ..self }
    }

    const fn former_path(self, path: &'static str) -> Endpoint {
        Endpoint { former_path: Some(path), ..self }
    }

    const fn every(self, interval: Duration) -> Endpoint {
        Endpoint { interval, ..self }
    }

    const fn sample(self, sample: &'static str) -> Endpoint {
        Endpoint { sample, ..self }
    }

    const fn metrics<B: FromJson, const N: usize>(self, metrics: &'static [Metric<B>; N]) -> Spec<B> {
        Spec { endpoint: Endpoint { metrics, ..self }, answer: PhantomData }
    }

    pub fn families(&self) -> impl Iterator<Item = &'static Family> + use<> {
        let metrics = self.metrics;
        (0..).map_while(|place| metrics.family(place))
    }

    /// Decodes an answer and reads its samples.
    ///
    /// # Errors
    /// [`api::Error::Shape`] if the body is not JSON or does not have this endpoint's shape.
    pub fn read(&self, body: &[u8], context: &Context<'_>) -> api::Result<Samples> {
        self.metrics.read(body, context)
    }

    /// Requests the endpoint and reads the samples of the answer.
    ///
    /// # Errors
    /// As [`Spec::fetch`].
    pub async fn fetch(&self, client: &Client, request: Request<'_>) -> api::Result<Samples> {
        self.ask(client, request, |body| self.read(body, &request.context())).await
    }

    /// Requests the endpoint and returns the JSON of the answer unchanged, with any shape.
    ///
    /// # Errors
    /// As [`Spec::fetch`], but [`api::Error::Shape`] only if the answer is not JSON.
    pub async fn fetch_json(&self, client: &Client, request: Request<'_>) -> api::Result<Box<RawValue>> {
        self.ask(client, request, api::json).await
    }

    /// Requests the path, and if it is not found, the path of earlier versions of the API.
    async fn ask<T>(
        &self,
        client: &Client,
        request: Request<'_>,
        decode: impl Fn(&[u8]) -> api::Result<T>,
    ) -> api::Result<T> {
        let Request { account, argument, deadline, .. } = request;
        let (path, former_path) = match (self.part, argument) {
            (Some(part), Some(_)) => (part, None),
            _ => (self.path, self.former_path),
        };
        let path = fill(path, argument.unwrap_or_default());
        let read =
            ReadRequest { endpoint: self.name, path: &path, account, lane: None, deadline, error: api::Error::of_answer };
        match (client.get(read, &decode).await, former_path) {
            (Err(api::Error::NotFound), Some(path)) => client.get(ReadRequest { path, ..read }, &decode).await,
            (result, _) => result,
        }
    }

    /// Whether its samples belong to an account, not to the pool or a network.
    pub fn is_of_account(&self) -> bool {
        self.scope == Scope::Account
    }

    /// Whether its samples can show that an account uses a currency.
    pub fn shows_use(&self) -> bool {
        self.families().any(|family| family.shows_use)
    }
}

impl<B: FromJson> Spec<B> {
    /// Requests the endpoint and decodes the answer.
    ///
    /// # Errors
    /// Every kind of [`api::Error`]; [`api::Error::Shape`] if the answer does not have this endpoint's shape.
    pub async fn fetch(&self, client: &Client, request: Request<'_>) -> api::Result<B> {
        self.endpoint.ask(client, request, api::decode).await
    }
}

/// The parameters of a request to an endpoint. The default is for requests without an account.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The account that the answer is about.
    pub account: Option<&'a Account>,
    /// The value for `{currency}` or `{id}` in the path.
    pub argument: Option<&'a str>,
    /// The request is not retried after this time.
    pub deadline: Option<Instant>,
    /// Decimals of the currencies' smallest units, for samples in coins.
    pub decimals: &'a Decimals,
    /// Maximum number of named workers of one currency that get samples.
    pub max_workers: usize,
}

impl Default for Request<'_> {
    fn default() -> Self {
        Request { account: None, argument: None, deadline: None, decimals: &DOCUMENTED, max_workers: Context::MAX_WORKERS }
    }
}

impl<'a> Request<'a> {
    /// A request about an account.
    pub fn of(account: &'a Account) -> Request<'a> {
        Request { account: Some(account), ..Request::default() }
    }

    /// A request about a network, or for one part of an answer.
    #[must_use]
    pub fn about(self, argument: &'a str) -> Request<'a> {
        Request { argument: Some(argument), ..self }
    }

    /// The context for reading the answer.
    pub fn context(&self) -> Context<'a> {
        let Request { account, decimals, max_workers, .. } = *self;
        Context { email: account.and_then(Account::email), decimals, max_workers }
    }
}

/// Characters escaped in a path segment. This is more than necessary, so that no argument can leave its segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// A path with its placeholder replaced.
fn fill(path: &str, argument: &str) -> String {
    let segment = utf8_percent_encode(argument, SEGMENT).to_string();
    path.replace("{currency}", &segment).replace("{id}", &segment)
}

/// The endpoint with this name.
pub fn find(name: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.name == name)
}

/// Full names of the metrics that are off by default.
pub fn optional_metrics() -> impl Iterator<Item = String> {
    ENDPOINTS.iter().flat_map(Endpoint::families).filter(|family| family.optional).map(Family::sample_name)
}

macro_rules! endpoints {
    ($($module:ident)*) => {
        $(pub mod $module;)*

        /// All endpoints, in the order of the exposition.
        pub static ENDPOINTS: &[Endpoint] = &[$($module::SPEC.endpoint),*];
    };
}

endpoints! {
    workers
    mining_stats
    balance
    transfers
    withdrawals
    invoices
    affiliate_links
    affiliate_childrens
    affiliate_profit
    nickname
    profit_rating
    top_hashrate
    status
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::metric::Kind;

    fn samples_of_the_sample(endpoint: &Endpoint) -> Samples {
        let context = Context { email: Some("user1@example.com"), ..Context::default() };
        endpoint.read(endpoint.sample.as_bytes(), &context).unwrap()
    }

    #[test]
    fn names_are_unique_and_plain() {
        let mut names = BTreeSet::new();
        for endpoint in ENDPOINTS {
            assert!(names.insert(endpoint.name.to_owned()), "{} appears twice", endpoint.name);
            for family in endpoint.families() {
                let name = family.name() + family.suffix();
                assert!(name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_')), "{name} is not snake_case");
                assert!(names.insert(name.clone()), "{name} appears twice");
            }
        }
    }

    #[test]
    fn every_row_is_complete() {
        for endpoint in ENDPOINTS {
            assert!(endpoint.path.starts_with("/1.0/"), "{}", endpoint.path);
            assert_eq!(endpoint.path.contains("{currency}"), endpoint.scope == Scope::Network, "{}", endpoint.path);
            assert!(endpoint.interval >= Duration::from_secs(1));
            for family in endpoint.families() {
                let name = family.name();
                assert!(!family.field.is_empty(), "{name} names no field of the API");
                assert!(family.help.len() > 10 && !family.help.ends_with('.'), "{name}: help is {:?}", family.help);
                assert!(!family.help.contains(['"', '\\', '\n']), "{name}: help would need escaping");
                assert!(family.kind != Kind::Info || family.unit.is_none(), "{name}: an info has no unit");
            }
        }
    }

    #[test]
    fn every_row_is_filled_by_the_sample() {
        for endpoint in ENDPOINTS {
            let samples = samples_of_the_sample(endpoint);
            assert_eq!(samples.dropped, 0, "{}", endpoint.name);
            for (family, series) in samples.families() {
                let series: Vec<_> = series.collect();
                // The documented account's only invoice is finished, and MinerGate has no values for single workers and payout thresholds.
                let is_of_other_pools = family.stem.starts_with("worker_") || family.stem == "mining_payout_threshold";
                let expected_empty = is_of_other_pools || family.stem == "invoices_next_expiry_timestamp";
                assert_eq!(series.is_empty(), expected_empty, "{}", family.name());
                for one in series {
                    let found = family.labels.iter().filter(|name| one.label(name).is_some());
                    assert_eq!(found.count(), family.labels.len(), "{}: {}", family.name(), one.labels);
                }
            }
        }
    }

    #[test]
    fn an_empty_answer_has_no_samples_and_is_no_error() {
        let context = Context::default();
        for endpoint in ENDPOINTS {
            let empty = match endpoint.sample.trim_start().as_bytes()[0] {
                b'{' => "{}",
                b'[' => "[]",
                _ => "null",
            };
            let samples = endpoint.read(empty.as_bytes(), &context).unwrap();
            for (family, series) in samples.families() {
                let counts_entries = matches!(family.stem, "affiliate_links" | "affiliate_children");
                assert_eq!(series.count() == 0, !counts_entries, "{}", family.name());
            }
        }
    }

    #[test]
    fn an_answer_of_another_shape_is_an_error_that_quotes_nothing() {
        let context = Context::default();
        for endpoint in ENDPOINTS {
            for wrong in ["", "<html>secret</html>", "12", "true", "{\"secret\":", "[[\"secret\"]"] {
                let error = endpoint.read(wrong.as_bytes(), &context).unwrap_err();
                assert_eq!(error.kind(), "shape", "{} took {wrong:?}", endpoint.name);
                assert!(!error.to_string().contains("secret"), "{error}");
            }
        }
    }

    #[test]
    fn an_argument_stays_in_its_segment() {
        assert_eq!(fill("/1.0/{currency}/status", "xmr"), "/1.0/xmr/status");
        assert_eq!(fill("/1.0/invoices/{id}", "../a?b=c#d %"), "/1.0/invoices/%2E%2E%2Fa%3Fb%3Dc%23d%20%25");
    }
}
