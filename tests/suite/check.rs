//! Warnings of `check`: rounds that take too long, addresses with a typo, and an unusable state directory.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::config::wallets::XMR;
use crate::process::{Process, exporter, wait};

/// The report of a configuration, as JSON.
fn report(config: &Path) -> Value {
    let output = exporter().args(["check", "--format", "json", "--config.file"]).arg(config).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn warnings(report: &Value) -> Vec<&str> {
    report["warnings"].as_array().unwrap().iter().map(|warning| warning.as_str().unwrap()).collect()
}

/// Accounts with passwords, half of them with TOTP, and one with a token, polled for two endpoints.
fn accounts(passwords: usize) -> String {
    let endpoints = "endpoints = [\"balance\", \"nickname\"]\n";
    let account = |i| {
        let totp = if i % 2 == 0 { "totp_secret = \"GEZDGNBVGY3TQOJQ\"\n" } else { "" };
        format!("[[accounts]]\nname = \"farm-{i}\"\nemail = \"e@x\"\npassword = \"p\"\n{totp}{endpoints}")
    };
    let token = format!("[[accounts]]\nname = \"wallet\"\ntoken = \"t\"\n{endpoints}");
    (0..passwords).map(account).chain([token]).collect()
}

#[test]
fn check_warns_of_a_first_round_longer_than_an_interval() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("c.toml");
    // Balances every minute; the pool's two endpoints are off, and there is no network.
    for (passwords, rate, is_long) in [(19, 1, false), (20, 1, true), (20, 2, false), (50, 2, true)] {
        let api = format!("currencies = []\n[api]\nbase_url = \"http://127.0.0.1:1\"\nrequests_per_second = {rate}\n");
        let poll = "[poll]\nprofit_rating = \"off\"\ntop_hashrate = \"off\"\n";
        fs::write(&config, format!("{api}{poll}{}", accounts(passwords))).unwrap();
        let report = report(&config);
        let round = &report["requests"]["first_round"];
        let (polls, requests) = (2 * (passwords + 1), 3 * passwords + 2);
        assert_eq!((&round["polls"], &round["logins"]), (&polls.into(), &passwords.into()), "{report:#}");
        let seconds = f64::from(u32::try_from(requests).unwrap()) / f64::from(rate);
        assert!((round["seconds"].as_f64().unwrap() - seconds).abs() < 1e-6, "{round}");
        let about = format!("after a start, {polls} polls and {passwords} logins take ");
        let warned: Vec<&str> = warnings(&report).into_iter().filter(|warning| warning.starts_with(&about)).collect();
        assert_eq!(warned.len(), usize::from(is_long), "{passwords} {rate}: {report:#}");
        let enough = requests.div_ceil(60);
        for warning in warned {
            assert!(
                warning.contains("1m of poll.balance") && warning.contains(&format!("set it to {enough} or more")),
                "{warning}"
            );
        }
        assert_eq!(report["requests"]["stretch"], 1.0, "the rate is enough in the long run");
    }
}

/// The configuration has the discontinued host, in one of the ways to write its URL.
#[test]
fn check_warns_of_the_discontinued_host() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("c.toml");
    for (url, warned) in [
        ("https://api.minergate.com", true),
        ("http://API.minergate.com:80/", true),
        ("https://api.minergate.com/path", true),
        ("https://api.minergate.com.example.com", false),
    ] {
        fs::write(&config, format!("currencies = [\"xmr\"]\n[api]\nbase_url = \"{url}\"\n")).unwrap();
        let report = report(&config);
        let found = warnings(&report).iter().any(|warning| warning.contains("has answered ApiDiscontinued since 2019"));
        assert_eq!(found, warned, "{url}: {report:#}");
    }
}

/// The accounts can be in a file that was not passed to the command, or there are none.
#[test]
fn a_health_check_needs_no_accounts_and_no_base_url() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("c.toml");
    fs::write(&config, "[web]\nlisten_address = [\"127.0.0.1:1\"]\n[[accounts]]\nname = \"a\"\n").unwrap();
    let output = exporter().args(["healthcheck", "--config.file"]).arg(&config).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: http://127.0.0.1:1/-/healthy did not answer: "), "{said}");
}

