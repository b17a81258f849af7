//! The wallets of an account at `[[pools]]`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use minergate::api::Secret;
use minergate::spelling;
use minergate_pools::address;
use secrecy::{ExposeSecret as _, SecretString};

use super::Config;
use super::account::Account;
use super::error::KeyError;
use super::pool::Pool;

/// Maximum number of pools that a message names.
const NAMED: usize = 10;

/// A wallet of an account.
#[derive(Clone)]
pub struct WalletConfig {
    /// The account's name.
    pub account: Arc<str>,
    /// The pool's index in [`Config::pools`](super::Config::pools).
    pub pool: usize,
    pub address: Secret,
    /// The account's endpoints; `None` means all that the pool's software can fill.
    pub endpoints: Option<Vec<String>>,
}

/// Omits the address and the path of its file, because the path can be a misplaced address.
impl fmt::Debug for WalletConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WalletConfig { account, pool, endpoints, .. } = self;
        let mut wallet = f.debug_struct("WalletConfig");
        wallet.field("account", account).field("pool", pool).field("endpoints", endpoints).finish_non_exhaustive()
    }
}

impl Config {
    /// The current address of a wallet.
    ///
    /// # Errors
    /// A sentence that says why the address can't be read or is invalid. It contains neither the address nor the path of its file.
    pub async fn address(&self, wallet: &WalletConfig) -> Result<SecretString, String> {
        let WalletConfig { account, pool, address, .. } = wallet;
        let pool = &self.pools[*pool].name;
        let read = address.read().await.map_err(|error| format!("account {account}: the wallet at {pool}: {error}"))?;
        let address = address::parse(read.expose_secret());
        address.map(SecretString::from).map_err(|fault| format!("account {account}: the address at {pool} {fault}"))
    }

    /// The wallets that this instance polls.
    pub fn own_wallets(&self) -> impl Iterator<Item = &WalletConfig> {
        self.wallets.iter().filter(|wallet| self.owns_account(&wallet.account))
    }
}

/// The wallets of an account, in the order of the pools. Mistakes are added to `errors`.
pub(super) fn wallets(account: &Account, pools: &[Pool], errors: &mut Vec<KeyError>) -> Vec<WalletConfig> {
    let addresses = account.wallets.iter().flatten().map(|(pool, address)| (pool, RawAddress::Address(address)));
    let files = account.wallet_files.iter().flatten().map(|(pool, path)| (pool, RawAddress::File(path)));
    let mut found: Vec<(usize, RawAddress<'_>, Secret)> = Vec::new();
    for (pool, written) in addresses.chain(files) {
        let read = || -> Result<_, String> {
            let place = pools.iter().position(|known| known.name == *pool).ok_or_else(|| unknown(pool, pools))?;
            conflict(place, &found, pools).map_or(Ok(()), Err)?;
            Ok((place, written, written.secret()?))
        };
        match read() {
            Ok(wallet) => found.push(wallet),
            Err(message) => errors.push(KeyError::new([written.key(), pool], message)),
        }
    }
    let mut check = |key, is_empty: Option<bool>| {
        if is_empty == Some(true) {
            errors.push(KeyError::new([key], "is empty; name a pool of [[pools]] in it, or leave it out"));
        }
    };
    check("wallets", account.wallets.as_ref().map(BTreeMap::is_empty));
    check("wallet_files", account.wallet_files.as_ref().map(BTreeMap::is_empty));
    found.sort_by_key(|(place, ..)| *place);
    let wallet = |(pool, _, address)| WalletConfig {
        account: account.name.as_str().into(),
        pool,
        address,
        endpoints: account.endpoints.clone(),
    };
    found.into_iter().map(wallet).collect()
}

/// A wallet's address as it is written.
#[derive(Clone, Copy)]
enum RawAddress<'a> {
    Address(&'a SecretString),
    File(&'a PathBuf),
}

impl RawAddress<'_> {
    /// The table that contains it.
    fn key(self) -> &'static str {
        match self {
            RawAddress::Address(_) => "wallets",
            RawAddress::File(_) => "wallet_files",
        }
    }

    fn secret(self) -> Result<Secret, String> {
        match self {
            RawAddress::Address(address) => {
                let address = address::parse(address.expose_secret()).map_err(str::to_owned)?;
                Ok(Secret::Value(address.into()))
            }
            RawAddress::File(path) => Ok(Secret::File { name: self.key(), path: path.clone() }),
        }
    }
}

/// Why a wallet at this pool conflicts with the account's other wallets, if it does.
fn conflict(place: usize, found: &[(usize, RawAddress<'_>, Secret)], pools: &[Pool]) -> Option<String> {
    let pool = &pools[place];
    let is_rival = |other: usize| other == place || !pool.currency.is_empty() && pools[other].currency == pool.currency;
    let (other, written, _) = found.iter().find(|(other, ..)| is_rival(*other))?;
    Some(if *other == place {
        format!("is given together with {}; give one of them", written.key())
    } else {
        let remedy = "in one account a currency comes from one pool, so give it an account of its own";
        format!("is of the same currency as another wallet of the account; {remedy}")
    })
}

/// The message does not contain the given name, because it can be an address.
fn unknown(name: &str, pools: &[Pool]) -> String {
    let names: Vec<&str> =
        pools.iter().map(|pool| pool.name.as_str()).filter(|name| super::pool::name_fault(name).is_none()).collect();
    if names.is_empty() {
        return "names a pool, and there are none; add it to [[pools]] with name, software, url and currency".to_owned();
    }
    let question = spelling::question(name, names.iter().copied());
    format!("not the name of a pool; {question}[[pools]] has {}", spelling::list(names.iter(), NAMED))
}
