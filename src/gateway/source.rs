//! One answer of a wallet or a pool. It is requested when a client needs it, by one request at a time, and the last good one is kept for a
//! while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use minergate::api::{self, Error};
use minergate::endpoints::Endpoint;
use minergate_pools::{Answer, Pool, Wallet};
use tokio::time::{Instant, timeout};

use super::outage::Outage;

/// How long a client waits for the pool if there is no stored answer. It is less than ten seconds, the usual timeout of clients.
const PATIENCE: Duration = Duration::from_secs(8);

/// The same if there is a stored answer. The pool's answer is then for the next client.
const SOON: Duration = Duration::from_secs(2);

/// Time limit of a request to the pool, even if the client has gone. With many wallets, a request waits for its turn at the pool.
const DEADLINE: Duration = Duration::from_secs(60);

/// After a failure, no request is sent to the pool for this time.
const PAUSE: Duration = Duration::from_secs(5);

/// Maximum wait that clients are told. They may apply it to the whole gateway, although other accounts are at other pools.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Missing {
    /// The pool does not know the wallet.
    Wallet,
    /// The pool can't be read now. The time until it can be read is given if it is known.
    Pool(Option<Duration>),
}

/// Where the answer comes from.
pub(super) enum Upstream {
    /// A wallet, and the failures of this wallet alone.
    Wallet(Arc<Wallet>, Arc<Outage>),
    Pool(Arc<Pool>),
}

impl Upstream {
    fn pool(&self) -> &Pool {
        match self {
            Upstream::Wallet(wallet, _) => wallet.pool(),
            Upstream::Pool(pool) => pool,
        }
    }

    async fn answer(&self, endpoint: &'static Endpoint) -> api::Result<Answer> {
        let deadline = Some(Instant::now() + DEADLINE);
        match self {
            Upstream::Wallet(wallet, _) => wallet.answer(endpoint, deadline).await,
            Upstream::Pool(pool) => pool.answer(endpoint, deadline).await,
        }
    }
}

/// One endpoint of a wallet or a pool.
pub(super) struct Source {
    pub(super) endpoint: &'static Endpoint,
    upstream: Upstream,
    /// Maximum age of an answer that is used instead of a newer one.
    lifetime: Duration,
    /// The pool's failures.
    outage: Arc<Outage>,
    state: Mutex<SourceState>,
}

type PendingAnswer = Shared<BoxFuture<'static, api::Result<Answer>>>;

#[derive(Default)]
struct SourceState {
    kept: Option<Answer>,
    /// The request in flight.
    pending: Option<PendingAnswer>,
    /// How the latest request failed, and until when this applies.
    failure: Option<(Missing, Instant)>,
}

impl Source {
    pub(super) fn new(
        endpoint: &'static Endpoint,
        upstream: Upstream,
        lifetime: Duration,
        outage: Arc<Outage>,
    ) -> Arc<Source> {
        Arc::new(Source { endpoint, upstream, lifetime, outage, state: Mutex::default() })
    }

    /// The code of the pool's coin.
    pub(super) fn currency(&self) -> &str {
        &self.upstream.pool().settings().currency
    }

    /// The JSON of the pool's answer, or of the last good one.
    pub(super) async fn get(self: &Arc<Source>) -> Result<String, Missing> {
        if let Some(missing) = self.failure() {
            return self.kept(missing);
        }
        let pending = self.ask();
        let patience = if self.kept(Missing::Pool(None)).is_ok() { SOON } else { PATIENCE };
        match timeout(patience, pending).await {
            Ok(Ok(answer)) => Ok(answer.json),
            Ok(Err(_)) => self.kept(self.failure().unwrap_or(Missing::Pool(None))),
            Err(_) => self.kept(Missing::Pool(None)),
        }
    }

    /// How the latest request failed, as long as this applies.
    fn failure(&self) -> Option<Missing> {
        let (missing, until) = self.state().failure?;
        let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        Some(match missing {
            Missing::Wallet => Missing::Wallet,
            Missing::Pool(_) => Missing::Pool(Some(left.min(LONGEST_WAIT))),
        })
    }

    /// The last good answer, unless the pool has said since that it does not know the wallet, or the answer is too old.
    fn kept(&self, missing: Missing) -> Result<String, Missing> {
        let mut state = self.state();
        let age = |answer: &Answer| SystemTime::now().duration_since(answer.time).unwrap_or_default();
        if missing == Missing::Wallet || state.kept.as_ref().is_some_and(|kept| age(kept) >= self.lifetime) {
            state.kept = None;
        }
        state.kept.as_ref().map(|answer| answer.json.clone()).ok_or(missing)
    }

    /// The request in flight, or a new one. It continues if its client has gone.
    fn ask(self: &Arc<Source>) -> PendingAnswer {
        let mut state = self.state();
        if let Some(pending) = state.pending.as_ref().filter(|pending| pending.peek().is_none()) {
            return pending.clone();
        }
        let source = self.clone();
        let task = tokio::spawn(async move {
            let result = source.upstream.answer(source.endpoint).await;
            source.ended(&result);
            result
        });
        // It can only fail when the process ends.
        let pending = async { task.await.unwrap_or(Err(Error::Broken)) }.boxed().shared();
        state.pending = Some(pending.clone());
        pending
    }

    fn ended(&self, result: &api::Result<Answer>) {
        let error = match result {
            Ok(answer) => {
                self.outage.succeeded();
                if let Upstream::Wallet(_, own) = &self.upstream {
                    own.succeeded();
                }
                let mut state = self.state();
                (state.kept, state.failure) = (Some(answer.clone()), None);
                return;
            }
            Err(error) => error,
        };
        let outage = match (&self.upstream, error) {
            (Upstream::Wallet(_, own), Error::WalletUnknown | Error::SecretFile { .. }) => own,
            _ => &self.outage,
        };
        outage.failed(self.endpoint.name, error);
        let now = Instant::now();
        let failure = match error {
            Error::WalletUnknown => (Missing::Wallet, now + self.upstream.pool().settings().max_age),
            error => (Missing::Pool(None), error.until().unwrap_or(now).max(now + PAUSE)),
        };
        self.state().failure = Some(failure);
    }

    fn state(&self) -> MutexGuard<'_, SourceState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
