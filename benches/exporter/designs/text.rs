//! A simple design: a poll writes the text of each family; a scrape joins the texts, and zlib-rs compresses them.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use minergate::metric::Samples;
use minergate_exporter::text::SampleWriter;

use super::SECTIONS;

/// For each section: the texts by account, one text for each family.
pub(crate) struct Text(Vec<BTreeMap<Arc<str>, Vec<String>>>);

impl Text {
    pub(crate) fn new() -> Text {
        Text(vec![BTreeMap::new(); SECTIONS.len()])
    }

    pub(crate) fn put(&mut self, section: usize, account: &Arc<str>, samples: &Samples) {
        let texts = SECTIONS[section].names.iter().enumerate().map(|(family, name)| {
            let mut text = String::new();
            let samples = samples.layout().labels(family).zip(samples.values(family).iter().copied());
            SampleWriter::new(&mut text, name).write(Some(("account", account)), samples);
            text
        });
        self.0[section].insert(account.clone(), texts.collect());
    }

    pub(crate) fn scrape(&self, own: &str) -> Vec<u8> {
        let mut gzip = BufWriter::with_capacity(1 << 16, GzEncoder::new(Vec::new(), Compression::fast()));
        let mut push = |text: &str| gzip.write_all(text.as_bytes()).expect("memory");
        for (section, accounts) in SECTIONS.iter().zip(&self.0) {
            for (family, header) in section.headers.iter().enumerate() {
                let mut texts = accounts.values().map(|texts| &*texts[family]).filter(|text| !text.is_empty()).peekable();
                texts.peek().into_iter().for_each(|_| push(header));
                texts.for_each(&mut push);
            }
        }
        push(own);
        gzip.into_inner().expect("memory").finish().expect("memory")
    }
}
