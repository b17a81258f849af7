//! What a configuration is read from, and where in it a mistake was made.

use std::ffi::OsString;
use std::path::Path;

use figment::Figment;
use figment::value::Dict;
use serde::de::DeserializeOwned;

use super::environment::Environment;
use super::error::{ConfigError, Mistake, Wrong};
use super::file::File;
use super::flags::Flags;
use super::keys;
use super::tables::Tables;

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
    pub(super) file: File,
    environment: Environment,
    flags: Flags,
    pools: Tables,
    accounts: Tables,
}

impl Parsed {
    pub(super) fn new(sources: Sources<'_>) -> Result<Parsed, ConfigError> {
        let mut file = File::read(sources.file, sources.text)?;
        let (environment, variables) = Environment::read(&sources.environment)?;
        let pools = Tables::merge("pools", file.take("pools"), variables.pools, &[])?;
        let accounts = Tables::merge("accounts", file.take("accounts"), variables.accounts, &pools.names())?;
        Ok(Parsed { file, environment, flags: Flags::new(sources.flags), pools, accounts })
    }

    /// The values in a type; what is given later counts.
    pub(super) fn extract<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let figment = Figment::new().merge(&self.file).merge(&self.environment).merge(&self.flags);
        let figment = figment.merge(&self.pools).merge(&self.accounts);
        figment.extract().map_err(|errors| self.locate(errors.into_iter().map(Wrong::of_figment)))
    }

    /// The mistakes with their places. The file's lines are looked up by reading it again, which a right one does not need.
    pub(super) fn locate(&self, wrong: impl IntoIterator<Item = Wrong>) -> ConfigError {
        let document = self.file.document();
        let pools = self.pools.names();
        let located = |Wrong { path, message }: Wrong| {
            let given = self.flags.place(&path).or_else(|| self.environment.place(&path));
            let given = given.or_else(|| self.accounts.place(&path)).or_else(|| self.pools.place(&path));
            let place = given.unwrap_or_else(|| self.file.place(document.as_ref(), &path));
            Mistake { place, key: keys::name(&path, &pools), message }
        };
        wrong.into_iter().map(located).collect()
    }
}
