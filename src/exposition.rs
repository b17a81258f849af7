//! The body of a scrape: the store's samples, the accounts' health and the exporter's own metrics, as text or gzipped text.
//!
//! A family is written once, with the samples of all accounts. Samples and health are stored as compressed pieces (see `blocks`). The
//! exporter's own metrics are encoded in the background by [`Exposition::keep_fresh`]. A large body is made in parts while it is sent:
//! a complete one would need new memory for each scrape, which takes longer than writing it.

mod parts;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{sleep, timeout};

pub use self::parts::{GzipParts, Parts, TextParts};
use crate::blocks::{Blocks, Entry, Size};
use crate::gzip::{Member, Piece};
use crate::health::Health;
use crate::store::Store;
use crate::subject::Subject;
use crate::text;
pub use crate::text::Format;

/// A change of the exporter's own metrics is visible after at most this time. Changes within it are encoded together.
const PAUSE: Duration = Duration::from_millis(500);

/// Maximum age of `process_*` and of the count of requests to the exporter.
const MAX_AGE: Duration = Duration::from_secs(5);

/// Bodies up to this size are made at once.
const WHOLE_BYTES: usize = 1 << 20;

/// How an answer is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Identity,
    Gzip,
}

/// Which samples are shown.
#[derive(Clone, Debug, Default)]
pub enum Filter {
    #[default]
    All,
    /// Samples of some accounts, and optionally those that belong to no account: pool, networks and the exporter itself.
    Some { accounts: BTreeSet<String>, others: bool },
}

impl Filter {
    /// Samples of these accounts, and with `others` those that belong to no account. Without names and `others`, all samples.
    pub fn only(accounts: BTreeSet<String>, others: bool) -> Filter {
        if accounts.is_empty() && !others { Filter::All } else { Filter::Some { accounts, others } }
    }

    /// The loops whose samples are shown, ordered by subject.
    pub fn entries(&self, blocks: &Blocks) -> Vec<Entry> {
        let Filter::Some { accounts, others } = self else { return blocks.entries().cloned().collect() };
        // The pool and networks are sorted before all accounts.
        let is_of_none = |entry: &&Entry| *others && entry.subject.account().is_none();
        let mut entries: Vec<_> = blocks.entries().take_while(is_of_none).cloned().collect();
        for name in accounts {
            let [account, wallets] = Subject::of_account(name);
            entries.extend(blocks.entries_from(&account).take_while(|entry| entry.subject == account).cloned());
            let is_own = |entry: &&Entry| entry.subject.account() == account.account();
            entries.extend(blocks.entries_from(&wallets).take_while(is_own).cloned());
        }
        entries
    }

    /// Whether the exporter's metrics that belong to no subject are shown.
    fn shows_exporter(&self) -> bool {
        matches!(self, Filter::All | Filter::Some { others: true, .. })
    }
}

/// An answer's body.
pub enum Body {
    Whole(Bytes),
    /// Made while it is sent, with this number of bytes.
    Parts(usize, Parts),
}

/// Everything that is exposed.
pub struct Exposition {
    pub store: Arc<Store>,
    pub health: Arc<Health>,
    /// The exporter's own metrics, as they were last encoded.
    own: Mutex<Arc<[ExporterText; 2]>>,
}

/// The exporter's own metrics in one format, with the end of the body.
struct ExporterText {
    text: String,
    piece: Piece,
}

impl ExporterText {
    fn new(text: String) -> ExporterText {
        ExporterText { piece: Piece::new(&text), text }
    }
}

/// All samples at one point in time.
struct Snapshot {
    /// The endpoints' samples, and the subjects' health.
    sections: Vec<Arc<Blocks>>,
    own: Arc<[ExporterText; 2]>,
}

impl Exposition {
    pub fn new(store: Arc<Store>, health: Arc<Health>) -> Exposition {
        let own = Mutex::new(own(&health));
        Exposition { store, health, own }
    }

    /// Encodes the exporter's own metrics after each change and every few seconds. Never returns.
    pub async fn keep_fresh(&self) -> Infallible {
        loop {
            self.refresh();
            sleep(PAUSE).await;
            let _ = timeout(MAX_AGE.saturating_sub(PAUSE), self.health.metrics.changed()).await;
        }
    }

    /// Encodes the current values of the exporter's own metrics.
    pub fn refresh(&self) {
        let own = own(&self.health);
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = own;
    }

    /// The body of a scrape.
    pub fn body(&self, format: Format, encoding: Encoding, filter: &Filter) -> Body {
        let snapshot = self.snapshot();
        match (encoding, filter) {
            (Encoding::Gzip, Filter::All) => {
                let length = Member::FRAME + snapshot.size(format).compressed;
                in_parts(Parts::Gzip(GzipParts::new(snapshot, format)), length)
            }
            (Encoding::Gzip, Filter::Some { .. }) => {
                let piece = Piece::new(&snapshot.text(format, filter));
                let mut member = Member::with_capacity(Member::FRAME + piece.len());
                member.push(&piece);
                Body::Whole(member.finish().into())
            }
            (Encoding::Identity, Filter::All) => {
                let length = snapshot.size(format).text;
                in_parts(Parts::Text(TextParts::new(snapshot, format, filter)), length)
            }
            (Encoding::Identity, Filter::Some { .. }) => Body::Whole(snapshot.text(format, filter).into()),
        }
    }

    /// The text of a scrape, with the current values of the exporter's own metrics.
    pub fn render(&self, format: Format, filter: &Filter) -> String {
        self.refresh();
        self.snapshot().text(format, filter)
    }

    fn snapshot(&self) -> Snapshot {
        let mut sections = self.store.fresh().all();
        sections.push(self.health.subjects.samples());
        Snapshot { sections, own: self.own.lock().unwrap_or_else(PoisonError::into_inner).clone() }
    }
}

impl Snapshot {
    fn own(&self, format: Format) -> &ExporterText {
        &self.own[format as usize]
    }

    /// The size of a body with all samples.
    fn size(&self, format: Format) -> Size {
        let mut size = Size::of(&self.own(format).piece);
        self.sections.iter().for_each(|samples| size += samples.size(format));
        size
    }

    fn text(self, format: Format, filter: &Filter) -> String {
        let length = if let Filter::All = filter { self.size(format).text } else { 0 };
        TextParts::new(self, format, filter).whole(length)
    }
}

/// A small body is made at once, a large one in parts.
fn in_parts(parts: Parts, length: usize) -> Body {
    if length > WHOLE_BYTES { Body::Parts(length, parts) } else { Body::Whole(parts.whole(length)) }
}

/// The exporter's metrics that belong to no subject, in each format.
fn own(health: &Health) -> Arc<[ExporterText; 2]> {
    let open_metrics = health.metrics.open_metrics();
    let own = Format::ALL.map(|format| {
        let text = match format {
            Format::OpenMetrics => open_metrics.clone(),
            Format::Text => text::from_open_metrics(&open_metrics),
        };
        ExporterText::new(text + format.end())
    });
    Arc::new(own)
}
