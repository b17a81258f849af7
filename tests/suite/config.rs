//! The configuration: the files that are shipped, where values come from, and what is said of those that are wrong.

use std::path::Path;

use minergate_exporter::config::{Config, Sources};
use minergate_exporter::endpoints::{ENDPOINTS, Scope};
use minergate_exporter::{api, log, poller, server};

fn shipped(name: &str) -> Config {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
    Config::load(Sources { file: Some(&path), ..Sources::default() }).unwrap()
}

#[test]
fn the_short_example_is_read() {
    let config = shipped("minergate-exporter.toml");
    assert_eq!(config.plan().unwrap().accounts.len(), 1);
    let password = config.accounts[0].password_file.as_ref().unwrap();
    assert!(password.ends_with("config/farm-password"), "{}", password.display());
}

#[test]
fn the_full_example_holds_every_key_with_its_default() {
    let config = shipped("full.toml");
    assert_eq!(format!("{:?}", config.api), format!("{:?}", api::Config::default()));
    assert_eq!(format!("{:?}", config.web), format!("{:?}", server::Config::default()));
    assert_eq!(format!("{:?}", config.log), format!("{:?}", log::Config::default()));
    assert_eq!(config.poll.stale_after, poller::Config::default().stale_after);
    let text = include_str!("../../config/full.toml");
    for endpoint in ENDPOINTS {
        assert_eq!(config.poll.interval(endpoint), Some(endpoint.interval), "{}", endpoint.name);
    }
    let keys = "currencies optional_metrics state_directory shard [decimals] base_url timeout requests_per_second concurrency stale_after \
                listen_address telemetry_path enable_lifecycle level format name email password password_file totp_secret totp_secret_file \
                token token_file endpoints";
    for key in keys.split_whitespace() {
        assert!(text.lines().any(|line| line.trim_start_matches("# ").starts_with(key)), "{key} is not in full.toml");
    }
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
         [api]\nrequests_per_second = 0.5\n[[accounts]]\nname = \"a\"\ntoken_file = \"t\"\nendpoints = [\"balance\"]\n",
    );
    let yaml = file(
        "a.yaml",
        "currencies: [xmr]\ndecimals:\n  newcoin: 8\npoll:\n  workers: 5s\n  status: \"off\"\n\
         api:\n  requests_per_second: 0.5\naccounts:\n  - name: a\n    token_file: t\n    endpoints: [balance]\n",
    );
    let said = |c: &Config| format!("{:?}", (&c.currencies, &c.decimals, &c.poll, &c.api, &c.accounts));
    assert_eq!(said(&toml), said(&yaml));
}

fn environment(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
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
        ("MINERGATE_EXPORTER__ACCOUNTS__NEW__TOKEN", "123"),
        ("MINERGATE_EXPORTER__ACCOUNTS__NEW__ENDPOINTS", "[balance]"),
        // What a platform makes of a service's name, and what others use.
        ("MINERGATE_EXPORTER_PORT", "tcp://10.0.0.1:10187"),
        ("MINERGATE_EXPORTER_CONFIG", "x"),
    ]);
    let text =
        "[api]\ntimeout = \"1s\"\n[[accounts]]\nname = \"my farm\"\nemail = \"me@example.com\"\npassword_file = \"gone\"\n";
    let config = Config::load(Sources { text: Some(text), environment: variables, ..Sources::default() }).unwrap();
    assert_eq!((config.api.timeout.as_secs(), config.api.requests_per_second.to_string().as_str()), (3, "7"));
    assert_eq!(config.poll.interval(&ENDPOINTS[0]), None);
    assert_eq!(config.currencies.as_ref().map(std::collections::BTreeSet::len), Some(2));
    let names: Vec<&str> = config.accounts.iter().map(|account| account.name.as_str()).collect();
    assert_eq!(names, ["my farm", "new"]);
    let (farm, new) = (&config.accounts[0], &config.accounts[1]);
    assert!(farm.password_file.is_none());
    assert_eq!(secrecy::ExposeSecret::expose_secret(farm.password.as_ref().unwrap()), "007");
    assert_eq!(secrecy::ExposeSecret::expose_secret(new.token.as_ref().unwrap()), "123");
    assert_eq!(new.endpoints.as_deref(), Some(&["balance".to_owned()][..]));
}

#[test]
fn a_deep_nest_in_the_environment_is_a_text() {
    let variables = environment(&[("MINERGATE_EXPORTER__CURRENCIES", &"[".repeat(100_000))]);
    let error = Config::load(Sources { environment: variables, ..Sources::default() }).unwrap_err().to_string();
    assert_eq!(error, "MINERGATE_EXPORTER__CURRENCIES: currencies: expected a list, found a text");
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
        let text = format!("[[accounts]]\nname = \"a\"\ntoken_file = \"{written}\"\n");
        let sources = Sources { text: Some(&text), environment: variables.clone(), ..Sources::default() };
        let config = Config::load(sources).unwrap();
        assert_eq!(config.accounts[0].token_file.as_ref().unwrap().starts_with(credentials.path()), found, "{written}");
    }
}

