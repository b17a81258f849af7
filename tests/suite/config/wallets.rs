//! Pools and wallets in the configuration: values, sources, mistakes, and that no address is quoted.

mod account_mistakes;
mod pool_mistakes;
mod secrecy;
mod sources;
mod values;

use std::ffi::OsString;

use minergate::api::Secret;
use minergate_exporter::config::{Config, Sources, WalletConfig};

/// A pool of Monero: lines 1 to 5 of a configuration.
pub(crate) const XMR: &str = "[[pools]]\nname = \"supportxmr\"\nsoftware = \"nodejs-pool\"\nurl = \"https://pool.example.com/api/\"\ncurrency = \"xmr\"\n";

/// A pool of Ethereum Classic: lines 6 to 10.
const ETC: &str = "[[pools]]\nname = \"2miners etc\"\nsoftware = \"open-ethereum-pool\"\nurl = \"http://127.0.0.1:1\"\ncurrency = \"etc\"\n";

fn environment(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    variables.iter().map(|(name, value)| (format!("MINERGATE_EXPORTER__{name}").into(), value.into())).collect()
}

fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let sources = Sources { text: Some(text), environment: environment(variables), ..Sources::default() };
    Config::load(sources).map_err(|error| error.to_string())
}

/// Each wallet's account, pool, and address or path of the address's file.
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