#[test]
fn check_warns_of_an_unwritable_state_directory() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("c.toml");
    fs::create_dir(directory.path().join("state")).unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    for (state, reason) in
        [("state", None), ("gone", Some("no such file or directory")), ("file", Some("it is not a directory"))]
    {
        let api = "[api]\nbase_url = \"http://127.0.0.1:1\"\n[[accounts]]\nname = \"a\"\ntoken = \"t\"\n";
        fs::write(&config, format!("state_directory = \"{state}\"\n{api}")).unwrap();
        let report = report(&config);
        let about: Vec<&str> =
            warnings(&report).into_iter().filter(|warning| warning.starts_with("state_directory")).collect();
        assert_eq!(about.len(), usize::from(reason.is_some()), "{state}: {report:#}");
        assert!(about.iter().all(|warning| warning.contains(reason.unwrap())), "{about:?}");
        assert_eq!(report["ok"], true);

        // systemd's variable has the same effect, and the daemon warns at its start.
        fs::write(&config, api).unwrap();
        let mut serve = exporter();
        serve.arg("--config.file").arg(&config).args(["--web.listen-address", "127.0.0.1:0"]);
        let mut serve = Process::start(serve.env("STATE_DIRECTORY", directory.path().join(state)));
        serve.wait_for("message=started");
        let said = serve.output();
        assert_eq!(said.contains("state_directory or $STATE_DIRECTORY"), reason.is_some(), "{said}");
        serve.signal("TERM");
        wait("the end", || serve.exit_code());
    }
    let left = fs::read_dir(directory.path().join("state")).unwrap().map(|entry| entry.unwrap().file_name());
    let probes: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with(".probe")).collect();
    assert!(probes.is_empty(), "the probe leaves nothing behind: {probes:?}");
    assert!(!directory.path().join("gone").exists(), "nothing is created");
}

/// The output of `check` in both formats. The address is in a file.
fn checked(directory: &Path, text: &str, address: &str) -> (Value, String) {
    let config = directory.join("c.toml");
    fs::write(directory.join("address"), address).unwrap();
    fs::write(&config, text).unwrap();
    let output = exporter().args(["check", "--config.file"]).arg(&config).output().unwrap();
    (report(&config), String::from_utf8(output.stdout).unwrap())
}

/// An address with a typo. The outputs are searched for its last letters.
const ETC: &str = "0x00000000000000000000000000000000PlantedA";

#[test]
fn pools_and_wallets_are_listed_without_an_address() {
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        "{XMR}[[pools]]\nname = \"etc pool\"\nsoftware = \"open-ethereum-pool\"\nurl = \"http://127.0.0.1:1/planted\"\ncurrency = \"etc\"\n\
         [[accounts]]\nname = \"rig\"\nwallets = {{ supportxmr = \"4planted\" }}\nwallet_files = {{ \"etc pool\" = \"address\" }}\n\
         endpoints = [\"workers\", \"transfers\"]\ntoken_file = \"gone\"\n"
    );
    let (report, said) = checked(directory.path(), &text, ETC);
    let pools = report["pools"].as_array().unwrap();
    let shown: Vec<_> =
        pools.iter().map(|pool| (&pool["name"], &pool["software"], &pool["host"], &pool["currency"])).collect();
    assert_eq!(shown[0], (&"supportxmr".into(), &"nodejs-pool".into(), &"pool.example.com".into(), &"xmr".into()));
    assert_eq!(shown[1], (&"etc pool".into(), &"open-ethereum-pool".into(), &"127.0.0.1:1".into(), &"etc".into()));
    // `workers` is polled twice a minute, `status` once.
    let requests = &pools[0]["requests"];
    assert_eq!((&requests["per_second"], &requests["first_round"]["polls"]), (&0.05.into(), &2.into()), "{report:#}");
    let account = &report["accounts"][0];
    assert_eq!((&account["name"], &account["login"]), (&"rig".into(), &"token".into()));
    let wallets = account["wallets"].as_array().unwrap();
    assert_eq!((wallets.len(), &wallets[1]["pool"], &wallets[1]["currency"]), (2, &"etc pool".into(), &"etc".into()));
    let error = "account rig: can't use token_file: no such file or directory; put the secret there on one line, for this user to read";
    assert_eq!(report["errors"], Value::from([error]), "the token of the gateway's clients can't be read");
    assert_eq!((&report["base_url"], &report["requests"]), (&Value::Null, &Value::Null));
    let sentences = [
        "account rig: its pools can't fill transfers; leave that out of endpoints",
        "account rig: the address at supportxmr does not have the 95 characters of an address, or 106 with a payment id; is a part missing?",
        "account rig: the address at etc pool holds letters other than a to f after 0x; is there a typo?",
    ];
    assert_eq!(warnings(&report), sentences, "{report:#}");
    let plain = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in sentences.iter().chain(&["xmr at supportxmr, etc at etc pool, gateway: token", "etc at 127.0.0.1:1"]) {
        assert!(plain.contains(sentence), "{sentence}\n{said}");
    }
    assert!(!format!("{said}{report}").to_lowercase().contains("planted"), "{said}{report:#}");
}

