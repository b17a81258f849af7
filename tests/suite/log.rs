//! The fields of the log in both formats are those of docs/log.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::process::{change_config, daemon, put_faults, set_intervals, simulator};
use crate::repository::{fenced, read};

const ALWAYS: [&str; 4] = ["ts", "level", "target", "message"];

/// The names in the first column of the tables below a heading of docs/log.md.
fn documented(heading: &str) -> BTreeSet<String> {
    let page = read("docs/log.md");
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let first = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
    section.lines().filter_map(first).collect()
}

/// The fields of a logfmt line, in order.
fn logfmt(line: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut rest = line;
    while let Some((name, after)) = rest.trim_start().split_once('=') {
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => {
                let end = quoted.match_indices('"').find(|(at, _)| !quoted[..*at].ends_with('\\')).unwrap().0;
                (quoted[..end].replace("\\\"", "\""), &quoted[end + 1..])
            }
            None => after.split_once(' ').map_or((after.to_owned(), ""), |(value, rest)| (value.to_owned(), rest)),
        };
        fields.push((name.to_owned(), value));
        rest = after;
    }
    fields
}

/// The fields of a JSON line, in order.
fn json(line: &str) -> Vec<(String, String)> {
    let object: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let mut fields: Vec<_> = object.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    fields.sort_by_key(|(name, _)| line.find(&format!("\"{name}\":")));
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    fields.into_iter().map(|(name, value)| (name, text(value))).collect()
}

/// Every message that a run with a failing account logs, with the names of its fields.
fn messages(config: &Path, format: &str) -> BTreeMap<String, Vec<String>> {
    let (mut daemon, _) = daemon(config, &["--log.level", "debug", "--log.format", format]);
    daemon.wait_for("poll failed");
    daemon.wait_for("\"poll did not succeed\"");
    daemon.wait_for("polled");
    daemon.signal("TERM");
    assert_eq!(daemon.exit_code(), Some(0));
    let (levels, fields) = (documented("Levels"), documented("Fields beside these"));
    let mut messages = BTreeMap::new();
    for line in daemon.output().lines() {
        let line = if format == "json" { json(line) } else { logfmt(line) };
        let names: Vec<String> = line.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(names[..4], ALWAYS, "{line:?}");
        assert!(line[0].1.ends_with('Z') && line[0].1.contains('T'), "{line:?}");
        assert!(levels.contains(&line[1].1), "{line:?}");
        assert!(names[4..].iter().all(|name| fields.contains(name)), "docs/log.md lacks a field of {line:?}");
        messages.insert(format!("{} {} {}", line[1].1, line[2].1, line[3].1), names);
    }
    messages
}

#[test]
fn the_examples_of_both_formats_have_the_same_fields() {
    let [example] = fenced(&read("docs/log.md"), "text").try_into().unwrap();
    let (first, second) = example.trim_end().split_once('\n').unwrap();
    assert_eq!(logfmt(first), json(second));
}

#[test]
fn both_formats_have_the_same_fields() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &[]);
    let url = change_config(&config, |table| set_intervals(table, "balance = \"1s\""));
    put_faults(&url, &["balance/500@farm-3".to_owned()]);
    let logfmt = messages(&config, "logfmt");
    assert!(logfmt.keys().any(|message| message.contains("poll failed")) && logfmt.len() > 4, "{logfmt:?}");
    assert_eq!(messages(&config, "json"), logfmt);
}
