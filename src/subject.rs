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
    /// The wallet of an account, in that currency.
    Wallet { account: Arc<str>, currency: Arc<str> },
}

impl Subject {
    /// The account's name.
    pub fn account(&self) -> Option<&Arc<str>> {
        match self {
            Subject::Account(name) | Subject::Wallet { account: name, .. } => Some(name),
            Subject::Pool | Subject::Network(_) => None,
        }
    }

    /// The currency that it is about, if it is about one.
    pub fn currency(&self) -> Option<&Arc<str>> {
        match self {
            Subject::Network(currency) | Subject::Wallet { currency, .. } => Some(currency),
            Subject::Pool | Subject::Account(_) => None,
        }
    }

    /// Where the subjects of an account begin: itself, and its wallets.
    pub fn of_account(name: &str) -> [Subject; 2] {
        [Subject::Account(name.into()), Subject::Wallet { account: name.into(), currency: "".into() }]
    }

    /// The subject that health is kept of: an account's wallets are a part of it.
    #[must_use]
    pub fn whole(&self) -> Subject {
        match self {
            Subject::Wallet { account, .. } => Subject::Account(account.clone()),
            subject => subject.clone(),
        }
    }

    /// The label that its samples of an endpoint have beside their own, and its value. Samples of the pool name their currency
    /// themselves, and so do those of wallets.
    pub fn label(&self, scope: Scope) -> Option<(&'static str, &str)> {
        match (self, scope) {
            (Subject::Account(name) | Subject::Wallet { account: name, .. }, _) => Some(("account", name)),
            (Subject::Network(currency), Scope::Network) => Some(("currency", currency)),
            (Subject::Network(_) | Subject::Pool, _) => None,
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
