//! Limits on clients, secrets in outputs, and signals.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;

use super::{Served, account, answer, code, with_password};
use crate::fake_api::{Asked, Reply};
use crate::process::{request, wait};
use crate::web::allow_many_connections;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_too_long_are_refused_in_the_api_s_shape() {
    let served = Served::start(answer, &account("rig", &["nodejs"])).await;
    let long = "x".repeat(9 << 10);
    let login = served.login(&with_password("rig@example.com", &long));
    assert_eq!((login.status, &*code(&login)), (413, "PayloadTooLarge"));
    let path = served.get(&format!("/1.0/{long}/status"), "");
    assert_eq!((path.status, &*code(&path)), (414, "URITooLong"));
    let token = served.get("/1.0/balance", &long);
    assert_eq!((token.status, &*code(&token)), (401, "TokenInvalid"));
    let method = request("DELETE", &format!("{}/1.0/balance", served.url), &[]);
    assert_eq!((method.status, &*code(&method)), (405, "MethodNotAllowed"));
    for (body, expected) in [("{", "InvalidContent"), ("[]", "MissingEmail"), ("", "MissingEmail")] {
        let mut stream = TcpStream::connect(served.url.trim_start_matches("http://")).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST /1.0/auth/login HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 400 ") && text.contains(expected), "{body}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_clients_do_not_keep_others_out() {
    allow_many_connections();
    let served = Served::start(answer, &account("rig", &["nodejs"])).await;
    let address = served.url.trim_start_matches("http://");
    let mut slow = Vec::new();
    for i in 0..600 {
        let mut stream = TcpStream::connect(address).unwrap();
        let begun: &[u8] = match i % 3 {
            0 => b"",
            1 => b"GET /1.0/balance HTTP/1.1\r\nhost: a\r\nto",
            _ => b"POST /1.0/auth/login HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{",
        };
        // The gateway may have closed it already, to accept a newer connection.
        let _ = stream.write_all(begun);
        slow.push(stream);
    }
    assert_eq!(served.json("/1.0/profile/nickname", "token-of-rig"), json!("rig"));
    assert_eq!(served.get("/1.0/balance", "token-of-rig").status, 200);
}

const ADDRESS: &str = "4PlantedAddressOfARigWithManyLettersToBeFoundInAnyOutput";

/// A pool that repeats the address wherever it can.
fn talkative(asked: &Asked) -> Reply {
    let error = json!({ "error": format!("no such thing as {ADDRESS}"), "message": "planted-message" });
    match asked.path.as_str() {
        path if path.contains("payments?") => Reply::new(500, error.to_string()),
        path if path.ends_with("network/stats") => Reply::new(200, error.to_string()),
        path if path.ends_with("allWorkers") => Reply::new(
            200,
            json!({ "global": { "hash": 1 }, ADDRESS: { "hash": 1 }, format!("rig@{ADDRESS}"): { "hash": 2 } }).to_string(),
        ),
        _ => answer(asked),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_an_answer_or_in_the_log() {
    let accounts = format!(
        "[[accounts]]\nname = \"rig\"\nemail = \"planted-user@example.com\"\npassword = \"planted-password\"\n\
         totp_secret = \"PLANTEDTOTPSECRET\"\nwallets = {{ nodejs = \"{ADDRESS}\" }}\n\
         [[accounts]]\nname = \"other\"\ntoken = \"planted-token\"\nwallets = {{ nodejs = \"{ADDRESS}\", ethereum = \"{ADDRESS}\" }}\n\
         [[accounts]]\nname = \"third\"\ntoken_file = \"planted-path\"\nwallet_files = {{ nodejs = \"planted-path\" }}\n"
    );
    let mut served = Served::start(talkative, &accounts).await;
    let mut outputs = Vec::new();
    for token in ["", "planted-token", "planted-tokem"] {
        for endpoint in minergate::endpoints::ENDPOINTS {
            let path = endpoint.path.replace("{currency}", "xmr");
            outputs.push(served.get(&path, token));
            if let Some(part) = endpoint.part {
                outputs.push(served.get(&part.replace("{currency}", ADDRESS).replace("{id}", ADDRESS), token));
            }
        }
    }
    for password in ["planted-password", "wrong"] {
        outputs.push(served.login(&with_password("planted-user@example.com", password)));
    }
    assert!(outputs.iter().any(|output| output.status == 503) && outputs.iter().any(|output| output.status == 200));
    let mut texts: Vec<String> = outputs.iter().map(|output| format!("{:?}\n{}", output.headers, output.text())).collect();
    served.process.signal("TERM");
    assert_eq!(served.process.exit_code(), Some(0));
    texts.push(served.process.output());
    assert!(texts.last().unwrap().contains("pool not read"), "{texts:?}");
    for text in &texts {
        for planted in ["planted", "PLANTED", &ADDRESS[..12]] {
            assert!(!text.contains(planted), "{planted} is in\n{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_the_gateway_and_sighup_does_not() {
    let mut served = Served::start(answer, &account("rig", &["nodejs"])).await;
    let silent = TcpStream::connect(served.url.trim_start_matches("http://")).unwrap();
    served.process.signal("HUP");
    served.process.wait_for("the gateway does not reload");
    assert_eq!(served.get("/1.0/balance", "token-of-rig").status, 200);
    served.process.signal("TERM");
    assert_eq!(wait("the end", || served.process.ended()).code(), Some(0));
    drop(silent);
    let log = served.process.output();
    for message in ["message=listening", "message=started", "message=stopped"] {
        assert_eq!(log.matches(message).count(), 1, "{log}");
    }
    assert!(log.contains("accounts=1"), "{log}");
}
