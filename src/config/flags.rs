//! Values given as flags on the command line.

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider, providers};

use super::reference::{Flag, flags};

/// The values by their keys in the configuration.
pub(super) struct Flags {
    values: Dict,
    given: Vec<Flag>,
}

impl Flags {
    pub(super) fn new(values: Dict) -> Flags {
        let all = Value::from(values.clone());
        Flags { values, given: flags().filter(|flag| all.find_ref(&flag.key).is_some()).collect() }
    }

    /// The flag that gave a key, if there is one.
    pub(super) fn place(&self, path: &[String]) -> Option<String> {
        let flag = self.given.iter().find(|flag| path.iter().map(String::as_str).take(2).eq(flag.key.split('.')))?;
        Some(format!("--{}", flag.name))
    }
}

impl Provider for &Flags {
    fn metadata(&self) -> Metadata {
        Metadata::named("flags")
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        providers::Serialized::defaults(&self.values).data()
    }
}
