//! The configuration: from defaults, file, environment and flags, in this order; read and checked in one step, into what runs.
//!
//! A mistake is reported with its place (file and line, variable or flag), its key, what is wrong and what would be right. No message
//! quotes a value, which could be a secret.

mod account;
mod accounts;
mod api;
mod codes;
mod duration;
mod environment;
mod error;
mod file;
mod flags;
mod keys;
mod lines;
mod log;
mod poll;
mod raw;
pub mod reference;
mod schema;
mod shard;
mod sources;
mod warnings;
mod web;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use minergate::api::{Account, Settings};
use serde::Deserialize;

pub use self::error::{ConfigError, Mistake};
use self::file::Credentials;
pub use self::log::Log;
use self::raw::Raw;
pub use self::schema::schema;
pub use self::shard::Shard;
use self::sources::Parsed;
pub use self::sources::Sources;
pub use self::web::Web;
use crate::poller::Plan;

/// What environment variables of the exporter begin with. The double underscore keeps it apart from variables that a
/// platform makes of the service's name, such as `MINERGATE_EXPORTER_PORT`.
pub const ENVIRONMENT_PREFIX: &str = "MINERGATE_EXPORTER__";

/// A configuration that is right, as what it makes run.
#[derive(Debug)]
pub struct Config {
    /// How the API is asked.
    pub api: Settings,
    /// All accounts, in the order of the file; the plan has those of this instance.
    pub accounts: Vec<Arc<Account>>,
    pub plan: Plan,
    pub web: Web,
    pub log: Log,
    state_directory: Option<PathBuf>,
    /// The file that was read.
    file: Option<PathBuf>,
}

/// What a configuration is read for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Ask,
    Poll,
}

impl Config {
    /// Reads the configuration of a command that polls.
    ///
    /// # Errors
    /// Every mistake that was found, or that there is nothing to poll.
    pub fn load(sources: Sources<'_>) -> Result<Config, ConfigError> {
        Config::read(sources, Purpose::Poll)
    }

    /// Reads the configuration of a command that asks the API for one thing.
    ///
    /// # Errors
    /// Every mistake that was found.
    pub fn load_to_ask(sources: Sources<'_>) -> Result<Config, ConfigError> {
        Config::read(sources, Purpose::Ask)
    }

    /// Reads `[web]` alone, for a command that only asks a running exporter: what is polled can be in a file or in variables that
    /// this command does not have.
    ///
    /// # Errors
    /// As [`Config::load`], of this table.
    pub fn load_web(sources: Sources<'_>) -> Result<Web, ConfigError> {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Part {
            web: Web,
        }
        let sources = Parsed::new(sources)?;
        let Part { mut web } = sources.extract()?;
        let mut wrong = Vec::new();
        web.check(&mut wrong);
        if !wrong.is_empty() {
            return Err(sources.locate(wrong));
        }
        web.config_file = web.config_file.map(|path| sources.file.resolve(&path, None));
        Ok(web)
    }

    fn read(sources: Sources<'_>, purpose: Purpose) -> Result<Config, ConfigError> {
        let credentials = environment::directory(&sources.environment, "CREDENTIALS_DIRECTORY").map(Credentials::list);
        let state_directory = environment::directory(&sources.environment, "STATE_DIRECTORY");
        let path = sources.file.map(Path::to_owned);
        let sources = Parsed::new(sources)?;
        let mut raw: Raw = sources.extract()?;
        let file = &sources.file;
        raw.state_directory = raw.state_directory.map(|path| file.resolve(&path, None)).or(state_directory);
        raw.web.config_file = raw.web.config_file.map(|path| file.resolve(&path, None));
        for account in &mut raw.accounts {
            let files = [&mut account.password_file, &mut account.totp_secret_file, &mut account.token_file];
            files.into_iter().flatten().for_each(|path| *path = file.resolve(path, credentials.as_ref()));
        }
        raw.checked(purpose, path).map_err(|wrong| sources.locate(wrong))
    }
}
