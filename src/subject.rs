//! What a poll, its samples and its health are about.

use std::sync::Arc;

use minergate::endpoints::{Endpoint, Scope};

/// The pool, a network, an account or one of its wallets, ordered as they are shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The pool behind the API, which has many currencies.
    Pool,
    /// The network of this currency. At a pool with only this currency, also its top miners.
    Network(Arc<str>),
    /// The account at the API with this name in the configuration.
    Account(Arc<str>),
    /// A wallet of an account. It is behind a pointer, so that other subjects take less memory.
    Wallet(Arc<WalletOf>),
}

/// The account and the currency of a wallet.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WalletOf {
    pub account: Arc<str>,
    pub currency: Arc<str>,
}

impl Subject {
    /// The wallet of an account in this currency.
    pub fn wallet(account: Arc<str>, currency: Arc<str>) -> Subject {
        Subject::Wallet(Arc::new(WalletOf { account, currency }))
    }

    /// The account's name.
    pub fn account(&self) -> Option<&Arc<str>> {
        match self {
            Subject::Account(name) => Some(name),
            Subject::Wallet(wallet) => Some(&wallet.account),
            Subject::Pool | Subject::Network(_) => None,
        }
    }

    /// The currency that it is about, if any.
    pub fn currency(&self) -> Option<&Arc<str>> {
        match self {
            Subject::Network(currency) => Some(currency),
            Subject::Wallet(wallet) => Some(&wallet.currency),
            Subject::Pool | Subject::Account(_) => None,
        }
    }

    /// The first subjects of an account in the order: itself, and its wallets.
    pub fn of_account(name: &str) -> [Subject; 2] {
        [Subject::Account(name.into()), Subject::wallet(name.into(), "".into())]
    }

    /// The subject for health. Wallets are a part of their account.
    #[must_use]
    pub fn whole(&self) -> Subject {
        match self {
            Subject::Wallet(wallet) => Subject::Account(wallet.account.clone()),
            subject => subject.clone(),
        }
    }

    /// The label that identifies the subject in samples of an endpoint, and its value. Samples of the pool and of wallets have a `currency`
    /// label of their own.
    pub fn label(&self, scope: Scope) -> Option<(&'static str, &str)> {
        match self {
            Subject::Account(_) | Subject::Wallet(_) => self.account().map(|name| ("account", &**name)),
            Subject::Network(currency) if scope == Scope::Network => Some(("currency", currency)),
            Subject::Network(_) | Subject::Pool => None,
        }
    }

    /// The argument for the path of an endpoint of the API.
    pub fn argument(&self, endpoint: &Endpoint) -> Option<&str> {
        self.currency().filter(|_| endpoint.scope == Scope::Network).map(|currency| &**currency)
    }

    /// The values of `account` and `currency` in labels and log fields. A value that does not apply is empty.
    pub fn labels(&self) -> (&str, &str) {
        (self.account().map_or("", |name| name), self.currency().map_or("", |currency| currency))
    }
}
