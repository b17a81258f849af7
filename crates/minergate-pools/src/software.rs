//! The table of pool softwares. To add one, write `software/x.rs`, put answers of it beside it, and add its line here.

use std::sync::Arc;

use minergate::api::{Error, Result};
use minergate::endpoints::withdrawals::Withdrawal;

use super::reading::{Context, Reading, compose};
use super::refusal;

/// Stands for the wallet's address in a path.
pub(crate) const ADDRESS: &str = "{address}";

/// A software that pools run.
#[derive(Debug)]
pub struct Software {
    /// Its name in the configuration.
    pub name: &'static str,
    /// The endpoints of the MinerGate API that it can fill.
    pub endpoints: &'static [&'static str],
    /// What all its paths begin with. It is added to a pool's URL that does not end with it.
    pub(crate) root: &'static str,
    /// Decimals of the unit that it counts a currency's coins in, where that is known.
    decimals: fn(&str) -> Option<u8>,
    sources: &'static [Source],
    /// How a wallet's payments go on after the first page, where there are more pages.
    pub(crate) pages: Option<Pages>,
}

/// One path that a software is asked.
#[derive(Debug)]
pub(crate) struct Source {
    /// The path below the pool's URL and its query, with [`ADDRESS`] for the wallet's address.
    pub(crate) path: &'static str,
    /// The endpoints that can't be answered without it.
    fills: &'static [&'static str],
    /// The endpoints that it adds something to, if the pool has it.
    adds_to: &'static [&'static str],
    /// How often a pool's maximum age what it says is kept: more than once for what seldom changes.
    pub(crate) ages: u32,
    pub(crate) error: fn(u16, &[u8]) -> Option<Error>,
    pub(crate) read: Reader,
}

/// Reads an upstream answer.
pub(crate) type Reader = fn(&[u8], &Context<'_>) -> Result<Reading>;

/// The pages of a wallet's payments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pages {
    /// The path of the next page, after so many pages and the payments of the last; nothing where that was the last.
    pub(crate) next: fn(usize, &[Withdrawal]) -> Option<String>,
    pub(crate) read: Reader,
}

impl Software {
    /// The software of that name.
    pub fn find(name: &str) -> Option<&'static Software> {
        SOFTWARES.iter().find(|software| software.name == name)
    }

    /// Whether it can fill the endpoint of that name.
    pub fn fills(&self, endpoint: &str) -> bool {
        self.endpoints.contains(&endpoint)
    }

    /// Decimals of the unit in which it counts a currency's coins; nothing if they are not known.
    pub fn decimals(&self, currency: &str) -> Option<u8> {
        (self.decimals)(currency)
    }

    /// The paths that an endpoint's answer is made of, with `{address}` for the wallet's.
    pub fn paths(&self, endpoint: &str) -> impl Iterator<Item = &'static str> {
        self.sources(endpoint).map(|(source, _)| source.path)
    }

    /// Makes the JSON of an endpoint's answer of the bodies of its [`paths`](Software::paths), in their order. A body that is not given is
    /// one that the pool does not have.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an endpoint that the software can't fill, [`Error::WalletUnknown`], and [`Error::Shape`] or
    /// [`Error::Encoding`] when a body is not what the software answers.
    pub fn translate(&self, endpoint: &str, bodies: &[Option<&[u8]>], context: &Context<'_>) -> Result<String> {
        if !self.fills(endpoint) {
            return Err(Error::NotFound);
        }
        let mut readings = Vec::new();
        for ((source, is_needed), body) in self.sources(endpoint).zip(bodies) {
            let Some(body) = body else { continue };
            match (source.error)(200, body).map_or_else(|| (source.read)(body, context), Err) {
                Ok(reading) => readings.push(Arc::new(reading)),
                Err(error) if is_needed => return Err(error),
                Err(_) => {}
            }
        }
        compose(endpoint, &readings, context)
    }

    /// What an endpoint's answer is made of, and whether there is none without it.
    pub(crate) fn sources(&self, endpoint: &str) -> impl Iterator<Item = (&'static Source, bool)> {
        let fills = move |source: &Source| source.fills.contains(&endpoint);
        let sources = self.sources.iter().map(move |source| (source, fills(source)));
        sources.filter(move |(source, fills)| *fills || source.adds_to.contains(&endpoint))
    }
}

impl Source {
    /// A path that a wallet is asked about with.
    const fn of_wallet(path: &'static str, read: Reader) -> Source {
        Source { path, fills: &[], adds_to: &[], ages: 1, error: refusal::of_wallet, read }
    }

    /// A path of the pool's or its network's.
    const fn of_pool(path: &'static str, read: Reader) -> Source {
        Source { path, fills: &[], adds_to: &[], ages: 1, error: refusal::of_pool, read }
    }

    const fn fills(self, endpoints: &'static [&'static str]) -> Source {
        Source { fills: endpoints, ..self }
    }

    const fn adds_to(self, endpoints: &'static [&'static str]) -> Source {
        Source { adds_to: endpoints, ..self }
    }

    /// Kept longer than others.
    const fn seldom_changes(self) -> Source {
        Source { ages: 20, ..self }
    }

    const fn error(self, error: fn(u16, &[u8]) -> Option<Error>) -> Source {
        Source { error, ..self }
    }
}

macro_rules! softwares {
    ($($module:ident)*) => {
        $(mod $module;)*

        /// Every software.
        pub static SOFTWARES: &[Software] = &[$($module::SOFTWARE),*];

        /// The answers that lie beside each software: path and body.
        #[cfg(test)]
        static SAMPLES: &[&[(&str, &str)]] = &[$($module::SAMPLES),*];
    };
}

softwares! {
    nodejs_pool
    cryptonote_nodejs_pool
    open_ethereum_pool
}

#[cfg(test)]
mod tests;
