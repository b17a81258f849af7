//! Pools and wallets in the configuration: what is understood, what is said of mistakes, and that no address is quoted.

use std::ffi::OsString;
use std::time::Duration;

use minergate::api::{Credentials, Secret};
use minergate_exporter::config::{Config, Sources, WalletConfig};
use proptest::prelude::*;

use crate::messages::fits;

/// A pool, lines 1 to 5 of a configuration.
pub(crate) const XMR: &str = "[[pools]]\nname = \"supportxmr\"\nsoftware = \"nodejs-pool\"\nurl = \"https://pool.example.com/api/\"\ncurrency = \"xmr\"\n";

/// Another one, lines 6 to 10.
const ETC: &str = "[[pools]]\nname = \"2miners etc\"\nsoftware = \"open-ethereum-pool\"\nurl = \"http://127.0.0.1:1\"\ncurrency = \"etc\"\n";

fn environment(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    variables.iter().map(|(name, value)| (format!("MINERGATE_EXPORTER__{name}").into(), value.into())).collect()
}

fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let sources = Sources { text: Some(text), environment: environment(variables), ..Sources::default() };
    Config::load(sources).map_err(|error| error.to_string())
}

/// The wallets as account, pool, and address or the file's path.
fn wallets(config: &Config) -> Vec<(String, String, String)> {
    let wallet = |WalletConfig { account, pool, address, .. }: &WalletConfig| {
        let address = match address {
            Secret::File { path, .. } => path.display().to_string(),
            Secret::Value(_) => ["4Abc", "4Def", "0x00"].into_iter().find(|text| is(address, text)).unwrap().to_owned(),
        };
        (account.to_string(), config.pools[*pool].name.to_string(), address)
    };
    config.wallets.iter().map(wallet).collect()
}

fn is(secret: &Secret, text: &str) -> bool {
    *secret == Secret::of_text(text).unwrap()
}

fn expected(wallets: &[[&str; 3]]) -> Vec<(String, String, String)> {
    wallets.iter().map(|[account, pool, address]| ((*account).into(), (*pool).into(), (*address).into())).collect()
}

#[test]
fn wallets_are_in_the_order_of_accounts_and_pools_and_need_no_api() {
    let text = format!(
        "max_workers = 7\n{XMR}{ETC}decimals = 10\nblock_time = \"15s\"\nrequests_per_second = 0.5\nburst = 2\nconcurrency = 1\n\
         timeout = \"3s\"\nmax_age = \"1m\"\n\
         [[accounts]]\nname = \"b\"\nwallet_files = {{ \"2miners etc\" = \"b-address\" }}\nwallets = {{ supportxmr = \" 4Abc\\n\" }}\n\
         endpoints = [\"workers\"]\nemail = \"b@example.com\"\npassword = \"p\"\n\
         [[accounts]]\nname = \"a\"\nwallets = {{ supportxmr = \"4Def\" }}\n"
    );
    let config = read(&text, &[]).unwrap();
    let all = [["b", "supportxmr", "4Abc"], ["b", "2miners etc", "b-address"], ["a", "supportxmr", "4Def"]];
    assert_eq!(wallets(&config), expected(&all));
    assert_eq!(config.wallets[1].endpoints.as_deref(), Some(&["workers".to_owned()][..]));
    assert!(config.wallets[2].endpoints.is_none() && config.api.is_none() && config.accounts.is_empty());
    assert!(config.plan.accounts.is_empty() && !config.plan.api);
    assert_eq!(config.plan.reading.max_workers, 7);
    let [(name, Credentials::Password { email, password, totp: None })] = &config.logins[..] else {
        panic!("{:?}", config.logins)
    };
    assert_eq!((&**name, email.as_str(), is(password, "p")), ("b", "b@example.com", true));
    assert_eq!(config.account_names().iter().map(|name| &***name).collect::<Vec<_>>(), ["b", "a"]);

    let [xmr, etc] = &config.pools[..] else { panic!("{:?}", config.pools) };
    assert_eq!((&*xmr.name, xmr.software.name, &*xmr.currency, xmr.decimals), ("supportxmr", "nodejs-pool", "xmr", 12));
    assert_eq!((xmr.block_time, xmr.max_age), (Duration::from_secs(120), Duration::from_secs(30)));
    let http = &xmr.http;
    assert_eq!(http.base_url.as_str(), "https://pool.example.com/api");
    assert_eq!((http.requests_per_second, http.burst(), http.concurrency, http.timeout.as_secs()), (1.0, 5.0, 4, 10));
    assert_eq!((etc.decimals, etc.block_time, etc.max_age), (10, Duration::from_secs(15), Duration::from_secs(60)));
    let http = &etc.http;
    assert_eq!((http.requests_per_second, http.burst(), http.concurrency, http.timeout.as_secs()), (0.5, 2.0, 1, 3));
    assert!(http.user_agent.starts_with("minergate-exporter/"), "{}", http.user_agent);
}

