//! A table that fits the terminal: long texts are shortened, and details for which there is no room are left out.

use unicode_width::UnicodeWidthStr as _;

use super::field::{Field, Kind};
use crate::cli::terminal::{self, Cell, GAP, HEADING, PLAIN, QUIET, Table, shortened};
use minergate::currency::Decimals;
use minergate::metric;

/// Minimum width of a shortened text: four characters at each end.
const NARROWEST: usize = 9;

/// Maximum number of columns. Answers of this API have fewer; other answers could have any number of fields.
const MOST: usize = 100;

/// Rows with the same fields in columns.
pub(super) struct Columns {
    columns: Vec<Column>,
    /// Headings of the columns for which there is no room.
    pub(super) left_out: Vec<String>,
}

struct Column {
    heading: String,
    cells: Vec<Cell>,
    width: usize,
    /// Its minimum width.
    narrowest: usize,
    is_detail: bool,
}

impl Columns {
    /// The entries as rows, after a column for their names if they have names. `None` if an entry does not fit in a row, if there are
    /// too many fields, or if the terminal is too narrow.
    pub(super) fn new(entries: &[Field<'_>], named: bool, decimals: &Decimals, indentation: &str) -> Option<Columns> {
        let rows: Vec<Vec<(String, Field<'_>)>> = entries.iter().map(|entry| flat(*entry)).collect::<Option<_>>()?;
        let mut known: Vec<(&str, Field<'_>)> = Vec::new();
        for (path, field) in rows.iter().flatten() {
            if !known.iter().any(|(known, _)| known == path) {
                known.push((path, *field));
            }
            if known.len() > MOST {
                return None;
            }
        }
        known.sort_by_key(|(_, field)| field.place());
        let mut columns = Vec::new();
        if named {
            let cells = entries.iter().map(|entry| Cell::from((HEADING, printable(entry.name))));
            columns.push(Column::new(String::new(), cells.collect(), None));
        }
        for (path, field) in &known {
            let is_unique = known.iter().filter(|(_, other)| other.name == field.name).count() == 1;
            let cell = |row: &Vec<(String, Field<'_>)>| {
                let field = row.iter().find(|(own, _)| own == path).map(|(_, field)| *field);
                let text = field.map(|field| field.text(decimals)).unwrap_or_default();
                Cell { style: PLAIN, text, is_number: field.is_some_and(Field::is_number) }
            };
            let mut cells: Vec<Cell> = rows.iter().map(cell).collect();
            if field.kind == Kind::Coins {
                align(&mut cells);
            }
            columns.push(Column::new(printable(if is_unique { field.name } else { path }), cells, Some(*field)));
        }
        let columns = Columns { columns, left_out: Vec::new() };
        match terminal::columns() {
            Some(edge) => columns.fitted(edge.saturating_sub(indentation.width())),
            None => Some(columns),
        }
    }

    /// The same table in this width.
    fn fitted(mut self, room: usize) -> Option<Columns> {
        while self.width(|column| column.narrowest) > room {
            let last = self.columns.iter().rposition(|column| column.is_detail)?;
            self.left_out.insert(0, self.columns.remove(last).heading);
        }
        while self.width(|column| column.width) > room {
            let shrinkable = self.columns.iter_mut().filter(|column| column.width > column.narrowest);
            shrinkable.max_by_key(|column| column.width)?.width -= 1;
        }
        Some(self)
    }

    fn width(&self, of: impl Fn(&Column) -> usize) -> usize {
        self.columns.iter().map(of).sum::<usize>() + GAP.len() * self.columns.len().saturating_sub(1)
    }

    pub(super) fn table(self) -> Table {
        let mut table = Table::default();
        let headings = self.columns.iter().map(|column| (QUIET, shortened(&column.heading, column.width)));
        table.row(headings.collect::<Vec<_>>());
        let rows = self.columns.iter().map(|column| column.cells.len()).max().unwrap_or_default();
        let mut columns: Vec<_> = self.columns.into_iter().map(|column| (column.width, column.cells.into_iter())).collect();
        for _ in 0..rows {
            let cells = columns.iter_mut().filter_map(|(width, cells)| {
                let cell = cells.next()?;
                Some(Cell { text: shortened(&cell.text, *width), ..cell })
            });
            table.row(cells.collect::<Vec<_>>());
        }
        table
    }
}

impl Column {
    fn new(heading: String, cells: Vec<Cell>, field: Option<Field<'_>>) -> Column {
        let width = cells.iter().map(|cell| cell.text.width()).chain([heading.width()]).max().unwrap_or_default();
        let is_text = field.is_some_and(|field| field.kind == Kind::Other) && !cells.iter().any(|cell| cell.is_number);
        let narrowest = if is_text { NARROWEST.min(width) } else { width };
        Column { heading, cells, width, narrowest, is_detail: field.is_some_and(Field::is_detail) }
    }
}

/// The fields of an entry; fields of objects in it are named by their path. `None` if a field is a list, or is nested deeper.
fn flat(entry: Field<'_>) -> Option<Vec<(String, Field<'_>)>> {
    if !entry.json.is_object() {
        return None;
    }
    let mut fields = Vec::new();
    for field in entry.fields(false) {
        if field.json.is_lone() {
            fields.push((field.name.to_owned(), field));
        } else if field.json.is_object() {
            for inner in field.fields(false) {
                if !inner.json.is_lone() {
                    return None;
                }
                fields.push((format!("{}.{}", field.name, inner.name), inner));
            }
        } else {
            return None;
        }
    }
    Some(fields)
}

/// Aligns numbers at their decimal points. A number with more digits than any coin has does not move the others.
pub(super) fn align(cells: &mut [Cell]) {
    const LONGEST: usize = 30;
    let fraction = |text: &str| text.find('.').map_or(0, |point| text.len() - point);
    let fractions = cells.iter().filter(|cell| cell.is_number).map(|cell| fraction(&cell.text));
    let most = fractions.filter(|digits| *digits <= LONGEST).max().unwrap_or_default();
    for cell in cells.iter_mut().filter(|cell| cell.is_number) {
        let padding = " ".repeat(most.saturating_sub(fraction(&cell.text)));
        cell.text.push_str(&padding);
    }
}

pub(super) fn printable(text: &str) -> String {
    metric::printable(text).collect()
}
