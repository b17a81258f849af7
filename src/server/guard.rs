//! The checks for every request before it is answered: host, rate limit, password, sizes and time.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::exchange::Exchange;
use super::web_config::{Admission, Web};
use super::{host, limit};

/// Makes the answer to a refused request. The sentence ends with a line feed.
pub(super) type Refuse = fn(StatusCode, &'static str) -> Response;

/// Whether handlers get the bodies of requests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bodies {
    /// No handler needs the body. It is only read to check its length.
    Dropped,
    /// Kept for the handler.
    Kept,
}

impl Bodies {
    fn limit(self) -> (usize, &'static str) {
        match self {
            Bodies::Dropped => (limit::BODY_BYTES, "The body is too long; 64 KiB is the most\n"),
            Bodies::Kept => (limit::KEPT_BODY_BYTES, "The body is too long; 8 KiB is the most\n"),
        }
    }
}

/// Refuses a request in plain text.
pub(super) fn plain(status: StatusCode, sentence: &'static str) -> Response {
    (status, sentence).into_response()
}

/// Admits or refuses a request. Adds the headers of the web configuration to the answer.
pub(super) async fn admit(web: &Arc<Web>, bodies: Bodies, refuse: Refuse, mut request: Request, next: Next) -> Response {
    let connection = request.extensions().get::<Arc<Exchange>>().map(|exchange| exchange.connection.clone());
    if connection.as_ref().is_some_and(|connection| connection.is_self_probe) {
        return next.run(request).await;
    }
    if !host::is_valid(&request) {
        return refuse(StatusCode::BAD_REQUEST, "The header Host is missing, given twice, or not a host\n");
    }
    let peer = connection.and_then(|connection| connection.peer);
    let (admission, headers) = web.admit(request.headers().get(AUTHORIZATION), peer).await;
    let mut response = match admission {
        Admission::Refused(status, sentence, header) => {
            let mut response = refuse(status, sentence);
            response.headers_mut().extend(header);
            response
        }
        Admission::Granted => match size(&mut request, bodies).await {
            Err((status, sentence)) => refuse(status, sentence),
            Ok(()) => match timeout(limit::REQUEST, next.run(request)).await {
                Ok(response) => response,
                Err(_) => refuse(StatusCode::SERVICE_UNAVAILABLE, "The answer took too long\n"),
            },
        },
    };
    // A header that the page sets itself takes precedence over the configured one.
    for (name, value) in &headers {
        response.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    response
}

/// Reads the body.
///
/// # Errors
/// A status and a sentence if a part of the request is too long, too slow or broken.
async fn size(request: &mut Request, bodies: Bodies) -> Result<(), (StatusCode, &'static str)> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > limit::TARGET_BYTES {
        return Err((StatusCode::URI_TOO_LONG, "Path and query are too long; 8 KiB is the most\n"));
    }
    // hyper's own limit is that of a buffer, which a fast client can exceed.
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if headers > limit::HEAD_BYTES {
        return Err((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too long; 32 KiB is the most\n"));
    }
    let body = std::mem::take(request.body_mut());
    let reading = timeout(limit::HEAD, read(body, bodies)).await;
    *request.body_mut() = reading.unwrap_or(Err((StatusCode::REQUEST_TIMEOUT, "The body took too long\n")))?.into();
    Ok(())
}

/// Reads a body to its end.
async fn read(mut body: Body, bodies: Bodies) -> Result<Vec<u8>, (StatusCode, &'static str)> {
    let (limit, sentence) = bodies.limit();
    let too_long = (StatusCode::PAYLOAD_TOO_LARGE, sentence);
    if body.size_hint().lower() > limit as u64 {
        return Err(too_long);
    }
    let (mut bytes, mut kept) = (0, Vec::new());
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| (StatusCode::BAD_REQUEST, "The body is broken\n"))?;
        let Some(data) = frame.data_ref() else { continue };
        bytes += data.len();
        if bytes > limit {
            return Err(too_long);
        }
        if bodies == Bodies::Kept {
            kept.extend_from_slice(data);
        }
    }
    Ok(kept)
}
