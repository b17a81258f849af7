//! A pool, asked within its limits.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use minergate::api::{self, Client, Lane, Observer, Secret};
use minergate::endpoints::Endpoint;
use tokio::time::Instant;

use super::Software;

/// What a pool is, and how gently it is asked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name in the configuration.
    pub name: Arc<str>,
    pub software: &'static Software,
    /// The code of its coin.
    pub currency: Arc<str>,
    /// Decimals of the unit that it counts coins in.
    pub decimals: u8,
    /// The time from one block of the currency to the next, on average.
    pub block_time: Duration,
    /// How long an answer serves all that ask for it.
    pub max_age: Duration,
    /// Where it is, and its limits.
    pub http: api::Settings,
}

impl Settings {
    pub const REQUESTS_PER_SECOND: f64 = 1.0;
    pub const BURST: f64 = 5.0;
    pub const CONCURRENCY: usize = 4;
    pub const MAX_AGE: Duration = Duration::from_secs(30);
}

/// A pool that is asked within its limits.
pub struct Pool {
    settings: Settings,
    client: Client,
}

/// An answer in the words of the MinerGate API.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The JSON of the endpoint's answer.
    pub json: String,
    /// When the pool gave what it was made of.
    pub time: SystemTime,
}

/// A wallet at a pool.
pub struct Wallet {
    pool: Arc<Pool>,
    /// The name of the account that it belongs to.
    account: Arc<str>,
    address: Secret,
    lane: Lane,
}

impl Pool {
    /// A pool that keeps within the settings' limits.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn new(settings: Settings, observer: Observer) -> api::Result<Pool> {
        let client = Client::new(&settings.http, observer)?;
        Ok(Pool { settings, client })
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A wallet at this pool.
    pub fn wallet(self: &Arc<Pool>, account: Arc<str>, address: Secret) -> Wallet {
        Wallet { pool: self.clone(), account, address, lane: self.client.lane() }
    }

    /// The answer to an endpoint of the pool's or a network's. `deadline` is when it is of no use any more.
    ///
    /// # Errors
    /// Every kind of [`api::Error`] but those about logins; [`api::Error::NotFound`] for an endpoint that the software can't fill.
    pub async fn answer(&self, endpoint: &'static Endpoint, deadline: Option<Instant>) -> api::Result<Answer> {
        let _ = (endpoint, deadline, &self.client);
        Err(api::Error::NotFound)
    }
}

impl Wallet {
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// The answer to an endpoint of an account's.
    ///
    /// # Errors
    /// As [`Pool::answer`], and [`api::Error::WalletUnknown`], [`api::Error::SecretFile`].
    pub async fn answer(&self, endpoint: &'static Endpoint, deadline: Option<Instant>) -> api::Result<Answer> {
        let _ = (endpoint, deadline, &self.account, &self.address, &self.lane);
        Err(api::Error::NotFound)
    }
}
