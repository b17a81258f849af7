//! The samples of one answer: their values, and a layout with the family and the labels of each.
//!
//! An answer has few label sets (such as its currencies) and many families that share them. So each set is stored once, as
//! the text between the braces. Accounts with the same label sets share one layout. In a thousand accounts, a sample takes about
//! 10 bytes instead of 200.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::ptr;
use std::sync::Arc;

use super::{Context, Family, Kind, Metric, label};

/// The samples of one answer, family by family.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    values: Arc<[f64]>,
    layout: Arc<Layout>,
    /// Number of samples left out because of the label rules.
    pub dropped: u64,
}

/// The families and label sets of an answer's samples.
#[derive(Debug, Default)]
pub struct Layout {
    /// Each family, and the index where its samples end.
    families: Vec<(&'static Family, usize)>,
    /// The label set of each sample, as an index into `sets`.
    labels: Vec<u32>,
    sets: LabelSets,
}

impl PartialEq for Layout {
    fn eq(&self, other: &Layout) -> bool {
        let families = self.families.iter().zip(&other.families);
        self.labels == other.labels
            && self.sets == other.sets
            && self.families.len() == other.families.len()
            && families.into_iter().all(|((own, end), (other, other_end))| ptr::eq(*own, *other) && end == other_end)
    }
}

impl Layout {
    /// The label sets of the samples of the family at this index of the table, as the text between the braces, without the
    /// scope's labels.
    pub fn labels(&self, family: usize) -> impl ExactSizeIterator<Item = &str> {
        self.labels[self.range(family)].iter().map(|number| self.sets.get(*number))
    }

    /// The currencies in the samples' labels.
    pub fn currencies(&self) -> BTreeSet<&str> {
        self.sets.iter().filter_map(|set| label::find(set, "currency")).collect()
    }

    /// The range of the family's samples.
    fn range(&self, family: usize) -> Range<usize> {
        let start = family.checked_sub(1).and_then(|before| self.families.get(before)).map_or(0, |(_, end)| *end);
        start..self.families.get(family).map_or(start, |(_, end)| *end)
    }
}

/// One sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample<'a> {
    /// The labels as the text between the braces, without those of the endpoint's scope.
    pub labels: &'a str,
    pub value: f64,
}

impl<'a> Sample<'a> {
    /// The value of a label that needs no escaping, such as `currency`.
    pub fn label(&self, name: &str) -> Option<&'a str> {
        label::find(self.labels, name)
    }

    /// The value of any label, such as `worker`.
    pub fn text(&self, name: &str) -> Option<String> {
        self.label(name).map(label::unescaped)
    }
}

impl Samples {
    /// Reads an answer's samples.
    pub fn read<B>(metrics: &'static [Metric<B>], answer: &B, context: &Context<'_>) -> Samples {
        let mut out = Out {
            context,
            family: None,
            values: Vec::new(),
            layout: Layout::default(),
            dropped: 0,
            numbers: LabelSetIndex::default(),
            set: String::new(),
        };
        for Metric { family, read } in metrics {
            out.begin(family);
            read(answer, &mut out);
        }
        out.end()
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The families and label sets.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Replaces its layout with another if they are equal. Returns whether they are.
    pub fn share_layout(&mut self, layout: &Arc<Layout>) -> bool {
        let is_same = Arc::ptr_eq(&self.layout, layout) || self.layout == *layout;
        if is_same {
            self.layout = layout.clone();
        }
        is_same
    }

    /// The families in the order of their table, each with its samples.
    pub fn families(&self) -> impl Iterator<Item = (&'static Family, impl Iterator<Item = Sample<'_>>)> {
        self.layout.families.iter().enumerate().map(|(i, (family, _))| (*family, self.family(i)))
    }

    /// The samples of the family at this index of the table.
    pub fn family(&self, i: usize) -> impl Iterator<Item = Sample<'_>> {
        self.layout.labels(i).zip(self.values(i)).map(|(labels, value)| Sample { labels, value: *value })
    }

    /// The values of the family's samples.
    pub fn values(&self, family: usize) -> &[f64] {
        &self.values[self.layout.range(family)]
    }

    /// Whether the samples of the family at this index are the same as another answer's.
    pub fn is_same(&self, other: &Samples, family: usize) -> bool {
        let same_labels =
            || Arc::ptr_eq(&self.layout, &other.layout) || self.layout.labels(family).eq(other.layout.labels(family));
        self.values(family) == other.values(family) && same_labels()
    }

    /// The families that are counters, each with its index in the table.
    pub fn counters(&self) -> impl Iterator<Item = (usize, &'static Family)> + use<> {
        let layout = self.layout.clone();
        let family = move |place: usize| layout.families.get(place).map(|(family, _)| *family);
        (0..).map_while(move |place| Some((place, family(place)?))).filter(|(_, family)| family.kind == Kind::Counter)
    }

    /// Replaces a sample's value.
    pub fn set(&mut self, family: usize, sample: usize, value: f64) {
        let range = self.layout.range(family);
        if let Some(own) = Arc::make_mut(&mut self.values).get_mut(range).and_then(|values| values.get_mut(sample)) {
            *own = value;
        }
    }

    /// Removes the samples of metrics that are off by default, except those whose full names are `wanted`.
    pub fn hide_optional(&mut self, wanted: &BTreeSet<String>) {
        let hidden = |family: &Family| family.optional && !wanted.contains(&family.sample_name());
        if self.layout.families.iter().any(|(family, _)| hidden(family)) {
            self.retain(|family, _| !hidden(family));
        }
    }

