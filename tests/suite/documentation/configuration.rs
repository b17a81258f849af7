//! The examples of docs/configuration.md: they are valid, and the same in TOML, YAML and the environment.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use minergate::api::Account;
use minergate::endpoints;
use minergate_exporter::config::{Config, Sources};

use crate::repository::{fenced, read};

#[test]
fn the_toml_and_yaml_examples_are_the_same_configuration() {
    let page = read("docs/configuration.md");
    let directory = tempfile::tempdir().unwrap();
    let [toml, yaml] = ["toml", "yaml"].map(|language| {
        let example = &fenced(&page, language)[0];
        let path = directory.path().join(format!("c.{language}"));
        fs::write(&path, example).unwrap();
        Config::load(Sources { file: Some(&path), ..Sources::default() }).unwrap()
    });
    let credentials = |config: &Config| {
        let of = |account: &Arc<Account>| (account.name().clone(), account.credentials().clone());
        config.accounts.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!((toml.accounts.len(), credentials(&toml)), (2, credentials(&yaml)));
    assert_eq!(toml.api, yaml.api);
    for intervals in [&toml.plan.intervals, &yaml.plan.intervals] {
        let interval = |name| intervals.get(endpoints::find(name).unwrap());
        assert_eq!((interval("workers"), interval("top_hashrate")), (Some(Duration::from_secs(15)), None));
    }
}

/// The page has one wallet twice: in a file and in the environment.
#[test]
fn the_wallet_in_a_file_and_in_the_environment_is_the_same() {
    let page = read("docs/configuration.md");
    let section = page.split("\n## Wallets at pools\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let [toml] = fenced(section, "toml").try_into().unwrap();
    let file = Config::load(Sources { text: Some(&toml), ..Sources::default() }).unwrap();
    let lines = section.lines().filter(|line| line.starts_with("MINERGATE_EXPORTER__"));
    let environment =
        lines.filter_map(|line| line.split_once('=')).map(|(name, value)| (name.into(), value.into())).collect();
    let environment = Config::load(Sources { environment, ..Sources::default() }).unwrap();
    let said = |config: &Config| format!("{:?} {:?}", config.pools, config.wallets);
    assert_eq!((file.wallets.len(), said(&file)), (1, said(&environment)));
}

/// The variables of the example without a file.
#[test]
fn an_exporter_can_run_without_a_file() {
    let page = read("docs/configuration.md");
    let lines = page.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
    let environment: Vec<_> = lines.map(|(name, value)| (name.into(), value.into())).collect();
    assert_eq!(environment.len(), 2);
    let config = Config::load(Sources { environment, ..Sources::default() }).unwrap();
    assert_eq!((config.accounts.len(), &**config.accounts[0].name()), (1, "wallet"));
}
