//! `query`: the API's own JSON in a pipe, a table in local time on a terminal, and what is said where there is no answer.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::fake_api::FakeApi;
use crate::process::{exporter, on_a_terminal, simulator};

/// The configuration of accounts with a token each at a URL.
fn config(directory: &Path, url: &str, names: &[&str]) -> std::path::PathBuf {
    let account = |name: &&str| format!("[[accounts]]\nname = \"{name}\"\ntoken = \"planted\"\n");
    let accounts: Vec<String> = names.iter().map(account).collect();
    let path = directory.join("query.toml");
    std::fs::write(&path, format!("[api]\nbase_url = \"{url}\"\n{}", accounts.concat())).unwrap();
    path
}

fn run(config: &Path, arguments: &[&str]) -> Output {
    let mut command = exporter();
    command.arg("query").args(arguments).arg("--config.file").arg(config).env("TZ", "XYZ-5:30").output().unwrap()
}

fn text(output: &[u8]) -> String {
    String::from_utf8(output.to_vec()).unwrap()
}

/// Numbers as a decimal library would never write them, and times in both units.
const AWKWARD: &str = r#"[{"cc": "xmr", "amount": 0.1000000000000000055511151231257827, "fee": 1e-7, "id": "\u001b[31mred",
  "state": "finished", "created": 1449161749429},
 {"cc": "bcn", "amount": "18446744073709551616.5", "fee": 2.5e3, "created": 1451151685.785}]"#;

fn answer(path: &str) -> (u16, String) {
    let body = match path {
        "/1.0/transfers/xmr" => AWKWARD,
        "/1.0/workers" => "{}",
        "/1.0/mining/stats" => r#"{"bcn": {"shares": {"good": 1}, "totalMined": 1e-7}, "timestamp": 1454496693669}"#,
        "/1.0/pool/profit-rating" => r#"["xmr", "bcn"]"#,
        "/1.0/balance" => r#"{"code": "ApiDiscontinued", "message": ""}"#,
        "/1.0/withdrawals" => return (429, String::new()),
        "/1.0/affiliate/profit" => "<html>planted</html>",
        _ => return (404, "{}".to_owned()),
    };
    (200, body.to_owned())
}

