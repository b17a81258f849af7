//! Commands that end by themselves, against the simulator: `once` and `check --online`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Error;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::process::{change_config, exporter, get, make_fifo, on_a_terminal, put_faults, simulator};
use crate::scrape::Scrape;

/// The simulator, its URL, and the configuration of its accounts, without the account that uses TOTP: a code is valid for one
/// login, and each command logs in.
fn accounts(directory: &Path) -> (crate::process::Process, String, std::path::PathBuf) {
    let (process, config) = simulator(directory, &[]);
    let url = change_config(&config, |table| {
        table["accounts"].as_array_mut().unwrap().retain(|account| account.get("totp_secret").is_none());
    });
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
    // node_exporter, which reads the file, has these metrics of its own.
    assert!(!text.contains("process_"), "{text}");
}

#[test]
fn a_textfile_is_complete_or_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    let (simulator, url, config) = accounts(directory.path());
    let file = directory.path().join("minergate.prom");
    let arguments = ["once", "--textfile", file.to_str().unwrap()];
    assert_eq!(run(&config, &arguments).status.code(), Some(0));
    let whole = fs::read_to_string(&file).unwrap();
    assert!(Scrape::read(&whole).is_up("farm-1"));

    // A part is written too, and the exit code says that it is one.
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

/// The owner, the group and the mode of a file.
fn owner_and_mode(path: &Path) -> (u32, u32, u32) {
    let metadata = fs::symlink_metadata(path).unwrap();
    (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777)
}

/// Runs a command with a umask that denies others all access.
fn run_private(config: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("/bin/sh");
    command.env_clear();
    command.args(["-c", "umask 077; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_minergate-exporter")]);
    command.args(arguments).arg("--config.file").arg(config).output().unwrap()
}

#[test]
fn a_new_textfile_is_readable_by_all_and_an_old_one_keeps_owner_and_mode() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, _, config) = accounts(directory.path());
    let file = directory.path().join("minergate.prom");
    let arguments = ["once", "--textfile", file.to_str().unwrap()];
    assert_eq!(run_private(&config, &arguments).status.code(), Some(0));
    assert_eq!(owner_and_mode(&file).2, 0o644);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    // Only root can change the owner of a file.
    let _ = std::os::unix::fs::chown(&file, Some(65_532), Some(65_531));
    let (before, old) = (owner_and_mode(&file), fs::metadata(&file).unwrap().ino());
    assert_eq!(run_private(&config, &arguments).status.code(), Some(0));
    assert_eq!(owner_and_mode(&file), before);
    assert_ne!(fs::metadata(&file).unwrap().ino(), old, "it was not replaced");
}

#[test]
fn a_link_to_a_textfile_stays_and_its_target_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, _, config) = accounts(directory.path());
    let (links, files) = (directory.path().join("links"), directory.path().join("files"));
    fs::create_dir(&links).unwrap();
    fs::create_dir(&files).unwrap();
    fs::write(files.join("old.prom"), "old").unwrap();
    // A chain of a relative and an absolute link to a file, and one to nothing.
    symlink("second.prom", links.join("first.prom")).unwrap();
    symlink(files.join("old.prom"), links.join("second.prom")).unwrap();
    symlink("next.prom", links.join("dangling.prom")).unwrap();
    symlink("../files/new.prom", links.join("next.prom")).unwrap();
    for (link, file) in [("first.prom", "old.prom"), ("dangling.prom", "new.prom")] {
        let output = run(&config, &["once", "--textfile", links.join(link).to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(Scrape::read(&fs::read_to_string(files.join(file)).unwrap()).is_up("farm-1"));
    }
    for link in ["first.prom", "second.prom", "dangling.prom", "next.prom"] {
        assert!(fs::symlink_metadata(links.join(link)).unwrap().is_symlink(), "{link}");
    }
    assert_eq!((fs::read_dir(&links).unwrap().count(), fs::read_dir(&files).unwrap().count()), (4, 2));
}

#[test]
fn a_textfile_that_can_t_be_replaced_is_an_error_before_any_poll() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, url, config) = accounts(directory.path());
    let path = |name: &str| directory.path().join(name);
    fs::create_dir(path("directory")).unwrap();
    make_fifo(&path("fifo"));
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    symlink("fifo", path("link")).unwrap();
    symlink("loop", path("loop")).unwrap();
    symlink("nowhere/minergate.prom", path("dangling")).unwrap();
    let kind = |kind| format!("it is {kind}; give a regular file, or a name that nothing has yet");
    let unwritable = |reason: &str| format!("{reason}; is its directory there, and this user's to write to?");
    for (name, reason) in [
        ("directory", kind("a directory")),
        ("fifo", kind("a FIFO or a pipe")),
        ("socket", kind("a socket")),
        ("link", kind("a FIFO or a pipe")),
        ("loop", unwritable(&Error::from_raw_os_error(40).to_string())),
        ("dangling", unwritable("no such file or directory")),
        ("nowhere/minergate.prom", unwritable("no such file or directory")),
    ] {
        let before = fs::symlink_metadata(path(name)).ok().map(|metadata| (metadata.ino(), metadata.mode()));
        let output = run(&config, &["once", "--textfile", path(name).to_str().unwrap()]);
        let expected = format!("error: can't write {}, which stays as it was: {reason}", path(name).display());
        assert_eq!(String::from_utf8_lossy(&output.stderr).lines().last(), Some(&*expected));
        assert_eq!(output.status.code(), Some(1), "{name}");
        let after = fs::symlink_metadata(path(name)).ok().map(|metadata| (metadata.ino(), metadata.mode()));
        assert_eq!(after, before, "{name}");
    }
    assert_eq!(get(&format!("{url}/-/requests"), &[]).text(), "[]", "something was polled");
}

