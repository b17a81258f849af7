//! The table of the API's endpoints. Everything else loops over it.
//!
//! To add an endpoint, write `endpoints/x.rs` (its `SPEC`), put a real answer beside it as `endpoints/x.json`, and add
//! its line to the table here. To add a metric, add a row to the endpoint's `metrics`.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::api::{self, Account, Client, Read};
use crate::metric::{Family, Metric, Request, Rows};

/// Words of a transfer's state, a withdrawal's or an invoice's status that the API's documentation holds.
const STATES: &[&str] = &[FINISHED, PENDING];
const FINISHED: &str = "finished";
const PENDING: &str = "pending";

/// What an endpoint's answer speaks of, and so what its path and its series carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One account: asked with its token, labelled `account`.
    Account,
    /// The whole pool: asked without a token.
    Pool,
    /// One currency's network: asked without a token, `{currency}` in the path, labelled `currency`.
    Network,
}

/// One endpoint with the type `B` of its decoded answer: the request line, and the table of its metrics.
pub struct Spec<B: 'static> {
    /// The `endpoint` label, and the key of its interval in the configuration's `[poll]`.
    pub name: &'static str,
    /// The path below the base URL; `{currency}` stands for a code.
    pub path: &'static str,
    /// The path of one part of the answer, where the API has one: `{currency}` or `{id}` stands for which.
    pub part: Option<&'static str>,
    /// The path that earlier versions of the API had, asked when the present one is not found.
    pub former_path: Option<&'static str>,
    pub scope: Scope,
    /// Time from one poll to the next, unless configured otherwise.
    pub interval: Duration,
    /// A real answer of the API: what tests compare with, and what the simulator starts from.
    pub sample: &'static str,
    pub metrics: &'static [Metric<B>],
}

impl<B: DeserializeOwned> Spec<B> {
    /// Asks the API and decodes its answer.
    ///
    /// `argument` fills the path's `{currency}` or the part's `{currency}` or `{id}`.
    ///
    /// # Errors
    /// As [`Client::get`], and [`api::Error::Shape`] when the answer is not this endpoint's.
    pub async fn fetch(&self, client: &Client, account: Option<&Account>, argument: Option<&str>) -> api::Result<B> {
        let (path, former) = paths(self.path, self.part, self.former_path, argument);
        ask(client, Read { endpoint: self.name, path: &path, account, deadline: None }, former, api::decode).await
    }

    fn read(&self, body: &[u8], request: &Request<'_>) -> api::Result<Rows> {
        Ok(Rows::read(self.metrics, &api::decode(body)?, request))
    }
}

/// Reads a path, and where that is not found, the one of earlier versions of the API.
async fn ask<T>(
    client: &Client,
    read: Read<'_>,
    former_path: Option<&str>,
    decode: impl Fn(&[u8]) -> api::Result<T>,
) -> api::Result<T> {
    match (client.get(read, &decode).await, former_path) {
        (Err(api::Error::NotFound), Some(path)) => client.get(Read { path, ..read }, &decode).await,
        (result, _) => result,
    }
}

/// The path that an argument leads to, and the one to ask where that is not found.
fn paths<'a>(
    path: &str,
    part: Option<&str>,
    former_path: Option<&'a str>,
    argument: Option<&str>,
) -> (String, Option<&'a str>) {
    let (path, former) = match (part, argument) {
        (Some(part), Some(_)) => (part, None),
        _ => (path, former_path),
    };
    (fill(path, argument.unwrap_or_default()), former)
}

/// A path with its placeholder filled; what is filled in can't leave its path segment.
fn fill(path: &str, argument: &str) -> String {
    let segment: String = argument.bytes().map(encode_byte).collect();
    path.replace("{currency}", &segment).replace("{id}", &segment)
}

