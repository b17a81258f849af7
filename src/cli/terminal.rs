//! How commands write for people: colours where they are wanted, columns that stand under each other.
//!
//! Colours go through `anstream`, which leaves them out where there is no terminal, or `NO_COLOR` says so.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use unicode_width::UnicodeWidthStr as _;

pub(super) const HEADING: Style = Style::new().bold();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default();
pub(super) const QUIET: Style = Style::new().dimmed();
pub(super) const PLAIN: Style = Style::new();

/// How long the reader of standard output has to take what a command that stays says first.
const ANNOUNCEMENT: Duration = Duration::from_secs(1);

/// Between two columns.
pub(super) const GAP: &str = "  ";

/// The narrowest that a last column is wrapped to.
const NARROWEST: usize = 20;

/// Standard output, for people.
pub(super) fn stdout() -> impl Write {
    anstream::stdout().lock()
}

/// Writes a text to standard output for a command that stays, and goes on where nobody takes it.
pub(super) async fn announce(text: String) {
    let write = move || {
        let mut out = io::stdout();
        out.write_all(text.as_bytes()).and_then(|()| out.flush())
    };
    let _ = timeout(ANNOUNCEMENT, spawn_blocking(write)).await;
}

/// Writes a text in a style.
pub(super) fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Rows of cells. The last column is wrapped at the terminal's edge.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Vec<(Style, String)>>,
}

impl Table {
    pub(super) fn row<const N: usize>(&mut self, cells: [(Style, String); N]) {
        self.rows.push(cells.into());
    }

    /// Writes the rows, each after the indentation.
    pub(super) fn write(&self, out: &mut impl Write, indentation: &str) -> io::Result<()> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|(_, text)| text.width()).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
        for row in &self.rows {
            let mut at = indentation.width();
            write!(out, "{indentation}")?;
            for (i, (style, text)) in row.iter().enumerate() {
                if i + 1 == row.len() {
                    writeln!(out, "{}", styled(*style, wrapped(text, at)))?;
                } else {
                    let padding = " ".repeat(widths[i] - text.width());
                    write!(out, "{}{padding}{GAP}", styled(*style, text))?;
                    at += widths[i] + GAP.len();
                }
            }
        }
        Ok(())
    }
}

/// The width of the terminal that standard output is, if it is one.
pub(super) fn columns() -> Option<usize> {
    columns_of(&io::stdout())
}

/// The width of the terminal that a stream is, if it is one.
pub(super) fn columns_of(stream: &impl AsFd) -> Option<usize> {
    terminal_size::terminal_size_of(stream).map(|(terminal_size::Width(columns), _)| columns.into())
}

/// A text that begins at a column, with line breaks before the terminal's edge; as it is where there is no terminal.
pub(super) fn wrapped(text: &str, column: usize) -> String {
    let Some(edge) = columns() else { return text.to_owned() };
    let room = edge.saturating_sub(column).max(NARROWEST);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.len() - 1;
        if lines[line].is_empty() {
            lines[line].push_str(word);
        } else if lines[line].width() + 1 + word.width() <= room {
            lines[line].push(' ');
            lines[line].push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join(&format!("\n{}", " ".repeat(column)))
}
