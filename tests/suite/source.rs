//! What a poller asks in a test: a function that says of each endpoint which body or error comes, and when.

use minergate::api::{self, Account};
use minergate::endpoints::Endpoint;
use minergate::metric::{Request, Rows};
use minergate_exporter::poller::Source;
use tokio::time::Instant;

pub(crate) struct Answers<F>(pub(crate) F);

impl<F, R> Source for Answers<F>
where
    F: Fn(&'static Endpoint) -> R + Send + Sync + 'static,
    R: Future<Output = api::Result<String>> + Send,
{
    async fn fetch(
        &self,
        endpoint: &'static Endpoint,
        _: Option<&Account>,
        _: &str,
        request: &Request<'_>,
        _: Instant,
    ) -> api::Result<Rows> {
        endpoint.read(self.0(endpoint).await?.as_bytes(), request)
    }
}
