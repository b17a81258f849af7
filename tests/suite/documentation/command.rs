//! The commands of pages are run as a reader would give them: the exporter, its simulator and promtool are real.
//!
//! `block` has README and docs/install.md, and `rules::runbook` has docs/runbooks.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use super::page::Page;
use crate::gateway::gateway;
use crate::process::{Process, change_config, daemon, exporter, simulator};
use crate::repository::ROOT;

/// The simulator's faults come last, since they stay in force.
const PAGES: &[&str] = &[
    "docs/configuration.md",
    "docs/commands.md",
    "docs/http.md",
    "docs/troubleshooting.md",
    "docs/history.md",
    "docs/pools.md",
    "docs/simulator.md",
];

/// Whether a command runs until it is stopped. The simulator's are run by another test, the others by tests of what they do.
fn stays(line: &str) -> bool {
    let commands = ["demo", "gateway", "simulate", "--config.file"];
    commands.iter().any(|command| line.starts_with(&format!("minergate-exporter {command} "))) || line.ends_with(" demo")
}

/// Stand-ins for programs that can't be run here. They succeed only with the arguments of the pages.
const STAND_INS: &[(&str, &str)] = &[
    ("sudo", "exec \"$@\""),
    (
        "systemctl",
        "case \"$*\" in 'reload minergate-exporter' | daemon-reload | 'enable --now minergate-gateway') ;; *) exit 1 ;; esac",
    ),
    ("chown", "case \"$*\" in '-R prometheus: '*'/prometheus/data') ;; *) exit 1 ;; esac"),
];

/// Writes the programs that a reader has: the exporter, and stand-ins.
fn write_programs(directory: &Path) {
    fs::create_dir(directory).unwrap();
    for (name, script) in STAND_INS {
        let path = directory.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    symlink(exporter().get_program(), directory.join("minergate-exporter")).unwrap();
}

/// Gives the simulator's accounts the names and credentials of the pages, in which `...` stands for a secret. TOTP codes can be used
/// only once, so no account has one.
fn rename_accounts(config: &mut toml::Table) {
    let accounts = config["accounts"].as_array_mut().unwrap();
    accounts.retain(|account| account.get("totp_secret").is_none());
    for (account, name) in accounts.iter_mut().zip(["farm", "rig"]) {
        account["name"] = name.into();
    }
    let [.., first, second] = accounts.as_mut_slice() else { panic!("there are no wallets") };
    let set = |account: &mut toml::Value, key: &str, value: &str| {
        account.as_table_mut().unwrap().insert(key.to_owned(), value.into());
    };
    set(first, "email", "me@example.com");
    set(first, "password", "...");
    set(second, "token", "...");
}

#[test]
#[ignore = "scripts/test runs it: it needs curl and Prometheus"]
fn the_commands_can_be_run() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let (_simulator, simulated) = simulator(directory.path(), &["--documented", "--wallets", "2"]);
    let base = change_config(&simulated, rename_accounts);
    fs::copy(simulated, path("my.toml")).unwrap();
    let (_daemon, url) = daemon(&path("my.toml"), &["--web.enable-lifecycle"]);
    let (_gateway, gateway) = gateway(&path("my.toml"), &[]);
    write_programs(&path("bin"));
    for name in ["units", "node_exporter", "prometheus/data", ".local/share/bash-completion/completions"] {
        fs::create_dir_all(path(name)).unwrap();
    }
    fs::write(path("wallet-token"), "made-up").unwrap();
    let here = |name: &str| path(name).to_str().unwrap().to_owned();
    let places = [
        ("http://127.0.0.1:10188", base.clone()),
        ("https://pool.example.com", base),
        ("http://127.0.0.1:10189", gateway),
        ("http://localhost:10187", url),
        ("/usr/lib/systemd/system", format!("{ROOT}/deploy/systemd")),
        ("/etc/systemd/system", here("units")),
        ("/run/secrets/wallet-token", here("wallet-token")),
        ("/var/lib/node_exporter", here("node_exporter")),
        ("/var/lib/prometheus", here("prometheus")),
        // A status that is no success is a failure.
        ("curl ", "curl --fail --silent --show-error ".to_owned()),
    ];
    let search = format!("{}:{}", path("bin").display(), std::env::var("PATH").unwrap());
    let mut count = 0;
    for name in PAGES {
        let page = Page::read(name.into());
        assert!(!page.blocks.is_empty(), "{name} has no commands");
        for block in page.blocks {
            let command = block.text.lines().filter(|line| !stays(line)).collect::<Vec<_>>().join("\n");
            let command = places.iter().fold(command, |text, (written, here)| text.replace(written, here));
            let mut shell = Command::new("bash");
            shell.current_dir(directory.path()).env("HOME", directory.path()).env("PATH", &search);
            let output = shell.args(["-euo", "pipefail", "-c", &command]).output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{name}: {}\n{text}", block.text);
            count += 1;
        }
    }
    assert!(count > 10, "{count} blocks of commands");
    let unit = fs::read_to_string(path("units/minergate-gateway.service")).unwrap();
    assert!(unit.contains("/minergate-exporter gateway --config.file=") && !unit.contains("Watchdog"), "{unit}");
}

#[test]
fn the_simulator_can_be_started_as_its_page_says() {
    let directory = tempfile::tempdir().unwrap();
    let mut count = 0;
    for block in Page::read("docs/simulator.md".into()).blocks {
        for line in block.text.lines().filter(|line| line.starts_with("minergate-exporter simulate ")) {
            let arguments = line.split('#').next().unwrap().split_whitespace().skip(1);
            let mut command = exporter();
            command.current_dir(directory.path()).args(arguments);
            if !line.contains("--help") {
                command.args(["--listen", "127.0.0.1:0"]);
            }
            Process::start(&mut command).wait_for(" is at http");
            count += 1;
        }
    }
    assert!(count >= 4, "{count} commands");
}
