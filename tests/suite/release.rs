//! A release has one version in all files, and the same files in both packages.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::repository::{ROOT, files, read};

#[test]
fn every_file_has_the_version_of_cargo_toml() {
    let (mut places, mut wrong) = (BTreeSet::new(), Vec::new());
    for file in ["Dockerfile", "deploy", "docs"].into_iter().flat_map(|path| files(path, "")) {
        // A picture has no version.
        let Ok(text) = fs::read_to_string(Path::new(ROOT).join(&file)) else { continue };
        for line in text.lines() {
            for marker in ["ARG VERSION=", "minergate-exporter:", "newTag: "] {
                let version = line.split_once(marker).map(|(_, rest)| rest.trim_matches('"'));
                // A tag that is no version, such as `amd64`, is ignored.
                let Some(version) = version.filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) else { continue };
                let version = version.split([' ', '"', '`']).next().unwrap();
                if version != env!("CARGO_PKG_VERSION") {
                    wrong.push(format!("{}: {line}", file.display()));
                }
                places.insert(file.clone());
            }
        }
    }
    assert!(wrong.is_empty(), "these are not {}:\n{}", env!("CARGO_PKG_VERSION"), wrong.join("\n"));
    assert!(places.len() >= 4, "{places:?}");
}

#[test]
fn every_file_names_the_same_rust() {
    let toolchain: toml::Table = read("rust-toolchain.toml").parse().unwrap();
    let channel = toolchain["toolchain"]["channel"].as_str().unwrap();
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let minimum = manifest["workspace"]["package"]["rust-version"].as_str().unwrap();
    assert_eq!(channel.rsplit_once('.').unwrap().0, minimum, "no other Rust is tried");
    for file in ["Dockerfile", ".github/workflows/ci.yml", ".github/workflows/release.yml"] {
        let text = read(file);
        let images: Vec<&str> = text.split("library/rust:").skip(1).map(|rest| rest.split('-').next().unwrap()).collect();
        assert!(!images.is_empty() && images.iter().all(|version| *version == channel), "{file}: {images:?}, not {channel}");
    }
}

#[test]
fn the_changelog_has_a_section_for_this_version() {
    let version = concat!("## ", env!("CARGO_PKG_VERSION"), " ");
    assert!(read("CHANGELOG.md").lines().any(|line| line.starts_with(version)), "no line begins with `{version}`");
}

#[test]
fn both_packages_have_the_same_files() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let assets = |kind: &str| manifest["package"]["metadata"][kind]["assets"].as_array().unwrap().clone();
    let text = |value: &toml::Value| value.as_str().unwrap().trim_start_matches('/').to_owned();
    // The directory of a file. That of zsh differs between distributions.
    let directory = |destination: String| {
        let directory = destination.rsplit_once('/').unwrap().0.to_owned();
        if directory.starts_with("usr/share/zsh/") { "usr/share/zsh".to_owned() } else { directory }
    };
    let entry = |source: &toml::Value, destination: &toml::Value, mode: &toml::Value| {
        (text(source), directory(text(destination)), text(mode))
    };
    let debian: BTreeSet<_> = assets("deb").iter().map(|asset| entry(&asset[0], &asset[1], &asset[2])).collect();
    let rpm: BTreeSet<_> = assets("generate-rpm")
        .iter()
        .map(|asset| entry(&asset["source"], &asset["dest"], &asset["mode"]))
        // Debian has the licence in the file `copyright`.
        .filter(|(source, ..)| source != "LICENSE")
        .collect();
    assert_eq!(debian, rpm);
    // An upgrade keeps an edited configuration. In Debian, that holds for all files in /etc.
    for asset in assets("generate-rpm").iter().filter(|asset| text(&asset["dest"]).starts_with("etc/")) {
        assert_eq!(asset["config"].as_str(), Some("noreplace"), "{asset}");
    }
}
