//! The status page and its JSON.

mod browser;
mod contrast;
mod thousand;

use std::fs;

use serde_json::{Value, json};

use crate::process::{daemon, get, simulator, wait};

fn read_json(url: &str) -> Value {
    serde_json::from_slice(&get(url, &[]).body).unwrap()
}

fn account<'a>(status: &'a Value, name: &str) -> Option<&'a Value> {
    status["accounts"].as_array().unwrap().iter().find(|one| one["name"] == name)
}

/// The state of an account, in words.
fn words(status: &Value, name: &str) -> String {
    account(status, name).map_or_else(String::new, |one| one["words"].as_str().unwrap().to_owned())
}

#[test]
fn the_page_shows_the_state_of_each_account() {
    let directory = tempfile::tempdir().unwrap();
    let faults = ["--accounts", "4", "--fault", "workers/500@farm-2", "--fault", "login/wrong-password@farm-4"];
    let (_simulator, config) = simulator(directory.path(), &faults);
    let (_daemon, url) = daemon(&config, &[]);
    let status = wait("every state", || {
        let status = read_json(&format!("{url}/api/v1/status"));
        let known = status["counts"] == json!({"failing": 1, "blocked": 1, "waiting": 0, "ok": 2})
            && status["networks"].as_object().unwrap().values().any(|network| network.get("block_height").is_some());
        known.then_some(status)
    });
    assert_eq!((&status["state"], &status["words"]), (&json!("failing"), &json!("2 of 4 accounts need attention.")));
    let farm = &status["accounts"][0];
    assert_eq!((&farm["state"], &farm["words"], &farm["faults"]), (&json!("ok"), &json!("ok"), &json!([])));
    // Only currencies that the account mines, not every coin of its balance.
    for currency in farm["currencies"].as_object().unwrap().values() {
        for field in ["hashrate_hashes_per_second", "workers", "balance_coins", "good_share_ratio"] {
            assert!(currency[field].as_f64().is_some_and(|value| value >= 0.0), "{field}: {currency}");
        }
        assert_eq!(currency.get("pool"), None);
    }
    assert!((1..=4).contains(&farm["currencies"].as_object().unwrap().len()), "{farm}");
    assert!(farm["endpoints"].as_array().unwrap().iter().all(|endpoint| endpoint["up"] == true));
    assert_eq!(words(&status, "farm-2"), "workers: the API failed (HTTP 500)");
    let failing = status["accounts"][1]["endpoints"].as_array().unwrap().iter().find(|endpoint| endpoint["up"] == false);
    assert_eq!(failing.unwrap()["error"]["words"], "the API failed (HTTP 500)");
    // A failed login is one error of the account, not one for each endpoint.
    let blocked = account(&status, "farm-4").unwrap();
    assert!(words(&status, "farm-4").starts_with("login blocked: wrong password since "), "{blocked}");
    assert_eq!((&blocked["faults"][0]["endpoints"], blocked["faults"].get(1)), (&json!("all 10 endpoints"), None));
    // The totals are sums over accounts, by currency.
    for (code, total) in status["totals"].as_object().unwrap() {
        let of = |account: &Value| account["currencies"][code]["balance_coins"].as_f64();
        let sum: f64 = status["accounts"].as_array().unwrap().iter().filter_map(of).sum();
        assert!((total["balance_coins"].as_f64().unwrap() - sum).abs() < 1e-9, "{code}: {status}");
    }
    assert_eq!(status["accounts_without_values"], 1);

    let page = get(&url, &[]);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self'"), "{policy}");
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe-"), "{policy}");
    let html = page.text();
    assert!(
        html.matches("<script").count() == 1
            && html.contains("<script src=\"/status.js\" data-seconds=\"30\" defer></script>")
    );
    assert!(!html.contains("style=") && !html.contains(" onclick"));
    for part in ["farm-1", "login blocked: wrong password since", "H/s", "Networks", "href=\"/metrics\""] {
        assert!(html.contains(part), "{part} is not in\n{html}");
    }
    assert_eq!(html.matches("wrong password").count(), 1);
    // Failing accounts come first, and are unfolded.
    let order = ["farm-2\" open", "farm-4\" open", "farm-1\"><summary>", "farm-3\"><summary>"];
    let places: Vec<_> =
        order.iter().map(|part| html.find(part).unwrap_or_else(|| panic!("{part} is not in\n{html}"))).collect();
    assert!(places.is_sorted(), "{html}");
    for (path, content_type) in
        [("/status.css", "text/css; charset=utf-8"), ("/status.js", "text/javascript; charset=utf-8")]
    {
        assert_eq!(get(&format!("{url}{path}"), &[]).headers["content-type"], content_type);
    }
    assert!(get(&format!("{url}/docs/metrics.md"), &[]).text().starts_with("# Metrics"));
}

