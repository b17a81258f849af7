//! Wallets in the environment, in YAML, and in systemd's credentials.

use minergate::api::Secret;
use minergate_exporter::config::{Config, Sources};
use proptest::prelude::*;

use super::{ETC, XMR, expected, is, read, wallets};

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
            // The value replaces the `wallet_files` of the file. It is taken literally.
            ("ACCOUNTS__MY_RIG__WALLETS__SUPPORTXMR", "4Abc\r\n"),
            ("ACCOUNTS__MY_RIG__WALLETS__MORE", "0x00"),
            // The account's name has two underscores in the variable.
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
    assert_eq!(config.plan.reading.decimals.coins("newcoin", 2e9), Some(2.0), "the metrics use the decimals of the pool");
    assert_eq!(config.pools[0].http.base_url.as_str(), "https://other.example.com/");
    assert_eq!(config.pools[0].http.requests_per_second.to_string(), "0.25");
}

#[test]
fn a_variable_for_a_key_of_an_account_is_not_taken_for_a_wallet() {
    let text = format!("[api]\nbase_url = \"http://127.0.0.1:1\"\n{XMR}[[accounts]]\nname = \"rig--wallets\"\n");
    let config = read(&text, &[("ACCOUNTS__RIG__WALLETS__TOKEN", "t")]).unwrap();
    assert_eq!((&**config.accounts[0].name(), config.accounts.len(), config.wallets.len()), ("rig--wallets", 1, 0));
    // A pool whose name has two underscores in a variable.
    let text = text.replace("supportxmr", "my--pool").replace("rig--wallets", "rig");
    let config = read(&text, &[("ACCOUNTS__RIG__WALLETS__MY__POOL", "4Abc")]).unwrap();
    assert_eq!(wallets(&config), expected(&[["rig", "my--pool", "4Abc"]]));
}

proptest! {
    /// A variable finds the account and the pool of the file, whatever characters their names have.
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
fn yaml_and_toml_give_the_same_configuration() {
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
fn addresses_can_be_systemd_credentials() {
    let credentials = tempfile::tempdir().unwrap();
    std::fs::write(credentials.path().join("rig-address"), "4Abc").unwrap();
    let text = format!("{XMR}[[accounts]]\nname = \"rig\"\nwallet_files = {{ supportxmr = \"rig-address\" }}\n");
    let environment = vec![("CREDENTIALS_DIRECTORY".into(), credentials.path().into())];
    let config = Config::load(Sources { text: Some(&text), environment, ..Sources::default() }).unwrap();
    let Secret::File { path, .. } = &config.wallets[0].address else { panic!("{:?}", config.wallets) };
    assert_eq!(*path, credentials.path().join("rig-address"));
}
