//! The place of a mistake in its message: line, variable, flag or file.

use std::path::Path;

use minergate_exporter::config::{Config, Sources};

use super::{BASE_URL, environment};

#[test]
fn all_mistakes_are_reported_at_once_with_place_and_key() {
    let text = "[api]\nconcurrency = 0\n[poll]\nworkers = \"0s\"\n[[accounts]]\nname = \"a\"\ntoken = \"t\"\n\
                [[accounts]]\nname = \"a\"\nendpoints = []\n";
    // An account of a variable without a mistake has nothing to do with the mistakes of others.
    let variables = [("MINERGATE_EXPORTER__API__TIMEOUT", "0s"), ("MINERGATE_EXPORTER__ACCOUNTS__B__TOKEN", "t")];
    let sources = Sources { text: Some(text), environment: environment(&variables), ..Sources::default() };
    let error = Config::load(sources).unwrap_err();
    let said: Vec<_> = error.mistakes().iter().map(|mistake| (mistake.place.as_str(), mistake.key.as_str())).collect();
    let expected = [
        ("configuration:2", "api.concurrency"),
        ("MINERGATE_EXPORTER__API__TIMEOUT", "api.timeout"),
        ("configuration:4", "poll.workers"),
        ("configuration:8", "accounts[2].password"),
        ("configuration:10", "accounts[2].endpoints"),
        ("configuration:9", "accounts[2].name"),
        ("configuration:1", "api.base_url"),
    ];
    assert_eq!(said, expected);
    assert_eq!(error.to_string().lines().count(), expected.len());
}

/// `query` and the like need nothing to poll; `serve` does.
#[test]
fn nothing_to_poll_is_a_mistake_only_for_commands_that_poll() {
    let sources = || Sources { environment: environment(&[BASE_URL]), ..Sources::default() };
    assert!(Config::load_for_query(sources()).unwrap().accounts.is_empty());
    assert!(Config::load(sources()).unwrap_err().mistakes()[0].message.starts_with("nothing to poll; "));
    let error = Config::load_for_query(Sources::default()).unwrap_err();
    assert_eq!(error.mistakes()[0].key, "api.base_url");
}

#[test]
fn a_mistake_names_the_variable_flag_or_file_that_it_came_from() {
    let text = "currencies = [\"xmr\"]\n[[accounts]]\nname = \"farm-1\"\ntoken = \"planted\"\n\
                [[accounts]]\nname = \"farm.1\"\ntoken = \"planted\"\n[[accounts]]\nname = \"x\"\ntoken = \"planted\"\n";
    for (variable, sentence) in [
        (
            ("MINERGATE_EXPORTER__API__TIMEOUT", "5"),
            "MINERGATE_EXPORTER__API__TIMEOUT: api.timeout: a duration needs a unit",
        ),
        (("MINERGATE_EXPORTER__POLL__STATUS", "x"), "MINERGATE_EXPORTER__POLL__STATUS: poll.status: not a duration"),
        (
            ("MINERGATE_EXPORTER__ACCOUNTS__A__TOKN", "planted"),
            "MINERGATE_EXPORTER__ACCOUNTS__A__TOKN: accounts[4].tokn: unknown key `tokn`; did you mean `token`?",
        ),
        (
            ("MINERGATE_EXPORTER__ACCOUNTS__A__PLANTED", "planted"),
            "MINERGATE_EXPORTER__ACCOUNTS__A__...: accounts[4]: unknown key; known are",
        ),
        (
            ("MINERGATE_EXPORTER__ACCOUNT__X__TOKEN", "planted"),
            "MINERGATE_EXPORTER__ACCOUNT__X__TOKEN: account: unknown key `account`; did you mean `accounts`?",
        ),
        (("MINERGATE_EXPORTER__API", "planted"), "MINERGATE_EXPORTER__API: api: expected a table, found a text"),
        (
            ("MINERGATE_EXPORTER__ACCOUNTS__X", "planted"),
            "MINERGATE_EXPORTER__ACCOUNTS__...: names no key of an account; give one",
        ),
        (
            ("MINERGATE_EXPORTER__ACCOUNTS", "[planted]"),
            "MINERGATE_EXPORTER__ACCOUNTS: names no key of an account; give one key",
        ),
        (("MINERGATE_EXPORTER__API__PLANTED", "1"), "MINERGATE_EXPORTER__API__...: api: unknown key; known are base_url,"),
        (("MINERGATE_EXPORTER__PLANTED", "1"), "MINERGATE_EXPORTER__...: unknown key; known are currencies,"),
        (("MINERGATE_EXPORTER__LOG__LEVEL", "planted"), "MINERGATE_EXPORTER__LOG__LEVEL: log.level: not known; give one of"),
        (
            ("MINERGATE_EXPORTER__CURRENCIES", "xmr,planted secret"),
            "MINERGATE_EXPORTER__CURRENCIES: currencies[2]: can't be a currency's code",
        ),
        (
            ("MINERGATE_EXPORTER__ACCOUNTS__X__ENDPOINTS", "balance, planted"),
            "MINERGATE_EXPORTER__ACCOUNTS__X__ENDPOINTS: accounts[3].endpoints[2]: not an endpoint of an account",
        ),
        (
            ("MINERGATE_EXPORTER__ACCOUNTS__X__TOKEN", "planted\nplanted"),
            "MINERGATE_EXPORTER__ACCOUNTS__X__TOKEN: accounts[3].token: it holds a line break",
        ),
        (
            ("MINERGATE_EXPORTER__ACCOUNTS__FARM_1__TOKEN", "planted"),
            "MINERGATE_EXPORTER__ACCOUNTS__FARM_1__TOKEN: can mean accounts[1] (`farm-1`) and accounts[2] (`farm.1`); rename one",
        ),
    ] {
        let sources = Sources { text: Some(text), environment: environment(&[BASE_URL, variable]), ..Sources::default() };
        let error = Config::load(sources).unwrap_err().to_string();
        assert!(error.starts_with(sentence) && !error.to_lowercase().contains("planted"), "{error}\n{sentence}");
    }
    let flags = [("log".to_owned(), figment::value::Dict::from([("level".to_owned(), "planted".into())]).into())].into();
    let sources = Sources { text: Some(text), environment: environment(&[BASE_URL]), flags, ..Sources::default() };
    let error = Config::load(sources).unwrap_err().to_string();
    assert_eq!(error, "--log.level: log.level: not known; give one of error, warn, info, debug, trace");
    let error = Config::load(Sources { file: Some(Path::new("/nowhere/c.toml")), ..Sources::default() }).unwrap_err();
    assert_eq!(format!("{error:#}"), "can't read /nowhere/c.toml: no such file or directory; give another --config.file");
}
