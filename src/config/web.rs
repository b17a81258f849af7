//! `[web]`: the web server.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

use super::error::KeyError;
use crate::server::{self, Uri};

/// The web server.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "web")]
pub struct Web {
    /// Addresses to serve on: `host:port`, `:port` for every address of the machine, or `unix:/path`.
    #[schemars(length(min = 1), inner(regex(pattern = "^(unix:/.*|.*:[0-9]{1,5})$")), extend("x-flag" = "web.listen-address ADDRESS"))]
    pub listen_address: Vec<String>,
    /// Serve on the sockets that systemd passes, and on no address.
    #[schemars(extend("x-flag" = "web.systemd-socket"))]
    pub systemd_socket: bool,
    /// Path to serve the metrics on.
    #[schemars(regex(pattern = "^/[A-Za-z0-9/_.~-]*$"), extend("x-flag" = "web.telemetry-path PATH"))]
    pub telemetry_path: String,
    /// The exporter's URL behind a reverse proxy, as browsers and Prometheus see it: for links, and for the targets of /sd.
    #[serde(deserialize_with = "external_url")]
    #[schemars(with = "Option<String>", extend("x-flag" = "web.external-url URL", "examples" = ["https://example.com/miners"]))]
    pub external_url: Option<Uri>,
    /// Accept POST and PUT on /-/reload to reload the configuration, as SIGHUP always does.
    #[schemars(extend("x-flag" = "web.enable-lifecycle"))]
    pub enable_lifecycle: bool,
    /// Web configuration file: TLS, users, headers, rate limit; see docs/web.md. Left out: plain HTTP without users.
    #[schemars(extend("x-flag" = "web.config.file FILE", "examples" = ["web.yml"]))]
    pub config_file: Option<PathBuf>,
    /// Maximum number of scrapes at a time; more wait for up to 5 s, then get 503. 0 disables the limit.
    #[schemars(extend("x-flag" = "web.max-requests N"))]
    pub max_requests: usize,
}

impl Default for Web {
    fn default() -> Self {
        Web {
            listen_address: vec![server::DEFAULT_ADDRESS.to_owned()],
            systemd_socket: false,
            telemetry_path: "/metrics".to_owned(),
            external_url: None,
            enable_lifecycle: false,
            config_file: None,
            // The default of node_exporter.
            max_requests: 40,
        }
    }
}

impl Web {
    pub(super) fn check(&self, errors: &mut Vec<KeyError>) {
        let mut add = |key, message: String| errors.push(KeyError::new(["web", key], message));
        let path = &self.telemetry_path;
        let is_plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b));
        if !path.starts_with('/') || !is_plain || path.starts_with("/-/") || path.contains("//") {
            add("telemetry_path", "can't be served; give a path such as \"/metrics\"".to_owned());
        } else if server::ROUTES.contains(&path.as_str()) {
            add("telemetry_path", "is another page; give a path such as \"/metrics\"".to_owned());
        }
        if self.listen_address.is_empty() {
            add("listen_address", format!("is empty; give one such as \"{}\"", server::DEFAULT_ADDRESS));
        }
        for (i, address) in self.listen_address.iter().enumerate() {
            if let Some(fault) = server::address_fault(address) {
                add("listen_address", format!("entry {}: {fault}", i + 1));
            }
        }
    }
}

fn external_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uri>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let invalid = || de::Error::custom("not a URL; give one such as \"https://example.com/miners\"");
    server::external_url(&text).map(Some).ok_or_else(invalid)
}
