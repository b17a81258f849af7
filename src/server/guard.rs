//! What every request passes before it is answered: its form, rate limit, password, sizes and time.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::exchange::Exchange;
use super::web_config::{Admission, Web};
use super::{host, limit};

/// Lets a request in, or says why not; gives the answer the headers of the web configuration.
pub(super) async fn admit(web: &Arc<Web>, mut request: Request, next: Next) -> Response {
    let connection = request.extensions().get::<Arc<Exchange>>().map(|exchange| exchange.connection.clone());
    if connection.as_ref().is_some_and(|connection| connection.is_inside) {
        return next.run(request).await;
    }
    if !host::is_valid(&request) {
        return (StatusCode::BAD_REQUEST, "The header Host is missing, given twice, or no host\n").into_response();
    }
    let peer = connection.and_then(|connection| connection.peer);
    let (admission, headers) = web.admit(request.headers().get(AUTHORIZATION), peer).await;
    let mut response = match admission {
        Admission::Refused(status, sentence, header) => {
            let mut response = (status, sentence).into_response();
            response.headers_mut().extend(header);
            response
        }
        Admission::Granted => match size(&mut request).await {
            Some(refusal) => refusal.into_response(),
            None => match timeout(limit::REQUEST, next.run(request)).await {
                Ok(response) => response,
                Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "The answer took too long\n").into_response(),
            },
        },
    };
    // A page that says something of its own knows better than the file.
    for (name, value) in &headers {
        response.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    response
}

/// What is too long about a request.
async fn size(request: &mut Request) -> Option<(StatusCode, &'static str)> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > limit::TARGET_BYTES {
        return Some((StatusCode::URI_TOO_LONG, "Path and query are too long; 8 KiB is the most\n"));
    }
    // hyper's own limit is that of a buffer, which a fast client can overstep.
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if headers > limit::HEAD_BYTES {
        return Some((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too long; 32 KiB is the most\n"));
    }
    // Nothing here wants a body. It is read all the same, to know its length, and not kept.
    let body = std::mem::take(request.body_mut());
    if body.size_hint().lower() > limit::BODY_BYTES as u64 {
        return Some(BODY_TOO_LONG);
    }
    timeout(limit::HEAD, read(body)).await.unwrap_or(Some((StatusCode::REQUEST_TIMEOUT, "The body took too long\n")))
}

const BODY_TOO_LONG: (StatusCode, &str) = (StatusCode::PAYLOAD_TOO_LARGE, "The body is too long; 64 KiB is the most\n");

/// Reads a body to its end.
async fn read(mut body: Body) -> Option<(StatusCode, &'static str)> {
    let mut bytes = 0;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(frame) = frame else { return Some((StatusCode::BAD_REQUEST, "The body is broken\n")) };
        bytes += frame.data_ref().map_or(0, Bytes::len);
        if bytes > limit::BODY_BYTES {
            return Some(BODY_TOO_LONG);
        }
    }
    None
}
