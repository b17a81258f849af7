//! The status page and its JSON.

mod browser;

use std::fs;

use serde_json::Value;

use crate::process::{daemon, get, simulator, wait};

fn json(url: &str) -> Value {
    serde_json::from_slice(&get(url, &[]).body).unwrap()
}

/// The state of an account, in words.
fn words(status: &Value, account: &str) -> String {
    let accounts = status["accounts"].as_array().unwrap();
    let account = accounts.iter().find(|one| one["name"] == account);
    account.map_or_else(String::new, |one| one["words"].as_str().unwrap().to_owned())
}

#[test]
fn the_page_says_how_each_account_is() {
    let directory = tempfile::tempdir().unwrap();
    let faults = ["--accounts", "4", "--fault", "workers/500@farm-2", "--fault", "login/wrong-password@farm-4"];
    let (_simulator, config) = simulator(directory.path(), &faults);
    let (_daemon, url) = daemon(&config, &[]);
    let status = wait("every state", || {
        let status = json(&format!("{url}/api/v1/status"));
        let known = words(&status, "farm-1") == "ok"
            && words(&status, "farm-2").ends_with("endpoints failing")
            && words(&status, "farm-4").starts_with("login blocked: wrong password since ")
            && status["networks"].as_object().unwrap().values().any(|network| network.get("block_height").is_some());
        known.then_some(status)
    });
    let farm = &status["accounts"][0];
    // Those that the account mines, and not every coin that its balance names.
    for currency in farm["currencies"].as_object().unwrap().values() {
        for field in ["hashrate_hashes_per_second", "workers", "balance_coins", "good_share_ratio"] {
            assert!(currency[field].as_f64().is_some_and(|value| value >= 0.0), "{field}: {currency}");
        }
    }
    assert!((1..=4).contains(&farm["currencies"].as_object().unwrap().len()), "{farm}");
    assert!(farm["endpoints"].as_array().unwrap().iter().all(|endpoint| endpoint["up"] == true));
    let failing = status["accounts"][1]["endpoints"].as_array().unwrap().iter().find(|endpoint| endpoint["up"] == false);
    assert_eq!(failing.unwrap()["error"]["words"], "the API failed (HTTP 500)");

    let page = get(&url, &[]);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe-inline"), "{policy}");
    let html = page.text();
    assert!(!html.contains("<script") && !html.contains("style=") && !html.contains('@'));
    for part in
        ["farm-1", "login blocked: wrong password since", "endpoints failing", "H/s", "Networks", "href=\"/metrics\""]
    {
        assert!(html.contains(part), "{part} is not in\n{html}");
    }
    assert_eq!(get(&format!("{url}/status.css"), &[]).headers["content-type"], "text/css; charset=utf-8");
    assert!(get(&format!("{url}/docs/metrics.md"), &[]).text().starts_with("# Metrics"));
}

#[test]
fn many_accounts_are_paged_and_found_by_a_part_of_their_name() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("c.toml");
    let account = |i: usize| format!("[[accounts]]\nname = \"farm <b>{i}</b>\"\ntoken = \"t\"\n");
    let accounts: String = (0..120).map(account).collect();
    fs::write(&config, format!("[api]\nbase_url = \"http://127.0.0.1:1\"\n{accounts}")).unwrap();
    let (_daemon, url) = daemon(&config, &["--web.external-url", "https://example.com/miners/"]);
    let count = |query: &str| json(&format!("{url}/api/v1/status?{query}"))["accounts"].as_array().unwrap().len();
    assert_eq!([count(""), count("page=2"), count("page=3"), count("page=99")], [50, 50, 20, 20]);
    assert_eq!(count("name=%3Eb%3E"), 0);
    assert_eq!(count("name=%3E11"), 11, "11 and 110 to 119");
    let html = get(&format!("{url}/?name=%3E1%22%3Cscript%3E"), &[]).text();
    assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
    let html = get(&url, &[]).text();
    assert!(
        html.contains("farm &lt;b&gt;0&lt;/b&gt;")
            && html.contains("href=\"/miners/metrics\"")
            && html.contains("page 1 of 3")
    );
}
