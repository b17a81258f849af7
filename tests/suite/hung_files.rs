//! Files that hang while the exporter runs: only reading them fails, and nothing else.

use std::fs;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use minergate::file;
use tokio::task::spawn_blocking;

use crate::fake_api::FakeApi;
use crate::process::{Process, daemon, get, make_fifo, wait};
use crate::served;
use crate::web_config::{ask, hash, serving};

/// Puts a FIFO in a file's place.
fn replace_by_fifo(path: &Path) {
    fs::remove_file(path).unwrap();
    make_fifo(path);
}

/// A daemon that polls once a second, and its configuration file.
fn polling(directory: &Path, api: &FakeApi) -> (Process, String, std::path::PathBuf, String) {
    let config = directory.join("c.toml");
    let text = format!(
        "[api]\nbase_url = \"{}\"\n[poll]\nbalance = \"1s\"\n[[accounts]]\nname = \"a\"\ntoken = \"t\"\nendpoints = [\"balance\"]\n",
        api.base_url
    );
    fs::write(&config, &text).unwrap();
    let (daemon, url) = daemon(&config, &[]);
    (daemon, url, config, text)
}

fn reload_successful(url: &str) -> bool {
    get(&format!("{url}/metrics"), &[]).text().contains("minergate_exporter_config_last_reload_successful 1\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_configuration_file_fails_only_the_reload() {
    let api = FakeApi::start(|_| (200, r#"{"xmr": "1.5"}"#.to_owned())).await;
    spawn_blocking(move || {
        let directory = tempfile::tempdir().unwrap();
        let (mut daemon, url, config, text) = polling(directory.path(), &api);
        assert!(reload_successful(&url));
        replace_by_fifo(&config);
        let polls = api.asked("/1.0/balance").len();
        daemon.signal("HUP");
        wait("polls", || (api.asked("/1.0/balance").len() > polls + 2).then_some(()));
        wait("the failure", || (!reload_successful(&url)).then_some(()));
        let failures = || daemon.output().matches("configuration not reloaded").count();
        wait("its line in the log", || (failures() == 1).then_some(()));
        daemon.signal("HUP");
        wait("the next failure", || (failures() == 2).then_some(()));

        // The hanging call returns, and the file is a regular file again.
        fs::write(&config, &text).unwrap();
        fs::remove_file(&config).unwrap();
        fs::write(&config, &text).unwrap();
        wait("a reload", || {
            daemon.signal("HUP");
            std::thread::sleep(Duration::from_millis(100));
            reload_successful(&url).then_some(())
        });
        daemon.signal("TERM");
        assert_eq!(daemon.exit_code(), Some(0));
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_reload_does_not_delay_the_end() {
    let api = FakeApi::start(|_| (200, r#"{"xmr": "1.5"}"#.to_owned())).await;
    spawn_blocking(move || {
        let directory = tempfile::tempdir().unwrap();
        let (mut daemon, url, config, _) = polling(directory.path(), &api);
        replace_by_fifo(&config);
        daemon.signal("HUP");
        // Long enough for the signal to arrive, and much shorter than the reload hangs.
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(get(&format!("{url}/metrics"), &[]).status, 200);
        daemon.signal("TERM");
        assert_eq!(daemon.exit_code(), Some(0));
        assert!(!daemon.output().contains("configuration not reloaded"), "{}", daemon.output());
    })
    .await
    .unwrap();
}

#[test]
fn a_fifo_as_web_configuration_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (daemon, url) = serving(directory.path(), &format!("basic_auth_users:\n  alice: {}\n", hash("secret")));
    assert_eq!(ask(&url, "alice:secret").status, 200);
    replace_by_fifo(&directory.path().join("web.yml"));
    wait("the fault", || {
        assert_eq!(ask(&url, "alice:secret").status, 200);
        daemon.output().contains("it is not a file").then_some(())
    });
    assert_eq!(get(&url, &[]).status, 401);
    assert_eq!(daemon.output().matches("web configuration not reloaded").count(), 1);
}

/// A hanging mount, as far as a test can simulate it: another call that looks at the file does not return.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_web_configuration_leaves_the_old_one_in_force() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("web.yml");
    let users = |password: &str| format!("basic_auth_users:\n  alice: {}\n", hash(password));
    fs::write(&path, users("one")).unwrap();
    let (listener, url) = served::listener().await;
    tokio::spawn(served::serve(listener, Arc::default(), Some(&path)));

    let (release, released) = mpsc::channel::<String>();
    let own = path.clone();
    let hang = tokio::spawn(async move { file::run(&own, move || drop(released.recv())).await });
    fs::write(&path, users("two")).unwrap();
    spawn_blocking(move || {
        // The exporter looks at the file a second after the last reading, and takes it as hung five seconds later.
        let (start, mut answered) = (tokio::time::Instant::now(), 0);
        while !hang.is_finished() {
            let is_due = start.elapsed() > Duration::from_secs(1);
            assert_eq!(ask(&url, "alice:one").status, 200);
            answered += usize::from(is_due && !hang.is_finished());
        }
        assert!(answered > 1, "requests wait for the file");
        for _ in 0..30 {
            assert_eq!(ask(&url, "alice:one").status, 200);
            std::thread::sleep(Duration::from_millis(50));
        }
        drop(release);
        wait("the new password", || (ask(&url, "alice:two").status == 200).then_some(()));
        assert_eq!(ask(&url, "alice:one").status, 401);
    })
    .await
    .unwrap();
}
