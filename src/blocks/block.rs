//! Neighbours' samples, written down family by family.
//!
//! An exposition has a family's samples of all loops, and then the next family's. What its lines are made of lies in that order, one
//! behind the other: where each loop's numbers lay apart, plain text was mostly waiting for memory.

use std::ops::Range;
use std::sync::Arc;

use tokio::time::Instant;

use super::Label;
use crate::subject::Subject;
use crate::text::SampleWriter;
use minergate::metric::{Layout, Samples, write_label};

/// The samples of some loops, in order of their subjects.
#[derive(Clone, Default)]
pub(super) struct Block {
    /// Not empty, or the block would go.
    loops: Vec<Loop>,
    /// The label of the scope that says whose the samples are, loop by loop.
    scopes: String,
    /// The values of the first family, loop by loop, then of the second.
    values: Vec<f64>,
    /// Where each family's end.
    ends: Vec<usize>,
}

#[derive(Clone)]
pub(super) struct Loop {
    pub(super) subject: Subject,
    /// Its samples are too old then.
    pub(super) end: Option<Instant>,
    /// What its samples are of.
    pub(super) layout: Arc<Layout>,
    /// Bytes of its label among the scopes.
    scope: usize,
}

impl Block {
    /// Samples in all.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn loops(&self) -> &[Loop] {
        &self.loops
    }

    /// Where a subject's loop is, or would be.
    pub(super) fn find(&self, subject: &Subject) -> Result<usize, usize> {
        self.loops.binary_search_by(|other| other.subject.cmp(subject))
    }

    /// The samples of the loop at this place.
    pub(super) fn samples(&self, at: usize) -> Option<Samples> {
        let layout = self.loops.get(at)?.layout.clone();
        let values = (0..self.ends.len()).flat_map(|family| &self.values[self.range(family, at..at + 1)]);
        Some(Samples::of(layout, values.copied().collect()))
    }

    /// The block with a loop's samples in the place of those that it has, if it has any. Says of each family whether its samples have
    /// changed.
    pub(super) fn with(
        &self,
        subject: &Subject,
        scope: Option<Label<'_>>,
        mut samples: Samples,
        end: Option<Instant>,
    ) -> (Block, Vec<bool>) {
        let found = self.find(subject);
        let (Ok(at) | Err(at)) = found;
        let alike = [at, at.wrapping_sub(1), at + 1].into_iter().filter_map(|at| self.loops.get(at));
        alike.take_while(|other| !samples.share(&other.layout)).for_each(drop);
        let layout = samples.layout().clone();
        let (mut block, changed) = self.splice(at..at + usize::from(found.is_ok()), &samples);
        if found.is_ok() {
            let Loop { end: own_end, layout: own_form, .. } = &mut block.loops[at];
            (*own_end, *own_form) = (end, layout);
        } else {
            let mut label = String::new();
            if let Some((name, value)) = scope {
                write_label(&mut label, name, value);
            }
            block.scopes.insert_str(self.scopes_before(at), &label);
            block.loops.insert(at, Loop { subject: subject.clone(), end, layout, scope: label.len() });
        }
        (block, changed)
    }

    /// The block without the loop at this place. Says of each family whether it had samples.
    pub(super) fn without(&self, at: usize) -> (Block, Vec<bool>) {
        let (mut block, changed) = self.splice(at..at + 1, &Samples::default());
        let start = self.scopes_before(at);
        let scope = block.loops.remove(at).scope;
        block.scopes.replace_range(start..start + scope, "");
        (block, changed)
    }

    /// Two halves of the block. Nothing, if there is one loop only.
    pub(super) fn split(&self) -> Option<[Block; 2]> {
        let middle = self.loops.len() / 2;
        (middle > 0).then(|| [self.slice(0..middle), self.slice(middle..self.loops.len())])
    }

    /// Writes a family's samples of the subjects that are wanted.
    pub(super) fn write(&self, family: usize, samples: &mut SampleWriter<'_>, wanted: impl Fn(&Subject) -> bool) {
        let mut scopes = &*self.scopes;
        let mut values = self.values[self.of(family)].iter().copied();
        for Loop { subject, layout, scope, .. } in &self.loops {
            let label;
            (label, scopes) = scopes.split_at(*scope);
            let own = layout.labels(family).zip(values.by_ref());
            if wanted(subject) {
                samples.write(label, own);
            } else {
                own.for_each(drop);
            }
        }
    }

    /// The block with other values in the place of those of some loops. Says of each family whether its samples have changed.
    fn splice(&self, loops: Range<usize>, samples: &Samples) -> (Block, Vec<bool>) {
        let families = self.ends.len().max(samples.layout().family_count());
        let old: usize = (0..families).map(|family| self.range(family, loops.clone()).len()).sum();
        let mut values = Vec::with_capacity(self.values.len() - old + samples.len());
        let (mut ends, mut changed) = (Vec::with_capacity(families), Vec::with_capacity(families));
        let same_form = matches!(&self.loops[loops.clone()], [one] if Arc::ptr_eq(&one.layout, samples.layout()));
        for family in 0..families {
            let (all, old) = (self.of(family), self.range(family, loops.clone()));
            values.extend_from_slice(&self.values[all.start..old.start]);
            values.extend_from_slice(samples.values(family));
            let labels = || self.loops[loops.clone()].iter().flat_map(|one| one.layout.labels(family));
            let same_labels = same_form || samples.layout().labels(family).eq(labels());
            changed.push(!same_labels || *samples.values(family) != self.values[old.clone()]);
            values.extend_from_slice(&self.values[old.end..all.end]);
            ends.push(values.len());
        }
        (Block { loops: self.loops.clone(), scopes: self.scopes.clone(), values, ends }, changed)
    }

    fn slice(&self, loops: Range<usize>) -> Block {
        let (mut values, mut ends) = (Vec::new(), Vec::with_capacity(self.ends.len()));
        for family in 0..self.ends.len() {
            values.extend_from_slice(&self.values[self.range(family, loops.clone())]);
            ends.push(values.len());
        }
        values.shrink_to_fit();
        let scopes = self.scopes[self.scopes_before(loops.start)..self.scopes_before(loops.end)].to_owned();
        Block { loops: self.loops[loops].to_vec(), scopes, values, ends }
    }

    /// Where the labels of the loops before this place end.
    fn scopes_before(&self, at: usize) -> usize {
        self.loops[..at].iter().map(|one| one.scope).sum()
    }

    /// Where a family's values lie.
    fn of(&self, family: usize) -> Range<usize> {
        let start = family.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        start..self.ends.get(family).copied().unwrap_or(start)
    }

    /// Where those of some loops lie.
    fn range(&self, family: usize, loops: Range<usize>) -> Range<usize> {
        let samples =
            |loops: Range<usize>| self.loops[loops].iter().map(|one| one.layout.labels(family).len()).sum::<usize>();
        let start = self.of(family).start + samples(0..loops.start);
        start..start + samples(loops)
    }
}