/// The lines of the text about the endpoint `workers`, and about one that pools can't fill.
#[test]
fn accounts_and_wallets_have_separate_counts() {
    let directory = tempfile::tempdir().unwrap();
    let api = "[api]\nbase_url = \"http://127.0.0.1:1\"\n";
    let farm = |i| format!("[[accounts]]\nname = \"farm-{i}\"\ntoken = \"t\"\n");
    let rig = |i| format!("[[accounts]]\nname = \"rig-{i}\"\nwallets = {{ supportxmr = \"4Abc\" }}\n");
    for (config, accounts, workers, transfers) in [
        (format!("{api}{}", farm(1)), "Accounts 1", "1 account", "1 account"),
        (format!("{api}{}{}", farm(1), farm(2)), "Accounts 2", "2 accounts", "2 accounts"),
        // A pool that no account has a wallet at.
        (format!("{api}{XMR}{}{}", farm(1), farm(2)), "Accounts 2", "2 accounts", "2 accounts"),
        (
            format!("{api}{XMR}{}{}{}", farm(1), farm(2), rig(1)),
            "Accounts 3: 2 at the API, 1 with wallets at pools",
            "2 accounts, 1 wallet",
            "2 accounts",
        ),
        (format!("{XMR}{}{}", rig(1), rig(2)), "Accounts 2, with wallets at pools", "2 wallets", "no account has it"),
    ] {
        let (_, said) = checked(directory.path(), &config, "");
        let of = |endpoint: &str| said.lines().find_map(|line| line.trim().strip_prefix(endpoint)).unwrap_or_default();
        assert!(said.lines().any(|line| line == accounts), "{accounts}: {said}");
        assert_eq!(of("workers").trim().strip_prefix("every 30s").map(str::trim), Some(workers), "{said}");
        assert_eq!(of("transfers").trim().strip_prefix("every 10m").map(str::trim), Some(transfers), "{said}");
    }
}

#[test]
fn an_unreadable_address_and_an_invalid_one_are_errors() {
    let directory = tempfile::tempdir().unwrap();
    let rig = "[[accounts]]\nname = \"rig\"\nwallet_files = { supportxmr = \"address\" }\n";
    let right = format!("{XMR}{rig}");
    for (text, address, errors) in [
        (&right, "4Abc\n", &[][..]),
        (
            &right.replace("\"address\"", "\"planted\""),
            "",
            &[
                "account rig: the wallet at supportxmr: can't use wallet_files: no such file or directory; put the secret there on one line, for \
               this user to read",
            ],
        ),
        (
            &right,
            "4planted/../x",
            &[
                "account rig: the address at supportxmr holds a character that no address has; give the wallet's address alone, of letters \
               and digits",
            ],
        ),
    ] {
        let (report, said) = checked(directory.path(), text, address);
        assert_eq!(report["errors"], Value::from(errors), "{report:#}");
        assert_eq!(report["ok"], errors.is_empty());
        assert!(!format!("{said}{report}").contains("planted"), "{said}{report:#}");
    }
}

#[test]
fn check_warns_of_plain_http_a_shared_host_and_a_long_max_age() {
    let directory = tempfile::tempdir().unwrap();
    let other = XMR.replace("supportxmr", "other").replace("xmr", "etc").replace("https", "http") + "max_age = \"10m\"\n";
    let rig = "[[accounts]]\nname = \"rig\"\nwallet_files = { other = \"address\" }\n";
    let address = format!("0x{}", "0".repeat(40));
    let (report, _) = checked(directory.path(), &format!("{XMR}{other}{rig}"), &address);
    let expected = [
        "pool other: its url is not https: addresses can be read on the way",
        "pool other: it is at the same host as supportxmr, which gets the requests of both; lower requests_per_second",
        "pool other: max_age (10m) is longer than poll.stale_after (5m), so values are missing in between; lower it",
    ];
    assert_eq!(warnings(&report), expected, "{report:#}");
}

#[test]
fn check_warns_of_a_pool_round_longer_than_stale_after() {
    let directory = tempfile::tempdir().unwrap();
    for (wallets, rate, is_long) in [(50, "1", false), (70, "1", true), (70, "2", false)] {
        let account = |i| format!("[[accounts]]\nname = \"rig-{i}\"\nwallets = {{ supportxmr = \"4Abc\" }}\n");
        let accounts: String = (0..wallets).map(account).collect();
        let text = format!("{XMR}requests_per_second = {rate}\n{accounts}");
        let (report, _) = checked(directory.path(), &text, "");
        let round = &report["pools"][0]["requests"]["first_round"];
        let polls = round["polls"].as_u64().unwrap();
        let about = format!("pool supportxmr: a round of {polls} polls takes up to ");
        let found: Vec<_> = warnings(&report).into_iter().filter(|warning| warning.starts_with(&about)).collect();
        assert_eq!(found.len(), usize::from(is_long), "{report:#}");
        assert!(found.iter().all(|warning| warning.contains("longer than poll.stale_after (5m)")), "{found:?}");
    }
}