fn encode_byte(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

/// A row of the table: a [`Spec`] without its answer's type.
pub struct Endpoint {
    pub name: &'static str,
    pub path: &'static str,
    pub part: Option<&'static str>,
    pub former_path: Option<&'static str>,
    pub scope: Scope,
    pub interval: Duration,
    pub sample: &'static str,
    family: fn(usize) -> Option<&'static Family>,
    read: fn(&[u8], &Request<'_>) -> api::Result<Rows>,
}

impl Endpoint {
    pub fn families(&self) -> impl Iterator<Item = &'static Family> {
        (0..).map_while(self.family)
    }

    /// Decodes an answer and reads its samples.
    ///
    /// # Errors
    /// [`api::Error::Shape`] when the body is not JSON or not of this endpoint's shape.
    pub fn read(&self, body: &[u8], request: &Request<'_>) -> api::Result<Rows> {
        (self.read)(body, request)
    }

    /// Asks the API and reads the samples of its answer, which are of use until the deadline.
    ///
    /// # Errors
    /// As [`Client::get`], and [`api::Error::Shape`] when the answer is not this endpoint's.
    pub async fn fetch(
        &self,
        client: &Client,
        account: Option<&Account>,
        currency: &str,
        request: &Request<'_>,
        deadline: Instant,
    ) -> api::Result<Rows> {
        let path = fill(self.path, currency);
        let read = Read { endpoint: self.name, path: &path, account, deadline: Some(deadline) };
        ask(client, read, self.former_path, |body| self.read(body, request)).await
    }

    /// Asks the API and returns its answer as it stands, whatever its shape; `argument` as in [`Spec::fetch`].
    ///
    /// # Errors
    /// As [`Client::get`], and [`api::Error::Shape`] when the answer is not JSON.
    pub async fn fetch_json(
        &self,
        client: &Client,
        account: Option<&Account>,
        argument: Option<&str>,
    ) -> api::Result<Box<RawValue>> {
        let (path, former) = paths(self.path, self.part, self.former_path, argument);
        ask(client, Read { endpoint: self.name, path: &path, account, deadline: None }, former, api::decode).await
    }

    /// Whether its samples are an account's, and not pool's or network's.
    pub fn is_of_account(&self) -> bool {
        self.scope == Scope::Account
    }

    /// Whether its samples can show that an account uses a currency.
    pub fn shows_use(&self) -> bool {
        self.families().any(|family| family.shows_use)
    }
}

/// The row of that name.
pub fn find(name: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.name == name)
}

/// Full names of the metrics that are off unless the configuration asks for them.
pub fn optional_metrics() -> impl Iterator<Item = String> {
    ENDPOINTS.iter().flat_map(Endpoint::families).filter(|family| family.optional).map(Family::sample_name)
}

macro_rules! endpoints {
    ($($module:ident)*) => {
        $(pub mod $module;)*

        /// Every endpoint that is polled, in the order of the exposition.
        pub static ENDPOINTS: &[Endpoint] = &[$(Endpoint {
            name: $module::SPEC.name,
            path: $module::SPEC.path,
            part: $module::SPEC.part,
            former_path: $module::SPEC.former_path,
            scope: $module::SPEC.scope,
            interval: $module::SPEC.interval,
            sample: $module::SPEC.sample,
            family: |i| $module::SPEC.metrics.get(i).map(|metric| &metric.family),
            read: |body, request| $module::SPEC.read(body, request),
        }),*];
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
    use crate::currency::Decimals;
    use crate::metric::Kind;

    fn sample_rows(endpoint: &Endpoint) -> Rows {
        let request = Request { email: Some("user1@example.com"), decimals: &Decimals::default() };
        endpoint.read(endpoint.sample.as_bytes(), &request).unwrap()
    }

    #[test]
    fn names_are_unique_and_plain() {
        let mut names = BTreeSet::new();
        for endpoint in ENDPOINTS {
            assert!(names.insert(endpoint.name.to_owned()), "{} stands twice", endpoint.name);
            for family in endpoint.families() {
                let name = family.name() + family.suffix();
                assert!(name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_')), "{name} is not snake_case");
                assert!(names.insert(name.clone()), "{name} stands twice");
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
            let rows = sample_rows(endpoint);
            assert_eq!(rows.dropped, 0, "{}", endpoint.name);
            for (family, series) in rows.families() {
                let series: Vec<_> = series.collect();
                // The documented account's only invoice is finished.
                let expected_empty = family.stem == "invoices_next_expiry_timestamp";
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
        let request = Request { email: None, decimals: &Decimals::default() };
        for endpoint in ENDPOINTS {
            let empty = match endpoint.sample.trim_start().as_bytes()[0] {
                b'{' => "{}",
                b'[' => "[]",
                _ => "null",
            };
            let rows = endpoint.read(empty.as_bytes(), &request).unwrap();
            for (family, series) in rows.families() {
                let counts_entries = matches!(family.stem, "affiliate_links" | "affiliate_children");
                assert_eq!(series.count() == 0, !counts_entries, "{}", family.name());
            }
        }
    }

    #[test]
    fn an_answer_of_another_shape_is_an_error_that_quotes_nothing() {
        let request = Request { email: None, decimals: &Decimals::default() };
        for endpoint in ENDPOINTS {
            for wrong in ["", "<html>secret</html>", "12", "true", "{\"secret\":", "[[\"secret\"]"] {
                let error = endpoint.read(wrong.as_bytes(), &request).unwrap_err();
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
