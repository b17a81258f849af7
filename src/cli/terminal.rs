//! Output for users: colours if the terminal supports them, and aligned columns.
//!
//! Colours are written with `anstream`, which removes them if there is no terminal, or if `NO_COLOR` is set.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use textwrap::{Options, WordSplitter};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

pub(super) const HEADING: Style = Style::new().bold();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default();
pub(super) const QUIET: Style = Style::new().dimmed();
pub(super) const PLAIN: Style = Style::new();

/// Maximum time to write the first output of a command that keeps running.
const ANNOUNCEMENT: Duration = Duration::from_secs(1);

/// The gap between two columns.
pub(super) const GAP: &str = "  ";

/// Minimum width to which the last column is wrapped.
const NARROWEST: usize = 20;

/// Standard output, for people.
pub(super) fn stdout() -> impl Write {
    anstream::stdout().lock()
}

/// Writes a text to standard output for a command that keeps running, and continues if nobody reads it.
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

/// A cell of a table. A number is aligned to the right.
pub(super) struct Cell {
    pub(super) style: Style,
    pub(super) text: String,
    pub(super) is_number: bool,
}

impl From<(Style, String)> for Cell {
    fn from((style, text): (Style, String)) -> Cell {
        Cell { style, text, is_number: false }
    }
}

/// Rows of cells. The last column is wrapped at the terminal's edge.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = impl Into<Cell>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Writes the rows, each after the indentation.
    pub(super) fn write(&self, out: &mut impl Write, indentation: &str) -> io::Result<()> {
        let widths = self.widths();
        for row in &self.rows {
            let cell = |(i, Cell { style, text, is_number }): (usize, &Cell)| {
                let padding = " ".repeat(widths[i] - text.width());
                match (is_number, i + 1 == row.len()) {
                    (true, _) => padding + &styled(*style, text),
                    (false, false) => styled(*style, text) + &padding,
                    (false, true) => {
                        let before: usize = widths[..i].iter().map(|width| width + GAP.len()).sum();
                        styled(*style, wrapped(text, indentation.width() + before))
                    }
                }
            };
            let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
            writeln!(out, "{}", format!("{indentation}{}", cells.join(GAP)).trim_end())?;
        }
        Ok(())
    }

    /// The width of each column.
    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.text.width()).max();
        (0..columns).map(|column| width(column).unwrap_or_default()).collect()
    }
}

/// The width of the terminal on standard output, if there is one.
pub(super) fn columns() -> Option<usize> {
    columns_of(&io::stdout())
}

/// The width of the terminal on a stream, if there is one.
pub(super) fn columns_of(stream: &impl AsFd) -> Option<usize> {
    terminal_size::terminal_size_of(stream).map(|(terminal_size::Width(columns), _)| columns.into())
}

/// A text that begins at a column, wrapped at the terminal's edge; unchanged if there is no terminal.
pub(super) fn wrapped(text: &str, column: usize) -> String {
    let Some(edge) = columns() else { return text.to_owned() };
    let room = edge.saturating_sub(column).max(NARROWEST);
    let options = Options::new(room).break_words(false).word_splitter(WordSplitter::NoHyphenation);
    textwrap::wrap(text, options).join(&format!("\n{}", " ".repeat(column)))
}

/// A text that begins at a column, fitted to the terminal: words are wrapped, and a text without spaces, such as a hash, is
/// shortened.
pub(super) fn fitted(text: &str, column: usize) -> String {
    match columns() {
        Some(edge) if !text.contains(' ') => shortened(text, edge.saturating_sub(column)),
        _ => wrapped(text, column),
    }
}

/// A text that is too wide, with an ellipsis in place of its middle.
pub(super) fn shortened(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let (front, back) = (room.saturating_sub(1).div_ceil(2), room.saturating_sub(1) / 2);
    let end = widest(text.chars().rev(), back).chars().rev().collect::<String>();
    format!("{}…{end}", widest(text.chars(), front))
}

/// As many of the characters as fit.
fn widest(chars: impl Iterator<Item = char>, room: usize) -> String {
    let mut left = room;
    let fits = |c: &char| {
        let rest = left.checked_sub(c.width().unwrap_or_default());
        left = rest.unwrap_or_default();
        rest.is_some()
    };
    chars.take_while(fits).collect()
}
