//! A pool and its wallets. Requests keep the pool's limits.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use minergate::answer::List;
use minergate::api::{self, Client, Error, Lane, Observer, ReadRequest, Secret};
use minergate::endpoints::Endpoint;
use minergate::endpoints::withdrawals::Withdrawal;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::address;
use super::cache::{Cache, CachedResult, Lifetimes};
use super::pool_error;
use super::reading::{Context, Reading, compose, json};
use super::software::{ADDRESS, Reader, Software};

/// Most pages of a wallet's payments that are read.
const MAX_PAGES: usize = 1000;

/// Most payments of a wallet that are read. An answer of the API can't have more entries.
const MAX_PAYMENTS: usize = 50_000;

/// Characters that are escaped in an address: more than necessary, so that an address can't change the path or the query around it.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// A pool, and the limits of its requests.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name in the configuration.
    pub name: Arc<str>,
    pub software: &'static Software,
    /// The code of its coin.
    pub currency: Arc<str>,
    /// Decimals of the unit in which the pool counts coins.
    pub decimals: u8,
    /// The average time between two blocks of the currency.
    pub block_time: Duration,
    /// How long an answer of the pool is reused.
    pub max_age: Duration,
    /// Its URL and the limits of requests.
    pub http: api::Settings,
}

impl PartialEq for Settings {
    fn eq(&self, other: &Settings) -> bool {
        let Settings { name, software, currency, decimals, block_time, max_age, http } = self;
        (name, software.name, currency, decimals) == (&other.name, other.software.name, &other.currency, &other.decimals)
            && (block_time, max_age, http) == (&other.block_time, &other.max_age, &other.http)
    }
}

impl Settings {
    pub const REQUESTS_PER_SECOND: f64 = 1.0;
    pub const BURST: f64 = 5.0;
    pub const CONCURRENCY: usize = 4;
    pub const MAX_AGE: Duration = Duration::from_secs(30);

    /// The client's settings. The software's root is appended to the URL if the URL does not end with it.
    fn http(&self) -> api::Settings {
        let mut http = self.http.clone();
        let path = http.base_url.path().trim_end_matches('/').to_owned();
        if !path.ends_with(self.software.root) {
            http.base_url.set_path(&format!("{path}{}", self.software.root));
        }
        http
    }

    /// The context of a reading.
    fn context<'a>(&'a self, account: &'a str, address: &'a str) -> Context<'a> {
        let Settings { currency, decimals, block_time, .. } = self;
        Context { account, address, currency, decimals: *decimals, block_time: *block_time }
    }
}

/// A pool. An upstream answer is reused for [`Settings::max_age`], and only one request per address is in flight at a time.
pub struct Pool {
    settings: Settings,
    client: Client,
    cache: Cache<Reading>,
}

/// An answer in the form of the MinerGate API.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The JSON of the endpoint's answer.
    pub json: String,
    /// When the pool answered. If several of its answers were needed, the time of the oldest.
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

/// The parameters of one request: endpoint, wallet and deadline.
#[derive(Clone, Copy)]
struct PoolRequest<'a> {
    endpoint: &'static str,
    deadline: Option<Instant>,
    lane: Option<(&'a str, &'a Lane)>,
    context: Context<'a>,
}

impl Pool {
    /// A pool with these settings.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn new(settings: Settings, observer: Observer) -> api::Result<Pool> {
        let client = Client::new(&settings.http(), observer)?;
        Ok(Pool { cache: Cache::new(settings.max_age), settings, client })
    }

    /// The pool with other settings. If the URL is the same, the pauses that it asked for stay in force.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn reconfigured(&self, settings: Settings) -> api::Result<Pool> {
        let client = self.client.reconfigured(&settings.http())?;
        Ok(Pool { cache: Cache::new(settings.max_age), settings, client })
    }

    /// Uses new connections from now on.
    pub async fn renew_connections(&self) {
        self.client.renew_connections().await;
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether its software can fill an endpoint.
    pub fn fills(&self, endpoint: &Endpoint) -> bool {
        self.settings.software.fills(endpoint.name)
    }

    /// A wallet at this pool.
    pub fn wallet(self: &Arc<Pool>, account: Arc<str>, address: Secret) -> Wallet {
        Wallet { pool: self.clone(), account, address, lane: self.client.lane() }
    }

    /// The answer to an endpoint of the pool or of a network. After `deadline` it is no longer needed.
    ///
    /// # Errors
    /// Every kind of [`api::Error`] except those about logins; [`api::Error::NotFound`] for an endpoint that the software can't fill.
    pub async fn answer(&self, endpoint: &'static Endpoint, deadline: Option<Instant>) -> api::Result<Answer> {
        let context = self.settings.context("", "");
        let request = PoolRequest { endpoint: endpoint.name, deadline, lane: None, context };
        if endpoint.is_of_account() { Err(Error::NotFound) } else { self.compose(request).await }
    }

    async fn compose(&self, request: PoolRequest<'_>) -> api::Result<Answer> {
        let (readings, time) = self.readings(request).await?;
        Ok(Answer { json: compose(request.endpoint, &readings, &request.context)?, time })
    }

    /// The values read from the endpoint's paths, and the time of the oldest answer.
    async fn readings(&self, request: PoolRequest<'_>) -> api::Result<(Vec<Arc<Reading>>, SystemTime)> {
        let Settings { software, max_age, .. } = self.settings;
        if !software.fills(request.endpoint) {
            return Err(Error::NotFound);
        }
        let (mut readings, mut times) = (Vec::new(), Vec::new());
        for (source, is_needed) in software.sources(request.endpoint) {
            let errors = if is_needed { Duration::ZERO } else { max_age };
            let keep = Lifetimes { answers: max_age.saturating_mul(source.ages), errors };
            let CachedResult { result, time } = self.ask(request, source.path, keep, source.error, source.read).await;
            match result {
                Ok(reading) => {
                    readings.push(reading);
                    times.extend(is_needed.then_some(time));
                }
                Err(error) if is_needed => return Err(error),
                Err(_) => {}
            }
        }
        let oldest = times.into_iter().min();
        Ok((readings, oldest.unwrap_or_else(SystemTime::now)))
    }

    /// The values read from one path. The address replaces the placeholder in the path.
    async fn ask(
        &self,
        request: PoolRequest<'_>,
        path: &str,
        keep: Lifetimes,
        error: fn(u16, &[u8]) -> Option<Error>,
        read: Reader,
    ) -> CachedResult<Reading> {
        let PoolRequest { endpoint, deadline, lane, context } = request;
        let is_of_wallet = path.contains(ADDRESS);
        let key = if is_of_wallet { context.address } else { path };
        let ask = async {
            let filled = fill(path, context.address);
            let lane = lane.filter(|_| is_of_wallet);
            let request = ReadRequest { endpoint, path: &filled, account: None, lane, deadline, error };
            self.client.get(request, |body| read(body, &context)).await
        };
        self.cache.get(key, path, keep, ask).await
    }
}

