//! Blocks contain the samples that were put in last, after any sequence of changes.

use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::read::GzDecoder;
use proptest::prelude::*;

use super::*;
use minergate::endpoints::Scope;
use minergate::metric::{self, Context, Metric, gauge, write_label};

type Answer = Vec<(u8, f64)>;

static METRICS: &[Metric<Answer>] = &[
    gauge("each", "One for each currency").labels(&["currency"]).read(|answer, out| put(answer, out, |_| true)),
    gauge("some", "One for some").labels(&["currency"]).read(|answer, out| put(answer, out, |code| code % 3 == 0)),
    gauge("lone", "One in all").read(|answer, out| out.put([], answer.first().map(|(_, value)| *value))),
];

fn put(answer: &Answer, out: &mut metric::Out<'_>, wanted: impl Fn(u8) -> bool) {
    for (code, value) in answer.iter().filter(|(code, _)| wanted(*code)) {
        out.put([format!("c{code}").as_str()], *value);
    }
}

fn samples(answer: &Answer) -> Samples {
    Samples::read(METRICS, answer, &Context::default())
}

#[derive(Clone, Debug)]
enum Event {
    Put(String, Answer),
    Remove(String),
}

fn event() -> impl Strategy<Value = Event> {
    // Names of different lengths, some of which need escaping.
    let name = (0..60_usize).prop_map(|n| format!("{n}{}", ["", "\"", "\\", "\n", "é", " long"][n % 6].repeat(n)));
    let value = prop_oneof![(-9..9_i32).prop_map(f64::from), -1e9..1e9, prop::num::f64::NORMAL];
    let answer = prop::collection::vec((0..90_u8, value), 0..90);
    prop_oneof![
        4 => (name.clone(), answer).prop_map(|(name, answer)| Event::Put(name, answer)),
        1 => name.prop_map(Event::Remove),
    ]
}

/// The expected line of one sample, written independently.
fn line(family: &Family, name: &str, labels: &str, value: f64) -> String {
    let mut line = family.sample_name() + "{";
    write_label(&mut line, "account", name);
    line.push_str(if labels.is_empty() { "" } else { "," });
    line.push_str(labels);
    line.push_str("} ");
    text::write_value(&mut line, value);
    line + "\n"
}

fn account(name: &str) -> Subject {
    Subject::Account(name.into())
}

fn written(blocks: &Blocks, wanted: impl Fn(&str) -> bool) -> String {
    let entries: Vec<_> = blocks.entries().filter(|entry| wanted(entry.subject.labels().0)).cloned().collect();
    let (mut text, mut at) = (String::new(), Cursor::default());
    // In small parts.
    while !blocks.write(&mut at, &entries, &mut text, 1, Format::Text) {}
    text
}

fn without_headers(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect()
}

/// The body of a scrape with gzip.
fn joined(blocks: &Blocks) -> Vec<u8> {
    let (mut member, mut at) = (Member::with_capacity(0), Cursor::default());
    while !blocks.join(&mut at, &mut member, 0, Format::Text) {}
    member.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_samples_that_were_put_last_are_there(events in prop::collection::vec(event(), 0..80)) {
        let mut blocks = Blocks::new(|subject| subject.label(Scope::Account), METRICS.iter().map(|metric| &metric.family), None);
        let mut model: BTreeMap<String, Samples> = BTreeMap::new();
        for event in events {
            match event {
                Event::Put(name, answer) => {
                    blocks.put(&account(&name), samples(&answer), None);
                    model.insert(name, samples(&answer));
                }
                Event::Remove(name) => {
                    blocks.remove(&account(&name));
                    model.remove(&name);
                }
            }
        }
        prop_assert!(blocks.entries().map(|entry| entry.subject.labels().0).eq(model.keys().map(String::as_str)));
        prop_assert_eq!(blocks.len(), model.values().map(Samples::len).sum::<usize>());
        for (name, samples) in &model {
            let own = blocks.get(&account(name)).unwrap();
            for family in 0..METRICS.len() {
                prop_assert!(own.family(family).eq(samples.family(family)), "{name}: {family}");
            }
        }
        for wanted in [|_: &str| true, |name: &str| name.len().is_multiple_of(2)] {
            let mut expected = String::new();
            for (family, Metric { family: about, .. }) in METRICS.iter().enumerate() {
                for (name, samples) in model.iter().filter(|(name, _)| wanted(name)) {
                    expected.extend(samples.family(family).map(|one| line(about, name, one.labels, one.value)));
                }
            }
            prop_assert_eq!(without_headers(&written(&blocks, wanted)), expected);
        }
        for name in model.keys() {
            let from: Vec<_> = blocks.entries_from(&account(name)).map(|entry| entry.subject.labels().0).collect();
            let expected: Vec<_> = model.range(name.clone()..).map(|(name, _)| name.as_str()).collect();
            prop_assert_eq!(from, expected);
        }
        let (text, gzip, size) = (written(&blocks, |_| true), joined(&blocks), blocks.size(Format::Text));
        let mut decompressed = String::new();
        GzDecoder::new(&*gzip).read_to_string(&mut decompressed).unwrap();
        prop_assert_eq!((text.len(), gzip.len()), (size.text, Member::FRAME + size.compressed));
        prop_assert_eq!(decompressed, text);
    }
}
