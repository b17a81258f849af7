//! TLS: client certificates, versions and suites, and changed certificates.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, NamedGroup, RootCertStore, StreamOwned, SupportedProtocolVersion, version,
};

use crate::process::{PATIENCE, exporter, get, wait};
use crate::web_config::serving;

const GET: &[u8] = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
pub(crate) const TLS: &str = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n";

/// A certificate authority for tests.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::default();
        // openssl needs a name that differs from those of the signed certificates.
        params.distinguished_name.push(DnType::CommonName, "the tests' authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Writes `<name>.pem` and `<name>.key`, valid for localhost and for a client of that name.
    pub(crate) fn issue(&self, directory: &Path, name: &str) {
        let mut params = CertificateParams::new(vec!["localhost".to_owned(), format!("{name}.example")]).unwrap();
        params.subject_alt_names.push(SanType::IpAddress("127.0.0.1".parse().unwrap()));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        fs::write(directory.join(format!("{name}.key")), key.serialize_pem()).unwrap();
        fs::write(directory.join(format!("{name}.pem")), certificate.pem()).unwrap();
    }

    pub(crate) fn write(&self, path: &Path) {
        fs::write(path, self.0.pem()).unwrap();
    }
}

type Client = StreamOwned<ClientConnection, TcpStream>;

/// The TLS settings of a client that trusts an authority's file, with an optional certificate.
pub(crate) fn client_config(
    directory: &Path,
    own: Option<&str>,
    versions: &[&'static SupportedProtocolVersion],
    alpn: &[&str],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(directory.join("ca.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let builder = builder.with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some(name) => {
            let certificate = CertificateDer::from_pem_file(directory.join(format!("{name}.pem"))).unwrap();
            let key = PrivateKeyDer::from_pem_file(directory.join(format!("{name}.key"))).unwrap();
            builder.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    };
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    config.into()
}

fn client(
    url: &str,
    directory: &Path,
    own: Option<&str>,
    versions: &[&'static SupportedProtocolVersion],
    alpn: &[&str],
) -> Client {
    let stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let config = client_config(directory, own, versions, alpn);
    let connection = ClientConnection::new(config, ServerName::try_from("localhost").unwrap()).unwrap();
    StreamOwned::new(connection, stream)
}

/// The answer to one request, empty if there is none.
fn answer(mut client: Client) -> String {
    let mut answer = Vec::new();
    let _ = client.write_all(GET).and_then(|()| client.read_to_end(&mut answer));
    String::from_utf8(answer).unwrap()
}

pub(crate) const BOTH: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];

#[test]
fn clients_need_the_certificates_of_the_policy() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let (authority, stranger) = (Authority::new(), Authority::new());
    authority.write(&path.join("ca.pem"));
    authority.issue(path, "server");
    authority.issue(path, "friend");
    authority.issue(path, "cousin");
    stranger.issue(path, "stranger");
    let verified = "  client_ca_file: ca.pem\n";
    let names = "  client_allowed_sans: [nobody.example, friend.example]\n";
    // Without a certificate, with two of the authority, and with one of another authority.
    for (policy, more, expected) in [
        ("NoClientCert", "", [true, true, true, true]),
        ("RequestClientCert", "", [true, true, true, true]),
        ("RequireAnyClientCert", "", [false, true, true, true]),
        ("RequireAnyClientCert", names, [false, true, false, false]),
        ("VerifyClientCertIfGiven", verified, [true, true, true, false]),
        ("RequireAndVerifyClientCert", verified, [false, true, true, false]),
        ("RequireAndVerifyClientCert", &format!("{verified}{names}"), [false, true, false, false]),
    ] {
        let (_daemon, url) = serving(path, &format!("{TLS}  client_auth_type: {policy}\n{more}"));
        for (own, expected) in [None, Some("friend"), Some("cousin"), Some("stranger")].into_iter().zip(expected) {
            for versions in [&BOTH[..1], &BOTH[1..]] {
                let answer = answer(client(&url, path, own, versions, &[]));
                assert_eq!(answer.starts_with("HTTP/1.1 200 OK\r\n"), expected, "{policy} {more} {own:?} {versions:?}");
            }
        }
    }
}

#[test]
fn versions_suites_and_protocols_come_from_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let authority = Authority::new();
    authority.write(&path.join("ca.pem"));
    authority.issue(path, "server");
    let suite = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    for (more, versions, alpn, expected) in [
        ("", BOTH, &["h2", "http/1.1"][..], Some((version::TLS13.version, Some("h2")))),
        (
            "http_server_config: {http2: false}\n",
            BOTH,
            &["h2", "http/1.1"],
            Some((version::TLS13.version, Some("http/1.1"))),
        ),
        ("http_server_config: {http2: false}\n", BOTH, &[], Some((version::TLS13.version, None))),
        ("  max_version: TLS12\n", BOTH, &["http/1.1"], Some((version::TLS12.version, Some("http/1.1")))),
        ("  min_version: TLS13\n", &BOTH[1..], &[], None),
        (&format!("  max_version: TLS12\n  cipher_suites: [{suite}]\n"), BOTH, &[], Some((version::TLS12.version, None))),
        ("  cipher_suites: [TLS_AES_128_GCM_SHA256]\n", &BOTH[1..], &[], None),
        ("  curve_preferences: [CurveP384]\n", BOTH, &[], Some((version::TLS13.version, None))),
    ] {
        let (_daemon, url) = serving(path, &format!("{TLS}{more}"));
        let mut client = client(&url, path, None, versions, alpn);
        let done = client.conn.complete_io(&mut client.sock);
        let agreed = done.ok().map(|_| {
            let protocol = client.conn.alpn_protocol().map(|name| String::from_utf8(name.to_vec()).unwrap());
            (client.conn.protocol_version().unwrap(), protocol)
        });
        assert_eq!(agreed, expected.map(|(version, name)| (version, name.map(str::to_owned))), "{more}");
        if more.contains(suite) {
            let agreed = client.conn.negotiated_cipher_suite().unwrap().suite();
            assert_eq!(agreed, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256);
        }
        if more.contains("CurveP384") {
            assert_eq!(client.conn.negotiated_key_exchange_group().unwrap().name(), NamedGroup::secp384r1);
        }
    }
}

