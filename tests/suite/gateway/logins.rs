//! Logins and tokens, and which account each belongs to.

use std::fs;

use minergate::endpoints::{ENDPOINTS, Scope};
use minergate_exporter::config::{Config, Sources};
use serde_json::{Value, json};

use super::{Served, account, answer, code, gateway, pools, with_password, write};
use crate::fake_api::{Asked, FakeApi, Reply};
use crate::process::get;

const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// A pool where each wallet has another balance.
fn by_wallet(asked: &Asked) -> Reply {
    let wallets = [("first-at-nodejs", 1), ("second-at-nodejs", 2), ("third-at-nodejs", 3), ("nobody-at-nodejs", 4)];
    match wallets.iter().find(|(wallet, _)| asked.path.contains(wallet)) {
        Some((_, number)) if asked.path.ends_with("/stats") => {
            let coins = number * 1_000_000_000_000_u64;
            Reply::new(
                200,
                json!({ "hash": 1, "totalHashes": 1, "validShares": 1, "invalidShares": 0, "amtDue": coins }).to_string(),
            )
        }
        _ => answer(asked),
    }
}

/// Three accounts with one kind of credentials each, whose secrets are in files; and an account without credentials.
const ACCOUNTS: &str = r#"
[[accounts]]
name = "first"
email = "first@example.com"
password_file = "password"
wallets = { nodejs = "first-at-nodejs" }
[[accounts]]
name = "second"
email = "second@example.com"
password_file = "password"
totp_secret_file = "totp"
wallets = { nodejs = "second-at-nodejs" }
[[accounts]]
name = "third"
token_file = "token"
wallets = { nodejs = "third-at-nodejs" }
[[accounts]]
name = "nobody"
wallets = { nodejs = "nobody-at-nodejs" }
"#;

