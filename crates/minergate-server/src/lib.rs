//! The MinerGate API as a server: its routes, logins and errors. The answers come from an [`Api`].

mod accounts;
mod attempts;
mod call;
mod digest;
mod error;
mod fields;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawPathParams, Request, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use minergate::endpoints::ENDPOINTS;

pub use self::accounts::{Accounts, LoginRefusal, ReadRefusal};
pub use self::call::{Call, ClientAddress, ReadRequest, unix_time};
pub use self::error::{Error, application_error, framework_error};

/// The source of the API's answers.
pub trait Api: Send + Sync + 'static {
    /// The accounts that can log in or send a token.
    fn accounts(&self) -> &Accounts;

    /// The answer to a read request, as JSON; `now` is the time since 1970. Use [`ReadRequest::select`] for a part of the whole answer.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such currency or entry; other errors as the API has them.
    fn read(&self, read: &ReadRequest, now: Duration) -> impl Future<Output = Result<String, Error>> + Send;

    /// Responds to a call. A server can override this to count, delay or change responses.
    fn respond(&self, call: Call) -> impl Future<Output = Response> + Send
    where
        Self: Sized,
    {
        async move { call.response(self, unix_time()).await }
    }
}

/// The API's routes. Each exists with and without a slash at its end, because some clients send one.
pub fn router<A: Api>() -> Router<Arc<A>> {
    let login = post(async |State(api): State<Arc<A>>, request: Request| {
        let call = Call::login(api.accounts(), request).await;
        api.respond(call).await
    });
    let mut router = route(Router::new(), "/1.0/auth/login", &login);
    for endpoint in ENDPOINTS {
        let handler = |part| {
            get(async move |State(api): State<Arc<A>>, params: Result<RawPathParams, _>, request: Request| {
                let call = Call::read(api.accounts(), endpoint, part, params.ok().as_ref(), request).await;
                api.respond(call).await
            })
        };
        for path in [Some(endpoint.path), endpoint.former_path].into_iter().flatten() {
            router = route(router, path, &handler(None));
        }
        if let Some(part) = endpoint.part {
            router = route(router, part, &handler(Some(part)));
        }
    }
    router
        .fallback(async |uri: Uri| Error::NoRoute(uri.path().to_owned()))
        .method_not_allowed_fallback(async |method: Method| Error::MethodNotAllowed(method))
}

fn route<A: Api>(router: Router<Arc<A>>, path: &str, methods: &MethodRouter<Arc<A>>) -> Router<Arc<A>> {
    router.route(path, methods.clone()).route(&format!("{path}/"), methods.clone())
}

/// A response with a JSON body, as the API sends it.
pub fn json_response(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}
