//! The printed table: a figure, the figure that it is compared with, and the goal.

/// Rows are printed at once, so that a long run can be watched.
#[derive(Default)]
pub(crate) struct Table {
    missed: usize,
}

impl Table {
    /// Begins a section.
    pub(crate) fn section(title: &str) {
        println!("\n## {title}\n");
        println!("| what | measured | compared with | ratio | goal | |");
        println!("| --- | --- | --- | --- | --- | --- |");
    }

    /// A figure that should be at most a multiple of another.
    pub(crate) fn at_most_times(&mut self, what: &str, unit: &str, measured: f64, other: f64, goal: f64) {
        let ratio = measured / other;
        self.row(
            what,
            &number(measured, unit),
            &number(other, unit),
            &format!("{ratio:.2}"),
            &format!("<= {goal}"),
            ratio <= goal,
        );
    }

    /// A figure beside another, without a goal.
    pub(crate) fn beside(what: &str, unit: &str, measured: f64, other: f64) {
        println!("| {what} | {} | {} | {:.2} | | |", number(measured, unit), number(other, unit), measured / other);
    }

    /// A figure that should be at least a fraction of another.
    pub(crate) fn at_least_share(&mut self, what: &str, unit: &str, measured: f64, other: f64, goal: f64) {
        let ratio = measured / other;
        self.row(
            what,
            &number(measured, unit),
            &number(other, unit),
            &format!("{ratio:.2}"),
            &format!(">= {goal}"),
            ratio >= goal,
        );
    }

    /// A figure with a fixed limit.
    pub(crate) fn at_most(&mut self, what: &str, unit: &str, measured: f64, goal: f64) {
        self.row(what, &number(measured, unit), "", "", &format!("<= {}", number(goal, unit)), measured <= goal);
    }

    /// A figure without comparison.
    pub(crate) fn told(what: &str, unit: &str, measured: f64) {
        println!("| {what} | {} | | | | |", number(measured, unit));
    }

    pub(crate) fn missed(&self) -> usize {
        self.missed
    }

    fn row(&mut self, what: &str, measured: &str, other: &str, ratio: &str, goal: &str, met: bool) {
        self.missed += usize::from(!met);
        println!("| {what} | {measured} | {other} | {ratio} | {goal} | {} |", if met { "met" } else { "MISSED" });
    }
}

/// A number with about three digits.
fn number(value: f64, unit: &str) -> String {
    let digits = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    format!("{value:.digits$} {unit}").trim_end().to_owned()
}

/// The median.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
