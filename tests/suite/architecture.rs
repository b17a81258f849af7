//! Imports between the exporter's modules are those that docs/architecture.md allows. Within a crate, the compiler does not check this.

use std::collections::{BTreeMap, BTreeSet};

use crate::repository::{files, read};

/// The modules of the crate that a source text names.
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
fn modules_import_only_allowed_modules() {
    let page = read("docs/architecture.md");
    let rows = page.lines().filter(|line| line.starts_with("| `") && line.matches(" |").count() == 3);
    let cells = rows.map(|row| row.split('|').map(|cell| cell.trim().trim_matches('`')).collect::<Vec<_>>());
    let allowed: BTreeMap<&str, &str> = cells.map(|cells| (cells[1], cells[3])).collect();
    let mut modules = BTreeSet::new();
    for file in files("src", ".rs") {
        let module = file.iter().nth(1).unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if ["lib", "main"].contains(&&*module) || file.ends_with("tests.rs") {
            continue;
        }
        let allowed = allowed.get(&*module).unwrap_or_else(|| panic!("docs/architecture.md has no module {module}"));
        let text = read(&file);
        for import in imported(text.split("#[cfg(test)]").next().unwrap()) {
            let is_allowed = *allowed == "all" || allowed.split("`, `").any(|allowed| allowed == import);
            assert!(is_allowed || import == module, "{} imports {import}", file.display());
        }
        modules.insert(module);
    }
    assert!(allowed.keys().all(|module| modules.contains(*module)), "docs/architecture.md has a module that is gone");
}
