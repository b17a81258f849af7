//! What a scrape gets: the store's rows, the accounts' health and the exporter's own metrics, as text or gzipped text.
//!
//! A family stands once, with the samples of all accounts inside. Rows and health are there as ready pieces (see `blocks`); the
//! exporter's own metrics are made at the scrape, as they change with every request.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use prometheus_client::encoding::text::encode_registry;
use tokio::time::Instant;

use crate::gzip::{Member, Piece};
use crate::health::Health;
use crate::store::Store;
use crate::text;
pub use crate::text::Format;

/// The name that stands for pool, networks and the exporter itself among the accounts'. None of those can have an `@`.
pub const EXPORTER: &str = "@exporter";

/// How old what the kernel says of the process may be, and the count of requests to the exporter. Far less than lies between two
/// scrapes of a Prometheus; a crowd that scrapes faster than this shares them.
const OWN_AGE: Duration = Duration::from_millis(100);

/// Answers up to this size are kept until something changes. Larger ones are quickly joined, and would take much memory.
const KEPT_BYTES: usize = 1 << 20;

/// Room for the lines about families.
const HEADERS_BYTES: usize = 64 << 10;

/// How an answer is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Identity,
    Gzip,
}

/// Which series are shown.
#[derive(Clone, Debug, Default)]
pub struct Filter(Option<BTreeSet<String>>);

impl Filter {
    /// Only these accounts, of which [`EXPORTER`] can be one; all when there are none.
    pub fn accounts(names: impl IntoIterator<Item = String>) -> Filter {
        Filter(Some(names.into_iter().collect::<BTreeSet<_>>()).filter(|names| !names.is_empty()))
    }

    fn shows(&self, account: &str) -> bool {
        let account = if account.is_empty() { EXPORTER } else { account };
        self.0.as_ref().is_none_or(|names| names.contains(account))
    }
}

/// What is exposed.
pub struct Exposition {
    pub store: Arc<Store>,
    pub health: Arc<Health>,
    /// The exporter's own metrics, by format.
    own: Mutex<[Option<Arc<Own>>; 2]>,
    /// The latest whole answers, by format and encoding.
    answers: Mutex<[[Option<Answer>; 2]; 2]>,
}

/// The exporter's own metrics, with the format's end.
struct Own {
    version: u64,
    made: Instant,
    text: String,
    piece: Piece,
}

#[derive(Clone)]
struct Answer {
    body: Bytes,
    state: State,
}

/// What an answer was made from: it is the same as long as this is.
#[derive(Clone, Copy, PartialEq)]
struct State {
    store: u64,
    health: u64,
    own: (u64, Instant),
}

impl Exposition {
    pub fn new(store: Arc<Store>, health: Arc<Health>) -> Exposition {
        Exposition { store, health, own: Mutex::default(), answers: Mutex::default() }
    }

    /// The text of a scrape.
    pub fn render(&self, format: Format, filter: &Filter) -> String {
        let own = self.own(format);
        let (fresh, health) = (self.store.fresh(), self.health.rows());
        // At once: grown bit by bit, a large text would be copied again and again.
        let room = fresh.iter().map(|(_, rows)| rows.text_len()).sum::<usize>() + health.text_len() + own.text.len();
        let mut text = String::with_capacity(HEADERS_BYTES + if filter.0.is_none() { room } else { 0 });
        for (endpoint, rows) in fresh.iter() {
            // What is no account's stands under the exporter's name.
            let is_account = endpoint.is_of_account();
            rows.write(&mut text, format, |name| filter.shows(if is_account { name } else { "" }));
        }
        health.write(&mut text, format, |account| filter.shows(account));
        if filter.shows("") {
            text.push_str(&own.text);
        }
        text.push_str(format.end());
        text
    }

    /// The body of a whole scrape, if nothing has changed since it was last made.
    pub fn ready(&self, format: Format, encoding: Encoding) -> Option<Bytes> {
        let own = lock(&self.own)[format as usize].clone().filter(|own| self.is_fresh(own))?;
        let state = self.state(&own);
        let answers = lock(&self.answers);
        let answer = answers[format as usize][encoding as usize].as_ref()?;
        (answer.state == state).then(|| answer.body.clone())
    }

    /// The body of a scrape.
    pub fn body(&self, format: Format, encoding: Encoding, filter: &Filter) -> Bytes {
        let is_whole = filter.0.is_none();
        if let Some(body) = is_whole.then(|| self.ready(format, encoding)).flatten() {
            return body;
        }
        // Looked up before, so that what comes meanwhile makes the answer old and not wrong.
        let own = self.own(format);
        let state = self.state(&own);
        let body = Bytes::from(match encoding {
            Encoding::Identity => self.render(format, filter).into_bytes(),
            Encoding::Gzip if is_whole => self.join(format),
            Encoding::Gzip => {
                let piece = Piece::new(&self.render(format, filter));
                let mut member = Member::with_capacity(piece.len());
                member.push(&piece);
                member.finish()
            }
        });
        if is_whole {
            let answer = (body.len() <= KEPT_BYTES).then(|| Answer { body: body.clone(), state });
            lock(&self.answers)[format as usize][encoding as usize] = answer;
        }
        body
    }

    /// The gzipped text of a whole scrape.
    fn join(&self, format: Format) -> Vec<u8> {
        let own = self.own(format);
        let rows = self.store.fresh();
        let health = self.health.rows();
        let room: usize = rows.iter().map(|(_, rows)| rows.compressed_len()).sum();
        let mut member = Member::with_capacity(room + health.compressed_len() + own.piece.len() + HEADERS_BYTES);
        rows.iter().for_each(|(_, rows)| rows.join(&mut member, format));
        health.join(&mut member, format);
        member.push(&own.piece);
        member.push(&Piece::new(format.end()));
        member.finish()
    }

    /// What an answer is made from now.
    fn state(&self, own: &Own) -> State {
        let (store, health) = (self.store.fresh().version(), self.health.rows().version());
        State { store, health, own: (own.version, own.made) }
    }

    fn is_fresh(&self, own: &Own) -> bool {
        own.version == self.health.version() && own.made.elapsed() < OWN_AGE
    }

    /// The exporter's own metrics that belong to no account.
    fn own(&self, format: Format) -> Arc<Own> {
        let mut own = lock(&self.own);
        let own = &mut own[format as usize];
        if let Some(own) = own.as_ref().filter(|own| self.is_fresh(own)) {
            return own.clone();
        }
        let version = self.health.version();
        let mut text = String::new();
        encode_registry(&mut text, self.health.registry())
            .unwrap_or_else(|_| unreachable!("a String takes all that is written"));
        if format == Format::Text {
            text = text::from_open_metrics(&text);
        }
        let new = Arc::new(Own { version, made: Instant::now(), piece: Piece::new(&text), text });
        *own = Some(new.clone());
        new
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
