//! `query`: the API's own JSON in a pipe, a table for people on a terminal, and messages if there is no answer.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::fake_api::FakeApi;
use crate::process::{exporter, on_a_terminal, on_a_terminal_of, simulator};
use crate::repository::read;

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

/// Numbers in unusual notations, and times in both units.
const AWKWARD: &str = r#"[{"cc": "xmr", "amount": 0.1000000000000000055511151231257827, "fee": 1e-7, "id": "\u001b[31mred",
  "state": "finished", "created": 1449161749429},
 {"cc": "bcn", "amount": "18446744073709551616.5", "fee": 2.5e3, "created": 1451151685.785}]"#;

/// The withdrawals of the example in docs/commands.md, newest first as pools list them.
const PAYOUTS: &str = r#"[
 {"cc": "xmr", "address": "made-up-address-of-a-wallet", "transactionHash": "acaef20101873165b576ec44f0754c4847e5c16831b79810cff71a2eb7c00a38",
  "amount": 0.500000000001, "fee": 0.0004, "paymentId": "made-up-payment", "status": "pending", "created": 1795910400.5},
 {"cc": "xmr", "address": "made-up-address-of-a-wallet", "transactionHash": "5bb3f70582e24b6186517567571c72f33a1258da5b65fe80a534549874ecf8e0",
  "amount": 1.25, "fee": 0.0004, "paymentId": "made-up-payment", "status": "finished", "created": 1795824000.25}]"#;

fn answer(path: &str) -> (u16, String) {
    let body = match path {
        "/1.0/transfers/xmr" => AWKWARD,
        "/1.0/withdrawals/xmr" => PAYOUTS,
        "/1.0/workers" => "{}",
        "/1.0/mining/stats" => {
            r#"{"bcn": {"unconfirmedBalance": 191049661, "hashrate": "296.9820726630503", "totalMined": 1e-7,
                "shares": {"good": 9950, "bad": 50, "invalid": "0"}},
                "new": {"unconfirmedBalance": "1000", "hashrate": null}, "timestamp": 1454496693669}"#
        }
        "/1.0/invoices" => "[]",
        "/1.0/pool/top/hashrate" => {
            r#"{"xmr": [{"hashrate": 1234.5, "nickname": "strong"}, {"hashrate": 999.5, "nickname": "weak"}], "bcn": []}"#
        }
        "/1.0/xmr/status" => {
            r#"{"hash": "04ab3e8bb9c7724b27563cb9c5cab9d25f948f4579e57deb9b7a95b4b66e4acc", "reward": 7.200548823985, "blockSize": 1304,
                "difficulty": 1567570570, "orphan": false}"#
        }
        "/1.0/pool/profit-rating" => r#"["xmr", "bcn"]"#,
        "/1.0/balance" => r#"{"code": "ApiDiscontinued", "message": ""}"#,
        "/1.0/withdrawals" => return (429, String::new()),
        "/1.0/affiliate/profit" => r#"{"bcn": 34.91620052067053, "xmr": "0.0014"}"#,
        "/1.0/affiliate/links" => "<html>planted</html>",
        _ => return (404, "{}".to_owned()),
    };
    (200, body.to_owned())
}

/// Runs a test with a made-up API.
async fn with_api(test: impl FnOnce(&Path, String) + Send + 'static) {
    let api = FakeApi::start(|asked| answer(&asked.path)).await;
    let url = api.base_url.clone();
    let directory = tempfile::tempdir().unwrap();
    tokio::task::spawn_blocking(move || test(directory.path(), url)).await.unwrap();
}

