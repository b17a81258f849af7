//! A table of mistakes, each with its exact message; a start with one fails.

use std::fs;

use minergate_exporter::server::Web;
use rcgen::KeyPair;

use super::{config, hash, load, write_certificate};
use crate::messages::fits;
use crate::process::{Process, exporter, wait};

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_mistake_has_its_message() {
    let directory = tempfile::tempdir().unwrap();
    write_certificate(directory.path());
    fs::write(directory.path().join("empty.pem"), "").unwrap();
    fs::write(directory.path().join("other.pem"), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let tls = "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n";
    let hash = hash("secret");
    for (text, sentence) in [
        (
            "tls_server_config: [",
            "web.yml:1:20: not valid YAML; check its indentation, and put texts with special characters in quotes",
        ),
        ("hunter2", "web.yml:1: is not a mapping; write its keys as \"key: value\", each in a line of its own"),
        ("rate_limit:\nrate_limit:\n", "web.yml:2:1: a key is given twice; keep one of them"),
        (
            "tls_config:\n  a: b\n",
            "web.yml:1: unknown key; known are: basic_auth_users, http_server_config, rate_limit, tls_server_config",
        ),
        ("\nbasic_auth_user:\n  a: b\n", "web.yml:2: unknown key `basic_auth_user`; did you mean `basic_auth_users`?"),
        (
            "tls_server_config:\n  certfile: a\n",
            "web.yml:2: tls_server_config: unknown key `certfile`; did you mean `cert_file`?",
        ),
        (
            "tls_server_config:\n  cert_file: cert.pem\n",
            "web.yml:1: tls_server_config: has no certificate or no key; give cert_file and key_file",
        ),
        (
            "tls_server_config:\n  min_version: TLS13\n",
            "web.yml:1: tls_server_config: has no certificate or no key; give cert_file and key_file",
        ),
        (
            "tls_server_config:\n  cert_file: gone.pem\n  key_file: key.pem\n",
            "web.yml:2: tls_server_config.cert_file: can't be read: no such file or directory; give a file that this user can read; a relative path lies beside this file",
        ),
        (
            "tls_server_config:\n  cert_file: empty.pem\n  key_file: key.pem\n",
            "web.yml:2: tls_server_config.cert_file: holds no certificate; give one in PEM, from -----BEGIN CERTIFICATE----- on",
        ),
        (
            "tls_server_config:\n  cert_file: cert.pem\n  key_file: cert.pem\n",
            "web.yml:3: tls_server_config.key_file: holds no private key; give one in PEM that no passphrase protects: PKCS#8, PKCS#1 or SEC1",
        ),
        (
            "tls_server_config:\n  cert_file: cert.pem\n  key_file: other.pem\n",
            "web.yml:3: tls_server_config.key_file: is not the key of the certificate; give the two that belong together",
        ),
        (
            &format!("{tls}  client_auth_type: RequireAndVerify\n"),
            "web.yml:4: tls_server_config.client_auth_type: is not known; known are: NoClientCert, RequestClientCert, \
             RequireAnyClientCert, RequireClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert",
        ),
        (
            &format!("{tls}  client_auth_type: RequireAndVerifyClientCert\n"),
            "web.yml:4: tls_server_config.client_auth_type: needs authorities to verify with; give client_ca_file",
        ),
        (
            &format!("{tls}  client_ca_file: cert.pem\n"),
            "web.yml:4: tls_server_config.client_ca_file: is not used without client_auth_type; give \"RequireAndVerifyClientCert\"",
        ),
        (
            &format!("{tls}  client_allowed_sans: [a]\n"),
            "web.yml:4: tls_server_config.client_allowed_sans: is not used if clients need no certificate; \
             give client_auth_type \"RequireAndVerifyClientCert\"",
        ),
        (
            &format!("{tls}  min_version: TLS14\n"),
            "web.yml:4: tls_server_config.min_version: is not known; known are: TLS10, TLS11, TLS12, TLS13",
        ),
        (
            &format!("{tls}  max_version: TLS11\n  min_version: TLS10\n"),
            "web.yml:4: tls_server_config.max_version: TLS 1.0 and 1.1 are not spoken; give TLS12 or TLS13",
        ),
        (
            &format!("{tls}  max_version: TLS12\n  min_version: TLS13\n"),
            "web.yml:4: tls_server_config.max_version: is before min_version; give TLS13, or leave it out",
        ),
        (
            &format!("{tls}  cipher_suites:\n    - TLS_AES_128_GCM_SHA256\n    - TLS_RSA_WITH_AES_128_CBC_SHA\n"),
            "web.yml:6: tls_server_config.cipher_suites[2]: is not known; known are: …",
        ),
        (
            &format!("{tls}  max_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]\n"),
            "web.yml:5: tls_server_config.cipher_suites: names none of TLS 1.2, and max_version allows nothing else; add one",
        ),
        (
            &format!("{tls}  cipher_suites: all\n"),
            "web.yml:4: tls_server_config.cipher_suites: is not a list; write each of its values in a line of its own, after \"- \"",
        ),
        (
            &format!("{tls}  curve_preferences: [CurveP521]\n"),
            "web.yml:4: tls_server_config.curve_preferences[1]: is not known; known are: X25519, CurveP256, CurveP384",
        ),
        (
            &format!("{tls}  prefer_server_cipher_suites: 3\n"),
            "web.yml:4: tls_server_config.prefer_server_cipher_suites: is neither true nor false; give one of the two",
        ),
        (
            "http_server_config:\n  http2: maybe\n",
            "web.yml:2: http_server_config.http2: is neither true nor false; give one of the two",
        ),
        (
            "http_server_config:\n  headers:\n    Server: a\n",
            "web.yml:3: http_server_config.headers: unknown key; known are: Content-Security-Policy, \
             Strict-Transport-Security, X-Content-Type-Options, X-Frame-Options, X-XSS-Protection",
        ),
        (
            "http_server_config:\n  headers:\n    X-Frame-Options: DENY\n",
            "web.yml:3: http_server_config.headers.X-Frame-Options: can't be this; give deny or sameorigin",
        ),
        (
            "http_server_config:\n  headers:\n    Content-Security-Policy: \"a\\nb\"\n",
            "web.yml:3: http_server_config.headers.Content-Security-Policy: holds what no header can; write it in one line of plain letters",
        ),
        (
            "basic_auth_users:\n  alice: hunter2\n",
            "web.yml:2: basic_auth_users: this user has no bcrypt hash; make one with `htpasswd -nBC 10 \"\" | tr -d ':\\n'`, and put it in quotes",
        ),
        (
            "basic_auth_users: hunter2\n",
            "web.yml:1: basic_auth_users: is not a mapping; write its keys as \"key: value\", each in a line of its own",
        ),
        (
            &format!("basic_auth_users:\n  alice: {}\n", hash.replacen("$05$", "$30$", 1)),
            "web.yml:2: basic_auth_users: this user's hash has a cost out of range; give 4 to 18, best 10",
        ),
        (
            &format!("basic_auth_users:\n  {hash}: hunter2\n"),
            "web.yml:2: basic_auth_users: this user has no bcrypt hash; make one with `htpasswd -nBC 10 \"\" | tr -d ':\\n'`, and put it in quotes",
        ),
        (
            "rate_limit:\n  interval: soon\n",
            "web.yml:2: rate_limit.interval: is not a duration; give one such as \"100ms\" or \"1m30s\", or 0 for no limit",
        ),
        (
            "rate_limit:\n  interval: 1s\n",
            "web.yml:1: rate_limit: has no burst and so would refuse everything; give burst, 1 or more",
        ),
        (
            "rate_limit:\n  interval: 1s\n  burst: 0\n",
            "web.yml:3: rate_limit.burst: is out of range; give a number of requests, 1 or more",
        ),
        (
            "rate_limit:\n  interval: 1s\n  burst: many\n",
            "web.yml:3: rate_limit.burst: is not a whole number; give one such as 10",
        ),
    ] {
        let fault = load(directory.path(), text).expect_err(text);
        assert!(fits(&fault, sentence), "{fault}\nof\n{text}");
        assert!(!fault.contains("hunter2") && !fault.contains("$2"));
    }
    let gone = Web::load(Some(&directory.path().join("gone.yml"))).map(|_| ()).unwrap_err();
    assert!(
        format!("{gone:#}") == "can't read the web configuration: no such file or directory; give another --web.config.file",
        "{gone:#}"
    );
}

#[test]
fn a_file_with_a_mistake_stops_the_start_and_the_check() {
    let directory = tempfile::tempdir().unwrap();
    let web = directory.path().join("web.yml");
    fs::write(&web, "basic_auth_users: 1\n").unwrap();
    for name in ["serve", "check"] {
        let mut command = exporter();
        command.arg(name).arg("--config.file").arg(config(directory.path())).arg("--web.config.file").arg(&web);
        let mut process = Process::start(&mut command);
        assert_eq!(process.exit_code(), Some(1), "{name}");
        wait("the fault", || process.output().contains("web.yml:1: basic_auth_users: is not a mapping").then_some(()));
    }
    // A relative path in the configuration is relative to the configuration's directory.
    let path = config(directory.path());
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text + "[web]\nconfig_file = \"web.yml\"\n").unwrap();
    let mut process = Process::start(exporter().arg("check").arg("--config.file").arg(&path));
    assert_eq!(process.exit_code(), Some(1));
    wait("the fault", || process.output().contains("web.yml:1: basic_auth_users").then_some(()));
}