#[test]
fn accounts_without_wallets_are_at_the_api_beside_those_with_wallets() {
    let text = format!(
        "currencies = [\"xmr\", \"bcn\"]\n[api]\nbase_url = \"http://127.0.0.1:1\"\n{XMR}[[accounts]]\nname = \"a\"\ntoken = \"t\"\n\
         [[accounts]]\nname = \"b\"\ntoken = \"u\"\nwallets = {{ supportxmr = \"4Abc\" }}\n"
    );
    let config = read(&text, &[]).unwrap();
    assert_eq!((config.accounts.len(), config.plan.accounts.len(), config.logins.len()), (1, 1, 1));
    assert_eq!((&**config.accounts[0].name(), &*config.wallets[0].account, &*config.logins[0].0), ("a", "b", "b"));
    assert_eq!((config.pool_of("xmr"), config.pool_of("bcn")), (Some(0), None));
    assert!(config.plan.pool && config.api.is_some());
}

#[test]
fn a_wallet_belongs_to_the_shard_of_its_account() {
    let account = |i| format!("[[accounts]]\nname = \"rig-{i}\"\nwallets = {{ supportxmr = \"4Abc\" }}\n");
    let accounts: String = (0..20).map(account).collect();
    let own = |shard: &str| -> Vec<String> {
        let config = read(&format!("shard = \"{shard}\"\n{XMR}{accounts}"), &[]).unwrap();
        assert_eq!(config.wallets.len(), 20, "the gateway serves all");
        config.own_wallets().map(|wallet| wallet.account.to_string()).collect()
    };
    let [mut first, second] = [own("1/2"), own("2/2")];
    assert!(!first.is_empty() && !second.is_empty());
    first.extend(second);
    first.sort();
    first.dedup();
    assert_eq!(first.len(), 20);
}

#[test]
fn the_environment_gives_pools_and_wallets() {
    let text = format!(
        "{XMR}{ETC}[[accounts]]\nname = \"my rig\"\nwallet_files = {{ supportxmr = \"gone\", \"2miners etc\" = \"stays\" }}\n\
         [[accounts]]\nname = \"a--b\"\nwallets = {{ supportxmr = \"4Def\" }}\n"
    );
    let config = read(
        &text,
        &[
            ("POOLS__SUPPORTXMR__URL", "https://other.example.com\n"),
            ("POOLS__SUPPORTXMR__REQUESTS_PER_SECOND", "0.25"),
            ("POOLS__MORE__NAME", "more"),
            ("POOLS__MORE__SOFTWARE", "cryptonote-nodejs-pool"),
            ("POOLS__MORE__URL", "http://[::1]:8117"),
            ("POOLS__MORE__CURRENCY", "newcoin"),
            ("POOLS__MORE__DECIMALS", "9"),
            ("POOLS__MORE__BLOCK_TIME", "1m"),
            // The value takes the place of the file's file, and goes to the letter.
            ("ACCOUNTS__MY_RIG__WALLETS__SUPPORTXMR", "4Abc\r\n"),
            ("ACCOUNTS__MY_RIG__WALLETS__MORE", "0x00"),
            // A name can have two underscores, too.
            ("ACCOUNTS__A__B__WALLET_FILES__2MINERS_ETC", "b-etc"),
            ("ACCOUNTS__new__wallets__more", "4Def"),
        ],
    );
    let config = config.unwrap();
    let all = [
        ["my rig", "supportxmr", "4Abc"],
        ["my rig", "2miners etc", "stays"],
        ["my rig", "more", "0x00"],
        ["a--b", "supportxmr", "4Def"],
        ["a--b", "2miners etc", "b-etc"],
        ["new", "more", "4Def"],
    ];
    assert_eq!(wallets(&config), expected(&all));
    let more = &config.pools[2];
    assert_eq!((&*more.name, more.decimals, more.block_time.as_secs()), ("more", 9, 60));
    assert_eq!(config.plan.reading.decimals.coins("newcoin", 2e9), Some(2.0), "what a pool says is known to the metrics");
    assert_eq!(config.pools[0].http.base_url.as_str(), "https://other.example.com/");
    assert_eq!(config.pools[0].http.requests_per_second.to_string(), "0.25");
}

