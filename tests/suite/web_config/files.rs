//! Files that can be loaded: those of other exporters, certificates and keys.

use std::fs;

use rcgen::{CertificateParams, KeyPair};

use super::{hash, load, write_certificate};
use crate::process::exporter;
use crate::repository::{fenced, read};

#[test]
fn web_configurations_of_other_exporters_work() {
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
    // The example of docs/web.md, with the files that it names.
    for (name, of) in [("cert.pem", "exporter.pem"), ("key.pem", "exporter.key")] {
        fs::copy(directory.path().join(name), directory.path().join(of)).unwrap();
    }
    let example = &fenced(&read("docs/web.md"), "yaml")[0];
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

/// Keys of openssl that rustls' ring can't sign with.
#[test]
#[ignore = "scripts/test runs it: it needs openssl"]
fn an_unusable_key_is_reported_with_the_usable_kinds() {
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
fn a_certificate_that_is_not_valid_now_causes_a_warning() {
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
