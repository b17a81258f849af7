//! The landing page: what this is, and where the rest is.

use maud::{DOCTYPE, html};

use super::App;

pub(super) fn page(app: &App) -> String {
    let links = [
        (app.telemetry_path.as_str(), "metrics, for Prometheus"),
        ("/-/healthy", "answers while the exporter runs"),
        ("/-/ready", "answers 200 once every account was tried"),
    ];
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "MinerGate exporter" }
                style { "body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:40rem;padding:0 1rem;color-scheme:light dark}" }
            }
            body {
                h1 { "MinerGate exporter" }
                p { "Polls " (app.exposition.health.account_names().len()) " account(s) of the MinerGate API. Version " (env!("CARGO_PKG_VERSION")) "." }
                ul {
                    @for (path, what) in links {
                        li { a href=(path) { (path) } ": " (what) }
                    }
                }
            }
        }
    }
    .into_string()
}
