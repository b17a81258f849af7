//! `reference man`: the manual, one page for all commands.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

use crate::cli::examples;

/// The title of `clap_mangen` omits an empty date, and then reads the next argument as the date. There is no date, so that the same source
/// gives the same page.
const TITLE: &str =
    concat!(".TH MINERGATE-EXPORTER 1 \"\" \"minergate-exporter ", env!("CARGO_PKG_VERSION"), "\" \"User Commands\"\n");

/// The sections that are not about flags: files, environment, signals, exit codes.
const REST: &str = include_str!("rest.man");

/// The page.
pub(super) fn page() -> std::io::Result<Vec<u8>> {
    let command = crate::cli::command();
    let mut page = Vec::new();
    let man = Man::new(command.clone());
    page.extend(TITLE.as_bytes());
    man.render_name_section(&mut page)?;
    synopsis(&command).to_writer(&mut page)?;
    man.render_description_section(&mut page)?;
    commands(&command, &mut page)?;
    // The flags of all commands, as subsections of one section.
    let mut options = Vec::new();
    man.render_options_section(&mut options)?;
    let options = String::from_utf8_lossy(&options).replacen(".SH OPTIONS\n", "", 1).replace(".SH ", ".SS ");
    Roff::new().control("SH", ["OPTIONS"]).to_writer(&mut page)?;
    page.extend(options.into_bytes());
    page.extend(REST.as_bytes());
    Ok(page)
}

fn synopsis(command: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    roff.text([bold(command.get_name()), roman(" ["), italic("OPTIONS"), roman("] ["), italic("COMMAND"), roman("]")]);
    roff
}

/// Each command: how to call it, what it does, its own flags, examples.
fn commands(command: &Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    Roff::new().control("SH", ["COMMANDS"]).to_writer(page)?;
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        let usage = subcommand.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").trim_start_matches("minergate-exporter ");
        let mut roff = Roff::new();
        roff.control("SS", [usage]);
        let about = subcommand.get_long_about().or_else(|| subcommand.get_about()).map(ToString::to_string);
        paragraphs(&mut roff, &about.unwrap_or_default());
        roff.to_writer(page)?;
        let own = subcommand
            .clone()
            .mut_args(|arg| if arg.is_global_set() || arg.get_id() == "help" { arg.hide(true) } else { arg });
        let mut options = Vec::new();
        Man::new(own).render_options_section(&mut options)?;
        // The command is a subsection itself, so headings of its flags would end it.
        let options = String::from_utf8_lossy(&options);
        page.extend(
            options
                .lines()
                .filter(|line| !line.starts_with(".SH "))
                .flat_map(|line| [line, "\n"])
                .collect::<String>()
                .bytes(),
        );
        examples(subcommand.get_name()).to_writer(page)?;
    }
    Ok(())
}

/// A command's examples, with the command lines.
fn examples(command: &str) -> Roff {
    let mut roff = Roff::new();
    for (call, what) in examples::of(command) {
        roff.control("PP", []);
        roff.text([roman(format!("Example: {what}"))]);
        roff.control("PP", []);
        roff.control("RS", ["4"]);
        roff.text([bold(format!("minergate-exporter {call}"))]);
        roff.control("RE", []);
    }
    roff
}

fn paragraphs(roff: &mut Roff, text: &str) {
    for (i, paragraph) in text.split("\n\n").enumerate() {
        if i > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(paragraph.replace('\n', " "))]);
    }
}
