//! Prints the JSON Schema of the configuration as its types have it, for `scripts/generate`.

use std::io::Write as _;

fn main() -> anyhow::Result<()> {
    let schema = serde_json::to_string_pretty(&minergate_exporter::config::schema::of_types())?;
    Ok(writeln!(std::io::stdout(), "{schema}")?)
}
