//! docs/troubleshooting.md knows every kind of failure and every reason to stop, and quotes what the program says.

use std::fs;
use std::path::Path;

use minergate::api::{Blocked, REQUEST_KINDS, UNSENT_KINDS};

use crate::rules::ROOT;

/// The page's rows, cell by cell.
fn rows() -> Vec<Vec<String>> {
    let text = fs::read_to_string(Path::new(ROOT).join("docs/troubleshooting.md")).unwrap();
    let cells = |row: &str| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    text.lines().filter(|line| line.starts_with("| ")).map(cells).collect()
}

/// What stands in backquotes.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_kind_and_every_reason_has_its_row() {
    let rows = rows();
    let kinds = REQUEST_KINDS.iter().chain(UNSENT_KINDS).copied().filter(|kind| *kind != "ok");
    for word in kinds.chain(Blocked::ALL.map(Blocked::reason)) {
        assert!(rows.iter().any(|row| quoted(&row[0]).contains(&word)), "docs/troubleshooting.md has no row for {word}");
    }
}

/// The errors and log lines that the page quotes are those of the source.
#[test]
fn what_it_quotes_is_said() {
    let mut source = String::new();
    let mut directories = vec![Path::new(ROOT).join("src"), Path::new(ROOT).join("crates")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                source += &fs::read_to_string(path).unwrap();
            }
        }
    }
    let mut count = 0;
    for row in rows() {
        let columns: &[&str] = match row.len() {
            2 => &[&row[0]],
            _ => &[&row[1]],
        };
        for message in columns.iter().flat_map(|cell| quoted(cell)).filter(|text| text.contains(' ')) {
            if EXTERNAL.iter().any(|external| message.contains(external)) {
                continue;
            }
            for part in message.split('…').map(|part| part.trim_matches([' ', ':', ';'])).filter(|part| !part.is_empty()) {
                assert!(source.contains(part), "`{message}`: the source does not say `{part}`");
                count += 1;
            }
        }
    }
    assert!(count > 30, "{count} parts of messages");
}

/// What others say: Prometheus, systemd.
const EXTERNAL: &[&str] = &[
    "connection refused",
    "HTTP status ",
    "first record does not look like",
    "HTTP request to an HTTPS server",
    "certificate signed by",
    "context deadline",
    "Watchdog timeout",
    "systemctl ",
    "basic_auth",
];
