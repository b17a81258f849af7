//! What a scrape gets: the store's samples, the accounts' health and the exporter's own metrics, as text or gzipped text.
//!
//! A family stands once, with the samples of all accounts inside. Samples and health are there as ready pieces (see `blocks`); the
//! exporter's own metrics are made at the scrape, as they change with every request. A large answer is made part by part while it is
//! sent: whole, it would take memory that is fresh each time, which costs more than writing it.

mod parts;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use self::parts::Making;
pub use self::parts::Parts;
use crate::blocks::{Blocks, Size};
use crate::gzip::{Member, Piece};
use crate::health::Health;
use crate::store::Store;
use crate::subject::Subject;
use crate::text;
pub use crate::text::Format;

/// How old what the kernel says of the process may be, and the count of requests to the exporter. Far less than lies between two
/// scrapes of a Prometheus; a crowd that scrapes faster than this shares them.
const OWN_AGE: Duration = Duration::from_millis(100);

/// Answers up to this size are made whole, and kept until something changes.
const KEPT_BYTES: usize = 1 << 20;

/// How an answer is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Identity,
    Gzip,
}

/// Which series are shown.
#[derive(Clone, Debug, Default)]
pub enum Filter {
    #[default]
    All,
    /// Those of some accounts, and perhaps those that belong to none: pool, networks and the exporter itself.
    Some { accounts: BTreeSet<String>, others: bool },
}

impl Filter {
    /// Only these accounts, and with `others` what belongs to none; all where nothing is named.
    pub fn only(accounts: BTreeSet<String>, others: bool) -> Filter {
        if accounts.is_empty() && !others { Filter::All } else { Filter::Some { accounts, others } }
    }

    fn shows(&self, subject: &Subject) -> bool {
        match (self, subject) {
            (Filter::All, _) => true,
            (Filter::Some { accounts, .. }, Subject::Account(name)) => accounts.contains(&**name),
            (Filter::Some { others, .. }, Subject::Pool | Subject::Network(_)) => *others,
        }
    }

    /// Whether the exporter's own metrics are shown that belong to no subject.
    fn shows_exporter(&self) -> bool {
        matches!(self, Filter::All | Filter::Some { others: true, .. })
    }
}

/// An answer's body.
pub enum Body {
    Whole(Bytes),
    /// Made while it is sent, and so many bytes.
    Parts(usize, Parts),
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

/// The exporter's own metrics.
struct Own {
    version: u64,
    made: Instant,
    text: String,
    piece: Piece,
}

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

/// All that is shown at one time.
struct Snapshot {
    /// The endpoints' samples, and the subjects' health.
    sections: Vec<Blocks>,
    own: Arc<Own>,
    state: State,
}

impl Exposition {
    pub fn new(store: Arc<Store>, health: Arc<Health>) -> Exposition {
        Exposition { store, health, own: Mutex::default(), answers: Mutex::default() }
    }

    /// The text of a scrape.
    pub fn render(&self, format: Format, filter: &Filter) -> String {
        let snapshot = self.snapshot(format);
        let room = if matches!(filter, Filter::All) { snapshot.size(format).text } else { 0 };
        let mut text = String::with_capacity(room);
        Making::new(snapshot, format, filter.clone()).write(&mut text, usize::MAX);
        text
    }

    /// The body of a scrape of some accounts.
    pub fn filtered(&self, format: Format, encoding: Encoding, filter: &Filter) -> Bytes {
        let text = self.render(format, filter);
        match encoding {
            Encoding::Identity => text.into(),
            Encoding::Gzip => {
                let piece = Piece::new(&text);
                let mut member = Member::with_capacity(Member::FRAME + piece.len());
                member.push(&piece);
                member.finish().into()
            }
        }
    }

    /// The body of a whole scrape.
    pub fn body(&self, format: Format, encoding: Encoding) -> Body {
        let own = self.own(format);
        let state = self.state(&own);
        let mut answers = lock(&self.answers);
        let answer = &mut answers[format as usize][encoding as usize];
        if let Some(answer) = answer.as_ref().filter(|answer| answer.state == state) {
            return Body::Whole(answer.body.clone());
        }
        let snapshot = self.snapshot(format);
        let (state, size) = (snapshot.state, snapshot.size(format));
        let length = match encoding {
            Encoding::Identity => size.text,
            Encoding::Gzip => Member::FRAME + size.compressed,
        };
        let parts = Parts::new(Making::new(snapshot, format, Filter::default()), encoding);
        if length > KEPT_BYTES {
            *answer = None;
            return Body::Parts(length, parts);
        }
        let body = parts.whole(length);
        *answer = Some(Answer { body: body.clone(), state });
        Body::Whole(body)
    }

    fn snapshot(&self, format: Format) -> Snapshot {
        let own = self.own(format);
        let fresh = self.store.fresh();
        let store = fresh.version();
        let mut sections: Vec<Blocks> = fresh.iter().map(|(_, samples)| samples.clone()).collect();
        drop(fresh);
        let health = self.health.subjects.samples().clone();
        let state = State { store, health: health.version(), own: (own.version, own.made) };
        sections.push(health);
        Snapshot { sections, own, state }
    }

    /// What an answer would be made from now.
    fn state(&self, own: &Own) -> State {
        let (store, health) = (self.store.fresh().version(), self.health.subjects.samples().version());
        State { store, health, own: (own.version, own.made) }
    }

    fn is_fresh(&self, own: &Own) -> bool {
        own.version == self.health.metrics.version() && own.made.elapsed() < OWN_AGE
    }

    /// The exporter's own metrics that belong to no account.
    fn own(&self, format: Format) -> Arc<Own> {
        let mut own = lock(&self.own);
        let own = &mut own[format as usize];
        if let Some(own) = own.as_ref().filter(|own| self.is_fresh(own)) {
            return own.clone();
        }
        let version = self.health.metrics.version();
        let mut text = self.health.metrics.open_metrics();
        if format == Format::Text {
            text = text::from_open_metrics(&text);
        }
        let new = Arc::new(Own { version, made: Instant::now(), piece: Piece::new(&text), text });
        *own = Some(new.clone());
        new
    }
}

impl Snapshot {
    /// What a whole answer comes to.
    fn size(&self, format: Format) -> Size {
        let mut size = Size::of(&self.own.piece);
        size += Size::of(&Piece::new(format.end()));
        self.sections.iter().for_each(|samples| size += samples.size(format));
        size
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
