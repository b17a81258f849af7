//! The simulator's faults, over a socket: each does what its line in the table says.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use minergate_simulator::FAULTS;
use serde_json::{Value, json};

use crate::process::{PATIENCE, Process, exporter, get, request, simulator, wait};

/// More bytes than any answer that ends.
const ENOUGH: usize = 4 << 20;

/// The bytes of a connection, and how it ended.
struct Raw {
    head: String,
    body: Vec<u8>,
    end: Option<ErrorKind>,
}

impl Raw {
    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).map_or(0, |status| status.parse().unwrap())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().filter_map(|line| line.split_once(": ")).find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    /// The code of an error, in either shape.
    fn code(&self) -> String {
        let json = self.json();
        json.get("error").or(json.get("code")).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// Sends one request, and reads until the connection ends or the limit is reached.
fn raw(address: &str, method: &str, path: &str, token: &str, body: &str) -> Raw {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: pool\r\nconnection: close\r\ntoken: {token}\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    let end = loop {
        match stream.read(&mut buffer) {
            Ok(0) => break None,
            Ok(_) if bytes.len() > ENOUGH => break None,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) => break Some(error.kind()),
        }
    };
    let _ = stream.shutdown(Shutdown::Both);
    let split = bytes.windows(4).position(|part| part == b"\r\n\r\n").map_or(bytes.len(), |end| end + 4);
    let body = bytes.split_off(split);
    Raw { head: String::from_utf8(bytes).unwrap(), body, end }
}

/// A simulator whose faults are changed while it runs.
struct Pool {
    process: Process,
    address: String,
    token: String,
    login: String,
    /// The address of the simulated wallet.
    wallet: String,
}

impl Pool {
    fn start(arguments: &[&str]) -> Pool {
        let directory = tempfile::tempdir().unwrap();
        let (process, config) = simulator(directory.path(), &[arguments, &["--wallets", "1"]].concat());
        let config: toml::Table = std::fs::read_to_string(config).unwrap().parse().unwrap();
        let text = |value: &toml::Value| value.as_str().unwrap().to_owned();
        let accounts = &config["accounts"];
        let login = json!({ "email": text(&accounts[0]["email"]), "password": text(&accounts[0]["password"]) });
        Pool {
            process,
            address: text(&config["api"]["base_url"]).trim_start_matches("http://").to_owned(),
            token: text(&accounts[2]["token"]),
            login: login.to_string(),
            wallet: text(&accounts[3]["wallets"]["simulated"]),
        }
    }

    fn put(&self, rule: &str) {
        let answer = raw(&self.address, "PUT", "/-/faults", "", &json!([rule]).to_string());
        assert_eq!(answer.status(), 200, "{rule}: {}", answer.text());
    }

    fn get(&self, path: &str) -> Raw {
        raw(&self.address, "GET", path, &self.token, "")
    }

    fn log_in(&self) -> Raw {
        raw(&self.address, "POST", "/1.0/auth/login", "", &self.login)
    }
}

/// Whether any value in it matches.
fn any(value: &Value, so: &impl Fn(&Value) -> bool) -> bool {
    so(value)
        || match value {
            Value::Array(entries) => entries.iter().any(|entry| any(entry, so)),
            Value::Object(fields) => fields.values().any(|field| any(field, so)),
            _ => false,
        }
}

fn is_number(value: &Value) -> bool {
    value.is_number() || value.as_str().is_some_and(|text| text.parse::<f64>().is_ok_and(f64::is_finite))
}

