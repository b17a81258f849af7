//! The pages in docs/runbooks: one for each alert, whose queries and commands work, and an index that knows them all.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use super::file::rules;
use super::{names_are_known, promtools, rule_of, run};
use crate::repository::{files, read};

const HEADINGS: &[&str] = &["## Look at, in this order", "## What to do", "## False alarms"];

/// A page's name without its ending, and its text.
fn pages() -> Vec<(String, String)> {
    let pages = files("docs/runbooks", ".md").into_iter().map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, read(path))
    });
    pages.filter(|(name, _)| name != "README").collect()
}

fn index() -> String {
    read("docs/runbooks/README.md")
}

/// The fenced blocks of a language, without their indentation.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let parts = text.split(&fence).skip(1);
    let lines = |block: &str| block.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>().join("\n");
    parts.map(|part| lines(part.split("```").next().unwrap())).collect()
}

#[test]
fn every_alert_has_its_page_and_every_page_its_alert() {
    let alerts: BTreeSet<String> = rules().into_iter().filter_map(|rule| rule.alert).collect();
    let pages = pages();
    assert_eq!(pages.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>(), alerts);
    for (name, text) in &pages {
        let severity = &rule_of(name).labels["severity"];
        assert!(text.starts_with(&format!("# {name}\n\n**{severity}.** ")), "{name}");
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, HEADINGS, "{name}");
        assert!(!blocks(text, "promql").is_empty() || !blocks(text, "sh").is_empty(), "{name} has nothing to look at");
    }
}

#[test]
fn the_index_knows_every_alert_and_every_record() {
    let index = index();
    for rule in rules() {
        match (&rule.alert, &rule.record) {
            (Some(alert), _) => {
                let row = format!(
                    "| [{alert}]({alert}.md) | {} | {} |",
                    rule.labels["severity"],
                    rule.pending.as_deref().unwrap()
                );
                assert!(index.contains(&row), "docs/runbooks/README.md lacks the row `{row}`");
            }
            (None, Some(record)) => {
                assert!(index.contains(&format!("`{record}`")), "docs/runbooks/README.md lacks {record}");
            }
            (None, None) => panic!("a rule without a name"),
        }
    }
    names_are_known("docs/runbooks/README.md", &index);
}

/// All queries become the expressions of one file of rules, which promtool reads.
#[test]
#[ignore = "scripts/test runs it: it needs Prometheus"]
fn the_queries_can_be_asked() {
    let mut text = "groups: [{name: queries, rules: [\n".to_owned();
    let mut count = 0;
    for (name, page) in pages() {
        names_are_known(&name, &page);
        for query in blocks(&page, "promql").iter().flat_map(|block| block.split("\n\n")) {
            writeln!(text, "  {{record: \"{name}:{count}\", expr: {}}},", serde_json::json!(query.trim())).unwrap();
            count += 1;
        }
    }
    text += "]}]\n";
    assert!(count > 30, "{count} queries");
    let text = text.replace("Minergate", "query:Minergate");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("queries.yml");
    fs::write(&path, &text).unwrap();
    for promtool in promtools() {
        run(&promtool, &["check", "rules"], std::slice::from_ref(&path)).unwrap_or_else(|said| panic!("{said}\n{text}"));
    }
}

/// The exporter has the paths that are asked for.
#[test]
fn the_paths_can_be_asked_for() {
    let paths = read("docs/http.md");
    for (name, page) in pages().into_iter().chain([("README".to_owned(), index())]) {
        for path in page.split("localhost:10187").skip(1).filter(|rest| rest.starts_with('/')) {
            let path = path.split(|c: char| " ?>'\"\n".contains(c)).next().unwrap();
            assert!(paths.contains(&format!("| `{path}` |")), "{name} asks for {path}, which docs/http.md does not have");
        }
    }
}
