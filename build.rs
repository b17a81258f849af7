//! Says from which revision and with which compiler the binary is built, for `--version` and the build info metric.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=MINERGATE_EXPORTER_REVISION");
    // An image is built without the repository, and is told the revision.
    let revision = std::env::var("MINERGATE_EXPORTER_REVISION").ok().or_else(|| {
        for path in ["HEAD", "refs/heads"] {
            println!("cargo::rerun-if-changed={}", run("git", &["rev-parse", "--git-path", path])?);
        }
        run("git", &["rev-parse", "--short=12", "HEAD"])
    });
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = run(&rustc, &["--version"]).and_then(|line| Some(line.split(' ').nth(1)?.to_owned()));
    println!("cargo::rustc-env=REVISION={}", revision.as_deref().unwrap_or("unknown"));
    println!("cargo::rustc-env=RUSTVERSION={}", version.as_deref().unwrap_or("unknown"));
}

fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