/// The output for each answer with `--format text`. In a pipe, it has all columns.
const SHOWN: &[(&[&str], &str)] = &[
    (
        &["transfers", "xmr"],
        "\
created                     cc   amount                        fee            state     id
2015-12-03 22:25:49 +05:30  xmr                           0.1      0.0000001  finished  \u{fffd}[31mred
2015-12-26 23:11:25 +05:30  bcn  18,446,744,073,709,551,616.5  2,500

2 transfers, newest last
",
    ),
    (
        &["mining_stats"],
        "\
bcn
  unconfirmedBalance  1.91049661 BCN
  hashrate            296.98 H/s
  totalMined          0.0000001 BCN
  shares
    good     9,950 (99.5 %)
    bad      50 (0.5 %)
    invalid  0 (0 %)

new
  unconfirmedBalance  1,000 atomic units
  hashrate            -
timestamp  2016-02-03 16:21:33 +05:30
",
    ),
    (&["workers"], "nothing: the answer is empty\n"),
    (&["profit_rating"], "xmr\nbcn\n\n2 currencies, most profitable first\n"),
    (&["affiliate_profit"], "bcn  34.91620052\nxmr   0.0014\n\n2 currencies\n"),
    (&["invoices"], "no invoices\n"),
    (
        &["top_hashrate"],
        "\
xmr
  hashrate    nickname
   1.23 kH/s  strong
  999.50 H/s  weak
  2 miners, highest hashrate first

bcn
  no miners
",
    ),
    (
        &["status", "xmr"],
        "\
hash        04ab3e8bb9c7724b27563cb9c5cab9d25f948f4579e57deb9b7a95b4b66e4acc
reward      7.20054882 XMR
blockSize   1.30 kB
difficulty  1,567,570,570
orphan      false
",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_gets_the_unchanged_answer_and_a_terminal_gets_rounded_values() {
    with_api(|directory, url| {
        let config = config(directory, &url, &["a"]);
        let output = run(&config, &["transfers", "XMR"]);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), format!("{AWKWARD}\n")));
        for (arguments, expected) in SHOWN {
            let shown = text(&run(&config, &[arguments, &["--format", "text"][..]].concat()).stdout);
            assert_eq!(shown, *expected, "{arguments:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_name_place_and_remedy() {
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
                &["affiliate_links"],
                format!("{at}affiliate_links of farm: the answer is not of the documented shape (line 1, column 1)"),
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_shows_the_documented_table() {
    with_api(|directory, url| {
        let config = config(directory, &url, &["farm"]);
        let mut command = exporter();
        command
            .args(["query", "withdrawals", "xmr", "--config.file"])
            .arg(&config)
            .envs([("NO_COLOR", "1"), ("TZ", "CET-1")]);
        let shown = on_a_terminal(command).replace("\r\n", "\n");
        let page = read("docs/commands.md");
        assert!(page.contains(&format!("```text\n{shown}```\n")), "docs/commands.md does not show\n{shown}");
    })
    .await;
}

/// The width of a line in columns. Each of its characters takes one.
fn width(line: &str) -> usize {
    line.chars().count()
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &["--wallets", "1"]);
    let calls: &[(&[&str], Option<&str>)] = &[
        (&["workers", "--account", "rig-1"], Some("by name")),
        (&["withdrawals", "--account", "rig-1"], Some("withdrawals, newest last")),
        (&["mining_stats", "--account", "farm-3"], None),
        (&["transfers", "--account", "farm-3"], Some("transfers, newest last")),
        (&["withdrawals", "--account", "farm-3"], Some("withdrawals, newest last")),
        (&["invoices", "--account", "farm-3"], Some("invoices, newest last")),
        (&["affiliate_childrens", "--account", "farm-3"], Some("affiliate")),
        (&["top_hashrate"], Some("10 miners, highest hashrate first")),
        (&["status", "bcn"], None),
    ];
    for columns in [50, 80, 120] {
        for (call, summary) in calls {
            let mut command = exporter();
            command.arg("query").args(*call).arg("--config.file").arg(&config).env("NO_COLOR", "1");
            let (status, shown) = on_a_terminal_of(columns, command);
            assert!(status.success(), "{call:?}: {shown}");
            let shown = shown.replace("\r\n", "\n");
            assert!(summary.is_none_or(|summary| shown.contains(summary)), "{call:?}: {shown}");
            for line in shown.lines() {
                assert!(width(line) <= columns.into(), "{call:?} at {columns}: {line}");
            }
            // At 80 columns, lists of events are tables.
            let is_table = shown.starts_with("created") && shown.lines().next().is_some_and(|line| line.contains("amount"));
            assert!(columns < 80 || !summary.is_some_and(|summary| summary.ends_with("newest last")) || is_table, "{shown}");
        }
    }
}

#[test]
fn long_hashes_are_shortened_and_left_out_columns_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &[]);
    let shown = |columns, call: &[&str]| {
        let mut command = exporter();
        command.arg("query").args(call).arg("--config.file").arg(&config).env("NO_COLOR", "1");
        on_a_terminal_of(columns, command).1.replace("\r\n", "\n")
    };
    let status = shown(60, &["status", "bcn"]);
    let hash = status.lines().find_map(|line| line.strip_prefix("hash ")).unwrap().trim();
    let (start, end) = hash.split_once('…').unwrap();
    assert!(start.len() >= 10 && end.len() >= 10, "{status}");
    let withdrawals = shown(80, &["withdrawals", "--account", "farm-3"]);
    let plain = withdrawals.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        plain.contains("left out, as the terminal is too narrow: ") && plain.ends_with("--format json has all"),
        "{plain}"
    );
    assert!(!shown(250, &["withdrawals", "--account", "farm-3"]).contains("left out"));
}

#[test]
fn times_are_local_for_every_source_of_the_zone() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &["--documented"]);
    // The time of the documented block is 2016-02-03 15:09:29 UTC.
    for (zone, expected) in [
        ("XYZ-5:30", "2016-02-03 20:39:29 +05:30"),
        ("EST5EDT,M3.2.0,M11.1.0", "2016-02-03 10:09:29 -05:00"),
        ("Nowhere/Unknown", "2016-02-03 15:09:29 +00:00"),
        ("", "2016-02-03 15:09:29 +00:00"),
    ] {
        let mut command = exporter();
        command.args(["query", "status", "xmr", "--format", "text", "--config.file"]).arg(&config).env("TZ", zone);
        let shown = text(&command.output().unwrap().stdout);
        assert!(shown.contains(expected), "{zone}: {shown}");
    }
}

#[test]
fn a_terminal_gets_colours_unless_no_color_is_set() {
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