#[test]
fn a_variable_for_the_key_of_an_account_is_none_of_a_wallet() {
    let text = format!("[api]\nbase_url = \"http://127.0.0.1:1\"\n{XMR}[[accounts]]\nname = \"rig--wallets\"\n");
    let config = read(&text, &[("ACCOUNTS__RIG__WALLETS__TOKEN", "t")]).unwrap();
    assert_eq!((&**config.accounts[0].name(), config.accounts.len(), config.wallets.len()), ("rig--wallets", 1, 0));
    // A pool whose name has two underscores in a variable.
    let text = text.replace("supportxmr", "my--pool").replace("rig--wallets", "rig");
    let config = read(&text, &[("ACCOUNTS__RIG__WALLETS__MY__POOL", "4Abc")]).unwrap();
    assert_eq!(wallets(&config), expected(&[["rig", "my--pool", "4Abc"]]));
}

proptest! {
    /// A variable finds the account and the pool of the file, whatever signs their names have.
    #[test]
    fn a_wallet_in_the_environment_finds_its_account_and_pool(account in "[a-z0-9.-]([a-z0-9 .-]{0,12}[a-z0-9.-])?", pool in "[a-z0-9.-]{1,12}") {
        let capitals = |name: &str| name.to_uppercase().replace([' ', '.', '-'], "_");
        let variable = format!("ACCOUNTS__{}__WALLETS__{}", capitals(&account), capitals(&pool));
        let text = format!("{}[[accounts]]\nname = \"{account}\"\n", XMR.replace("supportxmr", &pool));
        let config = read(&text, &[(&variable, "4Abc")]).unwrap();
        prop_assert_eq!(wallets(&config), expected(&[[&account, &pool, "4Abc"]]));
    }
}

#[test]
fn yaml_says_the_same_as_toml() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.yaml");
    let text = "pools:\n  - name: supportxmr\n    software: nodejs-pool\n    url: https://pool.example.com/api/\n    currency: xmr\n\
                accounts:\n  - name: rig\n    wallets:\n      supportxmr: 4Abc\n  - name: b\n    wallet_files: { supportxmr: b-address }\n";
    std::fs::write(&path, text).unwrap();
    let yaml = Config::load(Sources { file: Some(&path), ..Sources::default() }).unwrap();
    let accounts = "[[accounts]]\nname = \"rig\"\nwallets = { supportxmr = \"4Abc\" }\n[[accounts]]\nname = \"b\"\nwallet_files = { supportxmr = \"b-address\" }\n";
    let toml = read(&format!("{XMR}{accounts}"), &[]).unwrap();
    assert_eq!(format!("{:?}", yaml.pools), format!("{:?}", toml.pools));
    assert!(is(&yaml.wallets[0].address, "4Abc") && is(&toml.wallets[0].address, "4Abc"));
    let Secret::File { path, .. } = &yaml.wallets[1].address else { panic!("{:?}", yaml.wallets) };
    assert_eq!(*path, directory.path().join("b-address"));
    // Hexadecimal digits without quotes are a number to YAML.
    std::fs::write(directory.path().join("c.yaml"), text.replace("4Abc", &format!("0x{}", "1a".repeat(20)))).unwrap();
    match Config::load(Sources { file: Some(&directory.path().join("c.yaml")), ..Sources::default() }) {
        Ok(config) => assert!(is(&config.wallets[0].address, &format!("0x{}", "1a".repeat(20)))),
        Err(error) => assert!(error.to_string().ends_with("put it in quotes"), "{error}"),
    }
}

