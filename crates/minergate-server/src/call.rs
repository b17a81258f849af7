//! A request to one of the API's routes: the endpoint, the account, and the response.

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{RawPathParams, Request};
use axum::http::{Extensions, StatusCode};
use axum::response::{IntoResponse, Response};
use minergate::api::LOGIN;
use minergate::endpoints::{Endpoint, Scope};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::accounts::Accounts;
use super::fields::Fields;
use super::{Api, Error, json_response};

/// The client's address. An HTTP server that limits logins by client address adds it to the request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// A request.
pub struct Call {
    /// The endpoint's name, or [`LOGIN`].
    pub endpoint: &'static str,
    /// The account that the request is for, if it is known: also if the token has expired or the password is wrong.
    pub account: Option<usize>,
    /// Information from the HTTP server about the request, such as the client's address.
    pub extensions: Extensions,
    kind: Kind,
}

enum Kind {
    Login(Result<Fields, Error>),
    Read(Result<ReadRequest, Error>),
}

/// A read request that is allowed.
pub struct ReadRequest {
    pub endpoint: &'static Endpoint,
    /// The `part` path of the endpoint, if it was requested.
    pub part: Option<&'static str>,
    /// The value of `{currency}` or `{id}` in the path.
    pub argument: Option<String>,
    /// The account that the answer is about; `None` for endpoints of the pool and of networks.
    pub account: Option<usize>,
}

impl Call {
    pub(super) async fn login(accounts: &Accounts, request: Request) -> Call {
        let extensions = request.extensions().clone();
        let fields = Fields::read(request).await;
        let account = fields.as_ref().ok().and_then(|fields| accounts.named(&fields.email()?));
        Call { endpoint: LOGIN, account, extensions, kind: Kind::Login(fields) }
    }

    /// `params` is `None` if the path is not UTF-8.
    pub(super) async fn read(
        accounts: &Accounts,
        endpoint: &'static Endpoint,
        part: Option<&'static str>,
        params: Option<&RawPathParams>,
        request: Request,
    ) -> Call {
        let (head, _) = request.into_parts();
        let token = head.headers.get("token").map(|token| token.to_str().unwrap_or("not a token"));
        let (owner, allowed) = accounts.of_token(token).await;
        let read = || {
            let account = (endpoint.scope == Scope::Account).then_some(allowed).transpose()?;
            let argument = params.ok_or(Error::NotFound)?.iter().next().map(|(_, argument)| argument.to_owned());
            Ok(ReadRequest { endpoint, part, argument, account })
        };
        Call { endpoint: endpoint.name, account: owner, extensions: head.extensions, kind: Kind::Read(read()) }
    }

    /// The API's response at a time since 1970.
    pub async fn response(&self, api: &impl Api, now: Duration) -> Response {
        let body = match &self.kind {
            Kind::Login(Ok(fields)) => {
                let client = self.extensions.get().map(|ClientAddress(address)| *address);
                let token = api.accounts().login(fields, client, now).await;
                token.map(|token| json!({ "token": token }).to_string())
            }
            Kind::Read(Ok(read)) => api.read(read, now).await,
            Kind::Login(Err(error)) | Kind::Read(Err(error)) => Err(error.clone()),
        };
        body.map_or_else(Error::into_response, |body| json_response(StatusCode::OK, body))
    }
}

impl ReadRequest {
    /// The requested part of an endpoint's whole answer. `is_currency` says which currencies exist.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn select(&self, whole: String, is_currency: impl Fn(&str) -> bool) -> Result<String, Error> {
        let Some(argument) = &self.argument else { return Ok(whole) };
        let Some(part) = self.part else { return if is_currency(argument) { Ok(whole) } else { Err(Error::NotFound) } };
        let entries: Vec<&RawValue> = serde_json::from_str(&whole).unwrap_or_default();
        let holds = |entry: &RawValue, key| {
            serde_json::from_str(entry.get()).is_ok_and(|entry: Value| entry.get(key).is_some_and(|value| value == argument))
        };
        if part.contains("{id}") {
            let entry = entries.into_iter().find(|entry| holds(entry, "invoiceId"));
            return entry.map(|entry| entry.get().to_owned()).ok_or(Error::NotFound);
        }
        if !is_currency(argument) {
            return Err(Error::NotFound);
        }
        // This matches only a key, because quotes inside a JSON string are escaped. Of the lists, only the withdrawals have this key.
        let renamed = |entry: &RawValue| entry.get().replace("\"transactionIdHash\":", "\"transactionId\":");
        let entries: Vec<String> = entries.into_iter().filter(|entry| holds(entry, "cc")).map(renamed).collect();
        Ok(format!("[{}]", entries.join(",")))
    }
}

/// The time since 1970, as [`Call::response`] takes it.
pub fn unix_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
