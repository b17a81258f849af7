//! The web configuration file: what is wrong with it, who gets in, and what a new version changes.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minergate_exporter::server::Web;
use rcgen::{CertificateParams, KeyPair};

use crate::messages::fits;
use crate::process::{Answer, Process, daemon, exporter, get, wait};

/// `htpasswd -nBC 5`'s hash of "secret".
pub(crate) fn hash(password: &str) -> String {
    bcrypt::hash(password, 5).unwrap().replacen("$2b$", "$2y$", 1)
}

/// A configuration that polls nothing that there is.
pub(crate) fn config(directory: &Path) -> std::path::PathBuf {
    let path = directory.join("c.toml");
    let text = "[api]\nbase_url = \"http://127.0.0.1:1\"\n[[accounts]]\nname = \"a\"\ntoken = \"t\"\n";
    fs::write(&path, text).unwrap();
    path
}

/// The daemon with a web configuration.
pub(crate) fn serving(directory: &Path, web: &str) -> (Process, String) {
    let path = directory.join("web.yml");
    fs::write(&path, web).unwrap();
    daemon(&config(directory), &["--web.config.file", path.to_str().unwrap()])
}

/// Writes a certificate for localhost and its key.
pub(crate) fn write_certificate(directory: &Path) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    fs::write(directory.join("cert.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(directory.join("key.pem"), key.serialize_pem()).unwrap();
}

fn load(directory: &Path, text: &str) -> Result<Vec<String>, String> {
    let path = directory.join("web.yml");
    fs::write(&path, text).unwrap();
    let name = format!("{}", path.display());
    let plain = |text: String| text.replace(&name, "web.yml").replace(&format!("{}/", directory.display()), "");
    match Web::load(Some(&path)) {
        Ok(web) => Ok(web.warnings().into_iter().map(plain).collect()),
        Err(error) => Err(plain(format!("{error:#}"))),
    }
}

#[test]
fn files_of_other_exporters_work() {
    let directory = tempfile::tempdir().unwrap();
    write_certificate(directory.path());
    let inline = |name| fs::read_to_string(directory.path().join(name)).unwrap().replace('\n', "\n    ");
    let user = hash("secret");
    for text in [
        String::new(),
        "# nothing yet\n".to_owned(),
        "---\n{}\n".to_owned(),
        "tls_server_config:\nbasic_auth_users:\n".to_owned(),
        "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n".to_owned(),
        format!("basic_auth_users:\n  alice: {user}\n  bob: '{user}'\n"),
        "tls_server_config:\n  cert_file: \"cert.pem\"\n  key_file: \"key.pem\"\n  client_auth_type: \"RequireAndVerifyClientCert\"\n  \
         client_ca_file: \"cert.pem\"\n  client_allowed_sans:\n    - test.example\n  min_version: TLS12\n  max_version: TLS13\n"
            .to_owned(),
        "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n  min_version: TLS13\n  \
         curve_preferences: [CurveP256, X25519, CurveP384]\n  prefer_server_cipher_suites: yes\n  \
         cipher_suites:\n  - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\n  - TLS_AES_128_GCM_SHA256\n\
         http_server_config:\n  http2: off\n  headers:\n    X-Frame-Options: deny\n    X-Content-Type-Options: nosniff\n    \
         X-XSS-Protection: 0\n    Content-Security-Policy: \"default-src 'self'\"\n    Strict-Transport-Security: max-age=31536000\n"
            .to_owned(),
        format!("tls_server_config:\n  cert: |\n    {}\n  key: |\n    {}\n", inline("cert.pem"), inline("key.pem")),
        "rate_limit:\n  interval: 1s\n  burst: 10\n".to_owned(),
        "rate_limit:\n  interval: 0\n  burst: 0\n".to_owned(),
    ] {
        assert_eq!(load(directory.path(), &text), Ok(Vec::new()), "{text}");
    }
    // The example in the documentation, with the files that it names.
    for (name, of) in [("cert.pem", "exporter.pem"), ("key.pem", "exporter.key")] {
        fs::copy(directory.path().join(name), directory.path().join(of)).unwrap();
    }
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/web.md")).unwrap();
    let example = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(load(directory.path(), example), Ok(Vec::new()));

    let old = "tls_server_config: {cert_file: cert.pem, key_file: key.pem, min_version: TLS10, cert: unused}\n";
    assert_eq!(
        load(directory.path(), old).unwrap(),
        [
            "web.yml:1: tls_server_config.cert: is not used, since cert_file is given too; remove one of the two",
            "web.yml:1: tls_server_config.min_version: TLS 1.0 and 1.1 are not spoken; TLS12 counts",
        ]
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_fault_has_its_sentence() {
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
        ("rate_limit:\nrate_limit:\n", "web.yml:2:1: a key stands twice; keep one of them"),
        (
            "tls_config:\n  a: b\n",
            "web.yml:2: unknown key; those there are: basic_auth_users, http_server_config, rate_limit, tls_server_config",
        ),
        ("\nbasic_auth_user:\n  a: b\n", "web.yml:3: unknown key `basic_auth_user`; did you mean `basic_auth_users`?"),
        (
            "tls_server_config:\n  certfile: a\n",
            "web.yml:2: tls_server_config: unknown key `certfile`; did you mean `cert_file`?",
        ),
        (
            "tls_server_config:\n  cert_file: cert.pem\n",
            "web.yml:2: tls_server_config: has no certificate or no key; give cert_file and key_file",
        ),
        (
            "tls_server_config:\n  min_version: TLS13\n",
            "web.yml:2: tls_server_config: has no certificate or no key; give cert_file and key_file",
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
            "web.yml:4: tls_server_config.client_auth_type: is none of those there are: NoClientCert, RequestClientCert, \
             RequireAnyClientCert, RequireClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert",
        ),
        (
            &format!("{tls}  client_auth_type: RequireAndVerifyClientCert\n"),
            "web.yml:4: tls_server_config.client_auth_type: needs authorities to verify with; give client_ca_file",
        ),
        (
            &format!("{tls}  client_ca_file: cert.pem\n"),
            "web.yml:4: tls_server_config.client_ca_file: is of no use without client_auth_type; give \"RequireAndVerifyClientCert\"",
        ),
        (
            &format!("{tls}  client_allowed_sans: [a]\n"),
            "web.yml:4: tls_server_config.client_allowed_sans: is of no use where clients need no certificate; \
             give client_auth_type \"RequireAndVerifyClientCert\"",
        ),
        (
            &format!("{tls}  min_version: TLS14\n"),
            "web.yml:4: tls_server_config.min_version: is none of those there are: TLS10, TLS11, TLS12, TLS13",
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
            "web.yml:6: tls_server_config.cipher_suites[2]: is none of those there are: …",
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
            "web.yml:4: tls_server_config.curve_preferences[1]: is none of those there are: X25519, CurveP256, CurveP384",
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
            "web.yml:3: http_server_config.headers: unknown key; those there are: Content-Security-Policy, \
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
            "web.yml:2: rate_limit.interval: is no duration; give one such as \"100ms\" or \"1m30s\", or 0 for no limit",
        ),
        (
            "rate_limit:\n  interval: 1s\n",
            "web.yml:2: rate_limit: has no burst and so would refuse everything; give burst, 1 or more",
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
fn a_broken_file_ends_the_start_and_the_check() {
    let directory = tempfile::tempdir().unwrap();
    let web = directory.path().join("web.yml");
    fs::write(&web, "basic_auth_users: 1\n").unwrap();
    for command in ["serve", "check"] {
        let mut exporter = crate::process::exporter();
        exporter.arg(command).arg("--config.file").arg(config(directory.path())).arg("--web.config.file").arg(&web);
        let mut process = Process::start(&mut exporter);
        assert_eq!(process.exit_code(), Some(1), "{command}");
        wait("the fault", || process.output().contains("web.yml:1: basic_auth_users: is not a mapping").then_some(()));
    }
    // A path in the configuration lies beside it.
    let path = config(directory.path());
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text + "[web]\nconfig_file = \"web.yml\"\n").unwrap();
    let mut process = Process::start(crate::process::exporter().arg("check").arg("--config.file").arg(&path));
    assert_eq!(process.exit_code(), Some(1));
    wait("the fault", || process.output().contains("web.yml:1: basic_auth_users").then_some(()));
}

pub(crate) fn ask(url: &str, user: &str) -> Answer {
    get(url, &[("authorization", &format!("Basic {}", STANDARD.encode(user)))])
}

#[test]
fn users_get_in_with_their_passwords_and_nobody_else() {
    let directory = tempfile::tempdir().unwrap();
    let (alice, bob) = (hash("secret"), hash("pass:word"));
    let (_daemon, url) = serving(directory.path(), &format!("basic_auth_users:\n  alice: {alice}\n  bob: {bob}\n"));
    for path in ["/metrics", "/", "/-/healthy", "/-/ready", "/nothing"] {
        let answer = get(&format!("{url}{path}"), &[]);
        assert_eq!((answer.status, &answer.headers["www-authenticate"]), (401, &"Basic".parse().unwrap()), "{path}");
    }
    let metrics = format!("{url}/metrics");
    for (user, status) in [
        ("alice:secret", 200),
        ("alice:secret", 200),
        ("bob:pass:word", 200),
        ("alice:pass:word", 401),
        ("alice:", 401),
        ("alice", 401),
        ("mallory:secret", 401),
        ("", 401),
    ] {
        assert_eq!(ask(&metrics, user).status, status, "{user}");
    }
    for header in ["Basic", "Basic !", "Bearer YTpi", "Digest username=alice"] {
        assert_eq!(get(&metrics, &[("authorization", header)]).status, 401, "{header}");
    }
    // The exporter's own metrics are encoded every second or so.
    wait("the count of what was refused", || {
        ask(&metrics, "alice:secret").text().contains("http_requests_total{path=\"/metrics\",code=\"401\"}").then_some(())
    });
}

#[test]
fn a_new_version_counts_and_a_broken_one_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let web = directory.path().join("web.yml");
    let file = |user: &str, password: &str| format!("basic_auth_users:\n  {user}: {}\n", hash(password));
    let (daemon, url) = serving(directory.path(), &file("alice", "one"));
    assert_eq!(ask(&url, "alice:one").status, 200);

    fs::write(&web, file("alice", "two")).unwrap();
    wait("the new password", || (ask(&url, "alice:two").status == 200).then_some(()));
    assert_eq!(ask(&url, "alice:one").status, 401);

    // Neither nonsense nor an empty file opens the door, and each is said once.
    for (text, fault) in [
        ("basic_auth_users:\n  alice: hunter2\n", "this user has no bcrypt hash"),
        ("", "all users are gone; restart the exporter if this is meant"),
    ] {
        fs::write(&web, text).unwrap();
        wait("the fault", || {
            assert_eq!(get(&url, &[]).status, 401);
            daemon.output().contains(fault).then_some(())
        });
        // More than one reading.
        std::thread::sleep(std::time::Duration::from_millis(2500));
        assert_eq!(ask(&url, "alice:two").status, 200);
        assert_eq!(daemon.output().matches(fault).count(), 1, "{}", daemon.output());
    }
    fs::write(&web, file("bob", "three")).unwrap();
    wait("the new user", || (ask(&url, "bob:three").status == 200).then_some(()));
    assert_eq!(ask(&url, "alice:two").status, 401);
    assert!(!daemon.output().contains("hunter2") && !daemon.output().contains("$2"));
}

#[test]
fn headers_and_rate_limit_are_the_file_s() {
    let directory = tempfile::tempdir().unwrap();
    let (_daemon, url) = serving(
        directory.path(),
        "http_server_config:\n  headers:\n    X-Frame-Options: deny\n    Strict-Transport-Security: \"\"\n\
         rate_limit:\n  interval: 1h\n  burst: 3\n",
    );
    let statuses: Vec<u16> = (0..5)
        .map(|_| {
            let answer = get(&format!("{url}/-/healthy"), &[]);
            assert_eq!(answer.headers["x-frame-options"], "deny");
            assert!(!answer.headers.contains_key("strict-transport-security"));
            assert_eq!(answer.headers.contains_key("retry-after"), answer.status == 429);
            answer.status
        })
        .collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
}

/// Keys that rustls' ring does not sign with, as openssl makes them.
#[test]
#[ignore = "scripts/test runs it: it needs openssl"]
fn a_key_that_can_t_be_used_is_said_with_those_that_can() {
    let directory = tempfile::tempdir().unwrap();
    let text = "tls_server_config:\n  cert_file: c.pem\n  key_file: c.key\n";
    let make = |kind: &[&str]| {
        let mut openssl = std::process::Command::new("openssl");
        openssl.args([
            "req", "-x509", "-nodes", "-days", "90", "-subj", "/CN=a", "-out", "c.pem", "-keyout", "c.key", "-newkey",
        ]);
        let output = openssl.args(kind).current_dir(directory.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    for kind in [&["ec", "-pkeyopt", "ec_paramgen_curve:secp521r1"][..], &["rsa:1024"]] {
        make(kind);
        let sentence = "web.yml:3: tls_server_config.key_file: is a key that can't be used; taken are RSA of 2048 to 4096 bits, ECDSA on P-256 \
                        or P-384, and Ed25519";
        assert_eq!(load(directory.path(), text), Err(sentence.to_owned()), "{kind:?}");
    }
    for kind in [&["ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"][..], &["rsa:2048"], &["ed25519"]] {
        make(kind);
        assert_eq!(load(directory.path(), text), Ok(Vec::new()), "{kind:?}");
    }
}

#[test]
fn a_certificate_that_is_not_valid_now_is_warned_about() {
    let directory = tempfile::tempdir().unwrap();
    let text = "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n  client_auth_type: RequireAndVerifyClientCert\n  \
                client_ca_file: cert.pem\n";
    for ((from, to), part) in
        [((2000, 2001), "expired on 2001-01-01T00:00:00Z"), ((3000, 3001), "is valid from 3000-01-01T00:00:00Z on")]
    {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(to, 1, 1);
        fs::write(directory.path().join("cert.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        fs::write(directory.path().join("key.pem"), key.serialize_pem()).unwrap();
        let warnings = load(directory.path(), text).unwrap();
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        for (line, key) in [(2, "cert_file"), (5, "client_ca_file")] {
            let beginning = format!("web.yml:{line}: tls_server_config.{key}: holds a certificate that {part}");
            assert!(warnings.iter().any(|warning| warning.starts_with(&beginning)), "{beginning}: {warnings:?}");
        }
        let mut check = exporter();
        check.args(["check", "--web.config.file"]).arg(directory.path().join("web.yml"));
        check.env("MINERGATE_EXPORTER__CURRENCIES", "xmr").env("MINERGATE_EXPORTER__API__BASE_URL", "http://127.0.0.1:1");
        let output = check.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && said.contains("holds a certificate"), "{said}");
    }
}
