//! Tests of the simulator from the view of its clients: requests and responses, without a socket.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{Method, header};
use minergate::endpoints::{ENDPOINTS, Endpoint, Scope};
use serde::Deserialize;
use serde_json::json;
use tower::ServiceExt;

use super::*;

const FORM: &str = "application/x-www-form-urlencoded";

struct Pool(Router);

#[derive(Deserialize)]
struct ExporterConfig {
    api: Value,
    accounts: Vec<Value>,
}

fn pool(documented: bool) -> Pool {
    Pool(Simulator::new(Config { documented, ..Config::default() }).router())
}

fn credentials_of(user: u64) -> credentials::SimulatedCredentials {
    credentials::of(&Simulator::new(Config::default()).world, user)
}

fn password(user: u64) -> String {
    credentials_of(user).password.unwrap()
}

impl Pool {
    async fn send(&self, request: axum::http::request::Builder, body: String) -> (u16, String) {
        let response = self.0.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json; charset=utf-8");
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn request(&self, method: Method, path: &str) -> (u16, String) {
        let token = credentials_of(2).token.unwrap();
        let request = Request::builder().method(method).uri(path).header("token", token);
        self.send(request.header(header::CONTENT_TYPE, "application/json"), String::new()).await
    }

    async fn get(&self, path: &str) -> (u16, String) {
        self.request(Method::GET, path).await
    }

    async fn login(&self, content_type: &str, body: String) -> (u16, Value) {
        let request = Request::post("/1.0/auth/login").header(header::CONTENT_TYPE, content_type);
        let (status, body) = self.send(request, body).await;
        (status, serde_json::from_str(&body).unwrap())
    }
}

/// Every path of the table, and one of each `part` path.
fn paths() -> impl Iterator<Item = (&'static Endpoint, String)> {
    ENDPOINTS.iter().flat_map(|endpoint| {
        let paths = [Some(endpoint.path), endpoint.former_path, endpoint.part.filter(|part| !part.contains("{id}"))];
        paths.into_iter().flatten().map(move |path| (endpoint, path.replace("{currency}", "xmr")))
    })
}

#[tokio::test]
async fn every_path_is_answered_with_and_without_a_slash_and_to_head() {
    for documented in [false, true] {
        let pool = pool(documented);
        for (_, path) in paths() {
            assert_eq!(pool.get(&path).await.0, 200, "{path}");
            assert_eq!(pool.get(&format!("{path}/")).await.0, 200, "{path}/");
            assert_eq!(pool.request(Method::HEAD, &path).await, (200, String::new()), "{path}");
        }
    }
}

#[tokio::test]
async fn the_documented_answers_are_the_samples_byte_for_byte() {
    let pool = pool(true);
    for (endpoint, path) in paths().filter(|(endpoint, path)| endpoint.part.is_none_or(|_| path == endpoint.path)) {
        assert_eq!(pool.get(&path).await, (200, endpoint.sample.to_owned()), "{path}");
    }
    let (status, invoice) = pool.get("/1.0/invoices/44872a9e0dbb66fa5b5782cfef36f5b4bcdfba43").await;
    assert!(status == 200 && minergate::endpoints::find("invoices").unwrap().sample.contains(&invoice));
    assert_eq!(serde_json::from_str::<Value>(&pool.get("/1.0/transfers/bcn").await.1).unwrap()[0]["amount"], 700);
    assert_eq!(pool.get("/1.0/transfers/xmr").await, (200, "[]".to_owned()));
    for (list, sum) in [("transfers", 710.0), ("withdrawals", 3.8)] {
        let (_, body) = pool.get(&format!("/1.0/{list}/xdn/")).await;
        let entries: Vec<Value> = serde_json::from_str(&body).unwrap();
        assert!(entries.iter().all(|entry| entry["cc"] == "xdn"), "{body}");
        assert!((entries.iter().map(|entry| entry["amount"].as_f64().unwrap()).sum::<f64>() - sum).abs() < 1e-9, "{body}");
    }
}

#[tokio::test]
async fn an_unknown_path_is_an_error_in_json() {
    for documented in [false, true] {
        let pool = pool(documented);
        let unknown = ["/1.0/invoices/none", "/1.0/transfers/X%21", "/1.0/transfers/%FF"];
        for path in unknown.into_iter().chain((!documented).then_some("/1.0/nothing/status")) {
            let (status, body) = pool.get(path).await;
            assert_eq!((status, body.contains(r#""error":"NotFound""#)), (404, true), "{path}: {body}");
        }
        for path in ["/", "/1.0/", "/1.0/balance/xmr", "/2.0/balance", "/%22"] {
            let (status, body) = pool.get(&format!("{path}?key=value")).await;
            let expected = json!({ "code": "ResourceNotFound", "message": format!("{path} does not exist") });
            assert_eq!((status, body), (404, expected.to_string()));
        }
        for (method, path) in [(Method::POST, "/1.0/balance"), (Method::GET, "/1.0/auth/login")] {
            let expected = json!({ "code": "MethodNotAllowed", "message": format!("{method} is not allowed") });
            assert_eq!(pool.request(method, path).await, (405, expected.to_string()), "{path}");
        }
    }
}

#[tokio::test]
async fn account_endpoints_need_a_token() {
    let pool = pool(false);
    for (endpoint, path) in paths() {
        for (token, code) in [(None, "MissingToken"), (Some(""), "MissingToken"), (Some("wrong"), "TokenInvalid")] {
            let mut request = Request::get(&path);
            if let Some(token) = token {
                request = request.header("token", token);
            }
            let (status, body) = pool.send(request, String::new()).await;
            if endpoint.scope == Scope::Account {
                let body: Value = serde_json::from_str(&body).unwrap();
                assert_eq!((status, body["error"].as_str()), (401, Some(code)), "{path}");
            } else {
                assert_eq!(status, 200, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn a_login_is_taken_as_json_and_as_a_form() {
    let pool = pool(false);
    let password = password(0);
    let json = json!({ "email": "farm-1@example.com", "password": password }).to_string();
    let form = format!("email=farm-1%40example.com&password={password}&totp=");
    for (content_type, body) in [("application/json", &json), ("text/plain", &json), (FORM, &form)] {
        let (status, answer) = pool.login(content_type, body.clone()).await;
        assert_eq!(status, 200, "{content_type}");
        let request = Request::get("/1.0/profile/nickname").header("token", answer["token"].as_str().unwrap());
        assert_eq!(pool.send(request, String::new()).await, (200, r#""pickaxe-1""#.to_owned()));
    }
}

#[tokio::test]
async fn a_refused_login_says_why() {
    let pool = pool(false);
    let json = |email: &str, password: String| json!({ "email": email, "password": password }).to_string();
    for (body, code) in [
        (json("farm-1@example.com", "wrong".to_owned()), "WrongEmailOrPassword"),
        (json("nobody@example.com", password(0)), "WrongEmailOrPassword"),
        (json("farm-2@example.com", password(1)), "TotpRequired"),
    ] {
        let (status, answer) = pool.login("application/json", body).await;
        assert_eq!((status, answer["error"].as_str()), (400, Some(code)));
    }
    let missing = json!({ "error": "MissingEmail", "message": "User email must be specified.", "argument": "email" });
    for body in [json("", password(0)), r#"{"password": "a"}"#.to_owned(), String::new(), "\n".to_owned(), "[]".to_owned()] {
        assert_eq!(pool.login("application/json", body).await, (400, missing.clone()));
    }
    for body in ["", "password=a", "email=&password=a"] {
        assert_eq!(pool.login(FORM, body.to_owned()).await, (400, missing.clone()), "{body}");
    }
    let framework = |status: u16, (actual, answer): (u16, Value), code: &str| {
        assert_eq!((actual, answer["code"].as_str(), answer.get("error")), (status, Some(code), None));
    };
    for body in ["{", "email"] {
        framework(400, pool.login("application/json", body.to_owned()).await, "InvalidContent");
    }
    framework(413, pool.login("application/json", " ".repeat(4 << 20)).await, "RequestEntityTooLarge");
    framework(413, pool.login(FORM, "a=".repeat(4 << 20)).await, "RequestEntityTooLarge");
}

#[tokio::test]
async fn a_part_of_the_withdrawals_has_transaction_id_and_the_whole_list_has_transaction_id_hash() {
    for documented in [false, true] {
        let pool = pool(documented);
        let list = async |path: &str| -> Vec<Value> { serde_json::from_str(&pool.get(path).await.1).unwrap() };
        let whole = list("/1.0/withdrawals").await;
        assert!(!whole.is_empty());
        for entry in &whole {
            assert!(entry["transactionIdHash"].is_string() && entry.get("transactionId").is_none());
            let part = list(&format!("/1.0/withdrawals/{}", entry["cc"].as_str().unwrap())).await;
            assert!(part.iter().all(|part| part["transactionId"].is_string() && part.get("transactionIdHash").is_none()));
            assert!(part.iter().any(|part| part["transactionId"] == entry["transactionIdHash"]));
        }
    }
}

#[tokio::test]
async fn a_balance_names_every_coin() {
    let (_, body) = pool(false).get("/1.0/balance").await;
    let balance: std::collections::BTreeMap<String, String> = serde_json::from_str(&body).unwrap();
    assert!(balance.keys().map(String::as_str).eq(minergate::currency::CURRENCIES.iter().map(|(code, ..)| *code)), "{body}");
    let nothing = balance.values().filter(|amount| *amount == "0").count();
    assert!((11..=14).contains(&nothing) && balance.values().all(|amount| amount.parse::<f64>().is_ok()), "{body}");
}

#[tokio::test]
async fn a_totp_code_of_the_exporter_s_configuration_gets_in_once() {
    let simulator = Simulator::new(Config::default());
    let config: ExporterConfig = toml::from_str(&simulator.exporter_config("http://127.0.0.1:1")).unwrap();
    let secret = config.accounts[1]["totp_secret"].as_str().unwrap().to_owned();
    assert_eq!(secret.len(), 32, "160 bits in base32");
    let totp = totp_rs::Builder::new().with_secret(totp_rs::Secret::try_from_base32(secret).unwrap()).build_noncompliant();
    let code = totp.generate(unix_time().as_secs());
    let form = format!("email=farm-2@example.com&password={}&totp={code}", password(1));
    let pool = Pool(simulator.router());
    assert_eq!(pool.login(FORM, form.clone()).await.0, 200);
    let (status, answer) = pool.login(FORM, form).await;
    assert_eq!((status, answer["error"].as_str()), (400, Some("WrongTotp")));
}

#[test]
fn the_exporter_s_configuration_has_all_accounts() {
    let simulator = Simulator::new(Config { accounts: 7, wallets: 2, ..Config::default() });
    let config: ExporterConfig = toml::from_str(&simulator.exporter_config("http://127.0.0.1:10188")).unwrap();
    assert_eq!(config.api["base_url"], "http://127.0.0.1:10188");
    let secrets = |account: &Value| ["password", "totp_secret", "token"].map(|key| account.get(key).is_some());
    let password = [true, false, false];
    let ways: Vec<_> = config.accounts[..4].iter().map(secrets).collect();
    assert_eq!(ways, [password, [true, true, false], [false, false, true], password]);
    assert_eq!((config.accounts.len(), &config.accounts[6]["email"]), (9, &Value::from("farm-7@example.com")));
    let names = config.accounts[7..].iter().map(|account| account["name"].as_str());
    assert!(names.eq(["rig-1", "rig-2"].map(Some)) && config.accounts[8].get("email").is_none());
    let text = Simulator::new(Config { wallets: 0, ..Config::default() }).exporter_config("http://127.0.0.1:10188");
    assert!(!text.contains("pools") && !text.contains("wallets"), "{text}");
}

#[tokio::test]
async fn it_serves_until_told_to_end() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(Simulator::new(Config::default()).serve(listener, async move { ended.await.unwrap_or(()) }));
    let _silent = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /1.0/xmr/status HTTP/1.1\r\nhost: pool\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    end.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(10), serving).await.expect("it ends").unwrap().unwrap();
}