/// Input, and what must be said of it. None of the sentences may hold the planted secret.
const FAULTS: &[(&str, &str)] = &[
    ("currencies = [\"XMR\"]", "configuration: currencies: `XMR` can't be a currency's code; give one such as \"xmr\""),
    ("currencies = 5", "configuration: currencies: expected a list, found a whole number"),
    (
        "curencies = []",
        "configuration: curencies: unknown key `curencies`; did you mean `currencies`? known are currencies, decimals, optional_metrics, state_directory, shard, api, poll, web, log, accounts",
    ),
    ("[decimals]\nnewcoin = 40", "configuration: decimals.newcoin: 40 is too many; give 0 to 36"),
    (
        "optional_metrics = [\"up\"]",
        "configuration: optional_metrics: `up` is no metric that is off by default; those are minergate_pool_top_miner_info",
    ),
    (
        "[api]\ntiemout = \"1s\"",
        "configuration: api.tiemout: unknown key `tiemout`; did you mean `timeout`? known are base_url, timeout, requests_per_second, concurrency",
    ),
    (
        "[api]\ntimeout = 5",
        "configuration: api.timeout: `5` has no unit; write a number with its unit, such as \"30s\", \"5m\" or \"1h\"",
    ),
    (
        "[api]\ntimeout = \"fast\"",
        "configuration: api.timeout: `fast` is not a duration; write a number with its unit, such as \"30s\", \"5m\" or \"1h\"",
    ),
    ("[api]\nrequests_per_second = 0", "configuration: api.requests_per_second: 0 is out of range; give 0.001 to 100000"),
    ("[api]\nconcurrency = 0", "configuration: api.concurrency: 0 is out of range; give 1 to 10000"),
    (
        "[api]\nbase_url = \"api.example.com\"",
        "configuration: api.base_url: not a URL (relative URL without a base); give one such as \"https://api.example.com\"",
    ),
    (
        "[api]\nbase_url = \"ftp://example.com\"",
        "configuration: api.base_url: not the URL of a web server; give one such as \"https://api.example.com\"",
    ),
    (
        "[api]\nbase_url = \"https://me:planted@example.com\"",
        "configuration: api.base_url: a base URL has no user, password, query or fragment; give one such as \"https://api.example.com\"",
    ),
    ("[poll]\nworkers = \"0.5s\"", "configuration: poll.workers: `0.5s` is out of range; give \"1s\" to \"30d\""),
    (
        "[poll]\nstale_after = \"off\"",
        "configuration: poll.stale_after: `off` is not a duration; write a number with its unit, such as \"30s\", \"5m\" or \"1h\"",
    ),
    ("[poll]\nwokers = \"30s\"", "configuration: poll.wokers: unknown key; give stale_after, or one of @endpoints"),
    (
        "[web]\nlisten_address = [\"localhost\"]",
        "configuration: web.listen_address: `localhost` is not host:port; give one such as \"127.0.0.1:10187\", \":10187\" or \"unix:/path\"",
    ),
    (
        "[web]\ntelemetry_path = \"metrics\"",
        "configuration: web.telemetry_path: `metrics` can't be served; give a path such as \"/metrics\"",
    ),
    (
        "[log]\nlevel = \"loud\"",
        "configuration: log.level: `loud` is not known; give one of error, warn, info, debug, trace",
    ),
    (
        "",
        "configuration: nothing to poll; give [[accounts]] or currencies, with --config.file or in the environment, or try the demo",
    ),
    ("accounts = \"planted\"", "configuration: accounts: expected a list, found a text"),
    (
        "[[accounts]]\ntoken = \"planted\"",
        "configuration: accounts[1].name: missing; every account needs a name, it becomes the label `account`",
    ),
    (
        "[[accounts]]\nname = \"me@example.com\"\ntoken = \"planted\"",
        "configuration: accounts[1].name: looks like an e-mail address, and would stand on every page; give another name",
    ),
    (
        "[[accounts]]\nname = \" a\"\ntoken = \"planted\"",
        "configuration: accounts[1].name: give 1 to 64 printable characters without spaces around them",
    ),
    (
        "[[accounts]]\nname = \"a\"",
        "configuration: accounts[1].password: no way to log in; give token or token_file, or email with password or password_file",
    ),
    (
        "[[accounts]]\nname = \"a\"\npassword = \"planted\"",
        "configuration: accounts[1].email: missing; a password needs the account's e-mail address",
    ),
    ("[[accounts]]\nname = \"a\"\ntoken = \"\"", "configuration: accounts[1].token: is empty; leave it out or fill it in"),
    (
        "[[accounts]]\nname = \"a\"\npassword = 12345",
        "configuration: accounts[1].password: expected a string, found a whole number; put it in quotes",
    ),
    (
        "[[accounts]]\nname = \"a\"\ntoken = \"planted\"\ntoken_file = \"t\"",
        "configuration: accounts[1].token: stands beside token_file; give one of them",
    ),
    (
        "[[accounts]]\nname = \"a\"\nemail = \"e@x\"\npassword = \"planted\"\ntoken = \"planted\"",
        "configuration: accounts[1].token: stands beside a password; give one of them",
    ),
    (
        "[[accounts]]\nname = \"a\"\ntoken = \"planted\"\ntotp_secret = \"planted\"",
        "configuration: accounts[1].totp_secret: has no use beside a token; leave it out",
    ),
    (
        "[[accounts]]\nname = \"a\"\nemail = \"e@x\"\npassword = \"planted\"\ntotp_secret = \"planted 0189\"",
        "configuration: accounts[1].totp_secret: totp_secret is not base32 (letters A to Z, digits 2 to 7)",
    ),
    (
        "[[accounts]]\nname = \"a\"\nemail = \"planted\"\ntoken = \"planted\"",
        "configuration: accounts[1].email: not an e-mail address",
    ),
    (
        "[[accounts]]\nname = \"a\"\ntoken = \"planted\"\nendpoints = []",
        "configuration: accounts[1].endpoints: is empty; name at least one, or leave it out for all",
    ),
    (
        "[[accounts]]\nname = \"a\"\ntoken = \"planted\"\nendpoints = [\"status\"]",
        "configuration: accounts[1].endpoints: `status` is no endpoint of an account; those are @account_endpoints",
    ),
    (
        "[[accounts]]\nname = \"a\"\ntoken = \"planted\"\n[[accounts]]\nname = \"a\"\ntoken = \"planted\"",
        "configuration: accounts[2].name: stands twice; every account needs a name of its own",
    ),
    (
        "[[accounts]]\nname = \"a\"\ntokn = \"planted\"",
        "configuration: accounts[1].tokn: unknown key `tokn`; did you mean `token`? known are name, email, password, password_file, totp_secret, totp_secret_file, token, token_file, endpoints",
    ),
    (
        "[[accounts]]\nname = \"a\"\ntoken = \"planted",
        "configuration:3:17: not valid TOML: invalid basic string, expected `\"`",
    ),
];

