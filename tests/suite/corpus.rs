//! The checks of the fuzz targets, run over their seeds.

#[path = "../../fuzz/checks.rs"]
mod checks;

use std::path::{Path, PathBuf};

use minergate::endpoints::ENDPOINTS;

use crate::repository::{ROOT, files};

/// The files of a directory. Prints their names, so that a failing test shows them.
fn seeds(directory: &str) -> Vec<(String, Vec<u8>)> {
    contents(files(directory, ""))
}

fn contents(files: Vec<PathBuf>) -> Vec<(String, Vec<u8>)> {
    let read = |path: PathBuf| (path.display().to_string(), std::fs::read(Path::new(ROOT).join(path)).unwrap());
    files.into_iter().map(read).collect()
}

#[test]
fn no_body_breaks_an_endpoint() {
    let samples = ENDPOINTS.iter().map(|endpoint| (endpoint.name.to_owned(), endpoint.sample.as_bytes().to_vec()));
    let deep =
        [&b"["[..], b"{\"xmr\":", b"{\"xmr\":[{\"profit\":"].map(|nest| ("a deep nest".to_owned(), nest.repeat(100_000)));
    for (name, body) in seeds("fuzz/seeds/body").into_iter().chain(samples).chain(deep) {
        for (choice, endpoint) in (0..).zip(ENDPOINTS) {
            println!("{name} as {}", endpoint.name);
            checks::answer(&[&[choice], &body[..]].concat());
        }
    }
}

#[test]
fn a_truncated_answer_breaks_no_endpoint() {
    for (choice, endpoint) in (0..).zip(ENDPOINTS) {
        for length in 0..endpoint.sample.len() {
            println!("{} bytes of {}", length, endpoint.name);
            checks::answer(&[&[choice], &endpoint.sample.as_bytes()[..length]].concat());
        }
    }
}

#[test]
fn no_body_breaks_the_classifier_of_errors() {
    for (name, body) in seeds("fuzz/seeds/body") {
        for status in [0, 200_u16, 302, 400, 401, 404, 429, 503, u16::MAX] {
            println!("{name} with {status}");
            checks::error(&[&status.to_be_bytes(), &body[..]].concat());
        }
    }
}

#[test]
fn no_configuration_gives_a_secret_away() {
    for (name, text) in seeds("fuzz/seeds/config").into_iter().chain(seeds("config")) {
        for choice in 0..checks::CONFIGURATIONS {
            println!("{name} as {choice}");
            checks::config(&[&[choice], &text[..]].concat());
        }
    }
}

#[test]
fn no_header_breaks_the_negotiation() {
    for (name, headers) in seeds("fuzz/seeds/negotiation") {
        println!("{name}");
        checks::negotiation(&headers);
    }
}

#[test]
fn no_body_breaks_a_pool_software() {
    let samples = contents(files("crates/minergate-pools/src/software", ".json"));
    for (name, body) in seeds("fuzz/seeds/body").into_iter().chain(samples) {
        for (choice, (software, endpoint)) in (0..).zip(checks::pool_endpoints()) {
            println!("{name} as {endpoint} of {}", software.name);
            checks::pools(&[&[choice], &body[..]].concat());
        }
    }
}
