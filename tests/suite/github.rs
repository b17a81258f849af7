//! .github: what GitHub runs is pinned, and dependabot looks at everything that has versions.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::repository::{ROOT, files, read};

/// The workflows' texts by their names.
fn workflows() -> Vec<(String, String)> {
    let directory = Path::new(ROOT).join(".github/workflows");
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.display().to_string(), read(path))).collect()
}

#[test]
fn every_action_is_pinned_to_a_commit_and_says_its_version() {
    let mut count = 0;
    for (name, text) in workflows() {
        for line in text.lines() {
            let Some(("" | "- ", action)) = line.trim().split_once("uses: ") else { continue };
            if action.starts_with("./") {
                continue;
            }
            let (commit, version) = action.split_once('@').and_then(|(_, pin)| pin.split_once(" # v")).unwrap_or_default();
            let pinned = commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit());
            assert!(pinned && version.split('.').count() == 3, "{name}: `{action}`; write NAME@COMMIT # v1.2.3");
            count += 1;
        }
    }
    assert!(count >= 5, "{count} actions");
}

#[test]
fn workflows_may_only_read_unless_a_job_says_more() {
    for (name, text) in workflows() {
        let workflow: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(workflow["permissions"], serde_json::json!({"contents": "read"}), "{name}");
        assert!(workflow["concurrency"]["group"].is_string(), "{name}");
        for (job, spec) in workflow["jobs"].as_object().unwrap() {
            assert!(spec["timeout-minutes"].is_u64() || spec["uses"].is_string(), "{name}: {job} can hang for six hours");
        }
    }
}

#[test]
fn dependabot_looks_at_every_manifest() {
    let configuration: Value = serde_saphyr::from_str(&read(".github/dependabot.yml")).unwrap();
    let watched: Vec<(&str, &str)> = configuration["updates"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|update| {
            let several = update["directories"].as_array().into_iter().flatten();
            let ecosystem = update["package-ecosystem"].as_str().unwrap();
            several.chain(update.get("directory")).map(move |directory| (ecosystem, directory.as_str().unwrap()))
        })
        .collect();
    for (ecosystem, manifest) in [
        ("cargo", "Cargo.lock"),
        ("npm", "package-lock.json"),
        ("docker", "Dockerfile"),
        ("docker-compose", "compose.yaml"),
        ("rust-toolchain", "rust-toolchain.toml"),
    ] {
        let found = files("", manifest);
        let mut expected: Vec<String> = found.iter().map(|path| format!("/{}", path.parent().unwrap().display())).collect();
        let mut actual: Vec<&str> = watched.iter().filter(|(name, _)| *name == ecosystem).map(|(_, path)| *path).collect();
        expected.sort();
        actual.sort_unstable();
        assert_eq!(actual, expected, "{ecosystem}");
    }
}
