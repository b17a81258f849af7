//! Keys in environment variables.

use std::collections::BTreeSet;
use std::ffi::OsString;

use minergate::api::{Credentials, Secret};
use minergate::endpoints::ENDPOINTS;
use minergate_exporter::config::{Config, Sources};

use super::{BASE_URL, environment, token};

#[test]
fn the_environment_comes_after_the_file() {
    let variables = environment(&[
        ("MINERGATE_EXPORTER__API__TIMEOUT", "3s"),
        ("MINERGATE_EXPORTER__API__REQUESTS_PER_SECOND", "7"),
        ("MINERGATE_EXPORTER__POLL__WORKERS", "off"),
        ("MINERGATE_EXPORTER__CURRENCIES", "[xmr,bcn]"),
        // A password of digits stays text.
        ("MINERGATE_EXPORTER__ACCOUNTS__MY_FARM__PASSWORD", "007"),
        ("MINERGATE_EXPORTER__ACCOUNTS__new__TOKEN", "123"),
        ("MINERGATE_EXPORTER__ACCOUNTS__NEW__ENDPOINTS", "[balance]"),
        // Kubernetes sets the first for a Service of that name; other programs use the second. Both are ignored.
        ("MINERGATE_EXPORTER_PORT", "tcp://10.0.0.1:10187"),
        ("MINERGATE_EXPORTER_CONFIG", "x"),
    ]);
    let text = "[api]\nbase_url = \"http://127.0.0.1:1\"\ntimeout = \"1s\"\n[[accounts]]\nname = \"my farm\"\nemail = \"me@example.com\"\npassword_file = \"gone\"\n";
    let config = Config::load(Sources { text: Some(text), environment: variables, ..Sources::default() }).unwrap();
    let api = config.api.unwrap();
    assert_eq!((api.timeout.as_secs(), api.requests_per_second.to_string().as_str()), (3, "7"));
    assert_eq!(config.plan.intervals.get(&ENDPOINTS[0]), None);
    assert_eq!(config.plan.currencies.as_ref().map(BTreeSet::len), Some(2));
    let (farm, new) = (&config.plan.accounts[0], &config.plan.accounts[1]);
    assert_eq!((&**farm.0.name(), &**new.0.name(), config.plan.accounts.len()), ("my farm", "new", 2));
    let password = Secret::of_text("007").unwrap();
    assert_eq!(*farm.0.credentials(), Credentials::Password { email: "me@example.com".to_owned(), password, totp: None });
    assert_eq!(*new.0.credentials(), token("123"));
    assert_eq!(new.1.as_deref(), Some(&["balance".to_owned()][..]));
}

#[test]
fn lists_in_the_environment_need_no_brackets() {
    for list in ["xmr,bcn", " xmr , bcn\n", "[\"xmr\", \"bcn\"]", "[xmr,bcn]"] {
        let variables = environment(&[
            BASE_URL,
            ("MINERGATE_EXPORTER__CURRENCIES", list),
            ("MINERGATE_EXPORTER__WEB__LISTEN_ADDRESS", "127.0.0.1:1,[::1]:1"),
            ("MINERGATE_EXPORTER__OPTIONAL_METRICS", "minergate_pool_top_miner_info"),
            ("MINERGATE_EXPORTER__ACCOUNTS__A__TOKEN", "t,u"),
            ("MINERGATE_EXPORTER__ACCOUNTS__A__ENDPOINTS", "balance,workers"),
        ]);
        let config = Config::load(Sources { environment: variables, ..Sources::default() }).unwrap();
        assert_eq!(config.plan.currencies.unwrap().into_iter().collect::<Vec<_>>(), ["bcn", "xmr"], "{list}");
        assert_eq!(config.web.listen_address, ["127.0.0.1:1", "[::1]:1"]);
        assert_eq!(config.plan.reading.optional_metrics.len(), 1);
        assert_eq!(config.plan.accounts[0].1.as_ref().map(Vec::len), Some(2));
    }
}

#[test]
fn a_deeply_nested_value_in_the_environment_is_text() {
    let variables = environment(&[("MINERGATE_EXPORTER__CURRENCIES", &"[".repeat(100_000))]);
    let error = Config::load(Sources { environment: variables, ..Sources::default() }).unwrap_err().to_string();
    assert!(error.starts_with("MINERGATE_EXPORTER__CURRENCIES: currencies[1]: can't be a currency's code"), "{error}");
}

#[test]
fn a_variable_that_is_not_text_is_an_error() {
    use std::os::unix::ffi::OsStringExt;
    let wrong = |text: &str| OsString::from_vec([text.as_bytes(), b"planted\xff"].concat());
    for (name, value, sentence) in [
        (
            "MINERGATE_EXPORTER__ACCOUNTS__A__TOKEN".into(),
            wrong(""),
            "MINERGATE_EXPORTER__ACCOUNTS__A__TOKEN: not text (UTF-8)",
        ),
        ("MINERGATE_EXPORTER__API__TIMEOUT".into(), wrong("5s"), "MINERGATE_EXPORTER__API__TIMEOUT: not text (UTF-8)"),
        (wrong("MINERGATE_EXPORTER__"), "x".into(), "MINERGATE_EXPORTER__...: the variable's name is not text (UTF-8)"),
    ] {
        let error = Config::load(Sources { environment: vec![(name, value)], ..Sources::default() }).unwrap_err();
        assert_eq!(error.to_string(), sentence);
    }
    let others = vec![(wrong("OTHER"), wrong("")), ("OTHER".into(), wrong(""))];
    let environment: Vec<_> = others.into_iter().chain(environment(&[BASE_URL])).collect();
    assert!(Config::load(Sources { text: Some("currencies = [\"xmr\"]"), environment, ..Sources::default() }).is_ok());
}