#[test]
fn wallets_have_their_pools_and_workers() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &["--accounts", "0", "--wallets", "1"]);
    let (_daemon, url) = daemon(&config, &[]);
    let status = wait("the workers", || {
        let status = read_json(&format!("{url}/api/v1/status"));
        (status["accounts"][0]["worker_count"] != 0 && status["counts"]["ok"] == 1).then_some(status)
    });
    let rig = &status["accounts"][0];
    assert_eq!(rig["currencies"]["xmr"]["pool"], "simulated");
    let workers = rig["workers"].as_array().unwrap();
    assert_eq!(rig["worker_count"], workers.len());
    assert!(workers.iter().any(|worker| worker["name"] == "unnamed"), "{rig}");
    for worker in workers {
        assert!(worker["currency"] == "xmr" && worker["last_share_timestamp_seconds"].as_f64().unwrap() > 1.6e9, "{worker}");
        assert!(worker["hashrate_hashes_per_second"].is_f64(), "{worker}");
    }
    assert!(status["words"].as_str().unwrap().starts_with("All is well"), "{status}");
    let html = get(&url, &[]).text();
    assert!(html.contains("<span>xmr <small>simulated</small></span>") && html.contains("<th>unnamed</th>"), "{html}");
}

#[test]
fn many_accounts_are_paged_and_found_by_a_part_of_their_name() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("c.toml");
    let account = |i: usize| format!("[[accounts]]\nname = \"farm <b>{i}</b>\"\ntoken = \"t\"\n");
    let accounts: String = (0..120).map(account).collect();
    fs::write(&config, format!("[api]\nbase_url = \"http://127.0.0.1:1\"\n{accounts}")).unwrap();
    let (_daemon, url) = daemon(&config, &["--web.external-url", "https://example.com/miners/"]);
    let status = |query: &str| read_json(&format!("{url}/api/v1/status?{query}"));
    let count = |query: &str| status(query)["accounts"].as_array().unwrap().len();
    assert_eq!([count(""), count("page=2"), count("page=3"), count("page=99")], [50, 50, 20, 20]);
    assert_eq!(count("name=%3Eb%3E"), 0);
    assert_eq!(count("name=%3E11"), 11, "11 and 110 to 119");
    assert_eq!(count("name=FARM+%3Cb%3E11"), 11, "in whatever case");
    assert_eq!([count("account=farm"), count("account=farm+%3Cb%3E11%3C/b%3E")], [0, 1]);
    // Programs read all pages, so the order does not depend on the states.
    let names: Vec<Value> =
        (1..=3).flat_map(|page| status(&format!("page={page}"))["accounts"].as_array().unwrap().clone()).collect();
    assert!(names.is_sorted_by_key(|account| account["name"].as_str()));
    // Counts are those of all accounts, also in a search.
    let found = status("name=%3E11");
    assert_eq!((&found["account_count"], &found["match_count"], &found["page_count"]), (&json!(120), &json!(11), &json!(1)));
    let counts: u64 = found["counts"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(counts, 120);

    let html = get(&format!("{url}/?name=%3E1%22%3Cscript%3E"), &[]).text();
    assert!(
        html.matches("<script").count() == 1 && !html.contains("<b>\"") && html.contains("0 of 120 accounts match."),
        "{html}"
    );
    assert!(html.contains("value=\"&gt;1&quot;&lt;script&gt;\""), "{html}");
    let html = get(&format!("{url}/?name=%3C%2Fb%3E&page=2"), &[]).text();
    assert!(html.contains("120 of 120 accounts match.") && html.contains("page 2 of 3"), "{html}");
    for page in [1, 3] {
        assert!(html.contains(&format!("href=\"/miners/?page={page}&amp;name=%3C%2Fb%3E\"")), "{html}");
    }
    let html = get(&url, &[]).text();
    for part in ["<b>farm &lt;b&gt;0&lt;/b&gt;</b>", "href=\"/miners/metrics\"", "src=\"/miners/status.js\"", "page 1 of 3"]
    {
        assert!(html.contains(part), "{part} is not in\n{html}");
    }
    let html = get(&format!("{url}/?account=farm+%3Cb%3E11%3C/b%3E"), &[]).text();
    assert!(html.matches("<details data-key=\"farm").count() == 1 + html.matches("@rest").count(), "{html}");
    assert!(html.contains("all 120 accounts"), "{html}");
}

#[test]
fn the_page_gives_the_reason_of_a_late_poll() {
    for (fault, requests_per_second, begins, ends) in [
        ("workers/latency=50s", "50", "asked ", " ago, no answer yet"),
        ("workers/429=10m", "50", "the API asked for a pause", ""),
        ("workers/forbidden", "50", "polled less and less often, down to once an hour", ""),
        ("login/login-internal", "50", "the account waits for its next login", ""),
        ("workers/frozen", "0.2", "due for ", " for their turn, as the API has a limit of requests a second"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let (_simulator, config) = simulator(directory.path(), &["--accounts", "1", "--fault", fault]);
        let limit = |rate: &str| format!("requests_per_second = {rate}\n");
        let text = fs::read_to_string(&config).unwrap().replace(&limit("50"), &limit(requests_per_second));
        fs::write(&config, format!("{text}\n[poll]\nworkers = \"2s\"\nbalance = \"2s\"\nmining_stats = \"2s\"\n")).unwrap();
        let (_daemon, url) = daemon(&config, &[]);
        wait(&format!("{begins}..{ends}"), || {
            let status = read_json(&format!("{url}/api/v1/status"));
            let endpoints = status["accounts"][0]["endpoints"].as_array().unwrap();
            let mut late = endpoints.iter().filter_map(|endpoint| endpoint["next_poll_late"].as_str());
            late.any(|late| late.starts_with(begins) && late.ends_with(ends)).then_some(())
        });
    }
}
