//! docs/troubleshooting.md has every error kind and every reason of a blocked login.

use minergate::api::{Blocked, REQUEST_KINDS, UNSENT_KINDS};

use crate::repository::read;

/// The cells of the page's rows.
fn rows() -> Vec<Vec<String>> {
    let text = read("docs/troubleshooting.md");
    let cells = |row: &str| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    text.lines().filter(|line| line.starts_with("| ")).map(cells).collect()
}

/// The words in backquotes.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_error_kind_and_every_blocked_reason_has_a_row() {
    let rows = rows();
    let kinds = REQUEST_KINDS.iter().chain(UNSENT_KINDS).copied().filter(|kind| *kind != "ok");
    for word in kinds.chain(Blocked::ALL.map(Blocked::reason)) {
        assert!(rows.iter().any(|row| quoted(&row[0]).contains(&word)), "docs/troubleshooting.md has no row for {word}");
    }
}
