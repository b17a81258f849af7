//! Where secrets are found, and how they are read.

use minergate::api::{Credentials, Secret};
use minergate_exporter::config::{Config, Sources};

use super::{BASE_URL, environment, token};

#[test]
fn systemd_s_credentials_are_found() {
    let credentials = tempfile::tempdir().unwrap();
    std::fs::write(credentials.path().join("farm-token"), "t").unwrap();
    // As `LoadCredential=credentials:/etc/minergate-exporter/credentials` names the files of that directory.
    std::fs::write(credentials.path().join("credentials_farm-token"), "t").unwrap();
    let variables = environment(&[("CREDENTIALS_DIRECTORY", credentials.path().to_str().unwrap())]);
    for (written, found) in [
        ("farm-token", true),
        ("$CREDENTIALS_DIRECTORY/farm-token", true),
        ("credentials/farm-token", true),
        ("other/farm-token", false),
        ("other", false),
    ] {
        let text =
            format!("[api]\nbase_url = \"http://127.0.0.1:1\"\n[[accounts]]\nname = \"a\"\ntoken_file = \"{written}\"\n");
        let sources = Sources { text: Some(&text), environment: variables.clone(), ..Sources::default() };
        let config = Config::load(sources).unwrap();
        let Credentials::Token { token: Secret::File { path, .. }, .. } = config.accounts[0].credentials() else {
            panic!("{written}")
        };
        assert_eq!(path.starts_with(credentials.path()), found, "{written}");
    }
}

/// In TOML, in a block of YAML, and in a variable.
#[test]
fn byte_order_mark_and_line_end_of_a_secret_are_removed_from_every_source() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let toml = file("c.toml", "\u{feff}[[accounts]]\nname = \"a\"\ntoken = \"\u{feff}secret\\r\\n\"\n");
    let yaml = file("c.yaml", "\u{feff}accounts:\n  - name: a\n    token: |\n      secret\n");
    let empty = file("empty.toml", "");
    for (path, variable) in
        [(&toml, ("X", "")), (&yaml, ("X", "")), (&empty, ("MINERGATE_EXPORTER__ACCOUNTS__A__TOKEN", "\u{feff}secret\r\n"))]
    {
        let sources = Sources { file: Some(path), environment: environment(&[BASE_URL, variable]), ..Sources::default() };
        assert_eq!(*Config::load(sources).unwrap().accounts[0].credentials(), token("secret"));
    }
}
