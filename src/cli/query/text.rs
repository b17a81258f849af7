//! An answer as text: tables if they fit, or else a line for each value. Numbers are rounded and have units, times are local.

use std::io::{self, Write};

use minergate::currency::Decimals;
use minergate::endpoints::{Endpoint, Scope};
use serde_json::value::RawValue;
use unicode_width::UnicodeWidthStr as _;

use super::columns::{Columns, align, printable};
use super::field::{Field, Kind};
use super::json::Json;
use super::list::List;
use crate::cli::terminal::{Cell, GAP, HEADING, PLAIN, QUIET, Table, fitted, styled};

/// The indentation of each level.
const STEP: &str = "  ";

/// Writes the answer of an endpoint. For a network, the argument is its currency.
pub(super) fn write(
    answer: &RawValue,
    endpoint: &Endpoint,
    argument: Option<&str>,
    decimals: &Decimals,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let json = Json::read(answer)?;
    let currency = argument.filter(|_| endpoint.scope == Scope::Network);
    let mut writer = Writer { decimals, out };
    writer.value(Field::new(endpoint.name, currency, &json), true, "")?;
    Ok(())
}

struct Writer<'a, W> {
    decimals: &'a Decimals,
    out: &'a mut W,
}

impl<W: Write> Writer<'_, W> {
    /// Writes a value, each line after the indentation.
    fn value(&mut self, field: Field<'_>, is_answer: bool, indentation: &str) -> io::Result<()> {
        let list = List::find(field.name);
        let mut entries = match field.json {
            Json::Object(_) => field.fields(is_answer),
            Json::List(elements) => elements.iter().map(|json| Field { json, ..field }).collect(),
            _ => return writeln!(self.out, "{indentation}{}", fitted(&field.text(self.decimals), indentation.width())),
        };
        if entries.is_empty() {
            let nothing = list.map_or_else(|| "nothing: the answer is empty".to_owned(), |list| list.summary(0));
            return writeln!(self.out, "{indentation}{}", styled(QUIET, nothing));
        }
        let named = field.json.is_object();
        // The answer about top miners is an object of lists by currency.
        let list = list.filter(|_| !(named && field.name == "top_hashrate"));
        if let Some(list) = list {
            list.sort(&mut entries);
        }
        let has_rows = !named || entries.len() > 1;
        let table = if has_rows { Columns::new(&entries, named, self.decimals, indentation) } else { None };
        let mut left_out = Vec::new();
        match table {
            Some(mut columns) => {
                left_out = std::mem::take(&mut columns.left_out);
                columns.table().write(self.out, indentation)?;
            }
            None if named => self.object(field, &entries, indentation)?,
            None => self.list(&entries, indentation)?,
        }
        if let Some(list) = list {
            let blank = if indentation.is_empty() { "\n" } else { "" };
            writeln!(self.out, "{blank}{indentation}{}", styled(QUIET, list.summary(entries.len())))?;
        }
        if !left_out.is_empty() {
            let text = format!("left out, as the terminal is too narrow: {}; --format json has all", left_out.join(", "));
            writeln!(self.out, "{indentation}{}", styled(QUIET, fitted(&text, indentation.width())))?;
        }
        Ok(())
    }

    fn list(&mut self, elements: &[Field<'_>], indentation: &str) -> io::Result<()> {
        for (i, element) in elements.iter().enumerate() {
            if i > 0 && !element.json.is_lone() {
                writeln!(self.out)?;
            }
            // An entry of the list is not itself a list of entries.
            self.value(Field { name: "", ..*element }, false, indentation)?;
        }
        Ok(())
    }

    fn object(&mut self, object: Field<'_>, fields: &[Field<'_>], indentation: &str) -> io::Result<()> {
        let key = |field: &Field<'_>| if field.name.is_empty() { "\"\"".to_owned() } else { printable(field.name) };
        let lone = || fields.iter().filter(|field| field.json.is_lone());
        let width = lone().map(|field| key(field).width()).max().unwrap_or_default();
        if object.kind == Kind::CoinsByCurrency && lone().count() == fields.len() {
            return self.coins(fields, indentation);
        }
        for (i, field) in fields.iter().enumerate() {
            let name = key(field);
            if field.json.is_lone() {
                let padding = " ".repeat(width.saturating_sub(name.width()));
                let text = field.text_with_unit(self.decimals, fields);
                let text = fitted(&text, indentation.width() + width + GAP.len());
                writeln!(self.out, "{indentation}{}{padding}{GAP}{text}", styled(QUIET, &name))?;
            } else {
                if i > 0 && indentation.is_empty() {
                    writeln!(self.out)?;
                }
                writeln!(self.out, "{indentation}{}", styled(HEADING, name))?;
                let field = if object.name == "top_hashrate" { Field { name: "top_hashrate", ..*field } } else { *field };
                self.value(field, false, &format!("{indentation}{STEP}"))?;
            }
        }
        Ok(())
    }

    /// Amounts by currency, aligned at their decimal points.
    fn coins(&mut self, fields: &[Field<'_>], indentation: &str) -> io::Result<()> {
        let cell = |field: &Field<'_>| Cell { style: PLAIN, text: field.text(self.decimals), is_number: field.is_number() };
        let mut cells: Vec<Cell> = fields.iter().map(cell).collect();
        align(&mut cells);
        let mut table = Table::default();
        for (field, amount) in fields.iter().zip(cells) {
            table.row([Cell::from((QUIET, printable(field.name))), amount]);
        }
        table.write(self.out, indentation)
    }
}
