//! Planted secrets and personal data are in no output, at the most verbose log level.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::fake_api::FakeApi;
use crate::process::{Process, daemon, exporter, get, wait};

const PLANTED: &[&str] = &[
    "planted-password",
    "planted-token",
    "planted-login",
    "PLANTEDTOTPSECRET",
    "planted-user@example.com",
    "planted-other@example.com",
    "planted-address",
    "planted-hash",
    "planted-payment",
    "planted-comment",
    "planted-link",
    "planted-message",
];

fn answer(path: &str) -> (u16, String) {
    let entry = r#"[{"cc": "xmr", "amount": 1, "fee": 0, "created": 1, "state": "planted-message", "status": "planted-message",
        "fromUserId": "planted-user@example.com", "toUserId": "planted-other@example.com", "address": "planted-address",
        "transactionHash": "planted-hash", "paymentId": "planted-payment", "comment": "planted-comment"}]"#;
    let body = match path {
        "/1.0/auth/login" => r#"{"token": "planted-login"}"#,
        "/1.0/transfers" | "/1.0/withdrawals" | "/1.0/invoices" => entry,
        "/1.0/affiliate/links" => r#"{"planted-link": "planted-link"}"#,
        "/1.0/affiliate/childrens" => r#"{"planted-other@example.com": {"registered": 1, "token": "planted-link"}}"#,
        "/1.0/profile/nickname" => r#""planted-user@example.com""#,
        "/1.0/balance" => r#"{"xmr": 1, "planted-user@example.com": 5, "planted-hash planted-hash": 5}"#,
        "/1.0/workers" => return (500, r#"{"error": "planted-message", "message": "planted-user@example.com"}"#.to_owned()),
        "/1.0/mining/stats" => "\"planted-message\"",
        "/1.0/pool/profit-rating" => return (200, r#"{"code": "planted-message", "message": "planted-token"}"#.to_owned()),
        "/1.0/pool/top/hashrate" => return (302, "@location: http://planted-link.example.com/planted-token\n".to_owned()),
        _ => return (404, "planted-message".to_owned()),
    };
    (200, body.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_output_has_secrets_or_personal_data() {
    let api = FakeApi::start(|asked| answer(&asked.path)).await;
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("c.toml");
    let text = format!(
        "[api]\nbase_url = \"{}\"\n[[accounts]]\nname = \"a\"\nemail = \"planted-user@example.com\"\n\
         password = \"planted-password\"\ntotp_secret = \"PLANTEDTOTPSECRET\"\n\
         [[accounts]]\nname = \"b\"\nemail = \"planted-user@example.com\"\ntoken = \"planted-token\"\n",
        api.base_url
    );
    std::fs::write(&config, &text).unwrap();
    let outputs = tokio::task::spawn_blocking(move || {
        let mut outputs = Vec::new();
        for format in ["logfmt", "json"] {
            let (mut daemon, url) = daemon(&config, &["--log.level", "trace", "--log.format", format]);
            let metrics = wait("all endpoints tried", || {
                let text = get(&format!("{url}/metrics"), &[]).text();
                let tried = |name: &str| text.contains(&format!("minergate_api_requests_total{{endpoint=\"{name}\","));
                let names = ["nickname", "affiliate_childrens", "top_hashrate", "invoices", "status"];
                let read = text.contains("minergate_account_info{account=\"a\",nickname=\"hidden\"} 1");
                (read && names.iter().all(|name| tried(name))).then_some(text)
            });
            outputs.push(("metrics", metrics));
            for (page, path) in
                [("status page", "/"), ("status", "/api/v1/status"), ("targets", "/sd"), ("readiness", "/-/ready")]
            {
                outputs.push((page, get(&format!("{url}{path}"), &[]).text()));
            }
            daemon.signal("TERM");
            daemon.exit_code();
            outputs.push(("log", daemon.output()));
        }
        let check = exporter().arg("check").arg("--config.file").arg(&config).output().unwrap();
        outputs.push(("check", String::from_utf8(check.stdout).unwrap()));
        outputs
    })
    .await
    .unwrap();
    assert!(!api.asked("/1.0/auth/login").is_empty());
    for (what, output) in outputs {
        assert!(!output.is_empty(), "{what}");
        for planted in PLANTED {
            assert!(!output.contains(planted), "{planted} is in the {what}:\n{output}");
        }
    }
}

#[test]
fn a_secret_does_not_print_itself() {
    let text = "[api]\nbase_url = \"http://127.0.0.1:1\"\n[[accounts]]\nname = \"a\"\nemail = \"e@x\"\npassword = \"planted-password\"\ntotp_secret = \"PLANTEDTOTPSECRET\"\n";
    let sources = minergate_exporter::config::Sources { text: Some(text), ..Default::default() };
    let config = minergate_exporter::config::Config::load(sources).unwrap();
    let printed = format!("{config:?} {config:#?}");
    assert!(printed.contains("accounts") && !PLANTED.iter().any(|planted| printed.contains(planted)), "{printed}");
}

/// A secret that is written in the place of something else.
const MISPLACED: &str = "Planted: the Secret";

/// Every path of a key in the configuration's schema, with an item for each list and a made-up key for each open table.
fn paths(schema: &Value, node: &Value, path: &[String], paths: &mut Vec<Vec<String>>) {
    let node = match node.get("$ref").and_then(Value::as_str) {
        Some(reference) => schema.pointer(reference.trim_start_matches('#')).unwrap(),
        None => node,
    };
    if !path.is_empty() {
        paths.push(path.to_vec());
    }
    let mut below = |part: &str, node: &Value| self::paths(schema, node, &[path, &[part.to_owned()]].concat(), paths);
    for (key, node) in node.get("properties").and_then(Value::as_object).into_iter().flatten() {
        below(key, node);
    }
    if let Some(items) = node.get("items") {
        below("0", items);
    }
    if let Some(values) = node.get("additionalProperties").filter(|values| values.is_object()) {
        below("xmr", values);
    }
}

/// A valid configuration, except for a value or a key in one place.
fn with(path: &[String], value: &Value) -> Value {
    let mut config = json!({
        "api": { "base_url": "http://127.0.0.1:1" },
        "accounts": [{ "name": "a", "token": "t" }],
        "currencies": ["xmr"],
        "pools": [{ "name": "xmr", "software": "nodejs-pool", "url": "http://127.0.0.1:1", "currency": "xmr" }],
    });
    let mut node = &mut config;
    for part in path {
        let is_place = part == "0";
        if is_place && !node.is_array() {
            *node = json!([null]);
        } else if !is_place && !node.is_object() {
            *node = json!({});
        }
        node = if is_place { &mut node[0] } else { &mut node[part.as_str()] };
    }
    *node = value.clone();
    config
}

/// The outputs of the commands that read a configuration, with their names.
fn outputs(arguments: &[OsString], environment: &[(String, &str)], directory: &Path) -> Vec<(&'static str, String)> {
    let commands: &[(&str, &[&str])] = &[
        ("check", &["check"]),
        ("check --format json", &["check", "--format", "json"]),
        ("serve", &["serve", "--web.listen-address", "127.0.0.1:0", "--log.level", "trace"]),
    ];
    let run = |command: &[&str]| {
        let mut run = exporter();
        run.args(command).args(arguments).envs(environment.iter().cloned()).current_dir(directory);
        let mut process = Process::start(&mut run);
        // With a valid configuration, `serve` would not end.
        wait("an end or a start", || {
            (process.ended().is_some() || process.output().contains("message=started")).then(|| process.output())
        })
    };
    // With a mistake, it ends at once. Other tests serve valid configurations.
    let check = run(commands[0].1);
    let is_right = check.contains("All is well");
    let rest = commands[1..].iter().filter(|(name, _)| !is_right || *name != "serve");
    let rest: Vec<_> = rest.map(|(name, command)| (*name, run(command))).collect();
    [vec![("check", check)], rest].concat()
}

/// In the place of every value and beside every key, in TOML and YAML, and in every variable.
#[test]
fn a_secret_in_the_wrong_place_is_not_quoted() {
    let schema = exporter().args(["reference", "schema"]).output().unwrap();
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    let mut all = Vec::new();
    paths(&schema, &schema, &[], &mut all);
    assert!(all.len() > 45, "{}", all.len());
    let directory = tempfile::tempdir().unwrap();
    let search = |what: &str, arguments: &[OsString], environment: &[(String, &str)]| {
        for (command, output) in outputs(arguments, environment, directory.path()) {
            assert!(!output.is_empty(), "{what}: {command}");
            assert!(!output.to_lowercase().contains("planted"), "{what}: {command}:\n{output}");
        }
    };
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        [OsString::from("--config.file"), path.into()]
    };
    for path in &all {
        // A name is a label, so it is shown. An e-mail address as a name is an error that does not quote it.
        let secret = if path.ends_with(&["name".to_owned()]) { "planted@example.com" } else { MISPLACED };
        let name = path.join(".");
        let value = with(path, &json!(secret));
        search(&name, &file("c.toml", &toml::to_string(&value).unwrap()), &[]);
        search(&name, &file("c.yaml", &value.to_string()), &[]);
        let beside = [&path[..path.len() - 1], &[MISPLACED.to_owned()]].concat();
        if path.last().is_some_and(|part| part != "0") {
            let value = with(&beside, &json!(MISPLACED));
            search(&format!("beside {name}"), &file("c.toml", &toml::to_string(&value).unwrap()), &[]);
            search(&format!("beside {name}"), &file("c.yaml", &value.to_string()), &[]);
        }
        let right = with(&["currencies".to_owned(), "0".to_owned()], &json!("xmr"));
        let right = file("c.toml", &toml::to_string(&right).unwrap());
        let variable = |parts: &[String]| {
            let parts: Vec<_> =
                parts.iter().map(|part| if part == "0" { "A".to_owned() } else { part.to_uppercase() }).collect();
            format!("MINERGATE_EXPORTER__{}", parts.join("__"))
        };
        search(&variable(path), &right, &[(variable(path), secret)]);
        search(&variable(&beside), &right, &[(variable(&beside), MISPLACED)]);
    }
    for text in [
        "planted",
        "planted: planted: planted",
        "[planted]\nx",
        "\"planted\" = planted",
        "- planted\n- *planted",
        "planted = 'planted\n",
    ] {
        search(text, &file("c.toml", text), &[]);
        search(text, &file("c.yaml", text), &[]);
    }
}

/// The password itself is written in the place of its file's path.
#[test]
fn a_password_in_the_place_of_a_path_is_not_shown() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("c.toml");
    let account = "[[accounts]]\nname = \"a\"\nemail = \"e@x\"\npassword_file = \"planted-password\"\ntotp_secret_file = \"planted-totp\"\n";
    fs::write(&config, format!("[api]\nbase_url = \"http://127.0.0.1:1\"\n{account}")).unwrap();
    for format in ["logfmt", "json"] {
        let (mut daemon, url) = daemon(&config, &["--log.level", "trace", "--log.format", format]);
        let pages = ["/", "/api/v1/status", "/metrics", "/sd", "/-/ready"];
        wait("the failure on the page", || {
            get(&format!("{url}/"), &[]).text().contains("use password_file: no such file").then_some(())
        });
        for page in pages {
            let text = get(&format!("{url}{page}"), &[]).text();
            assert!(!text.contains("planted"), "{page}:\n{text}");
        }
        daemon.wait_for("use password_file: no such file");
        daemon.signal("HUP");
        daemon.wait_for("configuration reloaded");
        daemon.signal("TERM");
        daemon.exit_code();
        let log = daemon.output();
        assert!(log.contains("use password_file: no such file") && !log.contains("planted"), "{log}");
    }
}

/// The proxy would see any request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_base_url_no_request_is_sent() {
    static REQUESTS: AtomicUsize = AtomicUsize::new(0);
    let proxy = FakeApi::start(|_| {
        REQUESTS.fetch_add(1, Ordering::Relaxed);
        (200, "{}".to_owned())
    })
    .await;
    let url = proxy.base_url.clone();
    tokio::task::spawn_blocking(move || {
        for command in ["serve", "once", "check --online", "query balance", "history"] {
            let mut run = exporter();
            run.args(command.split(' ')).env("MINERGATE_EXPORTER__ACCOUNTS__A__TOKEN", "planted");
            run.env("http_proxy", &url).env("https_proxy", &url);
            let output = run.output().unwrap();
            let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert_eq!(output.status.code(), Some(1), "{command}: {said}");
            assert!(said.contains("api.base_url: missing; give the URL of the API that you use"), "{command}: {said}");
        }
    })
    .await
    .unwrap();
    assert_eq!(REQUESTS.load(Ordering::Relaxed), 0);
}
