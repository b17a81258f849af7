//! The source of a poller in a test: a function that returns the body or error of each endpoint, and its delay.

use minergate::api;
use minergate::endpoints::{Endpoint, Request};
use minergate::metric::Samples;
use minergate_exporter::poller::Source;

pub(crate) struct Answers<F>(pub(crate) F);

impl<F, R> Source for Answers<F>
where
    F: Fn(&'static Endpoint) -> R + Send + Sync + 'static,
    R: Future<Output = api::Result<String>> + Send,
{
    async fn fetch(&self, endpoint: &'static Endpoint, request: Request<'_>) -> api::Result<Samples> {
        endpoint.read(self.0(endpoint).await?.as_bytes(), &request.context())
    }
}