fn totp() -> String {
    let totp = totp_rs::Builder::new().with_secret(totp_rs::Secret::try_from_base32(KEY).unwrap()).build_noncompliant();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    totp.generate(now.as_secs()).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_credentials_leads_to_its_own_account() {
    let pool = FakeApi::start(by_wallet).await;
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in [("password", "correct horse\n"), ("totp", KEY), ("token", "token-of-third\n")] {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let config = write(directory.path(), &format!("{}{ACCOUNTS}", pools(&pool.base_url)));
    let (process, url) = gateway(&config, &[]);
    let served = Served { pool, process, url, directory };

    let token = |fields: &Value| {
        let answer = served.login(fields);
        assert_eq!(answer.status, 200, "{fields}: {}", answer.text());
        serde_json::from_str::<Value>(&answer.text()).unwrap()["token"].as_str().unwrap().to_owned()
    };
    let mut fields = with_password("second@example.com", "correct horse");
    assert_eq!(code(&served.login(&fields)), "TotpRequired");
    fields["totp"] = totp().into();
    let second = token(&fields);
    assert_eq!(code(&served.login(&fields)), "WrongTotp", "a code is valid once");
    let first = token(&with_password("first@example.com", "correct horse"));
    for (token, name, coins) in [(&*first, "first", "1"), (&second, "second", "2"), ("token-of-third", "third", "3")] {
        assert_eq!(served.json("/1.0/balance", token), json!({ "xmr": coins }));
        assert_eq!(served.json("/1.0/profile/nickname/", token), json!(name));
    }
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.scope == Scope::Account) {
        for (token, expected) in [("", "MissingToken"), ("nobody", "TokenInvalid"), ("correct horse", "TokenInvalid")] {
            let answer = served.get(endpoint.path, token);
            assert_eq!((answer.status, &*code(&answer)), (401, expected), "{}", endpoint.name);
        }
    }
    assert!(served.pool.asked("/nodejs/miner/nobody-at-nodejs/stats").is_empty());

    // A changed file counts at the next login.
    fs::write(served.directory.path().join("password"), "battery staple").unwrap();
    assert_eq!(code(&served.login(&with_password("first@example.com", "correct horse"))), "WrongEmailOrPassword");
    token(&with_password("first@example.com", "battery staple"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_passwords_block_logins_but_not_tokens() {
    let accounts =
        "[[accounts]]\nname = \"rig\"\nemail = \"rig@example.com\"\npassword = \"right\"\nwallets = { nodejs = \"a\" }\n";
    let served = Served::start(answer, &format!("{accounts}{}", account("other", &["nodejs"]))).await;
    let right = served.login(&with_password("rig@example.com", "right")).text();
    let token = serde_json::from_str::<Value>(&right).unwrap()["token"].as_str().unwrap().to_owned();
    let mut refused = 0;
    for i in 0..15 {
        let email = ["rig@example.com", "nobody@example.com"][i % 2];
        let answer = served.login(&with_password(email, "wrong"));
        match answer.status {
            400 => refused += 1,
            429 => {
                assert_eq!(code(&answer), "TooManyRequests");
                let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
                assert!((1..=900).contains(&wait), "{wait}");
            }
            status => panic!("{status}: {}", answer.text()),
        }
    }
    assert_eq!(refused, 10);
    assert_eq!(served.login(&with_password("rig@example.com", "right")).status, 429);
    assert_eq!(served.json("/1.0/profile/nickname", &token), json!("rig"));
    assert_eq!(served.json("/1.0/profile/nickname", "token-of-other"), json!("other"));
    let log = served.process.output();
    assert_eq!(log.matches("too many failed logins").count(), 1, "{log}");
}

/// Basic auth is checked first. It does not replace the API's logins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_of_the_web_configuration_are_checked_first() {
    let pool = FakeApi::start(answer).await;
    let directory = tempfile::tempdir().unwrap();
    let config = write(directory.path(), &format!("{}{}", pools(&pool.base_url), account("rig", &["nodejs"])));
    let web = directory.path().join("web.yml");
    fs::write(&web, format!("basic_auth_users:\n  alice: \"{}\"\n", crate::web_config::hash("secret"))).unwrap();
    let (_process, url) = gateway(&config, &["--web.config.file", web.to_str().unwrap()]);
    let nickname = format!("{url}/1.0/profile/nickname");
    let alice = ("authorization", "Basic YWxpY2U6c2VjcmV0");
    let refused = get(&nickname, &[("token", "token-of-rig")]);
    assert_eq!((refused.status, &*code(&refused)), (401, "Unauthorized"));
    assert_eq!(refused.headers["www-authenticate"], "Basic");
    assert_eq!(code(&get(&nickname, &[alice])), "MissingToken");
    assert_eq!(get(&nickname, &[alice, ("token", "token-of-rig")]).text(), "\"rig\"");
}

#[test]
fn a_configuration_that_nobody_can_log_in_to_says_what_to_add() {
    let pools = pools("http://127.0.0.1:1");
    let at_api = "[[accounts]]\nname = \"farm\"\ntoken = \"t\"\n";
    let wallet = "[[accounts]]\nname = \"rig\"\nwallets = { nodejs = \"4Abc\" }\n";
    let load = |text: &str| Config::load_gateway(Sources { text: Some(text), ..Sources::default() });
    for (text, message) in [
        (String::new(), "the gateway has nothing to serve: no account has wallets; give [[pools]], and"),
        (format!("{pools}{at_api}"), "the gateway has nothing to serve: no account has wallets; give [[pools]], and"),
        (
            format!("{pools}{wallet}"),
            "nobody could log in to the gateway: no account with wallets has credentials; beside the",
        ),
        (format!("{pools}{wallet}email = \"a@example.com\"\n"), "accounts[1].password: no way to log in; give token"),
    ] {
        let said = load(&text).unwrap_err().to_string();
        assert!(said.contains(message), "{said}");
    }
    // The gateway ignores accounts at the API, and so needs no `api.base_url`.
    let config = load(&format!("{pools}{at_api}{wallet}token = \"t\"\n")).unwrap();
    assert_eq!((config.logins.len(), config.accounts.len()), (1, 1));
}
