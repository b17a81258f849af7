//! What every request passes before it is answered: sizes, rate limit, password, time, and a turn for scrapes.

use std::future::Future;
use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::activity::Held;
use super::door::Inside;
use super::limit;
use super::web_config::{Admission, Web};

/// Lets a request in, or says why not; gives the answer the headers of the web configuration.
pub(super) async fn admit(web: &Arc<Web>, request: Request, next: Next) -> Response {
    if request.extensions().get::<Inside>().is_some() {
        return next.run(request).await;
    }
    let (admission, headers) = web.admit(request.headers().get(AUTHORIZATION)).await;
    let mut response = match (admission, size(&request)) {
        (Admission::Refused(status, sentence, header), _) => {
            let mut response = (status, sentence).into_response();
            response.headers_mut().extend(header);
            response
        }
        (Admission::Granted, Some((status, sentence))) => (status, sentence).into_response(),
        (Admission::Granted, None) => match tokio::time::timeout(limit::REQUEST, next.run(request)).await {
            Ok(response) => response,
            Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "The answer took too long\n").into_response(),
        },
    };
    // A page that says something of its own knows better than the file.
    for (name, value) in &headers {
        response.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    response
}

/// What is too long about a request.
fn size(request: &Request) -> Option<(StatusCode, &'static str)> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > limit::TARGET_BYTES {
        return Some((StatusCode::URI_TOO_LONG, "Path and query are too long; 8 KiB is the most\n"));
    }
    // hyper's own limit is that of a buffer, which a fast client can overstep.
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if headers > limit::HEAD_BYTES {
        return Some((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too long; 32 KiB is the most\n"));
    }
    let too_long = request.body().size_hint().lower() > limit::BODY_BYTES as u64;
    too_long.then_some((StatusCode::PAYLOAD_TOO_LARGE, "The body is too long; 64 KiB is the most\n"))
}

/// Turns to be answered.
#[derive(Clone)]
pub(super) struct Turns(Arc<Semaphore>);

impl Turns {
    /// So many at a time; 0 is any number.
    pub(super) fn new(scrapes: usize) -> Turns {
        let any = scrapes == 0 || scrapes > Semaphore::MAX_PERMITS;
        Turns(Arc::new(Semaphore::new(if any { Semaphore::MAX_PERMITS } else { scrapes })))
    }

    /// The answer, if there is a turn for it, which ends when all of it is written: until then it takes memory.
    pub(super) async fn take(self, answer: impl Future<Output = Response>) -> Response {
        let Ok(turn) = self.0.try_acquire_owned() else {
            let header = [(RETRY_AFTER, HeaderValue::from_static("1"))];
            let sentence = "Too many scrapes at a time; try again later\n";
            return (StatusCode::SERVICE_UNAVAILABLE, header, sentence).into_response();
        };
        answer.await.map(|body| Body::new(Held(body, Arc::new(turn))))
    }
}
