//! The shipped example files can be loaded, and have the values that their comments say.

use std::path::Path;

use minergate::api::{Credentials, Secret, Settings};
use minergate::endpoints::ENDPOINTS;
use minergate_exporter::config::{Config, Log, Sources, Web};
use minergate_exporter::poller::Intervals;

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