#[test]
fn systemd_s_credentials_hold_addresses_too() {
    let credentials = tempfile::tempdir().unwrap();
    std::fs::write(credentials.path().join("rig-address"), "4Abc").unwrap();
    let text = format!("{XMR}[[accounts]]\nname = \"rig\"\nwallet_files = {{ supportxmr = \"rig-address\" }}\n");
    let environment = vec![("CREDENTIALS_DIRECTORY".into(), credentials.path().into())];
    let config = Config::load(Sources { text: Some(&text), environment, ..Sources::default() }).unwrap();
    let Secret::File { path, .. } = &config.wallets[0].address else { panic!("{:?}", config.wallets) };
    assert_eq!(*path, credentials.path().join("rig-address"));
}

/// What stands behind the two pools, from line 11 on, and what must be said of it.
const MISTAKES: &[(&str, &str)] = &[
    (
        "wallets = { planted = \"4planted\" }",
        ":13: accounts[1].wallets: not the name of a pool; [[pools]] has supportxmr, 2miners etc",
    ),
    (
        "wallet_files = { supportxnr = \"planted\" }",
        ":13: accounts[1].wallet_files: not the name of a pool; did you mean `supportxmr`? [[pools]] has supportxmr, 2miners etc",
    ),
    (
        "wallets = { supportxmr = \"4planted\", \"4planted\" = \"supportxmr\" }",
        ":13: accounts[1].wallets: not the name of a pool; [[pools]] has supportxmr, 2miners etc",
    ),
    (
        "wallets = { supportxmr = \"4planted\" }\nwallet_files = { supportxmr = \"planted\" }",
        ":14: accounts[1].wallet_files.supportxmr: stands beside wallets; give one of them",
    ),
    (
        "wallets = { supportxmr = \"4planted/../other\" }",
        ":13: accounts[1].wallets.supportxmr: holds a character that no address has; give the wallet's address alone, of letters and \
         digits",
    ),
    (
        "wallets = { supportxmr = \"planted@example.com\" }",
        ":13: accounts[1].wallets.supportxmr: holds a character that no address has; give the wallet's address alone, of letters and \
         digits",
    ),
    ("wallets = { supportxmr = \"\" }", ":13: accounts[1].wallets.supportxmr: is empty; give the wallet's address"),
    ("wallets = { supportxmr = \" \\n\" }", ":13: accounts[1].wallets.supportxmr: is empty; give the wallet's address"),
    ("wallets = {}", ":13: accounts[1].wallets: is empty; name a pool of [[pools]] in it, or leave it out"),
    ("wallet_files = {}", ":13: accounts[1].wallet_files: is empty; name a pool of [[pools]] in it, or leave it out"),
    ("wallets = \"4planted\"", ":13: accounts[1].wallets: expected a table, found a text"),
    ("wallets = [\"4planted\"]", ":13: accounts[1].wallets: expected a table, found a list"),
    (
        "wallets = { supportxmr = 12345 }",
        ":13: accounts[1].wallets.supportxmr: expected a string, found a whole number; put it in quotes",
    ),
    ("wallet_files = { supportxmr = [] }", ":13: accounts[1].wallet_files.supportxmr: expected a path, found a list"),
    (
        "wallets = { supportxmr = \"4planted\" }\nendpoints = [\"planted\"]",
        ":14: accounts[1].endpoints[1]: not an endpoint of an account; those are …",
    ),
    (
        "wallets = { supportxmr = \"4planted\" }\nemail = \"planted@example.com\"",
        ":11: accounts[1].password: no way to log in; give token or token_file, or email with password or password_file, or leave out all of \
         these",
    ),
    (
        "wallets = { supportxmr = \"4planted\" }\ntoken = \"planted\"\ntotp_secret = \"GEZDGNBVGY3TQOJQ\"",
        ":15: accounts[1].totp_secret: has no use beside a token; leave it out",
    ),
    (
        "wallets = { supportxmr = \"4planted\" }\n[[accounts]]\nname = \"rig\"\nwallets = { supportxmr = \"4planted\" }",
        ":15: accounts[2].name: stands twice; every account needs a name of its own",
    ),
    (
        "wallets = { supportxmr = \"4planted\" }\nemail = \"e@x\"\npassword = \"planted\"\n[[accounts]]\nname = \"other\"\nemail = \"E@x\"\n\
         password = \"planted\"\nwallets = { supportxmr = \"4planted\" }",
        ":18: accounts[2].email: another account with wallets has the same; the gateway could not tell the two apart",
    ),
    (
        "wallets = { supportxmr = \"4planted\" }\ntoken = \"planted\"\n[[accounts]]\nname = \"other\"\ntoken = \"planted\"\n\
         wallets = { supportxmr = \"4planted\" }",
        ":17: accounts[2].token: another account with wallets has the same; the gateway could not tell the two apart",
    ),
    (
        "wallets = { supportxmr = \"4planted\" }\n[[accounts]]\nname = \"other\"\ntoken = \"t\"",
        ": api.base_url: missing; give the URL of the API that you use, such as \"https://api.example.com\"; there is no default, since the \
         public host is discontinued",
    ),
    (
        "wallets = { supportxmr = \"4planted\" }\n[[pools]]\nname = \"other\"\nsoftware = \"nodejs-pool\"\nurl = \"https://x.example.com\"\n\
         currency = \"xmr\"\n[[accounts]]\nname = \"two\"\nwallets = { supportxmr = \"4planted\", other = \"4planted\" }",
        ":21: accounts[2].wallets.supportxmr: is of the same currency as another wallet of the account; in one account a currency comes from \
         one pool, so give it an account of its own",
    ),
];