/// Checks the effect of a fault by its name. `answer` belongs to a read, or to a login if the fault is one of logins.
fn check(name: &str, answer: &Raw, documented: &Value) {
    let (status, text) = (answer.status(), answer.text());
    let says = |expected: u16, code: &str| assert_eq!((status, answer.code().as_str()), (expected, code), "{name}");
    let is_html = || text.starts_with("<html>") && answer.header("content-type") == Some("text/html; charset=utf-8");
    let size = || answer.header("content-length").unwrap().parse::<usize>().unwrap();
    let nothing = || answer.head.is_empty() && text.is_empty() && answer.end == Some(ErrorKind::ConnectionReset);
    match name {
        "latency" | "slow-body" => assert_eq!((status, &answer.json()), (200, documented), "{name}"),
        "timeout" | "reset" => assert!(nothing(), "{name}: {}{text} {:?}", answer.head, answer.end),
        "429" => {
            says(429, "TooManyRequests");
            assert_eq!(answer.header("retry-after"), Some("30"));
        }
        "429-date" => {
            says(429, "TooManyRequests");
            let date = answer.header("retry-after").unwrap();
            let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).unwrap();
            let seconds = date.duration_since(jiff::Timestamp::now()).as_secs();
            assert!((-60..=31).contains(&seconds) && answer.header("retry-after").unwrap().ends_with(" GMT"), "{seconds}");
        }
        "500" => says(500, "InternalError"),
        "502" => assert!(status == 502 && is_html()),
        "503" => assert!(status == 503 && is_html() && answer.header("retry-after") == Some("30")),
        "html" => assert!(status == 200 && is_html()),
        "truncated" => {
            assert_eq!((status, answer.body.len()), (200, size() / 2));
            assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
        }
        "endless" => assert!(status == 200 && answer.body.len() >= ENOUGH && answer.header("content-length").is_none()),
        "wrong-types" => assert_eq!((status, &answer.json()[0]), (200, &json!([documented["aeon"]])), "{text}"),
        "missing-fields" => {
            let fields = answer.json().as_object().unwrap().len();
            assert!(status == 200 && fields < documented.as_object().unwrap().len(), "{text}");
        }
        "nulls" => {
            let left = |value: &Value| !value.is_null() && !value.is_object();
            assert!(status == 200 && answer.json().get("bcn").is_some() && !any(&answer.json(), &left), "{text}");
        }
        "nan" => assert!(status == 200 && answer.json().get("bcn").is_some() && !any(&answer.json(), &is_number), "{text}"),
        "deep" => assert!(status == 200 && text.starts_with(&"[".repeat(100_000)) && text.ends_with(&"]".repeat(100_000))),
        "huge-list" => assert_eq!((status, answer.json().as_array().unwrap().len()), (200, 200_000)),
        "many-currencies" => assert!(status == 200 && answer.json()["fake4999"] == documented["aeon"]),
        "hostile-labels" => {
            let json = answer.json();
            assert!(status == 200 && json["bcn"] == documented["bcn"] && json["nul\0nul"] == documented["aeon"], "{text}");
            assert!(json.as_object().unwrap().keys().any(|key| key.contains("\n# EOF\n")));
        }
        "frozen" => assert_eq!((status, &answer.json()), (200, documented)),
        "correction" => {
            let mined = |json: &Value| json["bcn"]["totalMined"].as_f64().unwrap();
            let (before, after) = (mined(documented), mined(&answer.json()));
            assert!(status == 200 && (0.99 * before..before).contains(&after), "{after}");
            assert_eq!((&answer.json()["timestamp"], status), (&documented["timestamp"], 200));
        }
        "counter-reset" => {
            let bcn = &answer.json()["bcn"];
            assert_eq!((bcn["totalMined"].as_f64(), bcn["shares"]["good"].as_u64(), status), (Some(0.0), Some(0), 200));
            assert_eq!(bcn["hashrate"], documented["bcn"]["hashrate"]);
        }
        "expired-token" => says(401, "TokenInvalid"),
        "forbidden" => says(403, "Forbidden"),
        "wrong-password" => says(400, "WrongEmailOrPassword"),
        "totp-required" => says(400, "TotpRequired"),
        "captcha" => says(400, "CaptchaRequired"),
        "login-internal" => {
            says(500, "InternalError");
            assert_eq!(answer.json()["message"], "Cannot read property 'send' of undefined");
        }
        "discontinued" => {
            says(410, "ApiDiscontinued");
            assert_eq!(answer.json()["message"], "");
        }
        "error-200" => says(200, "ValidationError"),
        "redirect" => {
            assert_eq!((status, answer.header("location")), (302, Some("http://redirect.invalid/1.0/")));
        }
        "wallet-unknown" => {
            assert!(documented["hash"].is_number(), "{documented}");
            assert_eq!((status, &answer.json()["hash"], &answer.json()["amtDue"]), (200, &json!(false), &json!(0)));
        }
        other => panic!("the fault {other} has no test"),
    }
}

