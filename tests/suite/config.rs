//! The configuration: the files that are shipped, where values come from, and what is said of those that are wrong.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use minergate::api::{Credentials, Secret, Settings};
use minergate::endpoints::{ENDPOINTS, Scope};
use minergate_exporter::config::{Config, Log, Sources, Web};
use minergate_exporter::poller::{Intervals, Plan};

use crate::messages::fits;

/// What a configuration makes the poller do: accounts with a token each, and `[poll]`.
pub(crate) fn plan(accounts: &[&str], poll: &str) -> Plan {
    let accounts =
        accounts.iter().fold(String::new(), |text, name| format!("{text}[[accounts]]\nname = \"{name}\"\ntoken = \"t\"\n"));
    plan_of(&format!("[poll]\n{poll}\n{accounts}"))
}

/// The same of a whole configuration, less the URL of the API.
pub(crate) fn plan_of(text: &str) -> Plan {
    let sources = Sources { text: Some(text), environment: environment(&[BASE_URL]), ..Sources::default() };
    Config::load_to_ask(sources).unwrap().plan
}

fn shipped(name: &str) -> Config {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
    Config::load(Sources { file: Some(&path), ..Sources::default() }).unwrap()
}

#[test]
fn the_short_example_is_read() {
    let config = shipped("minergate-exporter.toml");
    assert_eq!(config.plan.accounts.len(), 1);
    let Credentials::Password { password: Secret::File { path, .. }, .. } = config.accounts[0].credentials() else {
        panic!("{:?}", config.accounts[0])
    };
    assert!(path.ends_with("config/farm-password"), "{}", path.display());
}

#[test]
fn the_example_of_pools_is_read_and_needs_no_api() {
    let config = shipped("pools.toml");
    let pools: Vec<&str> = config.pools.iter().map(|pool| &*pool.name).collect();
    assert_eq!((pools, config.wallets.len(), config.accounts.len(), config.api), (vec!["supportxmr"], 1, 0, None));
}

#[test]
fn the_full_example_holds_the_defaults() {
    let (config, short) = (shipped("full.toml"), shipped("minergate-exporter.toml"));
    let api = config.api.unwrap();
    assert_eq!(api, Settings { user_agent: api.user_agent.clone(), ..Settings::new(api.base_url.clone()) });
    assert_eq!((&config.web, config.log), (&Web::default(), Log::default()));
    for endpoint in ENDPOINTS {
        assert_eq!(config.plan.intervals.get(endpoint), Some(endpoint.interval), "{}", endpoint.name);
    }
    assert_eq!(config.plan.intervals.stale_after, Intervals::default().stale_after);
    let (reading, other) = (&config.plan.reading, &short.plan.reading);
    assert_eq!((&reading.decimals, &reading.optional_metrics), (&other.decimals, &other.optional_metrics));
    assert_eq!((reading.max_workers, config.plan.currencies), (other.max_workers, short.plan.currencies));
}

#[test]
fn yaml_says_the_same_as_toml() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        Config::load(Sources { file: Some(&path), ..Sources::default() }).unwrap()
    };
    let toml = file(
        "a.toml",
        "currencies = [\"xmr\"]\ndecimals = { newcoin = 8 }\n[poll]\nworkers = \"5s\"\nstatus = \"off\"\n\
         [api]\nbase_url = \"http://127.0.0.1:1\"\nrequests_per_second = 0.5\n[[accounts]]\nname = \"a\"\ntoken_file = \"t\"\nendpoints = [\"balance\"]\n",
    );
    let yaml = file(
        "a.yaml",
        "currencies: [xmr]\ndecimals:\n  newcoin: 8\npoll:\n  workers: 5s\n  status: \"off\"\n\
         api:\n  base_url: http://127.0.0.1:1\n  requests_per_second: 0.5\naccounts:\n  - name: a\n    token_file: t\n    endpoints: [balance]\n",
    );
    let said = |config: &Config| format!("{:?}", (&config.plan, &config.api));
    assert_eq!((said(&toml), toml.accounts[0].credentials()), (said(&yaml), yaml.accounts[0].credentials()));
}