#[test]
fn a_new_certificate_is_used_and_open_connections_stay() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let (old, new) = (Authority::new(), Authority::new());
    old.write(&path.join("ca.pem"));
    old.issue(path, "server");
    let (daemon, url) = serving(path, TLS);
    let mut kept = client(&url, path, None, BOTH, &[]);
    let mut ask = || {
        kept.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"Healthy\n") {
            let mut byte = [0];
            kept.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
    };
    ask();
    // The new key with the old certificate is an invalid version for a short time.
    new.issue(path, "next");
    fs::rename(path.join("next.key"), path.join("server.key")).unwrap();
    wait("the fault", || {
        assert!(answer(client(&url, path, None, BOTH, &[])).starts_with("HTTP/1.1 200"));
        daemon.output().contains("is not the key of the certificate").then_some(())
    });
    fs::rename(path.join("next.pem"), path.join("server.pem")).unwrap();
    new.write(&path.join("ca.pem"));
    wait("the new certificate", || answer(client(&url, path, None, BOTH, &[])).starts_with("HTTP/1.1 200").then_some(()));
    ask();
    assert_eq!(daemon.output().matches("web configuration reloaded").count(), 1, "{}", daemon.output());
}

#[test]
#[ignore = "scripts/test runs it: it needs curl and openssl"]
fn curl_and_openssl_can_connect() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let authority = Authority::new();
    authority.write(&path.join("ca.pem"));
    authority.issue(path, "server");
    authority.issue(path, "friend");
    let hash = bcrypt::hash("secret", 4).unwrap();
    let strict = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n";
    let (_daemon, url) = serving(path, &format!("{TLS}{strict}basic_auth_users:\n  alice: {hash}\n"));
    let address = url.strip_prefix("http://").unwrap();
    let curl = |arguments: &[&str]| {
        let mut command = Command::new("curl");
        command.current_dir(path).args([
            "--silent",
            "--noproxy",
            "*",
            "--cacert",
            "ca.pem",
            "--write-out",
            "%{http_code} %{http_version}",
        ]);
        command.args(["--output", "body", &format!("https://{address}/metrics")]).args(arguments);
        let output = command.output().unwrap();
        format!("{}{}", String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let certificate = ["--cert", "friend.pem", "--key", "friend.key"];
    assert_eq!(curl(&[&certificate[..], &["--user", "alice:secret"]].concat()), "200 2");
    assert!(fs::read_to_string(path.join("body")).unwrap().contains("minergate_up{"));
    assert_eq!(curl(&[&certificate[..], &["--user", "alice:secret", "--http1.1"]].concat()), "200 1.1");
    assert_eq!(curl(&[&certificate[..], &["--user", "alice:wrong"]].concat()), "401 2");
    assert!(curl(&["--user", "alice:secret"]).contains("000 "));

    let script = format!(
        "printf 'GET /metrics HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n' | openssl s_client -quiet -ign_eof \
         -verify_return_error -CAfile ca.pem -cert friend.pem -key friend.key -connect {address}"
    );
    let output = Command::new("sh").current_dir(path).args(["-c", &script]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_health_check_works_with_tls_and_users() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    Authority::new().issue(path, "server");
    let hash = bcrypt::hash("secret", 4).unwrap();
    let (_daemon, url) = serving(path, &format!("{TLS}basic_auth_users:\n  alice: {hash}\n"));
    let address = url.strip_prefix("http://").unwrap();
    let check = |arguments: &[&str]| {
        let web = path.join("web.yml");
        let mut command = exporter();
        command.args(["healthcheck", "--web.listen-address", address, "--web.config.file"]).arg(web).args(arguments);
        command.output().unwrap().status.code()
    };
    // Only users can read whether every account was polled.
    assert_eq!((check(&[]), check(&["--ready"])), (Some(0), Some(1)));
}

#[test]
fn a_client_without_tls_does_not_block_others() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let authority = Authority::new();
    authority.write(&path.join("ca.pem"));
    authority.issue(path, "server");
    let (mut daemon, url) = serving(path, TLS);
    let connect = || TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let silent: Vec<_> = (0..50).map(|_| connect()).collect();
    let mut garbage = connect();
    garbage.write_all(b"\x16\x03\x01\xff\xff garbage").unwrap();
    assert!(answer(client(&url, path, None, BOTH, &[])).starts_with("HTTP/1.1 200"));
    let plain = get(&format!("{url}/metrics"), &[]);
    assert_eq!((plain.status, plain.text().contains("https://")), (400, true));
    daemon.signal("TERM");
    assert_eq!(daemon.exit_code(), Some(0));
    assert!(!daemon.output().contains("grace period"));
    drop(silent);
}