#[test]
fn each_fault_has_only_its_documented_effect() {
    let pool = Pool::start(&["--documented"]);
    let wallet = format!("/nodejs-pool/miner/{}/stats", pool.wallet);
    for fault in FAULTS {
        let login_alone = ["wrong-password", "totp-required", "captcha", "login-internal"].contains(&fault.name);
        let of_counters = ["correction", "counter-reset"].contains(&fault.name);
        let (place, path) = match fault.name {
            _ if of_counters => ("mining_stats", "/1.0/mining/stats"),
            _ if login_alone => ("login", ""),
            "wallet-unknown" => ("wallet_stats", wallet.as_str()),
            _ => ("balance", "/1.0/balance"),
        };
        let documented = if login_alone { Value::Null } else { pool.get(path).json() };
        // The times of faults are short, except for those that the answer only names.
        let time = match fault.name {
            "latency" | "timeout" => "=300ms",
            "slow-body" => "=1ms",
            _ => "",
        };
        pool.put(&format!("{place}/{}{time}", fault.name));
        let began = tokio::time::Instant::now();
        let answer = if login_alone { pool.log_in() } else { pool.get(path) };
        let least = if time == "=300ms" { 300 } else { 0 };
        assert!(began.elapsed().as_millis() >= least, "{}: {:?}", fault.name, began.elapsed());
        check(fault.name, &answer, &documented);
        // Other endpoints have no fault.
        assert_eq!(pool.get("/1.0/workers").status(), 200, "{}", fault.name);
        assert_eq!(if login_alone { pool.get("/1.0/balance") } else { pool.log_in() }.status(), 200, "{}", fault.name);
        pool.put("latency:0");
    }
}

#[test]
fn a_wallet_s_answers_can_have_faults_of_the_connection_and_no_page_has_its_address() {
    let pool = Pool::start(&[]);
    let address = pool.wallet.as_str();
    for rule in ["latency=1ms", "slow-body=1ms", "reset", "timeout=1ms", "truncated", "endless", "html", "503"] {
        pool.put(&format!("wallet_workers/{rule}@rig-1"));
        let answer = pool.get(&format!("/nodejs-pool/miner/{address}/stats/allWorkers"));
        if answer.text().ends_with("}}") && answer.status() == 200 {
            assert!(rule.ends_with("=1ms") && answer.json()["rig-a"]["validShares"].is_u64(), "{rule}");
        } else {
            check(rule.split('=').next().unwrap(), &answer, &Value::Null);
        }
        assert_eq!(pool.get(&format!("/nodejs-pool/miner/{address}/stats")).json()["identifier"], "global", "{rule}");
    }
    let pages = ["/-/requests", "/-/faults", "/nodejs-pool/pool/stats"].map(|path| pool.get(path).text());
    let requests: Value = serde_json::from_str(&pages[0]).unwrap();
    assert_eq!(requests[0], json!({ "account": "rig-1", "endpoint": "wallet_stats", "outcome": "200", "count": 8 }));
    let output = pool.process.output();
    assert!(output.contains(" is at ") && !output.contains(address) && pages.iter().all(|page| !page.contains(address)));
}

#[test]
fn a_silent_request_stays_silent_and_does_not_hold_up_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let (mut process, _) = simulator(directory.path(), &["--fault", "timeout"]);
    let output = process.output();
    let address = output.split("http://").nth(1).unwrap().trim();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /1.0/xmr/status HTTP/1.1\r\nhost: pool\r\n\r\n").unwrap();
    let asked = || get(&format!("http://{address}/-/requests"), &[]).text();
    wait("the request", || asked().contains("\"outcome\":\"timeout\"").then_some(()));
    stream.set_read_timeout(Some(std::time::Duration::from_millis(100))).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    process.signal("TERM");
    assert_eq!(process.exit_code(), Some(0));
}

#[test]
fn rules_of_the_command_line_are_in_force_until_they_are_removed() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--fault", "status/503", "--fault", "login/captcha:0.5@farm-2"];
    let (process, _) = simulator(directory.path(), &arguments);
    let output = process.output();
    let url = output.split_once(" is at ").unwrap().1.trim();
    let status = || get(&format!("{url}/1.0/xmr/status"), &[]).status;
    assert_eq!((status(), get(&format!("{url}/1.0/pool/profit-rating"), &[]).status), (503, 200));
    let shown: Value = serde_json::from_slice(&get(&format!("{url}/-/faults"), &[]).body).unwrap();
    assert_eq!(shown["rules"][1]["rule"], "login/captcha:0.5@farm-2");
    assert_eq!(request("DELETE", &format!("{url}/-/faults"), &[]).status, 200);
    assert_eq!(status(), 200);
}

#[test]
fn a_wrong_rule_is_an_error() {
    for (rule, code, sentence) in [
        ("capcha", 2, "unknown fault `capcha`; did you mean `captcha`?"),
        ("500@farm-4", 1, "error: --fault: there is no account `farm-4`; accounts are farm-1 to farm-3"),
    ] {
        let mut process = Process::start(exporter().args(["simulate", "--listen", "127.0.0.1:0", "--fault", rule]));
        assert_eq!(process.exit_code(), Some(code), "{rule}");
        wait(sentence, || process.output().contains(sentence).then_some(()));
    }
}
