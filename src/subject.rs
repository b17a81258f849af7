//! What a poll, its samples and its health are about.

use std::sync::Arc;

use minergate::endpoints::{Endpoint, Scope};

/// The pool, a network, an account or one of its wallets; they are shown in this order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The pool behind the API, which has many currencies.
    Pool,
    /// The network of that currency; at a pool of that currency alone, also its top miners.
    Network(Arc<str>),
    /// The account at the API of that name in the configuration.
    Account(Arc<str>),
    /// A wallet of an account. Behind a pointer, so that the many subjects that are none are small.
    Wallet(Arc<WalletOf>),
}

/// Whose wallet it is, and of which currency.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WalletOf {
    pub account: Arc<str>,
    pub currency: Arc<str>,
}

impl Subject {
    /// The wallet of an account in that currency.
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

    /// The currency that it is about, if it is about one.
    pub fn currency(&self) -> Option<&Arc<str>> {
        match self {
            Subject::Network(currency) => Some(currency),
            Subject::Wallet(wallet) => Some(&wallet.currency),
            Subject::Pool | Subject::Account(_) => None,
        }
    }

    /// Where the subjects of an account begin: itself, and its wallets.
    pub fn of_account(name: &str) -> [Subject; 2] {
        [Subject::Account(name.into()), Subject::wallet(name.into(), "".into())]
    }

    /// The subject that health is kept of: an account's wallets are a part of it.
    #[must_use]
    pub fn whole(&self) -> Subject {
        match self {
            Subject::Wallet(wallet) => Subject::Account(wallet.account.clone()),
            subject => subject.clone(),
        }
    }

    /// The label that its samples of an endpoint have beside their own, and its value. Samples of the pool name their currency
    /// themselves, and so do those of wallets.
    pub fn label(&self, scope: Scope) -> Option<(&'static str, &str)> {
        match self {
            Subject::Account(_) | Subject::Wallet(_) => self.account().map(|name| ("account", &**name)),
            Subject::Network(currency) if scope == Scope::Network => Some(("currency", currency)),
            Subject::Network(_) | Subject::Pool => None,
        }
    }

    /// What fills the path of an endpoint of the API.
    pub fn argument(&self, endpoint: &Endpoint) -> Option<&str> {
        self.currency().filter(|_| endpoint.scope == Scope::Network).map(|currency| &**currency)
    }

    /// The values of the labels `account` and `currency`, and of the log's fields. One that does not apply is empty there.
    pub fn labels(&self) -> (&str, &str) {
        (self.account().map_or("", |name| name), self.currency().map_or("", |currency| currency))
    }
}
