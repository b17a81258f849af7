//! `reference`: the schema accepts what the exporter accepts, and the other pages are complete.

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
fn the_shipped_configurations_are_valid_by_the_schema() {
    let schema = schema();
    for name in ["full.toml", "minergate-exporter.toml", "pools.toml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.starts_with("#:schema ./schema.json\n"), "{name} does not name its schema");
        for text in [text.clone(), uncommented(&text)] {
            let errors: Vec<String> = schema.iter_errors(&value(&text)).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{name}: {errors:?}");
        }
    }
}

/// Commented keys are defaults or examples, and are valid too.
fn uncommented(text: &str) -> String {
    let keys = |line: &str| {
        line.starts_with("[[")
            || line.split_once(" = ").is_some_and(|(key, _)| key.bytes().all(|b| matches!(b, b'a'..=b'z' | b'_')))
    };
    let lines = text.lines().map(|line| line.strip_prefix("# ").filter(|rest| keys(rest)).unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// The paths of a schema's keys, following its types.
fn keys(schema: &Value, node: &Value, path: &str, found: &mut Vec<String>) {
    let resolved = |node: &Value| match node["$ref"].as_str() {
        Some(reference) => schema.pointer(&reference[1..]).unwrap().clone(),
        None => node.clone(),
    };
    let node = resolved(node);
    for (key, node) in node["properties"].as_object().into_iter().flatten() {
        found.push(format!("{path}/{key}"));
        keys(schema, node, &format!("{path}/{key}"), found);
        if let Some(items) = node.get("items") {
            keys(schema, items, &format!("{path}/{key}/0"), found);
        }
    }
}

#[test]
fn the_full_example_and_the_page_have_every_key_of_the_schema() {
    let read = |path| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let schema: Value = serde_json::from_str(&page(&["schema"])).unwrap();
    let mut found = Vec::new();
    keys(&schema, &schema, "", &mut found);
    for known in ["/web/systemd_socket", "/web/max_requests", "/poll/workers", "/accounts/0/token", "/shard"] {
        assert!(found.iter().any(|key| key == known), "{known} is not among {found:?}");
    }
    let (full, page) = (value(&uncommented(&read("config/full.toml"))), read("docs/configuration.md"));
    for key in found {
        assert!(full.pointer(&key).is_some(), "{key} is not in config/full.toml");
        let row = key[1..].replace("/0/", "[]/").replace('/', ".");
        // A table has the lines of its keys.
        let is_table = ["/api", "/pools", "/poll", "/web", "/log", "/accounts"].contains(&key.as_str());
        assert!(is_table || page.contains(&format!("| `{row}` |")), "{row} is not in docs/configuration.md");
    }
}

#[test]
fn the_schema_refuses_what_the_exporter_refuses() {
    let schema = schema();
    for wrong in [
        "curencies = []",
        "currencies = [\"XMR\"]",
        "currencies = 5",
        "optional_metrics = [\"up\"]",
        "shard = \"one\"",
        "[decimals]\nnewcoin = 40",
        "[decimals]\nNEW = 4",
        "max_workers = 50001",
        "[[pools]]\nname = \"a\"",
        "[[pools]]\nname = \"a\"\nsoftware = \"other\"\nurl = \"http://a.example.com\"\ncurrency = \"xmr\"",
        "[[pools]]\nname = \"a\"\nsoftware = \"nodejs-pool\"\nurl = \"http://a.example.com\"\ncurrency = \"XMR\"",
        "[[pools]]\nname = \"a\"\nsoftware = \"nodejs-pool\"\nurl = \"http://a.example.com\"\ncurrency = \"xmr\"\nburst = 0.5",
        "[[accounts]]\nname = \"a\"\nwallets = \"4Abc\"",
        "[[accounts]]\nname = \"a\"\nwallets = { pool = \"4Abc/stats\" }",
        "[[accounts]]\nname = \"a\"\nwallet_files = { pool = 1 }",
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
        "[[pools]]\nname = \"a\"\nsoftware = \"nodejs-pool\"\nurl = \"http://a.example.com\"\ncurrency = \"xmr\"\nblock_time = \"2m\"",
        "[[accounts]]\nname = \"a\"\nwallets = { pool = \"0x00\" }\nwallet_files = { other = \"file\" }",
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
    // A long description continues on the next line, indented.
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
