//! `gateway`: the built binary, with fake pools behind it and clients of the MinerGate API before it.

mod answers;
mod limits;
mod logins;
mod simulated;
mod upstream;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::fake_api::{Asked, FakeApi, Reply};
use crate::pools::fake_pool::{cryptonote, ethereum, nodejs};
use crate::process::{Answer, Process, exporter, get, post};

/// The sample answers of each software. The first part of the path is the name of the pool.
fn answer(asked: &Asked) -> Reply {
    let path = asked.path.trim_start_matches('/');
    let (pool, path) = path.split_at(path.find('/').unwrap());
    match pool {
        "nodejs" => nodejs(path),
        "cryptonote" => cryptonote(path),
        _ => ethereum(path),
    }
}

/// `[[pools]]`: one of each software at that URL, with limits high enough for tests.
fn pools(url: &str) -> String {
    let pool = |name: &str, software: &str, more: &str| {
        format!(
            "[[pools]]\nname = \"{name}\"\nsoftware = \"{software}\"\nurl = \"{url}/{name}\"\nrequests_per_second = 1000\n\
             burst = 100\nmax_age = \"1s\"\ntimeout = \"3s\"\n{more}\n"
        )
    };
    pool("nodejs", "nodejs-pool", "currency = \"xmr\"")
        + &pool("cryptonote", "cryptonote-nodejs-pool", "currency = \"zeph\"\ndecimals = 12")
        + &pool("ethereum", "open-ethereum-pool", "currency = \"etc\"")
}

/// An account with a wallet at each of these pools, and a token.
fn account(name: &str, pools: &[&str]) -> String {
    let wallets: Vec<String> = pools.iter().map(|pool| format!("{pool} = \"{name}-at-{pool}\"")).collect();
    format!("[[accounts]]\nname = \"{name}\"\ntoken = \"token-of-{name}\"\nwallets = {{ {} }}\n", wallets.join(", "))
}

fn write(directory: &Path, text: &str) -> PathBuf {
    let path = directory.join("gateway.toml");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// The gateway with a configuration, on a port of its own; returns its base URL.
pub(crate) fn gateway(config: &Path, arguments: &[&str]) -> (Process, String) {
    let mut command = exporter();
    command.arg("gateway").arg("--config.file").arg(config).args(["--listen", "127.0.0.1:0"]).args(arguments);
    let mut process = Process::start(&mut command);
    let line = process.wait_for("address=");
    (process, format!("http://{}", line.split(' ').next().unwrap()))
}

/// A gateway with a fake pool behind it, and the directory of its configuration.
struct Served {
    pool: FakeApi,
    process: Process,
    url: String,
    directory: tempfile::TempDir,
}

impl Served {
    async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static, accounts: &str) -> Served {
        let pool = FakeApi::start(answer).await;
        let directory = tempfile::tempdir().unwrap();
        let config = write(directory.path(), &format!("{}{accounts}", pools(&pool.base_url)));
        let (process, url) = gateway(&config, &["--log.level", "trace"]);
        Served { pool, process, url, directory }
    }

    fn get(&self, path: &str, token: &str) -> Answer {
        get(&format!("{}{path}", self.url), &[("token", token)])
    }

    fn json(&self, path: &str, token: &str) -> Value {
        let answer = self.get(path, token);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        serde_json::from_str(&answer.text()).unwrap()
    }

    fn login(&self, fields: &Value) -> Answer {
        post(&format!("{}/1.0/auth/login", self.url), fields)
    }
}

/// The code of an error in either of the API's two shapes.
fn code(answer: &Answer) -> String {
    assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8", "{}", answer.text());
    let body: Value = serde_json::from_str(&answer.text()).unwrap();
    assert!(body["message"].is_string(), "{body}");
    body["error"].as_str().or(body["code"].as_str()).unwrap().to_owned()
}

fn with_password(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}
