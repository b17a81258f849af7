//! Values given as flags on the command line.

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider, providers};

/// The values by their keys in the configuration.
pub(super) struct Flags(pub(super) Dict);

impl Flags {
    /// The flag that gave a key, if it was one.
    pub(super) fn place(&self, path: &[String]) -> Option<String> {
        let key = path.get(..2)?.join(".");
        Value::from(self.0.clone()).find(&key)?;
        // As every exporter of the Prometheus project has it.
        let flag = if key == "web.config_file" { "web.config.file".to_owned() } else { key.replace('_', "-") };
        Some(format!("--{flag}"))
    }
}

impl Provider for &Flags {
    fn metadata(&self) -> Metadata {
        Metadata::named("flags")
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        providers::Serialized::defaults(&self.0).data()
    }
}
