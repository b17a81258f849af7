//! What a poll, its samples and its health are about.

use std::sync::Arc;

/// The pool, a network or an account; they are shown in this order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    Pool,
    /// The network of that currency.
    Network(Arc<str>),
    /// The account of that name in the configuration.
    Account(Arc<str>),
}

impl Subject {
    /// The account's name.
    pub fn account(&self) -> Option<&Arc<str>> {
        match self {
            Subject::Account(name) => Some(name),
            Subject::Pool | Subject::Network(_) => None,
        }
    }

    /// The network's currency.
    pub fn currency(&self) -> Option<&str> {
        match self {
            Subject::Network(currency) => Some(currency),
            Subject::Pool | Subject::Account(_) => None,
        }
    }

    /// The label that its samples have beside their own, and its value.
    pub fn label(&self) -> Option<(&'static str, &str)> {
        match self {
            Subject::Pool => None,
            Subject::Network(currency) => Some(("currency", currency)),
            Subject::Account(name) => Some(("account", name)),
        }
    }

    /// The values of the labels `account` and `currency`, and of the log's fields. One that does not apply is empty there.
    pub fn labels(&self) -> (&str, &str) {
        (self.account().map_or("", |name| name), self.currency().unwrap_or_default())
    }
}