#[test]
fn every_mistake_of_an_account_with_wallets_has_its_sentence() {
    for (rest, sentence) in MISTAKES {
        let text = format!("{XMR}{ETC}[[accounts]]\nname = \"rig\"\n{rest}\n");
        let error = read(&text, &[]).unwrap_err();
        assert!(fits(&error, &format!("configuration{sentence}")), "{error}\nof\n{text}");
        assert!(!error.contains("planted"), "{error}");
    }
}

/// Keys of a pool, and what must be said of it; the others are right.
const MISTAKES_OF_POOLS: &[(&str, &str, &str)] = &[
    ("software", "\"nodejs-pol\"", "not known; did you mean `nodejs-pool`? give one of @softwares"),
    ("software", "\"planted\"", "not known; give one of @softwares"),
    ("software", "\"\"", "missing; give one of @softwares"),
    ("url", "\"planted.example.com/api\"", "not a URL (…); give one such as \"https://api.example.com\""),
    ("url", "\"https:///\"", "not a URL (…); give one such as \"https://api.example.com\""),
    ("url", "\"ftp://planted.example.com\"", "not the URL of a web server; give one such as \"https://api.example.com\""),
    (
        "url",
        "\"https://planted@example.com\"",
        "a base URL has no user, password, query or fragment; give one such as \"https://api.example.com\"",
    ),
    (
        "url",
        "\"https://example.com/api?address=planted\"",
        "a base URL has no user, password, query or fragment; give one such as \"https://api.example.com\"",
    ),
    (
        "url",
        "\"https://example.com/#planted\"",
        "a base URL has no user, password, query or fragment; give one such as \"https://api.example.com\"",
    ),
    (
        "url",
        "\"https://example.com/miner/4planted1111111111111111111111111/stats\"",
        "holds what looks like a wallet's address; give the URL of the pool's API alone",
    ),
    ("url", "\"\"", "missing; give the URL of the pool's API, such as \"https://supportxmr.com/api\""),
    ("currency", "\"XMR\"", "a currency's code is in small letters; give \"xmr\""),
    ("currency", "\"the planted\"", "can't be a currency's code; give 1 to 16 of a-z, 0-9, _ and -, such as \"xmr\""),
    ("decimals", "40", "out of range; give 0 to 36"),
    ("decimals", "-1", "out of range; give 0 to 36"),
    ("block_time", "\"0s\"", "out of range; give more than \"0s\" and at most \"1d\""),
    ("block_time", "\"2d\"", "out of range; give more than \"0s\" and at most \"1d\""),
    (
        "block_time",
        "120",
        "a duration needs a unit; write a number with its unit, such as \"30s\", \"5m\", \"1h\" or \"7d\"",
    ),
    ("requests_per_second", "0", "out of range; give 0.001 to 100000"),
    ("requests_per_second", "nan", "out of range; give 0.001 to 100000"),
    ("burst", "0.5", "out of range; give 1 to 100000"),
    ("concurrency", "0", "out of range; give 1 to 10000"),
    ("timeout", "\"0s\"", "no request can take no time; give \"10s\" or so"),
    ("max_age", "\"0s\"", "out of range; give \"1s\" to \"1h\""),
    ("max_age", "\"2h\"", "out of range; give \"1s\" to \"1h\""),
    (
        "name",
        "\"Token-file\"",
        "ends as a key of accounts does, and variables could not tell the two apart; give another name",
    ),
    (
        "name",
        "\"my--token\"",
        "ends as a key of accounts does, and variables could not tell the two apart; give another name",
    ),
    ("name", "\"-token\"", "ends as a key of accounts does, and variables could not tell the two apart; give another name"),
    ("name", "\"\"", "missing; every pool needs a name, by which the accounts' wallets name it"),
    ("name", "\"planted@example.com\"", "looks like an e-mail address, and would stand on every page; give another name"),
    ("name", "\" planted\"", "give 1 to 64 printable characters without spaces around them"),
    (
        "name",
        "\"4planted111111111111111111111\"",
        "looks like a wallet's address, and would stand on every page; give another name",
    ),
];

