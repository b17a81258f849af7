//! Where answers of the API come from.

use std::future::Future;
use std::sync::Arc;

use minergate::api::{self, Account, Client};
use minergate::endpoints::{Endpoint, Request};
use minergate::metric::Samples;

/// The source of answers: the API, or a fake in tests.
pub trait Source: Send + Sync + 'static {
    /// Requests an endpoint and reads the samples of its answer.
    fn fetch(&self, endpoint: &'static Endpoint, request: Request<'_>) -> impl Future<Output = api::Result<Samples>> + Send;

    /// Whether the account's credentials differ from those that were tried last.
    fn has_new_credentials(&self, account: &Account) -> impl Future<Output = bool> + Send {
        let _ = account;
        async { false }
    }
}

impl Source for Client {
    async fn fetch(&self, endpoint: &'static Endpoint, request: Request<'_>) -> api::Result<Samples> {
        endpoint.fetch(self, request).await
    }

    async fn has_new_credentials(&self, account: &Account) -> bool {
        account.has_new_credentials(self).await
    }
}

/// A configuration with wallets only has no API. Then no loop uses this source.
impl<S: Source> Source for Option<Arc<S>> {
    async fn fetch(&self, endpoint: &'static Endpoint, request: Request<'_>) -> api::Result<Samples> {
        let Some(source) = self else { return Err(api::Error::NotFound) };
        source.fetch(endpoint, request).await
    }

    async fn has_new_credentials(&self, account: &Account) -> bool {
        let Some(source) = self else { return false };
        source.has_new_credentials(account).await
    }
}
