//! Answers in unusual bytes that real servers and proxies send: they are read if possible, and else reported. The built binary requests
//! them over HTTP.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use tokio::net::TcpListener;

use crate::process::{exporter, on_a_terminal};
use crate::scrape::Scrape;

type Bodies = BTreeMap<&'static str, Vec<u8>>;

/// An API that has fixed bytes for each path.
async fn serve(bodies: Bodies) -> String {
    async fn answer(State(bodies): State<Arc<Bodies>>, request: Request) -> (axum::http::StatusCode, Vec<u8>) {
        match bodies.get(request.uri().path()) {
            Some(body) => (axum::http::StatusCode::OK, body.clone()),
            None => (axum::http::StatusCode::NOT_FOUND, Vec::new()),
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(Arc::new(bodies));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// Runs a test with an API of these bodies and the configuration of an account there.
async fn with_api(bodies: Bodies, look: impl FnOnce(&Path) + Send + 'static) {
    let url = serve(bodies).await;
    let directory = tempfile::tempdir().unwrap();
    let config: PathBuf = directory.path().join("bytes.toml");
    let text = format!(
        "currencies = []\noptional_metrics = [\"minergate_pool_top_miner_info\"]\n[api]\nbase_url = \"{url}\"\n\
         requests_per_second = 1000\n[[accounts]]\nname = \"a\"\nemail = \"me@example.com\"\npassword = \"p\"\n"
    );
    std::fs::write(&config, text).unwrap();
    tokio::task::spawn_blocking(move || look(&config)).await.unwrap();
    drop(directory);
}

fn run(config: &Path, arguments: &[&str]) -> Output {
    exporter().args(arguments).arg("--config.file").arg(config).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A login's token, and a name with half a surrogate pair.
const TOKEN: &[u8] = br#"{"token": "t", "nickname": "joe\ud83d"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_text_or_number_does_not_spoil_the_answer() {
    let bodies: Bodies = [
        ("/1.0/auth/login", TOKEN.to_vec()),
        ("/1.0/profile/nickname", br#""joe\ud83d""#.to_vec()),
        ("/1.0/balance", b"\xef\xbb\xbf{\"xmr\": 1, \"bcn\": NaN, \"x\\udc00\": 5, \"fcn\": -Infinity}".to_vec()),
        (
            "/1.0/mining/stats",
            br#"{"xmr": {"hashrate": 5, "totalMined": NaN, "\ud83d": 1}, "paymentModels": {"xmr": "pps\ud83d", "bcn": "pps"}}"#.to_vec(),
        ),
        ("/1.0/workers", br#"{"xmr": {"hashrate": "\ud83d", "minersCount": 2}}"#.to_vec()),
        ("/1.0/transfers", br#"[{"cc": "xmr", "state": "\ud83d", "fromUserId": "\ud83d@x"}, {"cc": "xmr\ud83d"}]"#.to_vec()),
        ("/1.0/withdrawals", b"[{\"cc\": \"xmr\", \"status\": \"caf\xe9\"}, {\"cc\": \"bcn\", \"status\": \"pending\"}]".to_vec()),
        ("/1.0/invoices", br#"[{"cc": "xmr", "comment": "joe\ud83d", "status": "pending"}]"#.to_vec()),
        ("/1.0/affiliate/links", br#"{"/a/\ud83d": "\ud83d"}"#.to_vec()),
        ("/1.0/affiliate/childrens", br#"{"joe\ud83d@x": {"profits": {"xmr": 2, "\udc00": NaN}}}"#.to_vec()),
        ("/1.0/affiliate/profit", br#"{"xmr": 3, "\ud83d\ud83d": 4}"#.to_vec()),
        ("/1.0/pool/profit-rating", br#"["xmr", "\ud83d", "bcn"]"#.to_vec()),
        ("/1.0/pool/top/hashrate", br#"{"xmr": [{"hashrate": 9, "nickname": "\ud83djoe"}, {"hashrate": 8}]}"#.to_vec()),
    ]
    .into();
    with_api(bodies, |config| {
        let output = run(config, &["once"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let scrape = Scrape::read(text(&output.stdout));
        for (series, expected) in [
            ("minergate_account_info{account=\"a\",nickname=\"joe\u{fffd}\"}", 1.0),
            ("minergate_balance_coins{account=\"a\",currency=\"xmr\"}", 1.0),
            ("minergate_mining_hashrate_hashes_per_second{account=\"a\",currency=\"xmr\"}", 5.0),
            ("minergate_mining_payment_model_info{account=\"a\",currency=\"xmr\",model=\"other\"}", 1.0),
            ("minergate_mining_payment_model_info{account=\"a\",currency=\"bcn\",model=\"pps\"}", 1.0),
            ("minergate_workers{account=\"a\",currency=\"xmr\"}", 2.0),
            ("minergate_transfers{account=\"a\",currency=\"xmr\",direction=\"unknown\",state=\"other\"}", 1.0),
            ("minergate_withdrawals{account=\"a\",currency=\"xmr\",status=\"other\"}", 1.0),
            ("minergate_withdrawals{account=\"a\",currency=\"bcn\",status=\"pending\"}", 1.0),
            ("minergate_invoices{account=\"a\",currency=\"xmr\",status=\"pending\"}", 1.0),
            ("minergate_affiliate_links{account=\"a\"}", 1.0),
            ("minergate_affiliate_children_profit_coins{account=\"a\",currency=\"xmr\"}", 2.0),
            ("minergate_affiliate_profit_coins_total{account=\"a\",currency=\"xmr\"}", 3.0),
            ("minergate_pool_profit_rank{currency=\"bcn\"}", 3.0),
            ("minergate_pool_top_miner_info{currency=\"xmr\",rank=\"1\",nickname=\"\u{fffd}joe\"}", 1.0),
            ("minergate_pool_top_hashrate_hashes_per_second{currency=\"xmr\",rank=\"2\"}", 8.0),
        ] {
            assert_eq!(scrape.get(series), Some(expected), "{series} in\n{}", text(&output.stdout));
        }
        for absent in
            ["balance_coins{account=\"a\",currency=\"bcn\"", "balance_coins{account=\"a\",currency=\"fcn\"", "mined_coins"]
        {
            assert!(!scrape.0.keys().any(|series| series.contains(absent)), "{absent}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_name_the_encoding_that_can_t_be_read() {
    let bodies: Bodies = [
        ("/1.0/auth/login", TOKEN.to_vec()),
        ("/1.0/balance", b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xab\xae\x05\0\x43\xbf\xa6\xa3\x02\0\0\0".to_vec()),
        ("/1.0/workers", b"\xff\xfe{\0}\0".to_vec()),
        ("/1.0/mining/stats", br#"{"error": "ApiDisc\u006fntinued", "message": "\ud83d"}"#.to_vec()),
        ("/1.0/transfers", b"\xef\xbb\xbf{\"code\": \"TokenInvalid\"}".to_vec()),
        ("/1.0/withdrawals", b"[nan".to_vec()),
    ]
    .into();
    with_api(bodies, |config| {
        for (method, expected) in [
            (
                "balance",
                "the answer is compressed with gzip, which was not asked for; is there a proxy in front of the API?",
            ),
            ("workers", "the answer is UTF-16 or UTF-32, and JSON is UTF-8; is there a proxy in front of the API?"),
            ("mining_stats", "the API says that it is discontinued; is api.base_url right?"),
            ("transfers", "the API refused the token (HTTP 200)"),
            ("withdrawals", "the answer is not of the documented shape (line 1, column 5)"),
        ] {
            let output = run(config, &["query", method]);
            let said = text(&output.stderr).trim_end();
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.ends_with(&format!(": {method} of a: {expected}")), "{said}");
        }
    })
    .await;
}

/// Characters that move a terminal's cursor or reorder or break its lines, in texts and between values.
const FORGED: &str = "[{\"cc\": \"xmr\u{202e}\u{2028}\u{9b}2J\",\r\"\u{2067}amount\u{85}\": \"\\u001b]0;x\\u0007\", \"id\": \"\\u2029\u{7f}\"}]";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_characters_of_an_answer_do_not_reach_the_terminal() {
    let bodies: Bodies = [("/1.0/auth/login", TOKEN.to_vec()), ("/1.0/transfers", FORGED.as_bytes().to_vec())].into();
    with_api(bodies, |config| {
        for format in ["text", "json"] {
            let mut command = exporter();
            command.args(["query", "transfers", "--format", format, "--config.file"]).arg(config).env("NO_COLOR", "1");
            // The terminal ends each line with both.
            let shown = on_a_terminal(command).replace("\r\n", "\n");
            let forbidden =
                |c: char| c != '\n' && c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            assert!(!shown.contains(forbidden), "{format}: {shown:?}");
            assert!(shown.contains("xmr") && shown.contains("amount"), "{format}: {shown:?}");
            if format == "json" {
                let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
                assert_eq!(value(&shown), value(FORGED), "the value is another one");
            }
        }
        let output = run(config, &["query", "transfers"]);
        assert_eq!(text(&output.stdout), format!("{FORGED}\n"), "a pipe gets the answer to the letter");
    })
    .await;
}