#[test]
fn every_mistake_of_a_pool_has_its_sentence() {
    let softwares = minergate_pools::SOFTWARES.iter().map(|software| software.name).collect::<Vec<_>>().join(", ");
    for (key, value, sentence) in MISTAKES_OF_POOLS {
        // A key of the table is replaced, another one added.
        let (mut line, mut pool) = (6, XMR.to_owned());
        match XMR.lines().position(|line| line.starts_with(key)) {
            Some(place) => {
                line = place + 1;
                pool = XMR.replace(XMR.lines().nth(place).unwrap(), &format!("{key} = {value}"));
            }
            None => pool = format!("{pool}{key} = {value}\n"),
        }
        let sentence = format!("configuration:{line}: pools[1].{key}: {}", sentence.replace("@softwares", &softwares));
        let error =
            read(&format!("{pool}[[accounts]]\nname = \"rig\"\nwallets = {{ {ANY} }}\n", ANY = "x = \"4planted\""), &[]);
        let error = error.unwrap_err();
        let first = error.lines().next().unwrap();
        assert!(fits(first, &sentence), "{error}\n{sentence}");
        assert!(!error.contains("planted"), "{error}");
    }
}

#[test]
fn what_is_missing_of_a_pool_is_said_with_the_key_to_set() {
    let rig = "[[accounts]]\nname = \"rig\"\nwallets = { supportxmr = \"4planted\" }\n";
    for (text, sentence) in [
        (
            format!("[[pools]]\nname = \"supportxmr\"\n{rig}"),
            ":1: pools[1].software: missing; give one of nodejs-pool, cryptonote-nodejs-pool, open-ethereum-pool\n       \
             configuration:1: pools[1].url: missing; give the URL of the pool's API, such as \"https://supportxmr.com/api\"\n       \
             configuration:1: pools[1].currency: missing; give the code of the currency that is mined there, such as \"xmr\"",
        ),
        (
            format!("{}{rig}", XMR.replace("xmr\"\n", "newcoin\"\n").replace("supportnewcoin", "supportxmr")),
            ":1: pools[1].decimals: missing, and not known of this currency; give those of its smallest unit, such as 12\n       \
             configuration:1: pools[1].block_time: missing, and not known of this currency; give the average from block to block, such as \"2m\"",
        ),
        (format!("{XMR}{XMR}{rig}"), ":7: pools[2].name: stands twice; every pool needs a name of its own"),
        (
            rig.to_owned(),
            ":3: accounts[1].wallets: names a pool, and there are none; add it to [[pools]] with name, software, url and currency",
        ),
        (
            format!(
                "{XMR}[[accounts]]\nname = \"4planted111111111111111111111\"\nwallets = {{ supportxmr = \"4planted\" }}\n"
            ),
            ":7: accounts[1].name: looks like a wallet's address, and would stand on every page; give another name",
        ),
        (
            format!("currencies = [\"xmr\", \"bcn\"]\n{XMR}{rig}"),
            ":1: currencies: no pool of [[pools]] has one of them; add a pool for it, or give api.base_url",
        ),
        (format!("max_workers = 50001\n{XMR}{rig}"), ":1: max_workers: out of range; give 0 to 50000"),
        (
            XMR.to_owned(),
            ": nothing to poll; give [[accounts]] or currencies, with --config.file or in the environment, or try the demo",
        ),
    ] {
        let error = read(&text, &[]).unwrap_err();
        assert_eq!(error, format!("configuration{sentence}"), "of\n{text}");
    }
    // Configured decimals of a currency will do.
    let newcoin = format!("{}block_time = \"1m\"\n{rig}", XMR.replace("currency = \"xmr\"", "currency = \"newcoin\""));
    assert_eq!(read(&format!("decimals = {{ newcoin = 3 }}\n{newcoin}"), &[]).unwrap().pools[0].decimals, 3);
}

