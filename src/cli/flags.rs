//! The flags that all commands accept. Those with a key in the configuration are generated from it.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueHint};
use figment::value::{Dict, Value};

use super::simulate::whole;
use crate::config::reference::{self, Flag};
use crate::config::{Config, ConfigError, Shard, Sources, Web};

pub(super) const CONFIGURATION: &str = "Configuration";
/// The heading for flags of commands with a server.
pub(super) const WEB: &str = "Web server";
const LOG: &str = "Log";

#[derive(Debug)]
pub(super) struct Flags {
    pub(super) config_file: Option<PathBuf>,
    /// The flags that have a key in the configuration, by this key.
    values: Dict,
}

#[derive(Debug, Args)]
struct ConfigFile {
    /// Configuration file, TOML or (named .yaml or .yml) YAML
    #[arg(long = "config.file", value_name = "FILE", global = true, help_heading = CONFIGURATION, value_hint = ValueHint::FilePath)]
    config_file: Option<PathBuf>,
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        reference::flags().map(|flag| argument(&flag)).fold(ConfigFile::augment_args(command), Command::arg)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Flags::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Flags, clap::Error> {
        let ConfigFile { config_file } = ConfigFile::from_arg_matches(matches)?;
        let mut values = Dict::new();
        for flag in reference::flags() {
            let Some(value) = value(&flag, matches) else { continue };
            match flag.key.split_once('.') {
                Some((table, key)) => {
                    if let Value::Dict(_, table) = values.entry(table.to_owned()).or_insert_with(|| Dict::new().into()) {
                        table.insert(key.to_owned(), value);
                    }
                }
                None => drop(values.insert(flag.key, value)),
            }
        }
        Ok(Flags { config_file, values })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Flags::from_arg_matches(matches)?;
        Ok(())
    }
}

fn argument(flag: &Flag) -> Arg {
    let heading = match flag.key.split('.').next() {
        Some("web") => WEB,
        Some("log") => LOG,
        _ => CONFIGURATION,
    };
    let arg = Arg::new(flag.name).long(flag.name).help(flag.help.clone()).global(true).help_heading(heading);
    let Some(value) = flag.value else { return arg.action(ArgAction::SetTrue) };
    let arg = arg.value_name(value).action(if flag.is_list { ArgAction::Append } else { ArgAction::Set });
    match value {
        "FILE" => arg.value_hint(ValueHint::FilePath),
        "URL" => arg.value_hint(ValueHint::Url),
        "N" => arg.value_parser(whole::<usize>),
        "I/N" => arg.value_parser(|text: &str| text.parse::<Shard>().map(|shard| shard.to_string())),
        _ if flag.values.is_empty() => arg,
        _ => arg.value_parser(PossibleValuesParser::new(&flag.values)).hide_possible_values(true),
    }
}

/// The given value, as the configuration has it.
fn value(flag: &Flag, matches: &ArgMatches) -> Option<Value> {
    let text = || matches.get_one::<String>(flag.name);
    match flag.value {
        None => matches.get_flag(flag.name).then(|| true.into()),
        Some(_) if flag.is_list => Some(matches.get_many::<String>(flag.name)?.cloned().collect::<Vec<_>>().into()),
        Some("N") => matches.get_one::<usize>(flag.name).map(|number| (*number).into()),
        // A path in the configuration is relative to its file; a path on the command line is not.
        Some("FILE") => {
            text().and_then(|path| std::path::absolute(path).ok()).map(|path| path.to_string_lossy().into_owned().into())
        }
        Some(_) => text().map(|text| text.clone().into()),
    }
}

impl Flags {
    /// The flags that have a key in the configuration.
    pub(super) fn values(&self) -> Dict {
        self.values.clone()
    }

    /// Reads the configuration that the flags name, for a command that polls.
    pub(super) fn load(&self) -> Result<Config, ConfigError> {
        Config::load(self.sources())
    }

    /// The configuration, checked for the gateway.
    pub(super) fn load_gateway(&self) -> Result<Config, ConfigError> {
        Config::load_gateway(self.sources())
    }

    /// The configuration for a command that sends single requests and does not poll.
    pub(super) fn load_for_query(&self) -> Result<Config, ConfigError> {
        Config::load_for_query(self.sources())
    }

    /// Reads `[web]` alone.
    pub(super) fn load_web(&self) -> Result<Web, ConfigError> {
        Config::load_web(self.sources())
    }

    fn sources(&self) -> Sources<'_> {
        let file = self.config_file.as_deref();
        Sources { file, text: None, environment: std::env::vars_os().collect(), flags: self.values() }
    }
}
