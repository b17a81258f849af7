//! Turns for answers that need time or memory. They limit the number of answers that are made and sent at a time, and their unsent bytes.
//!
//! Requests wait for their turn in order of arrival. A waiting request takes the turn of the client that has read nothing of its
//! answer for the longest time, so clients that do not read can't block others.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use super::exchange::Exchange;
use super::guard::Refuse;
use super::limit;

/// The turns of one kind of answers.
pub(super) struct Turns {
    number: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    most_bytes: u32,
    /// The answer to a request that gets no turn.
    refusal: (Refuse, &'static str),
    holders: Mutex<Vec<Weak<Exchange>>>,
}

impl Turns {
    /// Turns for `number` requests at a time (0: no limit), whose answers have at most `bytes` bytes together.
    pub(super) fn new(number: usize, bytes: u32, refusal: (Refuse, &'static str)) -> Arc<Turns> {
        let number = if number == 0 { Semaphore::MAX_PERMITS } else { number.min(Semaphore::MAX_PERMITS) };
        let (number, bytes, most_bytes) = (Semaphore::new(number), Semaphore::new(bytes as usize), bytes);
        Arc::new(Turns { number: number.into(), bytes: bytes.into(), most_bytes, refusal, holders: Mutex::default() })
    }

    /// Waits for a turn and answers the request. It keeps the turn until the whole answer is written.
    pub(super) async fn answer(State(turns): State<Arc<Turns>>, request: Request, next: Next) -> Response {
        // A request without a connection needs no turn.
        let Some(exchange) = request.extensions().get::<Arc<Exchange>>().cloned() else { return next.run(request).await };
        if !turns.begin(&exchange).await {
            return turns.refuse();
        }
        let response = next.run(request).await;
        let bytes = response.body().size_hint().exact().and_then(|bytes| bytes.try_into().ok()).unwrap_or(0);
        if turns.charge(&exchange, bytes).await { response } else { turns.refuse() }
    }

    async fn begin(&self, exchange: &Arc<Exchange>) -> bool {
        let own = exchange.connection.turn.clone().acquire_owned();
        let both = async { Some((own.await.ok()?, self.acquire(&self.number, 1).await?)) };
        let Ok(Some((own, turn))) = timeout(limit::TURN, both).await else { return false };
        exchange.hold(own);
        exchange.hold(turn);
        self.holders.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(exchange));
        true
    }

    /// Counts an answer's bytes until they are written. An answer larger than the limit waits until it is the only one.
    async fn charge(&self, exchange: &Exchange, bytes: u32) -> bool {
        let permit = timeout(limit::TURN, self.acquire(&self.bytes, bytes.min(self.most_bytes))).await;
        permit.ok().flatten().map(|permit| exchange.hold(permit)).is_some()
    }

    async fn acquire(&self, semaphore: &Arc<Semaphore>, permits: u32) -> Option<OwnedSemaphorePermit> {
        let acquired = semaphore.clone().acquire_many_owned(permits);
        tokio::pin!(acquired);
        loop {
            tokio::select! {
                biased;
                permit = &mut acquired => return permit.ok(),
                () = async { self.displace(); sleep(limit::STALL).await } => {}
            }
        }
    }

    /// Closes the connection whose client has read nothing for the longest time.
    fn displace(&self) {
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        holders.retain(|holder| holder.strong_count() > 0);
        let exchanges: Vec<Arc<Exchange>> = holders.iter().filter_map(Weak::upgrade).collect();
        drop(holders);
        let stalled = exchanges.iter().filter(|exchange| !exchange.connection.is_cut());
        let stalled = stalled.filter_map(|exchange| Some((exchange.progress().stalled_since()?, exchange)));
        if let Some((_, exchange)) = stalled.min_by_key(|(since, _)| *since) {
            exchange.connection.cut();
        }
    }

    fn refuse(&self) -> Response {
        let (refuse, sentence) = self.refusal;
        let mut response = refuse(StatusCode::SERVICE_UNAVAILABLE, sentence);
        response.headers_mut().insert(RETRY_AFTER, 1.into());
        response
    }
}
