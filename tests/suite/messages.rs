//! The exact messages and exit codes of all commands in case of errors.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use crate::process::{exporter, make_fifo, on_a_terminal};

fn run(call: &str) -> Output {
    exporter().args(call.split_whitespace()).output().unwrap()
}

/// The standard error and the exit code of a call.
fn said(call: &str) -> (Option<i32>, String) {
    let output = run(call);
    assert!(output.stdout.is_empty(), "{call} prints on standard output:\n{}", String::from_utf8_lossy(&output.stdout));
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Wrong command lines, and the words that the message must have: what is wrong, and what would be right.
const WRONG_CALLS: &[(&str, &[&str])] = &[
    ("srve", &["srve", "'serve'"]),
    ("--config.fil x", &["--config.fil'", "'--config.file'"]),
    ("serve --web.listen-adress :1", &["--web.listen-adress", "'--web.listen-address'"]),
    ("--config.file", &["--config.file"]),
    ("--log.level loud", &["loud", "--log.level", "error, warn, info, debug, trace"]),
    ("--log.format xml", &["xml", "--log.format", "logfmt, json"]),
    ("--shard 4/3", &["4/3", "--shard", "not a part; give one such as \"1/3\""]),
    ("--web.max-requests many", &["many", "--web.max-requests", "give a whole number, such as 10"]),
    ("demo --hlep", &["--hlep", "'--help'"]),
    ("simulate --accounts many", &["many", "--accounts", "give a whole number, such as 10"]),
    ("simulate --seed x", &["--seed", "give a whole number, such as 10"]),
    ("simulate --token-lifetime x", &["--token-lifetime", "not a duration; write"]),
    ("simulate --fault nope", &["--fault", "unknown fault `nope`; known are latency,"]),
    ("gateway --lisen :1", &["--lisen", "'--listen'"]),
    ("check --onlin", &["--onlin'", "'--online'"]),
    ("check --format xml", &["xml", "--format", "text, json"]),
    ("once --textfile", &["--textfile"]),
    ("once --textfil x", &["--textfil'", "'--textfile'"]),
    ("query", &["<METHOD>"]),
    ("query wokers", &["wokers", "<METHOD>", "'workers'"]),
    ("query workers xmr xdn", &["xdn"]),
    ("query workers --acount a", &["--acount", "'--account'"]),
    ("history --every soon", &["soon", "--every", "not a duration; write a number"]),
    ("history --every 0s", &["0s", "--every", "give 1s or more"]),
    ("history --untl 1h", &["--untl", "'--until'"]),
    ("healthcheck --redy", &["--redy", "'--ready'"]),
    ("reference metric", &["'metric'", "'metrics'"]),
    ("reference completions fishy", &["fishy", "<SHELL>", "'fish'"]),
];

#[test]
fn a_wrong_command_line_is_reported_with_the_remedy() {
    for (call, words) in WRONG_CALLS {
        let (code, said) = said(call);
        assert_eq!(code, Some(2), "{call}: {said}");
        assert!(said.starts_with("error: ") && words.iter().all(|word| said.contains(word)), "{call}:\n{said}");
        assert!(!said.contains('\u{1b}'), "{call}: colours, and no terminal");
    }
}

/// Whether a message is the expected one, in which `…` stands for words of libraries.
pub(crate) fn fits(said: &str, expected: &str) -> bool {
    match expected.split_once('…') {
        Some((start, end)) => said.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
        None => said == expected,
    }
}

/// Failing calls, with the whole message.
const FAILURES: &[(&str, &str)] = &[
    (
        "",
        "configuration: nothing to poll; give [[accounts]] or currencies, with --config.file or in the environment, or try the demo",
    ),
    ("serve --config.file /none.toml", "can't read /none.toml: no such file or directory; give another --config.file"),
    ("once --config.file /none.toml", "can't read /none.toml: no such file or directory; give another --config.file"),
    (
        "query workers --config.file /none.toml",
        "can't read /none.toml: no such file or directory; give another --config.file",
    ),
    ("history --config.file /none.toml", "can't read /none.toml: no such file or directory; give another --config.file"),
    ("healthcheck --config.file /none.toml", "can't read /none.toml: no such file or directory; give another --config.file"),
    ("serve --config.file /", "can't read /: it is a directory; give another --config.file"),
    (
        "healthcheck --url http://127.0.0.1:1/",
        "http://127.0.0.1:1/ did not answer: could not connect: connection refused; does the exporter run there? If it runs elsewhere, give --url",
    ),
    (
        "demo --web.listen-address here",
        "--web.listen-address: web.listen_address: entry 1: not host:port; give one such as \"127.0.0.1:10187\", \":10187\" \
         or \"unix:/path\"",
    ),
    (
        "demo --web.config.file /none.yml",
        "can't read the web configuration: no such file or directory; give another --web.config.file",
    ),
    (
        "healthcheck --web.config.file /none.yml",
        "can't read the web configuration: no such file or directory; give another --web.config.file",
    ),
    ("demo --web.config.file /", "can't read the web configuration: it is not a file; give another --web.config.file"),
    (
        "demo --web.listen-address ::1:28124",
        "--web.listen-address: web.listen_address: entry 1: an IPv6 address needs brackets; give one such as \"[::1]:10187\"",
    ),
    (
        "simulate --listen nowhere",
        "--listen: not host:port; give one such as \"127.0.0.1:10187\", \":10187\" or \"unix:/path\"",
    ),
    (
        "gateway --listen nowhere",
        "--listen: not host:port; give one such as \"127.0.0.1:10187\", \":10187\" or \"unix:/path\"",
    ),
    ("gateway --config.file /none.toml", "can't read /none.toml: no such file or directory; give another --config.file"),
    (
        "gateway",
        "configuration: the gateway has nothing to serve: no account has wallets; give [[pools]], and [[accounts]] with wallets or wallet_files",
    ),
    ("simulate --listen ::1:28124", "--listen: an IPv6 address needs brackets; give one such as \"[::1]:10187\""),
    ("simulate --listen 127.0.0.1:0 --write-config /none/x", "can't write /none/x: …; give another --write-config"),
];

#[test]
fn every_error_is_one_line() {
    for (call, sentence) in FAILURES {
        let (code, said) = said(call);
        assert!(code == Some(1) && fits(&said, &format!("error: {sentence}\n")), "{call}: {said}\n{sentence}");
    }
    let checked = String::from_utf8(run("check --config.file /none.toml").stdout).unwrap();
    assert!(checked.contains("can't read /none.toml: no such file or directory; give another --config.file"), "{checked}");
}

/// The message names the account and the key. The path can be the password itself, under the wrong key.
#[test]
fn a_secret_that_can_t_be_used_is_named_by_its_key() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("c.toml");
    let secret = directory.path().join("planted-secret");
    let account = "[[accounts]]\nname = \"farm\"\ntoken_file = \"planted-secret\"\n";
    fs::write(&config, format!("[api]\nbase_url = \"http://127.0.0.1:1\"\n{account}")).unwrap();
    let expect = |fault: &str| {
        let sentence = format!("can't use token_file: {fault}; put the secret there on one line, for this user to read");
        for (command, before) in [
            ("once", "http://127.0.0.1:1/: nothing could be read: "),
            ("query workers", "http://127.0.0.1:1/: workers of farm: "),
            ("history", "http://127.0.0.1:1/: nothing could be read: "),
        ] {
            let output = run(&format!("{command} --config.file {}", config.display()));
            let said = String::from_utf8(output.stderr).unwrap();
            let last = said.lines().last().unwrap_or_default();
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(last.starts_with(&format!("error: {before}")) && last.contains(&sentence), "{command}: {said}");
            assert!(!said.contains("planted"), "{command}: {said}");
        }
        for format in ["text", "json"] {
            let checked = run(&format!("check --format {format} --config.file {}", config.display()));
            let checked = String::from_utf8(checked.stdout).unwrap();
            assert!(checked.contains(&format!("account farm: {sentence}")), "{checked}");
            assert!(!checked.contains("planted"), "{checked}");
        }
    };
    expect("no such file or directory");
    let write = |bytes: &[u8]| {
        fs::write(&secret, bytes).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    };
    write(b"\n");
    expect("it is empty");
    write(&[0xff, 0xfe]);
    expect("it is not text (UTF-8)");
    write(b"planted\nplanted\n");
    expect("it holds a line break or another control character");
    write(&vec![b'x'; 20_000]);
    expect("it is larger than 16384 bytes");
    fs::remove_file(&secret).unwrap();
    fs::create_dir(&secret).unwrap();
    expect("it is a directory");
}

