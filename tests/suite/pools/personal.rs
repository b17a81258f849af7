//! Addresses are personal data: every output is searched for planted addresses and for parts of them.

use std::fs;
use std::process::Output;

use super::fake_pool::{FakePool, cryptonote, ethereum, nodejs};
use super::{ADDRESS, pool, scrape, write};
use crate::fake_api::Reply;
use crate::process::{daemon, exporter, get, wait};

/// The address that is in a file.
const IN_A_FILE: &str = "0x7eB5d2C9a8F14c36Bb03e9D4f6a17C58e2d0913F";

/// An address with a wrong checksum, which the pool does not know.
const UNKNOWN: &str = "4BQx7ZrTtWn8mKcVf3LpGh5YdJs2EaUv9XbMwCk6RqHz4NyPg8TjDf7SeAi3KuVo5WxBm9ZcLr2GhQt6YnJp4MdXs8Fv7Hk";

const PLANTED: &[&str] = &[ADDRESS, IN_A_FILE, UNKNOWN, "planted"];

/// So many letters in a row identify an address.
const PART: usize = 8;

/// Fails if a planted text, or a part of an address, is in an output.
fn search(what: &str, output: &str) {
    assert!(!output.is_empty(), "{what}");
    let lower = output.to_lowercase();
    for planted in PLANTED {
        let planted = planted.to_lowercase();
        for start in 0..=planted.len().saturating_sub(PART) {
            let part = &planted[start..(start + PART).min(planted.len())];
            assert!(!lower.contains(part), "{part} is in the {what}:\n{output}");
        }
    }
}

fn text(output: &Output) -> String {
    String::from_utf8([&*output.stdout, &*output.stderr].concat()).unwrap()
}

/// Renames workers: one to a part of the address, one to an e-mail address.
fn with_names(reply: &str) -> String {
    reply.replace("attic", &ADDRESS[..20]).replace("cellar.2", "planted@example.com")
}

#[test]
fn no_output_contains_an_address() {
    let mut fakes = vec![
        FakePool::start(|path| match path {
            path if path.contains(UNKNOWN) => Reply::new(200, format!("{{\"error\":\"Not found\",\"planted\":\"{path}\"}}")),
            path if path.ends_with("/allWorkers") => {
                let list = with_names(r#"{"global":{"hash":5},"attic":{"hash":5,"validShares":1},"cellar.2":{"hash":1}}"#);
                Reply::new(200, list)
            }
            path if path.starts_with("/user/") => {
                Reply::new(302, "planted").header("location", format!("http://planted.invalid{path}"))
            }
            path => nodejs(path),
        }),
        FakePool::start(|path| match path.split('?').next().unwrap() {
            "/get_top10miners" => {
                Reply::new(200, format!("[{{\"miner\":\"{}...{}\",\"hashrate\":9}}]", &ADDRESS[..12], &ADDRESS[85..]))
            }
            _ => cryptonote(path),
        }),
        FakePool::start(
            |path| if path.contains("accounts") { Reply::new(500, format!("planted {path}")) } else { ethereum(path) },
        ),
    ];
    let pools = [
        pool("fake", "nodejs-pool", "xmr", &fakes[0], "max_age = \"1s\""),
        pool("hero", "cryptonote-nodejs-pool", "aeon", &fakes[1], "block_time = \"4m\""),
        pool("2miners", "open-ethereum-pool", "etc", &fakes[2], ""),
    ];
    // A pool where nothing listens, so that the connection fails.
    fakes.push(FakePool::start(nodejs));
    let gone = pool("gone", "nodejs-pool", "bcn", &fakes[3], "block_time = \"2m\"");
    fakes.pop();
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("planted-path"), format!("{IN_A_FILE}\n")).unwrap();
    let accounts = format!(
        "[[accounts]]\nname = \"rig\"\nwallets = {{ fake = \"{ADDRESS}\", hero = \"{ADDRESS}\", gone = \"{ADDRESS}\" }}\n\
         wallet_files = {{ 2miners = \"planted-path\" }}\ntoken = \"planted-token\"\n\
         [[accounts]]\nname = \"new\"\nwallets = {{ fake = \"{UNKNOWN}\" }}\n\
         [[accounts]]\nname = \"lost\"\nwallet_files = {{ fake = \"planted-nowhere\" }}\n"
    );
    let config = write(directory.path(), &[&pools.concat(), &gone, &accounts]);
    for format in ["logfmt", "json"] {
        let (mut daemon, url) = daemon(&config, &["--log.level", "trace", "--log.format", format]);
        wait("every kind of end", || {
            let shown = scrape(&url);
            let ended = |outcome: &str| {
                shown.0.keys().any(|series| series.starts_with("minergate_api_requests_total") && series.contains(outcome))
            };
            let log = daemon.output();
            let is_logged = ["\"lost\"", "lost "].iter().any(|name| log.contains(name)) && log.contains("gone");
            (["ok", "wallet_unknown", "server_error", "connect"].iter().all(|outcome| ended(outcome)) && is_logged)
                .then_some(())
        });
        let shown = scrape(&url);
        let workers: Vec<&str> =
            shown.of_family("minergate_worker_hashrate_hashes_per_second", "rig").map(|(series, _)| series).collect();
        assert!(workers.iter().any(|series| series.contains("worker=\"other\"")), "{workers:?}");
        for page in [
            "/metrics",
            "/metrics?account=rig",
            "/",
            "/?name=rig",
            "/?account=rig",
            "/api/v1/status",
            "/api/v1/status?account=rig",
            "/sd",
            "/-/ready",
            "/-/healthy",
        ] {
            search(page, &get(&format!("{url}{page}"), &[]).text());
        }
        let open_metrics = get(&format!("{url}/metrics"), &[("accept", "application/openmetrics-text;version=1.0.0")]);
        search("OpenMetrics", &open_metrics.text());
        daemon.signal("HUP");
        daemon.wait_for("configuration reloaded");
        daemon.signal("TERM");
        daemon.exit_code();
        search("log", &daemon.output());
    }
    for command in [
        "check",
        "check --format json",
        "check --online",
        "check --online --format json",
        "once --log.level trace",
        "once --account rig --log.level trace --log.format json",
    ] {
        let output = exporter().args(command.split(' ')).arg("--config.file").arg(&config).output().unwrap();
        search(command, &text(&output));
    }
    // The pools were asked with the addresses.
    assert!(fakes[0].count(ADDRESS) > 0 && fakes[0].count(UNKNOWN) > 0 && fakes[2].count(IN_A_FILE) > 0);
}
