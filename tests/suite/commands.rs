//! The commands that do one thing and end, against the simulator: `once` and `check --online`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::process::{exporter, put_faults, simulator};
use crate::scrape::Scrape;

/// The simulator, its URL, and the configuration of its accounts, of which the one with a TOTP code is left out: a code is good for one
/// login, and each command logs in anew.
fn accounts(directory: &Path) -> (crate::process::Process, String, std::path::PathBuf) {
    let (process, config) = simulator(directory, &[]);
    let text = fs::read_to_string(&config).unwrap();
    let (before, rest) = text.split_once("\n[[accounts]]\nname = \"farm-2\"").unwrap();
    let (_, after) = rest.split_once("\n[[accounts]]").unwrap();
    fs::write(&config, format!("{before}\n[[accounts]]{after}")).unwrap();
    let url = text.split('"').find(|word| word.starts_with("http://")).unwrap().trim_end_matches('/').to_owned();
    (process, url, config)
}

fn run(config: &Path, arguments: &[&str]) -> Output {
    let mut command: Command = exporter();
    command.args(arguments).arg("--config.file").arg(config).output().unwrap()
}

#[test]
fn once_prints_what_a_scrape_would_show() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, _, config) = accounts(directory.path());
    let output = run(&config, &["once"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let scrape = Scrape::read(&text);
    assert!(scrape.is_up("farm-1") && scrape.is_up("farm-3"), "{text}");
    assert!(text.contains("\nminergate_network_difficulty{"), "the networks of the currencies in use are polled too");
    // node_exporter, which reads it from a file, has its own.
    assert!(!text.contains("process_"), "{text}");
}

#[test]
fn a_textfile_is_whole_or_stays_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let (simulator, url, config) = accounts(directory.path());
    let file = directory.path().join("minergate.prom");
    let arguments = ["once", "--textfile", file.to_str().unwrap()];
    assert_eq!(run(&config, &arguments).status.code(), Some(0));
    let whole = fs::read_to_string(&file).unwrap();
    assert!(Scrape::read(&whole).is_up("farm-1"));

    // A part is better than nothing, and says that it is one.
    put_faults(&url, &["balance/500@farm-1".to_owned()]);
    assert_eq!(run(&config, &arguments).status.code(), Some(3));
    let part = fs::read_to_string(&file).unwrap();
    assert!(!Scrape::read(&part).is_up("farm-1") && Scrape::read(&part).is_up("farm-3"));

    drop(simulator);
    let output = run(&config, &arguments);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("nothing could be read") && said.contains("the file stays as it was"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), part);
    let beside = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(beside, 2, "the configuration, the file, and nothing left over");
}

#[test]
fn a_textfile_in_a_directory_that_is_not_there_is_said_so() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, _, config) = accounts(directory.path());
    let output = run(&config, &["once", "--textfile", "/nowhere/minergate.prom"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr).lines().last().unwrap(),
        "error: can't write /nowhere/minergate.prom, which stays as it was: No such file or directory (os error 2); is its directory \
         there, and this user's to write to?"
    );
}

#[test]
fn check_online_reads_everything_once_and_says_how_it_went() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, url, config) = accounts(directory.path());
    let polls = |output: &Output| -> Vec<Value> {
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["ok"], output.status.success());
        report["online"].as_array().unwrap().clone()
    };
    let output = run(&config, &["check", "--online", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(polls(&output).iter().all(|poll| poll["ok"] == true), "{:?}", polls(&output));

    put_faults(&url, &["login/wrong-password@farm-1".to_owned()]);
    let output = run(&config, &["check", "--online", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    for poll in polls(&output) {
        assert_eq!(poll["ok"], poll["account"] != "farm-1", "{poll}");
    }
    let text = String::from_utf8(run(&config, &["check", "--online"]).stdout).unwrap();
    for word in ["farm-1", "farm-3", "mining_stats", "Accounts"] {
        assert!(text.contains(word), "{text}");
    }
    // Not a terminal: no colours.
    assert!(!text.contains('\u{1b}'), "{text}");
}
