//! `reference`: the schema takes what the exporter takes, and the other pages are what their readers expect.

use std::path::Path;

use jsonschema::Validator;
use serde_json::Value;

use crate::process::exporter;

fn page(arguments: &[&str]) -> String {
    let output = exporter().arg("reference").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn schema() -> Validator {
    let schema: Value = serde_json::from_str(&page(&["schema"])).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn value(toml: &str) -> Value {
    toml::from_str(toml).unwrap()
}

#[test]
fn the_shipped_configurations_fit_the_schema() {
    let schema = schema();
    for name in ["full.toml", "minergate-exporter.toml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.starts_with("#:schema ./schema.json\n"), "{name} does not name its schema");
        // What is commented out stands for what is left out, and is as right as the rest.
        let keys = |line: &str| {
            line == "[[accounts]]"
                || line.split_once(" = ").is_some_and(|(key, _)| key.bytes().all(|b| matches!(b, b'a'..=b'z' | b'_')))
        };
        let uncommented: Vec<&str> =
            text.lines().map(|line| line.strip_prefix("# ").filter(|rest| keys(rest)).unwrap_or(line)).collect();
        for text in [text.clone(), uncommented.join("\n")] {
            let errors: Vec<String> = schema.iter_errors(&value(&text)).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{name}: {errors:?}");
        }
    }
}

#[test]
fn what_the_exporter_refuses_does_not_fit_the_schema() {
    let schema = schema();
    for wrong in [
        "curencies = []",
        "currencies = [\"XMR\"]",
        "currencies = 5",
        "optional_metrics = [\"up\"]",
        "shard = \"one\"",
        "[decimals]\nnewcoin = 40",
        "[decimals]\nNEW = 4",
        "[api]\ntiemout = \"1s\"",
        "[api]\ntimeout = 5",
        "[api]\ntimeout = \"5\"",
        "[api]\ntimeout = \"fast\"",
        "[api]\nrequests_per_second = 0",
        "[api]\nconcurrency = 0",
        "[poll]\nwokers = \"30s\"",
        "[poll]\nworkers = \"-1s\"",
        "[poll]\nstale_after = \"off\"",
        "[web]\nlisten_address = [\"localhost\"]",
        "[web]\nlisten_address = []",
        "[web]\ntelemetry_path = \"metrics\"",
        "[log]\nlevel = \"loud\"",
        "accounts = \"farm\"",
        "[[accounts]]\ntoken = \"t\"",
        "[[accounts]]\nname = \"me@example.com\"\ntoken = \"t\"",
        "[[accounts]]\nname = \"a\"\ntokn = \"t\"",
        "[[accounts]]\nname = \"a\"\npassword = 12345",
        "[[accounts]]\nname = \"a\"\nemail = \"nobody\"\ntoken = \"t\"",
        "[[accounts]]\nname = \"a\"\ntoken = \"t\"\nendpoints = [\"status\"]",
    ] {
        assert!(!schema.is_valid(&value(wrong)), "the schema takes\n{wrong}");
    }
    for right in [
        "[poll]\nworkers = \"off\"\nbalance = \"1m 30s\"\nstale_after = \"1h\"",
        "[api]\ntimeout = \"500ms\"",
        "currencies = []",
    ] {
        assert!(schema.is_valid(&value(right)), "the schema refuses\n{right}");
    }
}

#[test]
fn the_manual_names_every_command_and_flag() {
    let page = page(&["man"]);
    assert!(page.contains(".TH MINERGATE-EXPORTER 1"), "{page}");
    let plain = page.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "");
    let help = exporter().arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands = help.split_once("Commands:\n").unwrap().1.split_once("\n\n").unwrap().0;
    // A description that is too long for its line goes on in the next, further in.
    let names = commands.lines().filter(|line| !line.starts_with("   ")).map(|line| line.split_whitespace().next().unwrap());
    for command in names.filter(|name| *name != "help") {
        assert!(plain.contains(&format!("\n.SS \"{command}")), "{command} is not in the manual");
        let help = exporter().args([command, "--help"]).output().unwrap();
        for word in String::from_utf8(help.stdout).unwrap().split_whitespace().filter(|word| word.starts_with("--")) {
            let flag = word.trim_end_matches([',', '.', ')', '\'']);
            assert!(plain.contains(flag), "{flag} of {command} is not in the manual");
        }
    }
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = page(&["completions", shell]);
        for word in ["healthcheck", "config.file", "completions"] {
            assert!(script.contains(word), "{word} is not completed in {shell}");
        }
    }
}