    /// The currencies that the account uses: those with a value above zero.
    pub fn used_currencies(&self) -> BTreeSet<String> {
        let shows = self.families().filter(|(family, _)| family.shows_use);
        let used = shows.flat_map(|(_, series)| series.filter(|one| one.value > 0.0));
        used.filter_map(|one| one.label("currency")).map(str::to_owned).collect()
    }

    /// Removes the samples of all other currencies, and counts them as dropped.
    pub fn keep_currencies(&mut self, kept: impl Fn(&str) -> bool) {
        let before = self.len();
        self.retain(|_, one| one.label("currency").is_none_or(&kept));
        self.dropped += (before - self.len()) as u64;
    }

    /// Removes the samples of some currencies.
    pub fn leave_out_currencies(&mut self, gone: impl Fn(&str) -> bool) {
        if self.layout.currencies().into_iter().any(&gone) {
            self.retain(|_, one| one.label("currency").is_none_or(|currency| !gone(currency)));
        }
    }

    fn retain(&mut self, keep: impl Fn(&Family, Sample<'_>) -> bool) {
        let (mut values, mut layout, mut numbers) = (Vec::new(), Layout::default(), LabelSetIndex::default());
        for (family, series) in self.families() {
            numbers.begin_family();
            for one in series.filter(|one| keep(family, *one)) {
                layout.labels.push(numbers.of(one.labels, &mut layout.sets));
                values.push(one.value);
            }
            layout.families.push((family, values.len()));
        }
        *self = Samples::new(values, layout, self.dropped);
    }

    fn new(values: Vec<f64>, mut layout: Layout, dropped: u64) -> Samples {
        layout.families.shrink_to_fit();
        layout.labels.shrink_to_fit();
        layout.sets.text.shrink_to_fit();
        layout.sets.ends.shrink_to_fit();
        Samples { values: values.into(), layout: Arc::new(layout), dropped }
    }
}

/// Label sets in one text, and the end of each.
#[derive(Debug, Default, PartialEq)]
struct LabelSets {
    text: String,
    ends: Vec<u32>,
}

impl LabelSets {
    // Called for each line of plain text. With size optimization, it would not be inlined otherwise.
    #[inline]
    fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize);
        let end = self.ends.get(number).map_or(start, |end| *end as usize);
        &self.text[start..end]
    }

    fn len(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|number| self.get(number))
    }

    /// Adds the set that was written at the end of the text.
    fn push(&mut self, set: &str) -> u32 {
        self.text.push_str(set);
        // An answer has at most 8 MiB, so its labels are shorter than a u32 can count.
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        self.len() - 1
    }
}

/// Finds the index of a label set.
#[derive(Default)]
struct LabelSetIndex {
    by_text: BTreeMap<Box<str>, u32>,
    /// A family often has the same sets as the family before it, in the same order.
    expected: u32,
}

impl LabelSetIndex {
    fn begin_family(&mut self) {
        self.expected = 0;
    }

    /// The index of a set. A new set is added.
    fn of(&mut self, set: &str, sets: &mut LabelSets) -> u32 {
        let number = if self.expected < sets.len() && sets.get(self.expected) == set {
            self.expected
        } else if let Some(number) = self.by_text.get(set) {
            *number
        } else {
            let number = sets.push(set);
            self.by_text.insert(set.into(), number);
            number
        };
        self.expected = number + 1;
        number
    }
}

/// Collects the samples of one family while an answer is read.
///
/// The rules for labels and values are applied here, for every endpoint. A sample with an invalid `currency` is left out and
/// counted. A `nickname` is shortened and made printable. A value that is missing, or that its kind does not allow, gives no
/// sample.
pub struct Out<'a> {
    /// What the reading can use in addition to the answer.
    pub context: &'a Context<'a>,
    family: Option<&'static Family>,
    values: Vec<f64>,
    layout: Layout,
    dropped: u64,
    numbers: LabelSetIndex,
    /// The label set that is being written.
    set: String,
}

impl Out<'_> {
    /// Adds a sample. The labels are in the order of the family's label names.
    pub fn put<const N: usize>(&mut self, labels: [&str; N], value: impl Into<Option<f64>>) {
        self.put_some(labels.map(Some), value);
    }

    /// Adds a sample that can lack some of the family's labels. A missing label is written as empty, which Prometheus treats as missing.
    pub fn put_some<const N: usize>(&mut self, labels: [Option<&str>; N], value: impl Into<Option<f64>>) {
        let value = value.into().filter(|value| self.family.is_some_and(|family| family.kind.allows(*value)));
        let Some(value) = value else { return };
        let names = self.family.map_or(&[][..], |family| family.labels);
        debug_assert_eq!(labels.len(), names.len(), "a row puts other labels than {names:?}");
        self.set.clear();
        if label::write_labels(&mut self.set, names, &labels) {
            self.layout.labels.push(self.numbers.of(&self.set, &mut self.layout.sets));
            self.values.push(value);
        } else {
            self.cut(1);
        }
    }

    /// Adds samples, each given by its labels and its value.
    pub fn put_all<'l, const N: usize, V: Into<Option<f64>>>(
        &mut self,
        samples: impl IntoIterator<Item = ([&'l str; N], V)>,
    ) {
        for (labels, value) in samples {
            self.put(labels, value);
        }
    }

    /// Counts samples that are left out because they exceed a documented number.
    pub fn cut(&mut self, samples: u64) {
        self.dropped += samples;
    }

    fn begin(&mut self, family: &'static Family) {
        self.end_family();
        self.family = Some(family);
        self.numbers.begin_family();
    }

    fn end_family(&mut self) {
        self.layout.families.extend(self.family.map(|family| (family, self.values.len())));
    }

    fn end(mut self) -> Samples {
        self.end_family();
        Samples::new(self.values, self.layout, self.dropped)
    }
}
