//! What a configuration is read from, and where in it a mistake was made.

use std::ffi::OsString;
use std::path::Path;

use figment::Figment;
use figment::value::Dict;
use serde::de::DeserializeOwned;

use super::accounts::Accounts;
use super::environment::Environment;
use super::error::ConfigError;
use super::file::File;
use super::flags::Flags;
use super::keys::Keys;
use super::lines::Lines;

/// What a configuration is read from.
#[derive(Debug, Default)]
pub struct Sources<'a> {
    pub file: Option<&'a Path>,
    /// A configuration in TOML, for one that comes from no file.
    pub text: Option<&'a str>,
    /// The process's environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Flags by their key in the configuration, such as `web.telemetry_path`.
    pub flags: Dict,
}

/// The sources, parsed.
pub(super) struct Parsed {
    keys: Keys,
    pub(super) file: File,
    environment: Environment,
    flags: Flags,
    accounts: Accounts,
}

impl Parsed {
    pub(super) fn new(sources: Sources<'_>) -> anyhow::Result<Parsed> {
        let keys = Keys::new();
        let (file, accounts) = File::read(sources.file, sources.text)?;
        let (environment, account_variables) = Environment::read(&sources.environment, &keys)?;
        let accounts = Accounts::merge(accounts, account_variables, &keys)?;
        Ok(Parsed { keys, file, environment, flags: Flags(sources.flags), accounts })
    }

    /// The values in a type; what is given later counts.
    pub(super) fn extract<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        let figment = Figment::new().merge(&self.file).merge(&self.environment).merge(&self.flags).merge(&self.accounts);
        figment.extract().map_err(|errors| {
            let lines = self.file.lines();
            ConfigError::join(
                errors.into_iter().map(|error| ConfigError::of_figment(self.place(&lines, &error.path), &self.keys, error)),
            )
        })
    }

    /// Fails if there are mistakes, each with its path.
    pub(super) fn check(&self, mistakes: Vec<(Vec<String>, String)>) -> anyhow::Result<()> {
        if mistakes.is_empty() {
            return Ok(());
        }
        let lines = self.file.lines();
        let error =
            |(path, sentence): (Vec<String>, _)| ConfigError::new(self.place(&lines, &path), &path, &self.keys, sentence);
        Err(ConfigError::join(mistakes.into_iter().map(error)))
    }

    /// Where a key was given: flag, variable, or file and line.
    fn place(&self, lines: &Lines, path: &[String]) -> String {
        let given = self.flags.place(path).or_else(|| self.environment.place(path, &self.keys));
        given.or_else(|| self.accounts.place(path)).unwrap_or_else(|| self.file.place(lines, path))
    }
}
