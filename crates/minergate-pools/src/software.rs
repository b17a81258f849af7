//! The table of supported pool software. To add one, write `software/x.rs`, put sample answers beside it, and add a line here.

use std::sync::Arc;

use minergate::api::{Error, Result};
use minergate::endpoints::withdrawals::Withdrawal;

use super::pool_error;
use super::reading::{Context, Reading, compose};

/// The placeholder for the wallet's address in a path.
pub(crate) const ADDRESS: &str = "{address}";

/// Software that pools run.
#[derive(Debug)]
pub struct Software {
    /// Its name in the configuration.
    pub name: &'static str,
    /// The endpoints of the MinerGate API that it can fill.
    pub endpoints: &'static [&'static str],
    /// The start of all its paths. It is appended to a pool's URL that does not end with it.
    pub(crate) root: &'static str,
    /// Decimals of the unit in which it counts a currency's coins, if they are known.
    decimals: fn(&str) -> Option<u8>,
    sources: &'static [Source],
    /// The further pages of a wallet's payments, if the software has pages.
    pub(crate) pages: Option<Pages>,
}

/// One path that is requested.
#[derive(Debug)]
pub(crate) struct Source {
    /// Path and query below the pool's URL, with [`ADDRESS`] for the wallet's address.
    pub(crate) path: &'static str,
    /// The endpoints that need it.
    fills: &'static [&'static str],
    /// The endpoints to which it adds values, if the pool has it.
    adds_to: &'static [&'static str],
    /// The answer is kept this number of times as long as the pool's `max_age`. It is above 1 for an answer that seldom changes.
    pub(crate) ages: u32,
    pub(crate) error: fn(u16, &[u8]) -> Option<Error>,
    pub(crate) read: Reader,
}

/// Reads an upstream answer.
pub(crate) type Reader = fn(&[u8], &Context<'_>) -> Result<Reading>;

/// The pages of a wallet's payments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pages {
    /// The path of the next page, from the number of pages so far and the payments of the latest page. `None` after the last page.
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

    /// Decimals of the unit in which it counts a currency's coins; `None` if they are not known.
    pub fn decimals(&self, currency: &str) -> Option<u8> {
        (self.decimals)(currency)
    }

    /// The paths that are requested for an endpoint, with `{address}` for the wallet's address.
    pub fn paths(&self, endpoint: &str) -> impl Iterator<Item = &'static str> {
        self.sources(endpoint).map(|(source, _)| source.path)
    }

    /// Makes the JSON of an endpoint's answer from the bodies of its [`paths`](Software::paths), in the same order. `None` stands for a
    /// path that the pool does not have.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an endpoint that the software can't fill, [`Error::WalletUnknown`], and [`Error::Shape`] or
    /// [`Error::Encoding`] if a body is not an answer of the software.
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

    /// The sources of an endpoint's answer, and whether the answer needs them.
    pub(crate) fn sources(&self, endpoint: &str) -> impl Iterator<Item = (&'static Source, bool)> {
        let fills = move |source: &Source| source.fills.contains(&endpoint);
        let sources = self.sources.iter().map(move |source| (source, fills(source)));
        sources.filter(move |(source, fills)| *fills || source.adds_to.contains(&endpoint))
    }
}

impl Source {
    /// A path about a wallet.
    const fn of_wallet(path: &'static str, read: Reader) -> Source {
        Source { path, fills: &[], adds_to: &[], ages: 1, error: pool_error::of_wallet, read }
    }

    /// A path about the pool or its network.
    const fn of_pool(path: &'static str, read: Reader) -> Source {
        Source { path, fills: &[], adds_to: &[], ages: 1, error: pool_error::of_pool, read }
    }

    const fn fills(self, endpoints: &'static [&'static str]) -> Source {
        Source { fills: endpoints, ..self }
    }

    const fn adds_to(self, endpoints: &'static [&'static str]) -> Source {
        Source { adds_to: endpoints, ..self }
    }

    /// Its answer is kept longer than others.
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

        /// The sample answers of each software: path and body.
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