#[test]
fn every_fault_has_its_sentence() {
    let names = |scope: Option<Scope>| {
        let endpoints = ENDPOINTS.iter().filter(|endpoint| scope.is_none_or(|scope| endpoint.scope == scope));
        endpoints.map(|endpoint| endpoint.name).collect::<Vec<_>>().join(", ")
    };
    for (text, sentence) in FAULTS {
        let sentence =
            sentence.replace("@endpoints", &names(None)).replace("@account_endpoints", &names(Some(Scope::Account)));
        let error = Config::load(Sources { text: Some(text), ..Sources::default() }).unwrap_err().to_string();
        assert_eq!(error, sentence, "of\n{text}");
        assert!(!error.contains("planted"), "{error}");
    }
}

#[test]
fn a_fault_names_the_variable_flag_or_file_that_it_came_from() {
    let text = "currencies = [\"xmr\"]";
    for (variable, sentence) in [
        (("MINERGATE_EXPORTER__API__TIMEOUT", "5"), "MINERGATE_EXPORTER__API__TIMEOUT: api.timeout: `5` has no unit"),
        (("MINERGATE_EXPORTER__POLL__STATUS", "x"), "MINERGATE_EXPORTER__POLL__STATUS: poll.status: `x` is not a duration"),
        (
            ("MINERGATE_EXPORTER__ACCOUNTS__A__TOKN", "planted"),
            "MINERGATE_EXPORTER__ACCOUNTS__A__TOKN: accounts[1].tokn: unknown key",
        ),
    ] {
        let sources = Sources { text: Some(text), environment: environment(&[variable]), ..Sources::default() };
        let error = Config::load(sources).unwrap_err().to_string();
        assert!(error.starts_with(sentence) && !error.contains("planted"), "{error}");
    }
    let flags = [("log".to_owned(), figment::value::Dict::from([("level".to_owned(), "loud".into())]).into())].into();
    let error = Config::load(Sources { text: Some(text), flags, ..Sources::default() }).unwrap_err().to_string();
    assert!(error.starts_with("--log.level: log.level: `loud` is not known"), "{error}");

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("broken.yaml");
    std::fs::write(&path, "accounts:\n  - name: a\n    token: *planted\n").unwrap();
    let error = Config::load(Sources { file: Some(&path), ..Sources::default() }).unwrap_err().to_string();
    let place = format!("{}:3:12: not valid YAML; check its indentation", path.display());
    assert!(error.starts_with(&place) && !error.contains("planted"), "{error}");
    let error = Config::load(Sources { file: Some(Path::new("/nowhere/c.toml")), ..Sources::default() }).unwrap_err();
    assert_eq!(format!("{error:#}"), "can't read /nowhere/c.toml: no such file; give another --config.file");
}