#[test]
fn a_mistake_in_the_environment_names_the_variable_and_no_address() {
    let text = format!("{XMR}[[pools]]\nname = \"a-1\"\n[[pools]]\nname = \"a.1\"\n[[accounts]]\nname = \"rig\"\n");
    for (variable, value, sentence) in [
        (
            "ACCOUNTS__RIG__WALLETS__4PLANTED",
            "supportxmr",
            "MINERGATE_EXPORTER__ACCOUNTS__RIG__WALLETS__...: accounts[1].wallets: not the name of a pool; [[pools]] has supportxmr, a-1, a.1",
        ),
        (
            "ACCOUNTS__RIG__WALLETS__SUPPORTXMR",
            "4planted?",
            "MINERGATE_EXPORTER__ACCOUNTS__RIG__WALLETS__SUPPORTXMR: accounts[1].wallets.supportxmr: holds a character",
        ),
        (
            "ACCOUNTS__RIG__WALLETS__A_1",
            "4planted",
            "MINERGATE_EXPORTER__ACCOUNTS__RIG__WALLETS__...: can mean the pools `a-1` and `a.1`; rename one of the two, or give the key in the \
             file",
        ),
        (
            "ACCOUNTS__RIG__WALLETS",
            "4planted",
            "MINERGATE_EXPORTER__ACCOUNTS__RIG__WALLETS: accounts[1].wallets: expected a table, found a text",
        ),
        (
            "POOLS__A_1__URL",
            "planted",
            "MINERGATE_EXPORTER__POOLS__A_1__URL: can mean pools[2] (`a-1`) and pools[3] (`a.1`); rename one of the two, or give the key in the \
             file",
        ),
        ("POOLS__SUPPORTXMR__URL", "planted", "MINERGATE_EXPORTER__POOLS__SUPPORTXMR__URL: pools[1].url: not a URL"),
        (
            "POOLS__SUPPORTXMR__PLANTED",
            "x",
            "MINERGATE_EXPORTER__POOLS__SUPPORTXMR__...: pools[1]: unknown key; known are name,",
        ),
        (
            "POOLS__SUPPORTXMR",
            "planted",
            "MINERGATE_EXPORTER__POOLS__...: names no key of a pool; give one key in each variable, such as",
        ),
        ("POOLS", "planted", "MINERGATE_EXPORTER__POOLS: names no key of a pool; give one key in each variable, such as"),
    ] {
        let error = read(&text, &[(variable, value)]).unwrap_err();
        assert!(error.lines().any(|line| line.trim().starts_with(sentence)), "{error}\n{sentence}");
        assert!(!error.to_lowercase().contains("planted"), "{error}");
    }
}

#[test]
fn an_address_does_not_print_itself() {
    let text = format!(
        "{XMR}{ETC}[[accounts]]\nname = \"rig\"\nwallets = {{ supportxmr = \"4planted\" }}\nwallet_files = {{ \"2miners etc\" = \"/planted\" }}\n\
         email = \"planted@example.com\"\npassword_file = \"planted\"\n"
    );
    let config = read(&text, &[]).unwrap();
    let printed = format!("{config:?} {config:#?}");
    assert!(printed.contains("WalletConfig") && !printed.contains("planted"), "{printed}");
}
