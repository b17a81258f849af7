//! The example for Rust users, built by cargo and run against the simulator.

use std::path::Path;
use std::process::Command;

use crate::process::simulator;

#[test]
fn the_account_example_reads_the_simulator() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &["--documented"]);
    let text = std::fs::read_to_string(config).unwrap();
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{key} = "))).unwrap();
        line.trim_matches('"').to_owned()
    };
    // Cargo has built it along with the tests, if all were asked for; else it does now.
    let build = ["build", "--quiet", "--locked", "--package", "minergate", "--example", "account"];
    let status = Command::new(env!("CARGO")).args(build).current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
    assert!(status.success());
    let program = Path::new(env!("CARGO_BIN_EXE_minergate-exporter")).with_file_name("examples").join("account");
    let run = |arguments: &[&str]| {
        let output = Command::new(&program).args(arguments).env_clear().output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said, error) = run(&[&value("base_url"), &value("token")]);
    assert_eq!(code, Some(0), "{error}");
    for line in ["aeon: 30.665925215334 coins", "xmr: height Some(940410.0)"] {
        assert!(said.lines().any(|said| said == line), "{line} is not in\n{said}");
    }
    assert!(said.contains(" workers, ") && !said.contains("NaN"), "{said}");
    let (code, _, error) = run(&[&value("base_url"), "wrong"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("Unauthorized") && !error.contains("wrong"), "{error}");
}
