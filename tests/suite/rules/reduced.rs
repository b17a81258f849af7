//! promtool's tests with only the rules that each test needs. Evaluating all rules over some weeks would take minutes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::file::parse;
use crate::repository::{ROOT, read};

/// Writes a file of tests and the files of its rules into a directory: the rules that it names, and those that they depend on.
pub(super) fn write(test: &Path, directory: &Path) -> PathBuf {
    let mut tests: Value = parse(test);
    let sources: Vec<PathBuf> = tests["rule_files"].as_array().unwrap().iter().map(|file| beside(test, file)).collect();
    let mut files: Vec<Value> = sources.iter().map(|file| parse(file)).collect();
    let all = || files.iter().flat_map(|file| file["groups"].as_array().unwrap()).flat_map(rules);
    let mut wanted = words(&read(test));
    loop {
        let more = all().filter(|rule| wanted.contains(name(rule))).flat_map(|rule| words(rule["expr"].as_str().unwrap()));
        let more: BTreeSet<String> = more.filter(|word| !wanted.contains(word)).collect();
        if more.is_empty() {
            break;
        }
        wanted.extend(more);
    }
    for file in &mut files {
        for group in file["groups"].as_array_mut().unwrap() {
            group["rules"].as_array_mut().unwrap().retain(|rule| wanted.contains(name(rule)));
        }
    }
    // The order in which Prometheus reads the files. Without it, promtool evaluates the groups in any order.
    tests["group_eval_order"] =
        files.iter().flat_map(|file| file["groups"].as_array().unwrap()).map(|group| group["name"].clone()).collect();
    let directory = directory.join(test.file_stem().unwrap());
    fs::create_dir(&directory).unwrap();
    for (source, file) in sources.iter().zip(&files) {
        // JSON is YAML.
        fs::write(directory.join(source.file_name().unwrap()), file.to_string()).unwrap();
    }
    tests["rule_files"] = sources.iter().map(|source| source.file_name().unwrap().to_str().unwrap()).collect();
    let path = directory.join(test.file_name().unwrap());
    fs::write(&path, tests.to_string()).unwrap();
    path
}

fn beside(test: &Path, file: &Value) -> PathBuf {
    Path::new(ROOT).join(test).parent().unwrap().join(file.as_str().unwrap())
}

fn rules(group: &Value) -> impl Iterator<Item = &Value> {
    group["rules"].as_array().unwrap().iter()
}

fn name(rule: &Value) -> &str {
    rule.get("alert").or_else(|| rule.get("record")).unwrap().as_str().unwrap()
}

/// All words that can be a rule's name.
fn words(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    text.split(|c: char| !is_part(c)).map(str::to_owned).collect()
}
