//! The client against an API with all known faults.

mod login;
mod read;
mod token;
mod totp;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use minergate::api::{Account, Blocked, Client, Credentials, Event, Secret, Settings, parse_base_url};

use crate::fake_api::FakeApi;

const LOGIN: &str = "/1.0/auth/login";
const TOTP_SECRET: &str = "gezd gnbv gy3t qojq"; // 80 bits, lower case, with spaces

fn client(api: &FakeApi) -> (Client, Arc<Mutex<Vec<String>>>) {
    client_with(api, 10_000.0)
}

fn client_with(api: &FakeApi, requests_per_second: f64) -> (Client, Arc<Mutex<Vec<String>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = events.clone();
    let settings = Settings {
        requests_per_second,
        timeout: Duration::from_secs(5),
        ..Settings::new(parse_base_url(&api.base_url).unwrap())
    };
    let observer = Arc::new(move |event: Event<'_>| {
        let word = match event {
            Event::Request { endpoint, outcome, .. } => format!("{endpoint} {outcome}"),
            Event::Login { outcome, .. } => format!("login attempt {outcome}"),
            Event::Token { .. } => "token".to_owned(),
            Event::Turn { .. } => return,
            Event::Retry => "retry".to_owned(),
            Event::Paused { .. } => "paused".to_owned(),
            Event::Blocked { reason, .. } => format!("blocked {:?}", reason.map(Blocked::reason)),
        };
        seen.lock().unwrap().push(word);
    });
    (Client::new(&settings, observer).unwrap(), events)
}

fn with_password(totp: Option<&str>) -> Account {
    Account::new("farm", credentials(Secret::of_text("pass").unwrap(), totp), None)
}

/// The account reads its password from a file in the directory that also keeps its state.
fn with_files(directory: &Path, totp: Option<&str>) -> Account {
    let password = Secret::File { name: "password_file", path: directory.join("password") };
    Account::new("farm", credentials(password, totp), Some(directory))
}

fn credentials(password: Secret, totp: Option<&str>) -> Credentials {
    let totp = totp.map(|secret| Secret::of_totp(secret).unwrap());
    Credentials::Password { email: "me@example.com".to_owned(), password, totp }
}

fn with_token() -> Account {
    account("wallet", "ready")
}

fn account(name: &str, token: &str) -> Account {
    Account::new(name, Credentials::Token { token: Secret::of_text(token).unwrap(), email: None }, None)
}

fn ok(body: &str) -> (u16, String) {
    (200, body.to_owned())
}
