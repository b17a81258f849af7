//! `healthcheck`: asks a running exporter whether it is healthy, for containers without a shell or curl.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{anyhow, bail};
use bytes::Bytes;
use clap::Args;

use crate::server::{self, Web};
use minergate::api::Error;

/// Maximum time for the answer.
const TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// URL to request, instead of the one from the configuration and the other flags
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Ask whether every account was tried, not only whether the exporter answers
    #[arg(long)]
    ready: bool,
}

pub(super) async fn run(flags: &Flags, all: &super::Flags) -> anyhow::Result<ExitCode> {
    let url = match &flags.url {
        Some(url) => url.clone(),
        None => format!("{}/-/{}", base_url(all)?, if flags.ready { "ready" } else { "healthy" }),
    };
    let answer = probe(&url).await.map_err(|error| Error::transport(&error, false));
    match answer.map_err(|error| {
        anyhow!("{url} did not answer: {error}; does the exporter run there? If it runs elsewhere, give --url")
    })? {
        (200, _) => Ok(ExitCode::SUCCESS),
        // It asks for a password, which this command does not have. If it were not healthy, it would say so instead.
        (401, _) if !flags.ready => Ok(ExitCode::SUCCESS),
        (status, body) => bail!("{url} answered HTTP {status}: {}", first_line(&body)),
    }
}

/// Requests a URL once, and returns the answer's status and the beginning of its body. The certificate is not checked: the address may not
/// be in it, and nothing secret is sent.
async fn probe(url: &str) -> reqwest::Result<(u16, Bytes)> {
    // A second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true).timeout(TIMEOUT).build()?;
    let mut response = client.get(url).send().await?;
    let beginning = response.chunk().await?.unwrap_or_default();
    Ok((response.status().as_u16(), beginning))
}

/// The first line of a text, short and printable.
fn first_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect()
}

/// The URL of the exporter with these flags, from this machine.
fn base_url(all: &super::Flags) -> anyhow::Result<String> {
    let web = all.load_web()?;
    let address = web.listen_address.first().map_or(server::DEFAULT_ADDRESS, String::as_str);
    if address.starts_with("unix:") {
        bail!("the exporter listens on {address}; give --url, or a second --web.listen-address to ask");
    }
    let scheme = if Web::load(web.config_file.as_deref())?.is_tls() { "https" } else { "http" };
    Ok(format!("{scheme}://{}", reachable(address)))
}

/// An address to connect to, from an address to listen on.
fn reachable(address: &str) -> String {
    match address.rsplit_once(':') {
        Some(("" | "0.0.0.0" | "[::]", port)) => format!("127.0.0.1:{port}"),
        _ => address.to_owned(),
    }
}
