//! Examples of each command, for its help and the manual.

use clap::Command;

/// Each command with its examples: the command line and what it does.
static EXAMPLES: &[(&str, &[(&str, &str)])] = &[
    (
        "serve",
        &[
            ("serve --config.file my.toml", "poll, and serve http://localhost:10187/metrics"),
            ("serve --config.file my.toml --web.listen-address 127.0.0.1:9100", "the same for this machine only, elsewhere"),
        ],
    ),
    ("demo", &[("demo", "try it, without an account")]),
    (
        "simulate",
        &[
            ("simulate --accounts 10 --write-config simulated.toml", "an API to poll, and how to poll it"),
            ("simulate --fault 429:0.1 --fault login/captcha@farm-1", "one that misbehaves"),
        ],
    ),
    (
        "gateway",
        &[
            ("gateway --config.file my.toml", "serve http://127.0.0.1:10189/1.0/..., to programs on this machine"),
            (
                "gateway --config.file my.toml --listen :10189 --web.config.file web.yml",
                "to others too, with TLS: see docs/web.md",
            ),
        ],
    ),
    (
        "check",
        &[
            ("check --config.file my.toml", "show what the configuration says, or what is wrong with it"),
            ("check --config.file my.toml --online", "log in, and read everything once"),
        ],
    ),
    (
        "once",
        &[
            ("once --config.file my.toml", "print what a scrape would show"),
            (
                "once --config.file my.toml --textfile /var/lib/node_exporter/minergate.prom",
                "for node_exporter's textfile collector",
            ),
        ],
    ),
    (
        "query",
        &[
            ("query workers --config.file my.toml --account farm", "the workers of one account"),
            ("query transfers xdn --config.file my.toml", "transfers of one currency"),
            ("query status xmr --config.file my.toml", "a network, which needs no account"),
        ],
    ),
    (
        "history",
        &[
            ("history --config.file my.toml >history.om", "the past of all accounts, for promtool: see docs/history.md"),
            ("history --config.file my.toml --account farm --every 4m", "finer, and of one account"),
        ],
    ),
    (
        "healthcheck",
        &[
            ("healthcheck", "ask the exporter at the default address"),
            ("healthcheck --ready --url http://localhost:9100/-/ready", "ask another one"),
        ],
    ),
    (
        "reference",
        &[("reference man >minergate-exporter.1", "the manual"), ("reference completions bash", "what bash completes")],
    ),
];

/// The examples of a command: the command line and what it does.
pub(super) fn of(command: &str) -> &'static [(&'static str, &'static str)] {
    EXAMPLES.iter().find(|(name, _)| *name == command).map_or(&[], |(_, examples)| examples)
}

/// The width that every terminal has.
const WIDTH: usize = 80;

/// A subcommand whose help ends with its examples.
pub(super) fn with_examples(command: Command) -> Command {
    let lines: Vec<String> =
        of(command.get_name()).iter().map(|(call, what)| format!("  # {what}\n{}", typed(call))).collect();
    if lines.is_empty() { command } else { command.after_help(format!("Examples:\n{}", lines.join("\n"))) }
}

/// A command line, broken into lines for the terminal. A flag and its value stay on one line.
fn typed(call: &str) -> String {
    let mut lines = vec!["  minergate-exporter".to_owned()];
    let mut words = call.split(' ').peekable();
    while let Some(word) = words.next() {
        let value = words.next_if(|next| word.starts_with("--") && !next.starts_with("--"));
        let part = value.map_or_else(|| word.to_owned(), |value| format!("{word} {value}"));
        // ` \` must fit at the end of the line.
        match lines.last_mut() {
            Some(line) if line.len() + 1 + part.len() + 2 <= WIDTH => line.extend([" ", &part]),
            Some(line) => {
                line.push_str(" \\");
                lines.push(format!("      {part}"));
            }
            None => {}
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_command_has_examples_that_parse() {
        let command = crate::cli::command();
        for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
            let name = subcommand.get_name();
            assert!(!super::of(name).is_empty(), "{name} has no example");
            for (call, _) in super::of(name) {
                assert!(call.split(' ').next() == Some(name), "{call}");
                let words = call.split(" >").next().unwrap_or(call).split(' ');
                let parsed = command.clone().try_get_matches_from(std::iter::once("minergate-exporter").chain(words));
                assert!(parsed.is_ok(), "{call}: {}", parsed.unwrap_err());
            }
        }
    }
}
