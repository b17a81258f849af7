//! `reference`: pages generated from the tables and types, so that they are always correct.

mod man;
pub mod metrics;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Subcommand;
use clap_complete::Shell;

use crate::config::{reference, schema};

#[derive(Clone, Copy, Debug, Subcommand)]
pub(super) enum Page {
    /// Every metric, in Markdown
    Metrics,
    /// Every key of the configuration with its default and its meaning, in TOML
    Config,
    /// Every key of the configuration with its default and its meaning, in Markdown
    Keys,
    /// JSON Schema of the configuration, for editors
    Schema,
    /// Manual page, for man
    Man,
    /// Completions for a shell
    Completions {
        /// The shell that they are for
        shell: Shell,
    },
}

pub(super) fn run(page: Page) -> anyhow::Result<ExitCode> {
    let text = match page {
        Page::Metrics => metrics::page().into_bytes(),
        Page::Config => reference::toml().into_bytes(),
        Page::Keys => reference::markdown().into_bytes(),
        Page::Schema => schema::TEXT.into(),
        Page::Man => man::page()?,
        Page::Completions { shell } => completions(shell),
    };
    std::io::stdout().write_all(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    let mut command = super::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut script);
    script
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::schema;

    #[test]
    fn the_committed_pages_are_up_to_date() {
        let read = |path| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_default();
        for (page, committed) in [
            (super::metrics::page(), "docs/metrics.md"),
            (super::reference::toml(), "config/full.toml"),
            (serde_json::to_string_pretty(&schema::of_types()).unwrap() + "\n", "config/schema.json"),
        ] {
            assert!(page == read(committed), "{committed} is out of date; run scripts/generate");
        }
        let page = read("docs/configuration.md");
        assert!(page.contains(&super::reference::markdown()), "its table of keys is out of date; run scripts/generate");
    }
}