#[test]
fn a_file_that_hangs_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let (config, hangs) = (directory.path().join("c.toml"), directory.path().join("fifo"));
    make_fifo(&hangs);
    let (code, said) = said(&format!("serve --config.file {}", hangs.display()));
    assert_eq!(code, Some(1));
    assert!(said.contains(": it did not answer within 5 s; give another --config.file"), "{said}");
    let account = "[[accounts]]\nname = \"farm\"\ntoken_file = \"fifo\"\n";
    fs::write(&config, format!("[api]\nbase_url = \"http://127.0.0.1:1\"\n{account}")).unwrap();
    let checked = run(&format!("check --config.file {}", config.display()));
    let checked = String::from_utf8(checked.stdout).unwrap();
    assert!(checked.contains("account farm: can't use token_file: it did not answer within 5 s"), "{checked}");
}

#[test]
fn every_command_s_help_has_an_example() {
    let commands = ["serve", "demo", "simulate", "gateway", "check", "once", "query", "history", "healthcheck", "reference"];
    let manual = String::from_utf8(run("reference man").stdout).unwrap().replace("\\-", "-");
    for command in commands {
        for flag in ["-h", "--help"] {
            let output = run(&format!("{command} {flag}"));
            let help = String::from_utf8(output.stdout).unwrap();
            assert_eq!(output.status.code(), Some(0), "{command} {flag}");
            assert!(help.contains("Examples:\n  # "), "{command} {flag}:\n{help}");
            let example = help.lines().find_map(|line| line.strip_prefix("  minergate-exporter ")).unwrap();
            assert!(example.starts_with(command), "{help}");
            assert!(manual.contains(example), "{example} is not in the manual");
        }
    }
    let help = String::from_utf8(run("--help").stdout).unwrap();
    for heading in ["Configuration:", "Web server:", "Log:", "Examples:"] {
        assert!(help.lines().any(|line| line.starts_with(heading)), "{heading} is not in the help:\n{help}");
    }
}

