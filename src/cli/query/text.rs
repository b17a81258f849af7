//! An answer for people: tables where they fit the terminal, else a line for each value; times in local time.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::value::RawValue;
use unicode_width::UnicodeWidthStr as _;

use super::decimal;
use super::json::Json;
use crate::cli::terminal::{Cell, GAP, HEADING, PLAIN, QUIET, Table, styled};
use minergate::metric;

/// Fields that hold a point in time.
const TIMES: &[&str] = &["created", "expiredDate", "finished", "lastProfit", "registered", "timestamp"];

/// Unix times from here on are in milliseconds: in seconds it would be the year 5138, in milliseconds it is 1973.
const MILLISECONDS: f64 = 1e11;

/// What a deeper level begins with.
const STEP: &str = "  ";

pub(super) fn write(answer: &RawValue, out: &mut impl Write) -> anyhow::Result<()> {
    value(&Json::read(answer)?, "", out)?;
    Ok(())
}

/// Writes a value, each line after the indentation.
fn value(json: &Json, indentation: &str, out: &mut impl Write) -> io::Result<()> {
    match json {
        Json::Object(fields) if fields.is_empty() => nothing(indentation, out),
        Json::List(elements) if elements.is_empty() => nothing(indentation, out),
        Json::Object(fields) => {
            let rows: Option<Vec<_>> = fields.iter().map(|(key, json)| Some((key.as_str(), json.flat()?))).collect();
            match rows.filter(|rows| rows.len() > 1).and_then(|rows| table(&rows, true, indentation)) {
                Some(table) => table.write(out, indentation),
                None => object(fields, indentation, out),
            }
        }
        Json::List(elements) => {
            let rows: Option<Vec<_>> = elements.iter().map(|json| Some(("", json.flat()?))).collect();
            match rows.and_then(|rows| table(&rows, false, indentation)) {
                Some(table) => table.write(out, indentation),
                None => list(elements, indentation, out),
            }
        }
        lone => writeln!(out, "{indentation}{}", cell("", lone)),
    }
}

fn nothing(indentation: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{indentation}{}", styled(QUIET, "nothing: the answer is empty"))
}

fn list(elements: &[Json], indentation: &str, out: &mut impl Write) -> io::Result<()> {
    for (i, element) in elements.iter().enumerate() {
        if i > 0 && !element.is_lone() {
            writeln!(out)?;
        }
        value(element, indentation, out)?;
    }
    Ok(())
}

fn object(fields: &[(String, Json)], indentation: &str, out: &mut impl Write) -> io::Result<()> {
    let key = |key: &str| if key.is_empty() { "\"\"".to_owned() } else { printable(key) };
    let lone = fields.iter().filter(|(_, json)| json.is_lone());
    let width = lone.map(|(name, _)| key(name).width()).max().unwrap_or_default();
    for (i, (name, json)) in fields.iter().enumerate() {
        let name = key(name);
        if json.is_lone() {
            let padding = " ".repeat(width.saturating_sub(name.width()));
            writeln!(out, "{indentation}{}{padding}{GAP}{}", styled(QUIET, &name), cell(&name, json))?;
        } else {
            if i > 0 && indentation.is_empty() {
                writeln!(out)?;
            }
            writeln!(out, "{indentation}{}", styled(HEADING, name))?;
            value(json, &format!("{indentation}{STEP}"), out)?;
        }
    }
    Ok(())
}

/// A row's name, where rows have one, and its fields.
type Row<'a> = (&'a str, &'a [(String, Json)]);

/// Rows with the same fields side by side, if the terminal is wide enough for it.
fn table(rows: &[Row<'_>], named: bool, indentation: &str) -> Option<Table> {
    let mut keys: Vec<&str> = Vec::new();
    for (key, _) in rows.iter().flat_map(|(_, fields)| *fields) {
        if !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    let mut table = Table::default();
    let corner = named.then(String::new);
    table.row(corner.into_iter().chain(keys.iter().map(|key| printable(key))).map(|heading| (QUIET, heading)));
    for (name, fields) in rows {
        let field = |key: &&str| {
            let json = fields.iter().find(|(own, _)| own == key).map(|(_, json)| json);
            let is_number = matches!(json, Some(Json::Number(_))) && !TIMES.contains(key);
            Cell { style: PLAIN, text: json.map(|json| cell(key, json)).unwrap_or_default(), is_number }
        };
        let name = named.then(|| Cell::from((HEADING, printable(name))));
        table.row(name.into_iter().chain(keys.iter().map(field)));
    }
    table.fits(indentation).then_some(table)
}

/// A lone value, of the field with that name.
fn cell(key: &str, json: &Json) -> String {
    let given = match json {
        Json::Text(text) | Json::Number(text) => text,
        Json::Word(word) => return word.clone(),
        Json::Object(_) | Json::List(_) => return String::new(),
    };
    if let Some(time) = TIMES.contains(&key).then(|| local_time(given)).flatten() {
        return time;
    }
    match json {
        Json::Number(number) => decimal::plain(number),
        _ => printable(given),
    }
}

/// A Unix time, of the API's seconds or milliseconds, as a clock on this machine's wall shows it.
fn local_time(number: &str) -> Option<String> {
    let time: f64 = number.trim().parse().ok()?;
    let seconds = if time.abs() < MILLISECONDS { time } else { time / 1000.0 };
    #[expect(clippy::cast_possible_truncation, reason = "times are shown to the second")]
    let timestamp = Timestamp::from_second(seconds.floor() as i64).ok()?;
    Some(timestamp.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string())
}

fn printable(text: &str) -> String {
    metric::printable(text).collect()
}
