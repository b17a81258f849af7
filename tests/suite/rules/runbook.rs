//! The pages in docs/runbooks: one for each alert, whose queries and commands work, and an index that knows them all.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use super::file::{Rule, rules};
use super::{RUNBOOKS, check_queries, names_are_known};
use crate::alerting::alertmanager;
use crate::process::{change_config, daemon, exporter, simulator};
use crate::repository::{ROOT, fenced, files, read};

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
    let trimmed = |block: &String| block.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    fenced(text, language).iter().map(trimmed).collect()
}

#[test]
fn every_alert_has_a_page_and_every_page_an_alert() {
    let alerts: BTreeSet<String> = rules().into_iter().filter_map(|rule| rule.alert).collect();
    let pages = pages();
    assert_eq!(pages.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>(), alerts);
    for (name, text) in &pages {
        let rules: Vec<Rule> = rules().into_iter().filter(|rule| rule.alert.as_deref() == Some(name)).collect();
        let severities: Vec<&str> = rules.iter().map(Rule::severity).collect();
        let severities = severities.join(" or ");
        assert!(text.starts_with(&format!("# {name}\n\n**{severities}.** ")), "{name}");
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, HEADINGS, "{name}");
        assert!(!blocks(text, "promql").is_empty() || !blocks(text, "sh").is_empty(), "{name} has nothing to look at");
    }
}

#[test]
fn the_index_has_every_alert_and_every_record() {
    let index = index();
    for rule in rules() {
        match (&rule.alert, &rule.record) {
            (Some(alert), _) => {
                let row = format!("| [{alert}]({alert}.md) | {} | {} |", rule.severity(), rule.pending.as_deref().unwrap());
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

#[test]
#[ignore = "scripts/test runs it: it needs Prometheus"]
fn the_queries_are_valid() {
    let mut queries = Vec::new();
    for (name, page) in pages() {
        names_are_known(&name, &page);
        for block in blocks(&page, "promql") {
            queries.extend(block.split("\n\n").map(str::to_owned));
        }
    }
    assert!(queries.len() > 30, "{} queries", queries.len());
    check_queries(queries.into_iter());
}

/// The exporter has the paths of the commands.
#[test]
fn the_paths_exist() {
    let paths = read("docs/http.md");
    for (name, page) in pages().into_iter().chain([("README".to_owned(), index())]) {
        for path in page.split("localhost:10187").skip(1).filter(|rest| rest.starts_with('/')) {
            let path = path.split(|c: char| " ?>'\"\n".contains(c)).next().unwrap();
            assert!(paths.contains(&format!("| `{path}` |")), "{name} asks for {path}, which docs/http.md does not have");
        }
    }
}

/// Every command is run as on a machine with the installed package. Only systemd's programs are stand-ins.
#[test]
#[ignore = "scripts/test runs it: it needs Prometheus and Alertmanager"]
fn the_commands_can_be_run() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let (_simulator, config) = simulator(directory.path(), &[]);
    let base = change_config(&config, |table| table["accounts"][0]["name"] = "farm".into());
    let (_daemon, url) = daemon(&config, &[]);
    let (_alertmanager, alertmanager) = alertmanager(directory.path(), "http://127.0.0.1:1");

    fs::create_dir(path("bin")).unwrap();
    for (name, arguments) in [
        ("systemctl", "'reload minergate-exporter' | 'status minergate-exporter'"),
        ("journalctl", "'-u minergate-exporter -n 50'"),
        ("timedatectl", "''"),
    ] {
        let stand_in = path("bin").join(name);
        fs::write(&stand_in, format!("#!/bin/sh\ncase \"$*\" in {arguments}) ;; *) exit 1 ;; esac\n")).unwrap();
        fs::set_permissions(&stand_in, fs::Permissions::from_mode(0o755)).unwrap();
    }
    symlink(exporter().get_program(), path("bin").join("minergate-exporter")).unwrap();
    symlink(Path::new(ROOT).join("deploy/prometheus/prometheus.yml"), path("prometheus.yml")).unwrap();
    fs::create_dir(path("rules")).unwrap();
    for file in files("deploy/prometheus/rules", ".yml") {
        fs::copy(Path::new(ROOT).join(&file), path("rules").join(file.file_name().unwrap())).unwrap();
    }
    let installed = "/etc/minergate-exporter/minergate-exporter.toml";
    let manifest = read("Cargo.toml");
    assert!(manifest.contains("[\"target/stage/minergate-exporter.toml\", \"etc/minergate-exporter/\", \"644\"]"));
    let places = [
        (installed, config.to_str().unwrap()),
        ("/etc/prometheus/prometheus.yml", path("prometheus.yml").to_str().unwrap()),
        ("/var/lib/minergate-exporter", directory.path().to_str().unwrap()),
        ("http://localhost:10187", &url),
        ("localhost:9093", &alertmanager),
        ("https://api.example.com", &base),
        // An HTTP error is a failure.
        ("curl ", "curl --fail "),
    ]
    .map(|(written, here)| (written.to_owned(), here.to_owned()));

    let search = std::env::var("PATH").unwrap();
    let mut count = 0;
    for (name, page) in pages().into_iter().chain([("README".to_owned(), index())]) {
        for block in blocks(&page, "sh") {
            let command = places.iter().fold(block.clone(), |text, (written, here)| text.replace(written, here));
            let mut shell = Command::new("bash");
            shell.current_dir(directory.path()).env("PATH", format!("{}:{search}", path("bin").display()));
            let output = shell.args(["-euo", "pipefail", "-c", &command]).output().unwrap();
            assert!(output.status.success(), "{name}: {block}\n{}", String::from_utf8_lossy(&output.stderr));
            count += 1;
        }
    }
    assert!(count > 15, "{count} blocks of commands");
    // The commands have put the user's URLs into the rules.
    let rules = fs::read_to_string(path("rules/alerts.rules.yml")).unwrap();
    assert!(!rules.contains(RUNBOOKS) && !rules.contains("localhost:3000"));
}