#[test]
fn every_help_fits_80_columns_and_its_examples_can_be_pasted() {
    let commands =
        ["", "serve", "demo", "simulate", "gateway", "check", "once", "query", "history", "healthcheck", "reference"];
    for (command, flag) in commands.into_iter().flat_map(|command| [(command, "-h"), (command, "--help")]) {
        let mut call = exporter();
        call.args(command.split_whitespace()).arg(flag).env("NO_COLOR", "1");
        let help = on_a_terminal(call).replace("\r\n", "\n");
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{command} {flag}: {line}");
        }
        let Some((_, examples)) = help.split_once("\nExamples:\n") else { continue };
        // The examples end at an empty line. Each line is a comment or a part of a call.
        let examples = examples.split("\n\n").next().unwrap().replace("\\\n", "");
        for line in examples.lines() {
            let is_call = line.starts_with("  minergate-exporter ") && !line.contains('\\');
            assert!(is_call || line.starts_with("  # "), "{command} {flag}: {line}");
            if is_call {
                let words = line.split(" >").next().unwrap().split_whitespace().skip(1);
                let output = exporter().args(words).arg("--help").output().unwrap();
                assert!(output.status.success(), "{line}");
            }
        }
    }
}

#[test]
fn flags_of_one_topic_are_under_one_heading() {
    for (command, heading, flags) in [
        ("serve", "Configuration:", &["--config.file", "--shard"][..]),
        ("serve", "Web server:", &["--web.listen-address", "--web.max-requests"]),
        ("gateway", "Web server:", &["--listen", "--web.config.file"]),
        ("simulate", "What is simulated:", &["--accounts", "--wallets", "--seed"]),
        ("simulate", "Faults:", &["--fault"]),
        ("healthcheck", "Web server:", &["--web.listen-address", "--web.config.file"]),
    ] {
        let help = String::from_utf8(run(&format!("{command} -h")).stdout).unwrap();
        let part = help.split_once(&format!("\n{heading}\n")).unwrap().1.split("\n\n").next().unwrap();
        for flag in flags {
            assert!(
                part.lines().any(|line| line.trim_start().starts_with(flag)),
                "{flag} of {command} under {heading}:\n{help}"
            );
        }
    }
    let help = String::from_utf8(run("-h").stdout).unwrap();
    let commands = help.split_once("Commands:\n").unwrap().1.lines().filter(|line| !line.starts_with("   "));
    let commands: Vec<&str> = commands.take(3).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(commands, ["serve", "demo", "check"]);
}
