//! Blocks of commands: those of README and docs/install.md are run by a script or say why not, and all are valid.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::page::{Block, pages};
use crate::process::exporter;
use crate::repository::ROOT;

/// Pages in which each block is run or says why not.
const RUN: &[&str] = &["README.md", "docs/install.md"];

/// The mistake in a block's mark, if there is one. A mark is `<!-- run by SCRIPT and SCRIPT -->` or `<!-- not run: WHY -->`.
fn fault(page: &str, block: &Block) -> Option<String> {
    let Some(mark) = &block.comment else {
        return Some("put <!-- run by scripts/.. --> or <!-- not run: why --> before it".to_owned());
    };
    if let Some(reason) = mark.strip_prefix("not run: ") {
        return (reason.split(' ').count() < 3).then(|| "say why".to_owned());
    }
    let Some(scripts) = mark.strip_prefix("run by ") else { return Some(format!("what does `{mark}` mean?")) };
    for script in scripts.split(" until ").next().unwrap().split(" and ") {
        let path = Path::new(ROOT).join(script);
        let Ok(text) = fs::read_to_string(&path) else { return Some(format!("there is no {script}")) };
        if path.metadata().unwrap().permissions().mode() & 0o111 == 0 {
            return Some(format!("{script} can't be run"));
        }
        // The script takes the block from the page, by section or by mark; or it contains the block's only command.
        let takes = text.contains("scripts/docs/documented") && text.contains(page);
        let by_name = text.contains(&block.section) || text.contains("scripts/docs/documented --list");
        let is_it = text.lines().any(|line| line == block.text.trim());
        if !(takes && by_name || is_it) {
            return Some(format!("{script} does not run it"));
        }
    }
    None
}

#[test]
fn every_block_is_run_by_a_script_or_says_why_not() {
    let pages = pages();
    for name in RUN {
        let page = pages.iter().find(|page| page.path == Path::new(name)).unwrap();
        assert!(!page.blocks.is_empty(), "{name} has no commands");
        for block in &page.blocks {
            let fault = fault(name, block);
            assert_eq!(fault, None, "{name}, {}:\n{}", block.section, block.text);
        }
    }
}

/// Scripts use another parser: it finds the same blocks.
#[test]
#[ignore = "scripts/test runs it: it needs Bash"]
fn scripts_find_the_same_blocks() {
    let pages = pages();
    for name in RUN {
        let page = pages.iter().find(|page| page.path == Path::new(name)).unwrap();
        let documented = |arguments: &[&str]| {
            let output = Command::new("scripts/docs/documented").current_dir(ROOT).args(arguments).output().unwrap();
            assert!(output.status.success(), "{arguments:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let list = documented(&["--list", name]);
        let marks: Vec<&str> = list.lines().map(|line| line.splitn(3, '\t').nth(2).unwrap()).collect();
        assert_eq!(marks, page.blocks.iter().map(|block| block.comment.as_deref().unwrap_or_default()).collect::<Vec<_>>());
        for (line, block) in list.lines().zip(&page.blocks) {
            let mut fields = line.split('\t');
            let (section, number) = (fields.next().unwrap(), fields.next().unwrap());
            assert_eq!((section, documented(&[name, section, number])), (&*block.section, block.text.clone()));
        }
    }
}

/// The shell can parse them, the exporter knows the flags, and the scripts exist.
#[test]
fn every_command_is_valid() {
    let mut calls = 0;
    for page in pages() {
        for block in &page.blocks {
            let name = page.path.display();
            let status = Command::new("/bin/sh").args(["-n", "-c", &block.text]).status().unwrap();
            assert!(status.success(), "{name}: {}", block.text);
            for line in block.text.lines() {
                let words = line.split(" #").next().unwrap().split(['>', '|', '&']).next().unwrap().split_whitespace();
                let words: Vec<&str> = words.skip_while(|word| *word == "sudo").collect();
                if words.first() == Some(&"minergate-exporter") {
                    let output = exporter().args(&words[1..]).arg("--help").output().unwrap();
                    assert!(output.status.success(), "{name}: {line}: {}", String::from_utf8_lossy(&output.stderr));
                    calls += 1;
                }
                if let Some(script) = words.first().filter(|word| word.starts_with("scripts/")) {
                    assert!(Path::new(ROOT).join(script).is_file(), "{name}: {line}");
                }
            }
        }
    }
    assert!(calls > 10, "{calls} calls were found");
}
