//! Logins of the built binary: restarts, reloads, secret files that hang, and the log's lines about them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use minergate::endpoints::{ENDPOINTS, find};

use crate::fake_api::{Asked, FakeApi};
use crate::process::{Process, daemon, exporter, get, make_fifo, wait};
use crate::scrape::is_up;

const LOGIN: &str = "/1.0/auth/login";

/// A configuration of one account with a password and a state directory, beside others.
fn config(directory: &Path, api: &FakeApi, more: &str) -> PathBuf {
    let state = directory.join("state");
    fs::create_dir_all(&state).unwrap();
    let config = directory.join("config.toml");
    let text = format!(
        "state_directory = \"{}\"\n[api]\nbase_url = \"{}\"\nrequests_per_second = 1000\n\
         [[accounts]]\nname = \"farm\"\nemail = \"me@example.com\"\npassword = \"wrong\"\n{more}",
        state.display(),
        api.base_url
    );
    fs::write(&config, text).unwrap();
    config
}

/// The documented answer of a path.
fn sample(path: &str) -> String {
    let found = ENDPOINTS.iter().find(|endpoint| endpoint.path == path);
    found.map_or_else(|| find("status").unwrap().sample, |endpoint| endpoint.sample).to_owned()
}

/// An API that takes the password `right` only.
async fn strict(error: &'static str) -> FakeApi {
    FakeApi::start(move |asked: &Asked| match asked.path.as_str() {
        LOGIN if asked.body["password"] == "right" => (200, r#"{"token": "t"}"#.to_owned()),
        LOGIN => (400, format!(r#"{{"error": "{error}", "message": "x"}}"#)),
        path => (200, sample(path)),
    })
    .await
}

fn blocked(url: &str, reason: &str) -> Option<()> {
    let series = format!("minergate_auth_blocked{{account=\"farm\",reason=\"{reason}\"}} 1");
    get(&format!("{url}/metrics"), &[]).text().contains(&series).then_some(())
}

fn reload(daemon: &Process, times: usize) {
    daemon.signal("HUP");
    wait("the reload", || (daemon.output().matches("configuration reloaded").count() >= times).then_some(()));
}

fn check_online(config: &Path) -> Process {
    let mut command = exporter();
    Process::start(command.args(["check", "--online", "--config.file"]).arg(config))
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_credentials_are_not_sent_again_by_restarts_and_reloads() {
    let api = strict("WrongEmailOrPassword").await;
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), &api, "");
    for _ in 0..3 {
        let (daemon, url) = daemon(&config, &[]);
        wait("the login to be blocked", || blocked(&url, "wrong_password"));
        for times in 1..=2 {
            reload(&daemon, times);
        }
        assert_eq!(blocked(&url, "wrong_password"), Some(()));
        assert_eq!(api.asked(LOGIN).len(), 1);
    }
    let mut once = exporter();
    let mut once = Process::start(once.args(["once", "--config.file"]).arg(&config));
    // The pool's endpoints could be read.
    assert_eq!(once.exit_code(), Some(3));
    assert_eq!(api.asked(LOGIN).len(), 1);

    // A user who runs `check --online` may have solved the problem.
    assert_eq!(check_online(&config).exit_code(), Some(1));
    assert_eq!(api.asked(LOGIN).len(), 2);
    let (_daemon, url) = daemon(&config, &[]);
    wait("the login to be blocked", || blocked(&url, "wrong_password"));
    assert_eq!(api.asked(LOGIN).len(), 2);

    let text = fs::read_to_string(&config).unwrap().replace("wrong", "right");
    fs::write(&config, text).unwrap();
    assert_eq!(check_online(&config).exit_code(), Some(0), "other credentials are tried");
    assert_eq!(api.asked(LOGIN).len(), 3);
    for entry in fs::read_dir(directory.path().join("state")).unwrap() {
        let name = entry.unwrap().file_name();
        assert_ne!(name, "rejected-farm", "forgotten after a success");
    }
}

/// The account works again with the same credentials, as `check --online` has shown.
#[tokio::test(flavor = "multi_thread")]
async fn a_running_exporter_goes_on_after_a_successful_check() {
    let taken = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_taken = taken.clone();
    let api = FakeApi::start(move |asked: &Asked| match asked.path.as_str() {
        LOGIN if is_taken.load(std::sync::atomic::Ordering::Relaxed) => (200, r#"{"token": "t"}"#.to_owned()),
        LOGIN => (400, r#"{"error": "WrongEmailOrPassword", "message": "x"}"#.to_owned()),
        path => (200, sample(path)),
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), &api, "endpoints = [\"workers\"]\n[poll]\nworkers = \"1s\"\n");
    let (_daemon, url) = daemon(&config, &[]);
    wait("the login to be blocked", || blocked(&url, "wrong_password"));
    taken.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(check_online(&config).exit_code(), Some(0));
    wait("the account", || is_up(&get(&format!("{url}/metrics"), &[]).text(), "farm").then_some(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_captcha_gets_one_more_attempt_at_each_reload() {
    let api = strict("CaptchaRequired").await;
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), &api, "[poll]\nworkers = \"1s\"\n");
    let (daemon, url) = daemon(&config, &[]);
    wait("the login to be blocked", || blocked(&url, "captcha"));
    for times in 1..=2 {
        reload(&daemon, times);
        wait("one more login", || (api.asked(LOGIN).len() == 1 + times).then_some(()));
        wait("the login to be blocked", || blocked(&url, "captcha"));
    }
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(api.asked(LOGIN).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_login_is_one_log_line() {
    let api = strict("WrongEmailOrPassword").await;
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), &api, "[poll]\nworkers = \"1s\"\nbalance = \"1s\"\n");
    let (daemon, url) = daemon(&config, &[]);
    wait("the login to be blocked", || blocked(&url, "wrong_password"));
    std::thread::sleep(Duration::from_secs(6));
    let output = daemon.output();
    let warnings: Vec<&str> = output.lines().filter(|line| line.contains("level=warn") && line.contains("kind=")).collect();
    assert_eq!(warnings.len(), 1, "{output}");
    assert!(warnings[0].contains("account down") && warnings[0].contains("wrong_password"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_secret_file_affects_only_its_account() {
    let api = strict("WrongEmailOrPassword").await;
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    make_fifo(&fifo);
    let more = "[[accounts]]\nname = \"hangs\"\nemail = \"a@example.com\"\npassword_file = \"fifo\"\n\
         [[accounts]]\nname = \"well\"\ntoken = \"t\"\n[poll]\nworkers = \"1s\"\n";
    let config = config(directory.path(), &api, more);
    let (mut daemon, url) = daemon(&config, &[]);
    let up = |account: &str| is_up(&get(&format!("{url}/metrics"), &[]).text(), account);
    wait("the healthy account", || up("well").then_some(()));
    let polls = api.asked("/1.0/workers").len();
    wait("it to be polled on", || (api.asked("/1.0/workers").len() >= polls + 5).then_some(()));
    assert!(!up("hangs"));
    // The hanging call returns, and the new file is read.
    fs::write(&fifo, "right").unwrap();
    fs::remove_file(&fifo).unwrap();
    fs::write(&fifo, "right").unwrap();
    wait("the account whose secret did not answer", || up("hangs").then_some(()));
    daemon.signal("TERM");
    assert_eq!(daemon.exit_code(), Some(0));
}