fn token(token: &str) -> Credentials {
    Credentials::Token { token: Secret::of_text(token).unwrap(), email: None }
}

fn environment(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    variables.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

#[test]
fn the_environment_comes_after_the_file() {
    let variables = environment(&[
        ("MINERGATE_EXPORTER__API__TIMEOUT", "3s"),
        ("MINERGATE_EXPORTER__API__REQUESTS_PER_SECOND", "7"),
        ("MINERGATE_EXPORTER__POLL__WORKERS", "off"),
        ("MINERGATE_EXPORTER__CURRENCIES", "[xmr,bcn]"),
        // Digits to the letter: a password is no number.
        ("MINERGATE_EXPORTER__ACCOUNTS__MY_FARM__PASSWORD", "007"),
        ("MINERGATE_EXPORTER__ACCOUNTS__new__TOKEN", "123"),
        ("MINERGATE_EXPORTER__ACCOUNTS__NEW__ENDPOINTS", "[balance]"),
        // What a platform makes of a service's name, and what others use.
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
fn a_deep_nest_in_the_environment_is_a_text() {
    let variables = environment(&[("MINERGATE_EXPORTER__CURRENCIES", &"[".repeat(100_000))]);
    let error = Config::load(Sources { environment: variables, ..Sources::default() }).unwrap_err().to_string();
    assert!(error.starts_with("MINERGATE_EXPORTER__CURRENCIES: currencies[1]: can't be a currency's code"), "{error}");
}

#[test]
fn systemd_s_credentials_are_found() {
    let credentials = tempfile::tempdir().unwrap();
    std::fs::write(credentials.path().join("farm-token"), "t").unwrap();
    // As `LoadCredential=credentials:/etc/minergate-exporter/credentials` names the files of that directory.
    std::fs::write(credentials.path().join("credentials_farm-token"), "t").unwrap();
    let variables = environment(&[("CREDENTIALS_DIRECTORY", credentials.path().to_str().unwrap())]);
    for (written, found) in [
        ("farm-token", true),
        ("$CREDENTIALS_DIRECTORY/farm-token", true),
        ("credentials/farm-token", true),
        ("other/farm-token", false),
        ("other", false),
    ] {
        let text =
            format!("[api]\nbase_url = \"http://127.0.0.1:1\"\n[[accounts]]\nname = \"a\"\ntoken_file = \"{written}\"\n");
        let sources = Sources { text: Some(&text), environment: variables.clone(), ..Sources::default() };
        let config = Config::load(sources).unwrap();
        let Credentials::Token { token: Secret::File { path, .. }, .. } = config.accounts[0].credentials() else {
            panic!("{written}")
        };
        assert_eq!(path.starts_with(credentials.path()), found, "{written}");
    }
}

/// Input, and what must be said of it. None of the sentences may hold the planted secret.
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
        ":2: web.listen_address: entry 1: an IPv6 address stands in brackets; give one such as \"[::1]:10187\"",
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
        ":2: accounts[1].name: looks like an e-mail address, and would stand on every page; give another name",
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
        ":3: accounts[1].token: stands beside token_file; give one of them",
    ),
    (
        "[[accounts]]\nname = \"a\"\nemail = \"e@x\"\npassword = \"planted\"\ntoken = \"planted\"",
        ":5: accounts[1].token: stands beside a password; give one of them",
    ),
    (
        "[[accounts]]\nname = \"a\"\ntoken = \"planted\"\ntotp_secret = \"planted\"",
        ":4: accounts[1].totp_secret: has no use beside a token; leave it out",
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
        ":5: accounts[2].name: stands twice; every account needs a name of its own",
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
    ("[[accounts]]\nname = \"a\"\nplanted = 1\nplanted = 2", ":4:1: a key stands twice; keep one of them"),
];

/// What most configurations of the tests lack.
const BASE_URL: (&str, &str) = ("MINERGATE_EXPORTER__API__BASE_URL", "http://127.0.0.1:1");

#[test]
fn every_mistake_has_its_sentence() {
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

#[test]
fn all_mistakes_are_said_at_once_each_with_its_place_and_key() {
    let text = "[api]\nconcurrency = 0\n[poll]\nworkers = \"0s\"\n[[accounts]]\nname = \"a\"\ntoken = \"t\"\n\
                [[accounts]]\nname = \"a\"\nendpoints = []\n";
    let timeout = ("MINERGATE_EXPORTER__API__TIMEOUT", "0s");
    let sources = Sources { text: Some(text), environment: environment(&[timeout]), ..Sources::default() };
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

/// Who asks for one thing needs nothing to poll, and who polls does.
#[test]
fn nothing_to_poll_is_a_mistake_for_what_polls_only() {
    let sources = || Sources { environment: environment(&[BASE_URL]), ..Sources::default() };
    assert!(Config::load_to_ask(sources()).unwrap().accounts.is_empty());
    assert!(Config::load(sources()).unwrap_err().mistakes()[0].message.starts_with("nothing to poll; "));
    let error = Config::load_to_ask(Sources::default()).unwrap_err();
    assert_eq!(error.mistakes()[0].key, "api.base_url");
}

/// The text of the error of a YAML file, less the file's name.
fn yaml_error(text: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.yaml");
    std::fs::write(&path, text).unwrap();
    let sources = Sources { file: Some(&path), environment: environment(&[BASE_URL]), ..Sources::default() };
    Config::load(sources).unwrap_err().to_string().replace(&path.display().to_string(), "")
}

#[test]
fn mistakes_in_yaml_have_their_lines_and_remedies() {
    for (text, sentence) in [
        (
            "accounts:\n  - name: a\n    token: *planted\n",
            ":3:12: not valid YAML; check its indentation, and put texts with special characters in quotes",
        ),
        ("poll:\n  workers: 5s\n  workers: 6s\n", ":3:3: a key stands twice; keep one of them"),
        (
            "poll:\n  workers: false\n",
            ":2: poll.workers: expected a text, found true or false; put it in quotes, such as \"off\"",
        ),
        (
            "accounts:\n  - name: a\n    planted: x\n",
            ":3: accounts[1]: unknown key; known are name, email, password, password_file, totp_secret, totp_secret_file, token, token_file, wallets, wallet_files, endpoints",
        ),
        (
            "accounts:\n  - name: yes\n    token: t\n",
            ":2: accounts[1].name: expected a string, found true or false; put it in quotes",
        ),
    ] {
        assert_eq!(yaml_error(text), sentence, "of\n{text}");
    }
    // YAML 1.1 takes these words for flags, YAML 1.2 for texts.
    for word in ["off", "Off", "no"] {
        let error = yaml_error(&format!("poll:\n  workers: {word}\n"));
        assert!(
            error.contains(":2: poll.workers: ") && error.contains("put it in quotes, such as \"off\""),
            "{word}: {error}"
        );
    }
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

/// One reading for all: the value in the file, in YAML as a block, in a variable.
#[test]
fn a_secret_loses_its_byte_order_mark_and_its_line_end_wherever_it_comes_from() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let toml = file("c.toml", "\u{feff}[[accounts]]\nname = \"a\"\ntoken = \"\u{feff}secret\\r\\n\"\n");
    let yaml = file("c.yaml", "\u{feff}accounts:\n  - name: a\n    token: |\n      secret\n");
    let empty = file("empty.toml", "");
    for (path, variable) in
        [(&toml, ("X", "")), (&yaml, ("X", "")), (&empty, ("MINERGATE_EXPORTER__ACCOUNTS__A__TOKEN", "\u{feff}secret\r\n"))]
    {
        let sources = Sources { file: Some(path), environment: environment(&[BASE_URL, variable]), ..Sources::default() };
        assert_eq!(*Config::load(sources).unwrap().accounts[0].credentials(), token("secret"));
    }
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
