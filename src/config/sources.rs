//! The sources of a configuration, and the places of mistakes in them.

use std::ffi::OsString;
use std::path::Path;

use figment::Figment;
use figment::value::Dict;
use serde::de::DeserializeOwned;

use super::environment::Environment;
use super::error::{ConfigError, KeyError, Mistake};
use super::file::File;
use super::flags::Flags;
use super::keys;
use super::tables::Tables;

/// The sources of a configuration.
#[derive(Debug, Default)]
pub struct Sources<'a> {
    pub file: Option<&'a Path>,
    /// A configuration in TOML that does not come from a file.
    pub text: Option<&'a str>,
    /// The process's environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Flags by their key in the configuration, such as `web.telemetry_path`.
    pub flags: Dict,
}

/// The sources, parsed.
pub(super) struct ParsedSources {
    pub(super) file: File,
    environment: Environment,
    flags: Flags,
    pools: Tables,
    accounts: Tables,
}

impl ParsedSources {
    pub(super) fn new(sources: Sources<'_>) -> Result<ParsedSources, ConfigError> {
        let mut file = File::read(sources.file, sources.text)?;
        let (environment, variables) = Environment::read(&sources.environment)?;
        let pools = Tables::merge("pools", file.take("pools"), variables.pools, &[])?;
        let accounts = Tables::merge("accounts", file.take("accounts"), variables.accounts, &pools.names())?;
        Ok(ParsedSources { file, environment, flags: Flags::new(sources.flags), pools, accounts })
    }

    /// Deserializes the values. Later sources take precedence.
    pub(super) fn extract<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let figment = Figment::new().merge(&self.file).merge(&self.environment).merge(&self.flags);
        let figment = figment.merge(&self.pools).merge(&self.accounts);
        figment.extract().map_err(|errors| self.locate(errors.into_iter().map(KeyError::of_figment)))
    }

    /// The mistakes with their places.
    pub(super) fn locate(&self, errors: impl IntoIterator<Item = KeyError>) -> ConfigError {
        let document = self.file.document();
        let pools = self.pools.names();
        let located = |KeyError { path, message }: KeyError| {
            let given = self.flags.place(&path).or_else(|| self.environment.place(&path));
            let given = given.or_else(|| self.accounts.place(&path)).or_else(|| self.pools.place(&path));
            let place = given.unwrap_or_else(|| self.file.place(document.as_ref(), &path));
            Mistake { place, key: keys::name(&path, &pools), message }
        };
        errors.into_iter().map(located).collect()
    }
}