#[test]
fn two_textfiles_of_different_accounts_have_no_series_in_common() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, url, config) = accounts(directory.path());
    let file = |name: &str| directory.path().join(name);
    let once = |arguments: &[&str], name: &str| {
        let mut all = vec!["once", "--textfile"];
        let path = file(name);
        all.push(path.to_str().unwrap());
        all.extend(arguments);
        assert_eq!(run(&config, &all).status.code(), Some(0));
        fs::read_to_string(path).unwrap()
    };
    let third = once(&["--account", "farm-3"], "b.prom");
    let requests: Value = serde_json::from_str(&get(&format!("{url}/-/requests"), &[]).text()).unwrap();
    assert!(requests.as_array().unwrap().iter().all(|row| row["account"] == "farm-3"), "{requests}");
    let first = once(&["--account", "farm-1"], "a.prom");
    let (first_samples, third_samples) = (Scrape::read(&first), Scrape::read(&third));
    assert!(first_samples.is_up("farm-1") && third_samples.is_up("farm-3"), "{first}{third}");
    assert_eq!(first_samples.0.keys().find(|series| third_samples.0.contains_key(*series)), None);
    // node_exporter refuses samples of one name whose HELP or TYPE differ.
    let help =
        |text: &str| -> BTreeSet<String> { text.lines().filter(|line| line.starts_with('#')).map(str::to_owned).collect() };
    let families: BTreeSet<_> = help(&first).union(&help(&third)).cloned().collect();
    let names: BTreeSet<_> = families.iter().map(|line| line.split(' ').take(3).collect::<Vec<_>>()).collect();
    assert_eq!(families.len(), names.len(), "{families:?}");

    let output = run(&config, &["once", "--account", "frm-3"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stderr).lines().last(),
        Some("error: --account: no account is called `frm-3`; did you mean `farm-3`? `check` lists them")
    );
}

#[test]
fn check_online_reads_everything_once_and_reports_it() {
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
    // No colours, since it is no terminal.
    assert!(!text.contains('\u{1b}'), "{text}");
    let of_account: Vec<&str> =
        text.split_once("Online").unwrap().1.lines().filter(|line| line.contains("farm-1 ")).collect();
    assert!(
        of_account.len() == 1 && of_account[0].contains("all 10 endpoints"),
        "one row for the login that failed: {text}"
    );
    assert!(text.lines().last().unwrap().starts_with("1 of 2 accounts has problems"), "{text}");
    assert!(String::from_utf8_lossy(&run(&config, &["check", "--online"]).stderr).is_empty(), "progress is for terminals");

    put_faults(&url, &[]);
    let mut command = exporter();
    command.args(["check", "--online", "--config.file"]).arg(&config).env("NO_COLOR", "1");
    let shown = on_a_terminal(command).replace("\r\n", "\n");
    // A line that is replaced, and removed at the end.
    let (progress, report) = shown.rsplit_once("\r\u{1b}[K").unwrap();
    assert!(progress.starts_with("\r\u{1b}[Kasking") && progress.contains(" of ") && !progress.contains('\n'), "{shown}");
    let last = report.lines().last().unwrap();
    assert!(last.starts_with("All is well: 2 accounts, ") && last.contains(" endpoints answered"), "{report}");
    assert!(report.lines().all(|line| line.chars().count() <= 80), "{report}");
}
