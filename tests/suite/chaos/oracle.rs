//! The right values: those of a second simulator with the same seed, which has no faults.
//!
//! The numbers change with time, and the exact time of the daemon's answers is unknown. So a value of a scrape must
//! be between the readings of the second simulator from before the oldest answer that can be shown until after the scrape.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use minergate::api::{Account, Client};
use minergate::currency::CURRENCIES;
use minergate::endpoints::{ENDPOINTS, Endpoint, Request, Scope};
use minergate_exporter::config::{Config, Sources};
use minergate_exporter::exposition::{Exposition, Filter, Format};
use minergate_exporter::poller::Plan;
use minergate_exporter::store::{Key, Store};
use minergate_exporter::subject::Subject;
use tokio::runtime::Runtime;
use tokio::time::Instant;

use super::HEALTHY;
use crate::process::PATIENCE;
use crate::scrape::{Scrape, label};

/// Prefixes of metrics that are not values of the API.
const OWN: &[&str] =
    &["minergate_up{", "minergate_endpoint_", "minergate_api_", "minergate_auth_", "minergate_exporter_", "process_"];

/// How far a gauge can be from the nearest reading, as a fraction of the largest. Between two readings a hashrate can have its
/// maximum, and a balance can be paid out, which is highest just before.
const TOLERANCE: f64 = 0.01;

/// All values that the second simulator gave within a short time.
struct Reading {
    began: Instant,
    ended: Instant,
    samples: BTreeMap<String, f64>,
}

pub(super) struct Oracle {
    runtime: Runtime,
    client: Client,
    plan: Plan,
    readings: Vec<Reading>,
    /// The age of the oldest answer that a scrape can show, with the time of its request.
    oldest: Duration,
}

impl Oracle {
    /// An oracle for the simulator of that configuration, with its first reading.
    pub(super) fn new(config: &Path, oldest: Duration) -> Oracle {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let config = Config::load(Sources { file: Some(config), ..Sources::default() }).unwrap();
        let client = Client::new(config.require_api().unwrap(), Arc::new(|_| {})).unwrap();
        let mut plan = config.plan;
        plan.accounts.retain(|(account, _)| HEALTHY.contains(&&**account.name()));
        let mut oracle = Oracle { runtime, client, plan, readings: Vec::new(), oldest };
        oracle.read();
        oracle
    }

    /// Reads everything once.
    pub(super) fn read(&mut self) {
        let began = Instant::now();
        let Oracle { runtime, client, plan, .. } = self;
        let store = Arc::new(Store::default());
        let fetch = async |endpoint: &Endpoint, account: Option<&Account>, subject: Subject| {
            let deadline = Some(Instant::now() + PATIENCE);
            let argument = subject.argument(endpoint);
            let request = Request { account, argument, deadline, decimals: &plan.reading.decimals, ..Request::default() };
            let rows = endpoint.fetch(client, request).await.unwrap();
            store.replace(&Key { subject, endpoint: endpoint.name }, rows, PATIENCE);
        };
        runtime.block_on(async {
            for endpoint in ENDPOINTS {
                match endpoint.scope {
                    Scope::Pool => fetch(endpoint, None, Subject::Pool).await,
                    Scope::Network => {
                        for (code, ..) in CURRENCIES {
                            fetch(endpoint, None, Subject::Network((*code).into())).await;
                        }
                    }
                    Scope::Account => {
                        for (account, _) in &plan.accounts {
                            fetch(endpoint, Some(account), Subject::Account(account.name().clone())).await;
                        }
                    }
                }
            }
        });
        let exposition = Exposition::new(store, Arc::default());
        let Scrape(mut samples) = Scrape::read(&exposition.render(Format::Text, &Filter::default()));
        samples.retain(|series, _| is_of_api(series));
        self.readings.push(Reading { began, ended: Instant::now(), samples });
    }

    /// Checks a scrape that was made between that time and the latest reading: the values of healthy accounts, pool and
    /// networks are right, and with `nothing_missing`, all values that every reading has are there.
    pub(super) fn check(&self, scrape: &Scrape, since: Instant, nothing_missing: bool) {
        let first = self.readings.iter().rposition(|reading| reading.ended + self.oldest <= since).unwrap_or_default();
        let readings = &self.readings[first..];
        for (series, value) in scrape.0.iter().filter(|(series, _)| is_of_api(series)) {
            if label(series, "account").is_some_and(|account| !HEALTHY.contains(&account)) {
                continue;
            }
            let said = || readings.iter().filter_map(|reading| reading.samples.get(series).copied());
            let (least, most) = (said().fold(f64::INFINITY, f64::min), said().fold(f64::NEG_INFINITY, f64::max));
            // A counter must be between two readings.
            let grows = series.contains("_total{") || series.contains("_timestamp_seconds{");
            let tolerance = if grows { 0.0 } else { TOLERANCE * most.abs().max(least.abs()) };
            assert!(
                (least - tolerance..=most + tolerance).contains(value),
                "{series} is {value}, and the simulator said {least} to {most} in {:?}",
                since - readings[0].began
            );
        }
        if nothing_missing {
            let always = readings[0].samples.keys().filter(|series| label(series, "account").is_some());
            let mut always = always.filter(|series| readings.iter().all(|reading| reading.samples.contains_key(*series)));
            assert_eq!(always.find(|series| !scrape.0.contains_key(*series)), None, "a value is gone too early");
        }
    }
}

/// Whether a series has values of the API.
pub(super) fn is_of_api(series: &str) -> bool {
    !OWN.iter().any(|own| series.starts_with(own))
}
