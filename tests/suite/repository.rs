//! The repository's files, for tests of them.

use std::fs;
use std::path::{Path, PathBuf};

/// The repository's root.
pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The files below a path whose names have this end, sorted, relative to the root. Build products are left out.
pub(crate) fn files(path: &str, end: &str) -> Vec<PathBuf> {
    let (mut files, mut rest) = (Vec::new(), vec![PathBuf::from(path)]);
    while let Some(path) = rest.pop() {
        let name = path.file_name().unwrap_or_default().to_str().unwrap();
        if !Path::new(ROOT).join(&path).is_dir() {
            files.extend(name.ends_with(end).then_some(path));
        } else if !name.starts_with('.') && !["node_modules", "target"].contains(&name) {
            let entries = fs::read_dir(Path::new(ROOT).join(&path)).unwrap();
            rest.extend(entries.map(|entry| path.join(entry.unwrap().file_name())));
        }
    }
    files.sort();
    assert!(!files.is_empty(), "there is no {path}/..{end}");
    files
}

/// The fenced blocks of a language in a page in Markdown.
pub(crate) fn fenced(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let parts = text.split(&fence).skip(1);
    parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

/// A file's text.
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