/// Runs a test that asks a made-up API.
async fn with_api(test: impl FnOnce(&Path, String) + Send + 'static) {
    let api = FakeApi::start(|asked| answer(&asked.path)).await;
    let url = api.base_url.clone();
    let directory = tempfile::tempdir().unwrap();
    tokio::task::spawn_blocking(move || test(directory.path(), url)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_gets_the_answer_to_the_letter_and_a_person_every_digit() {
    with_api(|directory, url| {
        let config = config(directory, &url, &["a"]);
        let output = run(&config, &["transfers", "XMR"]);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), format!("{AWKWARD}\n")));

        let output = run(&config, &["transfers", "xmr", "--format", "text"]);
        let expected = "\
cc   amount                                fee        id        state     created
xmr  0.1000000000000000055511151231257827  0.0000001  \u{fffd}[31mred  finished  2015-12-03 22:25:49 +05:30
bcn  18446744073709551616.5                     2500                      2015-12-26 23:11:25 +05:30
";
        assert_eq!(text(&output.stdout), expected);

        let output = run(&config, &["mining_stats", "--format", "text"]);
        let expected = "\
bcn
  shares
    good  1
  totalMined  0.0000001
timestamp  2016-02-03 16:21:33 +05:30
";
        assert_eq!(text(&output.stdout), expected);
        assert_eq!(text(&run(&config, &["workers", "--format", "text"]).stdout), "nothing: the answer is empty\n");
        assert_eq!(text(&run(&config, &["profit_rating", "--format", "text"]).stdout), "xmr\nbcn\n");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_went_wrong_is_said_with_place_and_remedy() {
    with_api(|directory, url| {
        let one = config(directory, &url, &["farm"]);
        let at = format!("error: {url}/: ");
        for (arguments, expected) in [
            (&["balance"][..], format!("{at}balance of farm: the API says that it is discontinued; is api.base_url right?")),
            (
                &["withdrawals"],
                format!("{at}withdrawals of farm: the API asks for fewer requests (HTTP 429); try again in a minute"),
            ),
            (
                &["affiliate_profit"],
                format!("{at}affiliate_profit of farm: the answer is not of the documented shape (line 1, column 1)"),
            ),
            (
                &["invoices", "../a"],
                format!("{at}invoices of farm: there is none with that id (HTTP 404); query invoices lists them"),
            ),
            (&["status", "xyz"], format!("{at}status: the API knows no such currency (HTTP 404); is api.base_url right?")),
            (&["status", "x y"], "error: status: `x y` can't be a currency's code; give one such as xmr".to_owned()),
            (&["status"], "error: status: of which currency? Give its code, as in: query status xmr".to_owned()),
            (&["workers", "xmr"], "error: workers takes no argument; leave it out".to_owned()),
            (
                &["profit_rating", "--account", "farm"],
                "error: profit_rating is the same for every account; leave out --account".to_owned(),
            ),
            (
                &["workers", "--account", "frm"],
                "error: --account: no account is called `frm`; did you mean `farm`? those are farm".to_owned(),
            ),
        ] {
            let output = run(&one, arguments);
            assert_eq!((output.status.code(), text(&output.stderr).trim_end()), (Some(1), expected.as_str()));
            assert!(output.stdout.is_empty(), "{arguments:?}");
        }
        let two = config(directory, &url, &["farm", "wallet"]);
        let said = text(&run(&two, &["workers"]).stderr);
        assert_eq!(said, "error: workers: of which account? Give --account with one of farm, wallet\n");
        assert_eq!(run(&two, &["workers", "--account", "wallet"]).status.code(), Some(0));
        let none = config(directory, &url, &[]);
        assert_eq!(run(&none, &["profit_rating"]).status.code(), Some(0), "the pool's needs no account");
        let said = text(&run(&none, &["workers"]).stderr);
        assert_eq!(said, "error: workers is an account's, and the configuration has no [[accounts]]; add one\n");
    })
    .await;
}

#[test]
fn every_method_of_the_simulator_answers() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &["--documented"]);
    for endpoint in minergate::endpoints::ENDPOINTS {
        let account = if endpoint.is_of_account() { &["--account", "farm-3"][..] } else { &[] };
        let argument = if endpoint.path.contains("{currency}") { &["xmr"][..] } else { &[] };
        let arguments = [&[endpoint.name], argument, account].concat();
        let output = run(&config, &arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer, serde_json::from_str::<Value>(endpoint.sample).unwrap(), "{}", endpoint.name);
        let pretty = run(&config, &[&arguments[..], &["--format", "text"]].concat());
        assert!(pretty.status.success() && !pretty.stdout.is_empty(), "{}", endpoint.name);
    }
    let id = "44872a9e0dbb66fa5b5782cfef36f5b4bcdfba43";
    let output = run(&config, &["invoices", id, "--account", "farm-3"]);
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["invoiceId"], id);
}

#[test]
fn a_terminal_gets_colours_unless_it_wants_none() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &["--documented"]);
    let shown = |environment: &[(&str, &str)]| {
        let mut command = exporter();
        command.args(["query", "status", "xmr", "--config.file"]).arg(&config);
        command.env("TERM", "xterm").envs(environment.to_vec());
        on_a_terminal(command)
    };
    let plain = shown(&[("NO_COLOR", "1")]);
    assert!(plain.contains("difficulty") && !plain.contains('{') && !plain.contains('\u{1b}'), "{plain}");
    assert!(shown(&[]).contains("\u{1b}["), "no colours on a terminal");
    assert!(!shown(&[("CLICOLOR", "0")]).contains('\u{1b}'));
    let piped = exporter()
        .args(["query", "status", "xmr", "--format", "text", "--config.file"])
        .arg(&config)
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    assert!(text(&piped.stdout).contains("\u{1b}["), "CLICOLOR_FORCE is not heard");
}
