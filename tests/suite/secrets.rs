//! Planted secrets and personal data, searched for in everything that comes out, at the chattiest log level.

use crate::fake_api::FakeApi;
use crate::process::{daemon, exporter, get, wait};

const PLANTED: &[&str] = &[
    "planted-password",
    "planted-token",
    "planted-login",
    "PLANTEDTOTPSECRET",
    "planted-user@example.com",
    "planted-other@example.com",
    "planted-address",
    "planted-hash",
    "planted-payment",
    "planted-comment",
    "planted-link",
    "planted-message",
];

fn answer(path: &str) -> (u16, String) {
    let entry = r#"[{"cc": "xmr", "amount": 1, "fee": 0, "created": 1, "state": "planted-message", "status": "planted-message",
        "fromUserId": "planted-user@example.com", "toUserId": "planted-other@example.com", "address": "planted-address",
        "transactionHash": "planted-hash", "paymentId": "planted-payment", "comment": "planted-comment"}]"#;
    let body = match path {
        "/1.0/auth/login" => r#"{"token": "planted-login"}"#,
        "/1.0/transfers" | "/1.0/withdrawals" | "/1.0/invoices" => entry,
        "/1.0/affiliate/links" => r#"{"planted-link": "planted-link"}"#,
        "/1.0/affiliate/childrens" => r#"{"planted-other@example.com": {"registered": 1, "token": "planted-link"}}"#,
        "/1.0/profile/nickname" => r#""planted-user@example.com""#,
        "/1.0/balance" => r#"{"xmr": 1, "planted-user@example.com": 5, "planted-hash planted-hash": 5}"#,
        "/1.0/workers" => return (500, r#"{"error": "planted-message", "message": "planted-user@example.com"}"#.to_owned()),
        "/1.0/mining/stats" => "\"planted-message\"",
        "/1.0/pool/profit-rating" => return (200, r#"{"code": "planted-message", "message": "planted-token"}"#.to_owned()),
        "/1.0/pool/top/hashrate" => return (302, "@location: http://planted-link.example.com/planted-token\n".to_owned()),
        _ => return (404, "planted-message".to_owned()),
    };
    (200, body.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_secret_or_personal_comes_out() {
    let api = FakeApi::start(|asked| answer(&asked.path)).await;
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("c.toml");
    let text = format!(
        "[api]\nbase_url = \"{}\"\n[[accounts]]\nname = \"a\"\nemail = \"planted-user@example.com\"\n\
         password = \"planted-password\"\ntotp_secret = \"PLANTEDTOTPSECRET\"\n\
         [[accounts]]\nname = \"b\"\nemail = \"planted-user@example.com\"\ntoken = \"planted-token\"\n",
        api.base_url
    );
    std::fs::write(&config, &text).unwrap();
    let outputs = tokio::task::spawn_blocking(move || {
        let mut outputs = Vec::new();
        for format in ["logfmt", "json"] {
            let (mut daemon, url) = daemon(&config, &["--log.level", "trace", "--log.format", format]);
            let metrics = wait("all endpoints tried", || {
                let text = get(&format!("{url}/metrics"), &[]).text();
                let tried = |name: &str| {
                    text.contains(&format!("minergate_api_request_duration_seconds_count{{endpoint=\"{name}\"}} 0"))
                };
                let names = ["nickname", "affiliate_childrens", "top_hashrate", "invoices", "status"];
                let read = text.contains("minergate_account_info{account=\"a\",nickname=\"hidden\"} 1");
                (read && names.iter().all(|name| !tried(name))).then_some(text)
            });
            outputs.push(("metrics", metrics));
            for (page, path) in
                [("status page", "/"), ("status", "/api/v1/status"), ("targets", "/sd"), ("readiness", "/-/ready")]
            {
                outputs.push((page, get(&format!("{url}{path}"), &[]).text()));
            }
            daemon.signal("TERM");
            daemon.exit_code();
            outputs.push(("log", daemon.output()));
        }
        let check = exporter().arg("check").arg("--config.file").arg(&config).output().unwrap();
        outputs.push(("check", String::from_utf8(check.stdout).unwrap()));
        outputs
    })
    .await
    .unwrap();
    assert!(!api.asked("/1.0/auth/login").is_empty());
    for (what, output) in outputs {
        assert!(!output.is_empty(), "{what}");
        for planted in PLANTED {
            assert!(!output.contains(planted), "{planted} is in the {what}:\n{output}");
        }
    }
}

#[test]
fn a_secret_does_not_print_itself() {
    let text = "[[accounts]]\nname = \"a\"\nemail = \"e@x\"\npassword = \"planted-password\"\ntotp_secret = \"PLANTEDTOTPSECRET\"\n";
    let sources = minergate_exporter::config::Sources { text: Some(text), ..Default::default() };
    let config = minergate_exporter::config::Config::load(sources).unwrap();
    let printed = format!("{config:?} {config:#?}");
    assert!(printed.contains("accounts") && !PLANTED.iter().any(|planted| printed.contains(planted)), "{printed}");
}
