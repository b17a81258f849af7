//! Who imports whom: the directions that docs/architecture.md promises.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A module, and the modules of the crate that it may import. What is not named here may import anything.
const IMPORTS: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("log", &[]),
    ("subject", &[]),
    ("text", &[]),
    ("gzip", &[]),
    ("blocks", &["gzip", "subject", "text"]),
    ("store", &["blocks", "clock", "subject"]),
    ("health", &["blocks", "log", "store", "subject"]),
    ("exposition", &["blocks", "gzip", "health", "store", "subject", "text"]),
    ("poller", &["health", "store", "subject"]),
    ("server", &["exposition", "health", "store", "subject"]),
    ("config", &["log", "poller", "server"]),
];

/// Libraries that are spoken to in one place only: a module, or a file.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("reqwest", &["cli/healthcheck.rs"]),
    ("axum", &["server"]),
    ("bcrypt", &["server"]),
    ("hyper", &["server"]),
    ("hyper_util", &["server"]),
    ("listenfd", &["server"]),
    ("sd_notify", &["daemon"]),
    ("tokio_rustls", &["server"]),
    ("x509_parser", &["server"]),
    ("prometheus_client", &["health"]),
    ("clap", &["cli"]),
    ("figment", &["cli", "config"]),
];

/// Every source file: its module, and its text up to its tests.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut directories = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
                let relative = path.strip_prefix(&root).unwrap().to_owned();
                let module = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
                let text = fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]").next().unwrap().to_owned();
                sources.push((module, relative, text));
            }
        }
    }
    sources
}

/// The modules of the crate that a text imports or names.
fn imported(text: &str) -> BTreeSet<&str> {
    let mut modules = BTreeSet::new();
    for path in text.split("crate::").skip(1) {
        let group = path.strip_prefix('{').map_or(path, |group| group.split('}').next().unwrap());
        let names = if path.starts_with('{') { group.split(',').collect() } else { vec![group] };
        let end = |c: char| !c.is_ascii_lowercase() && c != '_';
        modules.extend(names.into_iter().map(|name| name.trim().split(end).next().unwrap()));
    }
    modules
}

#[test]
fn modules_import_only_what_they_may() {
    let sources = sources();
    for (module, allowed) in IMPORTS {
        let files: Vec<_> = sources.iter().filter(|(own, ..)| own == module).collect();
        assert!(!files.is_empty(), "there is no module {module}");
        for (_, file, text) in files {
            for import in imported(text) {
                assert!(import == *module || allowed.contains(&import), "{} imports {import}", file.display());
            }
        }
    }
}

/// The table of docs/architecture.md has every module, and says of each what is held here.
#[test]
fn the_page_has_every_module_and_what_it_may_import() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md")).unwrap();
    let drawing = page.split("```").nth(1).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `") && line.matches(" |").count() == 3);
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split('|').map(str::trim).collect()).collect();
    let documented: BTreeSet<&str> = rows.iter().map(|row| row[1].trim_matches('`')).collect();
    let sources = sources();
    let modules: BTreeSet<&str> =
        sources.iter().map(|(module, ..)| &**module).filter(|m| !["lib", "main"].contains(m)).collect();
    assert_eq!(documented, modules);
    for row in rows {
        let module = row[1].trim_matches('`');
        assert!(drawing.contains(module), "{module} is not in the drawing");
        let allowed: Vec<&str> = row[3].split(';').next().unwrap().split('`').skip(1).step_by(2).collect();
        match IMPORTS.iter().find(|(known, _)| *known == module) {
            Some((_, imports)) => assert_eq!(allowed, *imports, "{module}"),
            None => assert_eq!(row[3], "all", "{module}"),
        }
    }
}

#[test]
fn libraries_are_spoken_to_in_their_places_only() {
    for (module, file, text) in sources() {
        for (library, places) in LIBRARIES {
            let named = text.contains(&format!("{library}::"));
            let is_place = |place: &&str| *place == module || file == Path::new(place);
            assert!(!named || places.iter().any(is_place), "{} names {library}", file.display());
        }
    }
}
