//! A configuration in YAML: the same as in TOML, and its mistakes.

use minergate_exporter::config::{Config, Sources};

use super::{BASE_URL, environment};

#[test]
fn yaml_and_toml_give_the_same_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        Config::load(Sources { file: Some(&path), ..Sources::default() }).unwrap()
    };
    let toml = file(
        "a.toml",
        "currencies = [\"xmr\"]\ndecimals = { newcoin = 8 }\n[poll]\nworkers = \"5s\"\nstatus = \"off\"\n\
         [api]\nbase_url = \"http://127.0.0.1:1\"\nrequests_per_second = 0.5\n[[accounts]]\nname = \"a\"\ntoken_file = \"t\"\nendpoints = [\"balance\"]\n",
    );
    let yaml = file(
        "a.yaml",
        "currencies: [xmr]\ndecimals:\n  newcoin: 8\npoll:\n  workers: 5s\n  status: \"off\"\n\
         api:\n  base_url: http://127.0.0.1:1\n  requests_per_second: 0.5\naccounts:\n  - name: a\n    token_file: t\n    endpoints: [balance]\n",
    );
    let said = |config: &Config| format!("{:?}", (&config.plan, &config.api));
    assert_eq!((said(&toml), toml.accounts[0].credentials()), (said(&yaml), yaml.accounts[0].credentials()));
}

/// The message about a YAML file, without the file's name.
fn yaml_error(text: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.yaml");
    std::fs::write(&path, text).unwrap();
    let sources = Sources { file: Some(&path), environment: environment(&[BASE_URL]), ..Sources::default() };
    Config::load(sources).unwrap_err().to_string().replace(&path.display().to_string(), "")
}

#[test]
fn mistakes_in_yaml_have_their_lines_and_remedies() {
    for (text, sentence) in [
        (
            "accounts:\n  - name: a\n    token: *planted\n",
            ":3:12: not valid YAML; check its indentation, and put texts with special characters in quotes",
        ),
        ("poll:\n  workers: 5s\n  workers: 6s\n", ":3:3: a key is given twice; keep one of them"),
        (
            "poll:\n  workers: false\n",
            ":2: poll.workers: expected a text, found true or false; put it in quotes, such as \"off\"",
        ),
        (
            "accounts:\n  - name: a\n    planted: x\n",
            ":3: accounts[1]: unknown key; known are name, email, password, password_file, totp_secret, totp_secret_file, token, token_file, wallets, wallet_files, endpoints",
        ),
        (
            "accounts:\n  - name: yes\n    token: t\n",
            ":2: accounts[1].name: expected a string, found true or false; put it in quotes",
        ),
    ] {
        assert_eq!(yaml_error(text), sentence, "of\n{text}");
    }
    // YAML 1.1 reads these words as booleans, YAML 1.2 as text.
    for word in ["off", "Off", "no"] {
        let error = yaml_error(&format!("poll:\n  workers: {word}\n"));
        assert!(
            error.contains(":2: poll.workers: ") && error.contains("put it in quotes, such as \"off\""),
            "{word}: {error}"
        );
    }
}