/// Leaves out the client's settings.
impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("name", &self.settings.name).finish_non_exhaustive()
    }
}

/// Leaves out the address.
impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wallet").field("pool", &self.pool).field("account", &self.account).finish_non_exhaustive()
    }
}

impl Wallet {
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// The name of the account that it belongs to.
    pub fn account(&self) -> &Arc<str> {
        &self.account
    }

    /// Whether this is the wallet's address, or the file with its address.
    pub fn address_is(&self, address: &Secret) -> bool {
        self.address == *address
    }

    /// Whether both wallets have the same address, or the same file with the address.
    pub fn has_address_of(&self, other: &Wallet) -> bool {
        self.address_is(&other.address)
    }

    /// The answer to an endpoint of an account. After `deadline` it is no longer needed.
    ///
    /// # Errors
    /// As [`Pool::answer`], and [`api::Error::WalletUnknown`], [`api::Error::SecretFile`].
    pub async fn answer(&self, endpoint: &'static Endpoint, deadline: Option<Instant>) -> api::Result<Answer> {
        if !endpoint.is_of_account() {
            return Err(Error::NotFound);
        }
        let address = self.address().await?;
        self.pool.compose(self.request(endpoint.name, &address, deadline)).await
    }

    /// All payments to the wallet that the pool lists, as the JSON of the API's withdrawals. After `deadline` they are no longer needed.
    ///
    /// Reads the pages one after the other within the pool's limits, at most 1,000 pages or 50,000 payments.
    ///
    /// # Errors
    /// As [`Wallet::answer`].
    pub async fn payments_all(&self, deadline: Option<Instant>) -> api::Result<Answer> {
        let address = self.address().await?;
        let request = self.request("withdrawals", &address, deadline);
        let (readings, mut time) = self.pool.readings(request).await?;
        let mut all: Vec<Withdrawal> = readings.iter().flat_map(|reading| reading.withdrawals.clone()).collect();
        let mut last = all.clone();
        let pages = self.pool.settings.software.pages;
        let keep = Lifetimes { answers: self.pool.settings.max_age, errors: Duration::ZERO };
        for page in 1..MAX_PAGES {
            let Some((pages, path)) = pages.and_then(|pages| Some((pages, (pages.next)(page, &last)?))) else { break };
            let found = self.pool.ask(request, &path, keep, pool_error::of_wallet, pages.read).await;
            let reading = found.result?;
            // For a page after the last one, a pool may repeat the page before.
            if reading.withdrawals.is_empty() || reading.withdrawals == last {
                break;
            }
            last.clone_from(&reading.withdrawals);
            all.extend_from_slice(&last);
            time = time.min(found.time);
            if all.len() >= MAX_PAYMENTS {
                all.truncate(MAX_PAYMENTS);
                break;
            }
        }
        Ok(Answer { json: json(&all.into_iter().collect::<List<_>>())?, time })
    }

    fn request<'a>(
        &'a self,
        endpoint: &'static str,
        address: &'a SecretString,
        deadline: Option<Instant>,
    ) -> PoolRequest<'a> {
        let context = self.pool.settings.context(&self.account, address.expose_secret());
        PoolRequest { endpoint, deadline, lane: Some((&self.account, &self.lane)), context }
    }

    async fn address(&self) -> api::Result<SecretString> {
        let address = self.address.read().await?;
        // A text that is not an address is not sent. Dots alone, as in `..`, would select another path.
        address::parse(address.expose_secret()).map(SecretString::from).map_err(|_| Error::WalletUnknown)
    }
}

/// The path with the address in the place of the placeholder.
fn fill(path: &str, address: &str) -> String {
    path.replace(ADDRESS, &utf8_percent_encode(address, SEGMENT).to_string())
}

#[cfg(test)]
mod tests;
