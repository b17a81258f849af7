//! Tests and source files that pages name exist, such as `daemon::expired_tokens_are_replaced` and `query/json.rs`.

use std::path::{Path, PathBuf};

use crate::repository::{files, read};

/// Pages that name the test of a promise.
const PAGES: &[&str] = &["docs/reliability.md", "docs/architecture.md", "SECURITY.md", "tests/README.md"];

/// The names of tests in a page: words in backquotes with `::` and without capitals.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let is_name =
        |word: &&str| word.contains("::") && word.chars().all(|c| c.is_ascii_lowercase() || "_:0123456789".contains(c));
    text.split('`').skip(1).step_by(2).filter(is_name)
}

/// Whether a file can be the module of that path: `client::login` is `tests/suite/client/login.rs`.
fn is_module(file: &Path, modules: &[&str]) -> bool {
    let path = file.with_extension("");
    let parts: Vec<&str> = path.iter().map(|part| part.to_str().unwrap()).collect();
    let inline = modules.strip_suffix(&["tests"]).unwrap_or(modules);
    parts.ends_with(modules) || parts.ends_with(inline)
}

#[test]
fn every_test_that_a_page_names_exists() {
    let sources: Vec<(PathBuf, String)> = ["src", "crates", "tests"]
        .iter()
        .flat_map(|root| files(root, ".rs"))
        .map(|path| (path.clone(), read(path)))
        .collect();
    let exists = |name: &str| {
        let parts: Vec<&str> = name.split("::").collect();
        let (last, modules) = parts.split_last().unwrap();
        let (item, modules) =
            if *last == "tests" { ("mod tests".to_owned(), &parts[..]) } else { (format!("fn {last}("), modules) };
        sources.iter().any(|(path, text)| {
            is_module(path, modules) && (text.contains(&item) || *last == "tests" && path.ends_with("tests.rs"))
        })
    };
    let mut count = 0;
    for page in PAGES {
        for name in named(&read(page)) {
            assert!(exists(name), "{page} names {name}, which does not exist");
            count += 1;
        }
    }
    assert!(count > 50, "{count} names were found");
    assert!(!exists("daemon::this_test_does_not_exist") && !exists("nowhere::expired_tokens_are_replaced"));
}

#[test]
fn every_source_file_that_a_page_names_exists() {
    let sources: Vec<PathBuf> =
        ["src", "crates", "tests", "benches", "fuzz"].iter().flat_map(|root| files(root, ".rs")).collect();
    let mut count = 0;
    for page in ["docs/architecture.md", "docs/performance.md", "tests/README.md", "CONTRIBUTING.md"] {
        let text = read(page);
        let is_source =
            |word: &&Path| word.extension().is_some_and(|extension| extension == "rs") && !word.ends_with("x.rs");
        for path in text.split('`').skip(1).step_by(2).map(Path::new).filter(is_source) {
            let exists = sources.iter().any(|source| source.ends_with(path));
            assert!(exists, "{page} names {}, which does not exist", path.display());
            count += 1;
        }
    }
    assert!(count > 20, "{count} files were found");
}
