//! `healthcheck`: asks a running exporter, for containers that have neither shell nor curl.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use crate::{api, server};

/// How long the answer may take.
const TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// What to ask for
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Ask whether every account was tried, not only whether the exporter answers
    #[arg(long)]
    ready: bool,
}

pub(super) async fn run(flags: &Flags, all: &super::Flags) -> anyhow::Result<ExitCode> {
    let url = if let Some(url) = &flags.url {
        url.clone()
    } else {
        let configured = match all.config_file {
            Some(_) if all.web_listen_address.is_empty() => all.load()?.web.listen_address,
            _ => all.web_listen_address.clone(),
        };
        let address = configured.first().map_or(server::DEFAULT_ADDRESS, String::as_str);
        format!("http://{}/-/{}", reachable(address), if flags.ready { "ready" } else { "healthy" })
    };
    match api::probe(&url, TIMEOUT).await.with_context(|| format!("{url} did not answer"))? {
        200 => Ok(ExitCode::SUCCESS),
        status => anyhow::bail!("{url} answered HTTP {status}"),
    }
}

/// An address to connect to, for one that is listened on.
fn reachable(address: &str) -> String {
    match address.rsplit_once(':') {
        Some(("" | "0.0.0.0" | "[::]", port)) => format!("127.0.0.1:{port}"),
        _ => address.to_owned(),
    }
}
