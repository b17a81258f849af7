//! The flags that every command takes, most of which have a key in the configuration.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use figment::value::{Dict, Value};

use super::simulate::whole;
use crate::config::{Config, Shard, Sources};
use crate::server;

const CONFIGURATION: &str = "Configuration";
/// The heading of what only those commands have a use for that serve something.
pub(super) const WEB: &str = "Web server";
const LOG: &str = "Log";

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Configuration file, TOML or (named .yaml or .yml) YAML
    #[arg(long = "config.file", value_name = "FILE", global = true, help_heading = CONFIGURATION, value_hint = ValueHint::FilePath)]
    pub(super) config_file: Option<PathBuf>,
    /// Poll this part of the accounts only, where several instances share one configuration: 1/3 is the first of three
    #[arg(long, value_name = "I/N", global = true, help_heading = CONFIGURATION)]
    shard: Option<Shard>,
    /// Address to serve on, host:port, :port or unix: and a path; may be given several times [default: :10187]
    #[arg(long = "web.listen-address", value_name = "ADDRESS", global = true, help_heading = WEB)]
    pub(super) web_listen_address: Vec<String>,
    /// Serve on the sockets that systemd hands over, and on no address
    #[arg(long = "web.systemd-socket", global = true, help_heading = WEB)]
    web_systemd_socket: bool,
    /// Web configuration file: TLS, users, headers, rate limit; see docs/web.md
    #[arg(long = "web.config.file", value_name = "FILE", global = true, help_heading = WEB, value_hint = ValueHint::FilePath)]
    pub(super) web_config_file: Option<PathBuf>,
    /// Scrapes at a time, more wait for up to 5 s; 0 is any number [default: 40]
    #[arg(long = "web.max-requests", value_name = "N", global = true, help_heading = WEB, value_parser = whole::<usize>)]
    web_max_requests: Option<usize>,
    /// Path to serve the metrics on [default: /metrics]
    #[arg(long = "web.telemetry-path", value_name = "PATH", global = true, help_heading = WEB)]
    web_telemetry_path: Option<String>,
    /// Where browsers and Prometheus reach the exporter behind a reverse proxy: for links, and the targets of /sd
    #[arg(long = "web.external-url", value_name = "URL", global = true, help_heading = WEB, value_hint = ValueHint::Url)]
    web_external_url: Option<String>,
    /// Take POST and PUT on /-/reload to read the configuration anew, as SIGHUP always does
    #[arg(long = "web.enable-lifecycle", global = true, help_heading = WEB)]
    web_enable_lifecycle: bool,
    /// Least important lines to log: error, warn, info, debug or trace [default: info]
    #[arg(long = "log.level", value_name = "LEVEL", global = true, help_heading = LOG, hide_possible_values = true,
        value_parser = ["error", "warn", "info", "debug", "trace"])]
    log_level: Option<String>,
    /// Form of the log: logfmt or json [default: logfmt]
    #[arg(long = "log.format", value_name = "FORMAT", global = true, help_heading = LOG, hide_possible_values = true,
        value_parser = ["logfmt", "json"])]
    log_format: Option<String>,
}

impl Flags {
    /// The flags that have a key in the configuration.
    pub(super) fn values(&self) -> Dict {
        let mut web = Dict::new();
        if !self.web_listen_address.is_empty() {
            web.insert("listen_address".to_owned(), self.web_listen_address.clone().into());
        }
        insert(&mut web, "telemetry_path", self.web_telemetry_path.as_ref());
        insert(&mut web, "external_url", self.web_external_url.as_ref());
        if self.web_enable_lifecycle {
            web.insert("enable_lifecycle".to_owned(), true.into());
        }
        if self.web_systemd_socket {
            web.insert("systemd_socket".to_owned(), true.into());
        }
        web.extend(self.web_max_requests.map(|requests| ("max_requests".to_owned(), requests.into())));
        // A path in the configuration is relative to its file, one on the command line is not.
        let file = self.web_config_file.as_ref().and_then(|path| std::path::absolute(path).ok());
        insert(&mut web, "config_file", file.map(|path| path.to_string_lossy().into_owned()).as_ref());
        let mut log = Dict::new();
        insert(&mut log, "level", self.log_level.as_ref());
        insert(&mut log, "format", self.log_format.as_ref());
        let shard = self.shard.map(|shard| ("shard".to_owned(), Value::from(shard.to_string())));
        let tables = [("web".to_owned(), Value::from(web)), ("log".to_owned(), Value::from(log))];
        tables.into_iter().chain(shard).collect()
    }

    /// Reads the configuration that the flags name.
    pub(super) fn load(&self) -> anyhow::Result<Config> {
        self.load_with(Dict::new())
    }

    /// The same, with further keys that count as flags do.
    pub(super) fn load_with(&self, further: Dict) -> anyhow::Result<Config> {
        Config::load(self.sources(further))
    }

    /// Reads `[web]` alone.
    pub(super) fn load_web(&self) -> anyhow::Result<server::Config> {
        Config::load_web(self.sources(Dict::new()))
    }

    fn sources(&self, further: Dict) -> Sources<'_> {
        Sources {
            file: self.config_file.as_deref(),
            text: None,
            environment: std::env::vars_os().collect(),
            flags: self.values().into_iter().chain(further).collect(),
        }
    }
}

fn insert(values: &mut Dict, key: &str, value: Option<&String>) {
    values.extend(value.map(|value| (key.to_owned(), value.clone().into())));
}
