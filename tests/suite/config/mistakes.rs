//! A table of mistakes, each with its exact message.

use minergate::endpoints::{ENDPOINTS, Scope};
use minergate_exporter::config::{Config, Sources};

use super::{BASE_URL, environment};
use crate::messages::fits;

/// A configuration, and the expected message. No message may contain the planted secret.
const MISTAKES: &[(&str, &str)] = &[
    ("currencies = [\n  \"bcn\",\n  \"XMR\"]", ":3: currencies[2]: a currency's code is in small letters; give \"xmr\""),
    (
        "currencies = [\"planted secret\"]",
        ":1: currencies[1]: can't be a currency's code; give 1 to 16 of a-z, 0-9, _ and -, such as \"xmr\"",
    ),
    ("currencies = 5", ":1: currencies: expected a list, found a whole number"),
    (
        "curencies = []",
        ":1: curencies: unknown key `curencies`; did you mean `currencies`? known are currencies, decimals, optional_metrics, max_workers, state_directory, shard, api, pools, poll, web, log, accounts",
    ),
    (
        "# accounts\nplanted = 1",
        ":2: unknown key; known are currencies, decimals, optional_metrics, max_workers, state_directory, shard, api, pools, poll, web, log, accounts",
    ),
    ("[decimals]\nnewcoin = 40", ":2: decimals: out of range; give 0 to 36"),
    ("[decimals]\nxmr = 4000", ":2: decimals.xmr: out of range; give 0 to 36"),
    ("[decimals]\nplanted = \"planted\"", ":2: decimals: expected a whole number, found a text"),
    (
        "[decimals]\n\"planted secret\" = 8",
        ":2: decimals: can't be a currency's code; give 1 to 16 of a-z, 0-9, _ and -, such as \"xmr\"",
    ),
    (
        "optional_metrics = [\"planted\"]",
        ":1: optional_metrics[1]: not a metric that is off by default; those are minergate_pool_top_miner_info",
    ),
    ("shard = \"planted\"", ":1: shard: not a part; give one such as \"1/3\", the first of three"),
    (
        "[api]\ntiemout = \"1s\"",
        ":2: api.tiemout: unknown key `tiemout`; did you mean `timeout`? known are base_url, timeout, requests_per_second, concurrency",
    ),
    ("[api]\nplanted = \"1s\"", ":2: api: unknown key; known are base_url, timeout, requests_per_second, concurrency"),
    (
        "[api]\ntimeout = 5",
        ":2: api.timeout: a duration needs a unit; write a number with its unit, such as \"30s\", \"5m\", \"1h\" or \"7d\"",
    ),
    (
        "[api]\ntimeout = \"planted\"",
        ":2: api.timeout: not a duration; write a number with its unit, such as \"30s\", \"5m\", \"1h\" or \"7d\"",
    ),
    ("[api]\nrequests_per_second = 0", ":2: api.requests_per_second: out of range; give 0.001 to 100000"),
    ("[api]\nconcurrency = 0", ":2: api.concurrency: out of range; give 1 to 10000"),
    (
        "[api]\nbase_url = \"api.example.com\"",
        ":2: api.base_url: not a URL (…); give one such as \"https://api.example.com\"",
    ),
    (
        "[api]\nbase_url = \"ftp://example.com\"",
        ":2: api.base_url: not the URL of a web server; give one such as \"https://api.example.com\"",
    ),
    (
        "[api]\nbase_url = \"https://me:planted@example.com\"",
        ":2: api.base_url: a base URL has no user, password, query or fragment; give one such as \"https://api.example.com\"",
    ),
    (
        "[api]\ntimeout = \"5s\"\n[[accounts]]\nname = \"a\"\ntoken = \"planted\"",
        ":1: api.base_url: missing; give the URL of the API that you use, such as \"https://api.example.com\"; there is no default, since the public host is discontinued",
    ),
    (
        "currencies = [\"xmr\"]",
        ": api.base_url: missing; give the URL of the API that you use, such as \"https://api.example.com\"; there is no default, since the public host is discontinued",
    ),
    ("[poll]\nworkers = \"0.5s\"", ":2: poll.workers: out of range; give \"1s\" to \"30d\""),
    ("[poll]\nworkers = \"31d\"", ":2: poll.workers: out of range; give \"1s\" to \"30d\""),
    ("[poll]\nworkers = false", ":2: poll.workers: expected a text, found true or false; put it in quotes, such as \"off\""),
    (
        "[poll]\nstale_after = \"off\"",
        ":2: poll.stale_after: not a duration; write a number with its unit, such as \"30s\", \"5m\", \"1h\" or \"7d\"",
    ),
    ("[poll]\nwokers = \"30s\"", ":2: poll.wokers: unknown key; give stale_after, or one of @endpoints"),
    ("[poll]\nplanted = \"30s\"", ":2: poll: unknown key; give stale_after, or one of @endpoints"),
    (
        "[web]\nlisten_address = [\":1\", \"planted\"]",
        ":2: web.listen_address: entry 2: not host:port; give one such as \"127.0.0.1:10187\", \":10187\" or \"unix:/path\"",
    ),
    (
        "[web]\nlisten_address = [\"::1:28124\"]",
        ":2: web.listen_address: entry 1: an IPv6 address needs brackets; give one such as \"[::1]:10187\"",
    ),
    (
        "[web]\nlisten_address = [\"unix:planted\"]",
        ":2: web.listen_address: entry 1: a unix socket's path begins with /; give one such as \"unix:/path\"",
    ),
    ("[web]\ntelemetry_path = \"planted\"", ":2: web.telemetry_path: can't be served; give a path such as \"/metrics\""),
    (
        "[web]\nexternal_url = \"planted\"",
        ":2: web.external_url: not a URL; give one such as \"https://example.com/miners\"",
    ),
    ("[log]\nlevel = \"planted\"", ":2: log.level: not known; give one of error, warn, info, debug, trace"),
    ("", ": nothing to poll; give [[accounts]] or currencies, with --config.file or in the environment, or try the demo"),
    ("accounts = \"planted\"", ":1: accounts: expected a list, found a text"),
    (
        "[[accounts]]\ntoken = \"planted\"",
        ":1: accounts[1].name: missing; every account needs a name, it becomes the label `account`",
    ),
    (
        "[[accounts]]\nname = \"planted@example.com\"\ntoken = \"planted\"",
        ":2: accounts[1].name: looks like an e-mail address, and would appear on every page; give another name",
    ),
    (
        "[[accounts]]\nname = \" planted\"\ntoken = \"planted\"",
        ":2: accounts[1].name: give 1 to 64 printable characters without spaces around them",
    ),
    (
        "[[accounts]]\nname = \"a\"",
        ":1: accounts[1].password: no way to log in; give token or token_file, or email with password or password_file, or wallets at [[pools]]",
    ),
    (
        "[[accounts]]\nname = \"a\"\npassword = \"planted\"",
        ":1: accounts[1].email: missing; a password needs the account's e-mail address",
    ),
    ("[[accounts]]\nname = \"a\"\ntoken = \"\"", ":3: accounts[1].token: is empty; leave it out or fill it in"),
    ("[[accounts]]\nname = \"a\"\ntoken = \"\\n\"", ":3: accounts[1].token: is empty; leave it out or fill it in"),
    (
        "[[accounts]]\nname = \"a\"\ntoken = \"planted\\nplanted\"",
        ":3: accounts[1].token: it holds a line break or another control character; give the secret on one line, and nothing else",
    ),
    ("[[accounts]]\nname = \"a\"\ntoken_file = [\"planted\"]", ":3: accounts[1].token_file: expected a path, found a list"),
    (
        "[[accounts]]\nname = \"a\"\npassword = 12345",
        ":3: accounts[1].password: expected a string, found a whole number; put it in quotes",
    ),
    (
        "[[accounts]]\nname = \"a\"\ntoken = \"planted\"\ntoken_file = \"planted\"",
        ":3: accounts[1].token: is given together with token_file; give one of them",
    ),
    (
        "[[accounts]]\nname = \"a\"\nemail = \"e@x\"\npassword = \"planted\"\ntoken = \"planted\"",
        ":5: accounts[1].token: is given together with a password; give one of them",
    ),
    (
        "[[accounts]]\nname = \"a\"\ntoken = \"planted\"\ntotp_secret = \"planted\"",
        ":4: accounts[1].totp_secret: is not used with a token; leave it out",
    ),
    (
        "[[accounts]]\nname = \"a\"\nemail = \"e@x\"\npassword = \"planted\"\ntotp_secret = \"planted 0189\"",
        ":5: accounts[1].totp_secret: it is not base32 (letters A to Z, digits 2 to 7)",
    ),
    ("[[accounts]]\nname = \"a\"\nemail = \"planted\"\ntoken = \"planted\"", ":3: accounts[1].email: not an e-mail address"),
    (
        "[[accounts]]\nname = \"a\"\nemail = \"e@x\\n\\n\"\ntoken = \"planted\"",
        ":3: accounts[1].email: not an e-mail address",
    ),
    (
        "[[accounts]]\nname = \"a\"\ntoken = \"planted\"\nendpoints = []",
        ":4: accounts[1].endpoints: is empty; name at least one, or leave it out for all",
    ),
    (
        "[[accounts]]\nname = \"a\"\ntoken = \"planted\"\nendpoints = [\n  \"balance\",\n  \"planted\"]",
        ":6: accounts[1].endpoints[2]: not an endpoint of an account; those are @account_endpoints",
    ),
    (
        "[[accounts]]\nname = \"a\"\ntoken = \"planted\"\n[[accounts]]\nname = \"a\"\ntoken = \"planted\"",
        ":5: accounts[2].name: is used twice; every account needs a name of its own",
    ),
    (
        "[[accounts]]\nname = \"a\"\ntokn = \"planted\"",
        ":3: accounts[1].tokn: unknown key `tokn`; did you mean `token`? known are name, email, password, password_file, totp_secret, totp_secret_file, token, token_file, wallets, wallet_files, endpoints",
    ),
    (
        "[[accounts]]\nname = \"a\"\nplanted = \"planted\"",
        ":3: accounts[1]: unknown key; known are name, email, password, password_file, totp_secret, totp_secret_file, token, token_file, wallets, wallet_files, endpoints",
    ),
    (
        "[[accounts]]\nname = \"a\"\ntoken = \"planted",
        ":3:17: not valid TOML; write `key = value` on a line of its own, and every text in quotes",
    ),
    ("[[accounts]]\nname = \"a\"\nplanted = 1\nplanted = 2", ":4:1: a key is given twice; keep one of them"),
];

#[test]
fn every_mistake_has_its_message() {
    let names = |scope: Option<Scope>| {
        let endpoints = ENDPOINTS.iter().filter(|endpoint| scope.is_none_or(|scope| endpoint.scope == scope));
        endpoints.map(|endpoint| endpoint.name).collect::<Vec<_>>().join(", ")
    };
    for (text, sentence) in MISTAKES {
        let sentence =
            sentence.replace("@endpoints", &names(None)).replace("@account_endpoints", &names(Some(Scope::Account)));
        let environment = if sentence.contains("api.base_url") { Vec::new() } else { environment(&[BASE_URL]) };
        let error = Config::load(Sources { text: Some(text), environment, ..Sources::default() }).unwrap_err().to_string();
        assert!(fits(&error, &format!("configuration{sentence}")), "{error}\nof\n{text}");
        assert!(!error.contains("planted"), "{error}");
    }
}
