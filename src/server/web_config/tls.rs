//! `tls_server_config`: the configuration of rustls, with certificate and key.

use std::fmt::Display;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CipherSuite, RootCertStore, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion, version};
use secrecy::zeroize::Zeroizing;

use super::client_certificate::{POLICIES, Policy, Verifier};
use super::document::{Entry, Map};
use super::files::Files;
use super::validity;

/// The TLS versions in order, with their names in the file. rustls does not support versions before TLS 1.2.
const VERSIONS: &[(&str, Option<&SupportedProtocolVersion>)] =
    &[("TLS10", None), ("TLS11", None), ("TLS12", Some(&version::TLS12)), ("TLS13", Some(&version::TLS13))];

/// The names are Go's.
const CURVES: &[(&str, &dyn SupportedKxGroup)] = &[
    ("X25519", ring::kx_group::X25519),
    ("CurveP256", ring::kx_group::SECP256R1),
    ("CurveP384", ring::kx_group::SECP384R1),
];

const KEYS: &[&str] = &[
    "cert",
    "cert_file",
    "cipher_suites",
    "client_allowed_sans",
    "client_auth_type",
    "client_ca",
    "client_ca_file",
    "curve_preferences",
    "key",
    "key_file",
    "max_version",
    "min_version",
    "prefer_server_cipher_suites",
];

/// A PEM text, and the entry that it comes from.
struct Pem {
    entry: Entry,
    bytes: Zeroizing<Vec<u8>>,
}

/// Reads the section. `None` if it is empty: no TLS.
pub(super) fn read(
    section: Entry,
    http2: bool,
    files: &mut Files,
    warnings: &mut Vec<String>,
) -> anyhow::Result<Option<Arc<ServerConfig>>> {
    let (section, mut map) = (section.place(), section.map()?);
    map.only(KEYS)?;
    if map.is_empty() {
        return Ok(None);
    }
    let mut pem = |map: &mut Map, key| pem(map, key, files, warnings);
    let certificate = pem(&mut map, "cert")?;
    let key = pem(&mut map, "key")?;
    let authorities = pem(&mut map, "client_ca")?;
    let (Some(certificate), Some(key)) = (certificate, key) else {
        return Err(section.fault("has no certificate or no key; give cert_file and key_file"));
    };

    let mut provider = ring::default_provider();
    let versions = versions(&mut map, warnings)?;
    cipher_suites(&mut map, &mut provider, &versions)?;
    curves(&mut map, &mut provider)?;
    let provider = Arc::new(provider);
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions)
        .map_err(|error| section.fault(format_args!("can't be used: {error}")))?;

    let policy_entry = map.take("client_auth_type");
    let policy = policy_entry.as_ref().map_or(Ok(Policy::None), |entry| choose(entry, POLICIES))?;
    let place = policy_entry.as_ref().unwrap_or(&section);
    let allowed_names = allowed_names(&mut map, policy)?;
    let roots = match authorities {
        Some(pem) if policy == Policy::None => {
            return Err(pem.entry.fault("is not used without client_auth_type; give \"RequireAndVerifyClientCert\""));
        }
        None if policy.verifies() => return Err(place.fault("needs authorities to verify with; give client_ca_file")),
        None => RootCertStore::empty(),
        Some(pem) => pem.authorities(warnings)?,
    };
    let builder = if policy == Policy::None {
        builder.with_no_client_auth()
    } else {
        let verifier = Verifier::build(policy, roots, allowed_names, provider);
        builder.with_client_cert_verifier(verifier.map_err(|error| place.fault(format_args!("can't be used: {error}")))?)
    };

    let (chain, private_key) = (certificate.certificates()?, key.private_key()?);
    if ring::sign::any_supported_type(&private_key).is_err() {
        let taken = "RSA of 2048 to 4096 bits, ECDSA on P-256 or P-384, and Ed25519";
        return Err(key.entry.fault(format_args!("is a key that can't be used; taken are {taken}")));
    }
    warnings.extend(chain.iter().filter_map(|one| Some(certificate.entry.fault(validity::warning(one)?).to_string())));
    let mut config = builder.with_single_cert(chain, private_key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            key.entry.fault("is not the key of the certificate; give the two that belong together")
        }
        error => certificate.entry.fault(format_args!("can't be used with its key: {error}")),
    })?;
    config.ignore_client_order = map.take("prefer_server_cipher_suites").map_or(Ok(true), |entry| entry.flag())?;
    config.alpn_protocols = if http2 { vec![b"h2".to_vec(), b"http/1.1".to_vec()] } else { vec![b"http/1.1".to_vec()] };
    Ok(Some(Arc::new(config)))
}

/// Reads a PEM text, given directly or as a file. If both are given, the file counts.
fn pem(map: &mut Map, key: &str, files: &mut Files, warnings: &mut Vec<String>) -> anyhow::Result<Option<Pem>> {
    let not_blank = |entry: &Entry| entry.text().map_or(true, |text| !text.is_empty());
    let inline = map.take(key).filter(not_blank);
    let file = map.take(&format!("{key}_file")).filter(not_blank);
    if let (Some(inline), Some(_)) = (&inline, &file) {
        warnings.push(
            inline.fault(format_args!("is not used, since {key}_file is given too; remove one of the two")).to_string(),
        );
    }
    match (file, inline) {
        (Some(entry), _) => {
            let path = entry.text()?;
            let bytes = files.read(path).map_err(|error| {
                let remedy = "give a file that this user can read; a relative path lies beside this file";
                entry.fault(format_args!("can't be read: {error}; {remedy}"))
            })?;
            Ok(Some(Pem { entry, bytes }))
        }
        (None, Some(entry)) => {
            let bytes = entry.text()?.as_bytes().to_vec().into();
            Ok(Some(Pem { entry, bytes }))
        }
        (None, None) => Ok(None),
    }
}

impl Pem {
    fn certificates(&self) -> anyhow::Result<Vec<CertificateDer<'static>>> {
        let found = CertificateDer::pem_slice_iter(&self.bytes).collect::<Result<Vec<_>, _>>();
        match found {
            Ok(found) if !found.is_empty() => Ok(found),
            _ => Err(self.entry.fault("holds no certificate; give one in PEM, from -----BEGIN CERTIFICATE----- on")),
        }
    }

    fn private_key(&self) -> anyhow::Result<PrivateKeyDer<'static>> {
        PrivateKeyDer::from_pem_slice(&self.bytes).map_err(|_| {
            self.entry.fault("holds no private key; give one in PEM that no passphrase protects: PKCS#8, PKCS#1 or SEC1")
        })
    }

    fn authorities(&self, warnings: &mut Vec<String>) -> anyhow::Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates()? {
            warnings.extend(validity::warning(&certificate).map(|warning| self.entry.fault(warning).to_string()));
            let added = roots.add(certificate);
            added.map_err(|_| self.entry.fault("contains an invalid certificate; replace it"))?;
        }
        Ok(roots)
    }
}

/// The choice with the entry's name.
fn choose<T: Copy>(entry: &Entry, choices: &[(&str, T)]) -> anyhow::Result<T> {
    let name = entry.text()?;
    let chosen = choices.iter().find(|(known, _)| *known == name).map(|(_, choice)| *choice);
    chosen
        .ok_or_else(|| entry.fault(format_args!("is not known; known are: {}", names(choices.iter().map(|(name, _)| name)))))
}

fn names(names: impl Iterator<Item = impl Display>) -> String {
    names.map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

fn versions(map: &mut Map, warnings: &mut Vec<String>) -> anyhow::Result<Vec<&'static SupportedProtocolVersion>> {
    let position = |entry: &Entry| {
        let places: Vec<_> = VERSIONS.iter().enumerate().map(|(place, (name, _))| (*name, place)).collect();
        choose(entry, &places)
    };
    let (min, max) = (map.take("min_version"), map.take("max_version"));
    let from = min.as_ref().map_or(Ok(2), position)?;
    let to = max.as_ref().map_or(Ok(VERSIONS.len() - 1), position)?;
    if let Some(min) = min.filter(|_| VERSIONS[from].1.is_none()) {
        warnings.push(min.fault("TLS 1.0 and 1.1 are not spoken; TLS12 counts").to_string());
    }
    let versions: Vec<_> = VERSIONS.get(from..=to).unwrap_or_default().iter().filter_map(|(_, version)| *version).collect();
    match max {
        Some(max) if VERSIONS[to].1.is_none() => Err(max.fault("TLS 1.0 and 1.1 are not spoken; give TLS12 or TLS13")),
        Some(max) if versions.is_empty() => Err(max.fault("is before min_version; give TLS13, or leave it out")),
        _ => Ok(versions),
    }
}

/// Selects the cipher suites of TLS 1.2. Those of TLS 1.3 can't be selected, as in Go.
fn cipher_suites(
    map: &mut Map,
    provider: &mut CryptoProvider,
    versions: &[&SupportedProtocolVersion],
) -> anyhow::Result<()> {
    let Some(entry) = map.take("cipher_suites") else { return Ok(()) };
    let is_tls13 = |suite: &SupportedCipherSuite| suite.version() == &version::TLS13;
    let known: Vec<_> = provider.cipher_suites.iter().map(|suite| (go_name(suite.suite()), *suite)).collect();
    let known: Vec<_> = known.iter().map(|(name, suite)| (name.as_str(), *suite)).collect();
    let place = entry.place();
    let wanted = entry.list()?.iter().map(|entry| choose(entry, &known)).collect::<anyhow::Result<Vec<_>>>()?;
    if wanted.is_empty() {
        return Ok(());
    }
    if versions == [&version::TLS12] && wanted.iter().all(is_tls13) {
        return Err(place.fault("names none of TLS 1.2, and max_version allows nothing else; add one"));
    }
    let always = provider.cipher_suites.iter().filter(|suite| is_tls13(suite)).copied();
    provider.cipher_suites = always.chain(wanted.into_iter().filter(|suite| !is_tls13(suite))).collect();
    Ok(())
}

/// Go's name of a cipher suite: rustls' `TLS13_AES_...` is `TLS_AES_...`.
fn go_name(suite: CipherSuite) -> String {
    suite.as_str().unwrap_or_default().replace("TLS13_", "TLS_")
}

fn curves(map: &mut Map, provider: &mut CryptoProvider) -> anyhow::Result<()> {
    let Some(entry) = map.take("curve_preferences") else { return Ok(()) };
    let wanted = entry.list()?.iter().map(|entry| choose(entry, CURVES)).collect::<anyhow::Result<Vec<_>>>()?;
    if !wanted.is_empty() {
        provider.kx_groups = wanted;
    }
    Ok(())
}

fn allowed_names(map: &mut Map, policy: Policy) -> anyhow::Result<Option<Vec<String>>> {
    let Some(entry) = map.take("client_allowed_sans") else { return Ok(None) };
    if !policy.is_mandatory() {
        let remedy = "give client_auth_type \"RequireAndVerifyClientCert\"";
        return Err(entry.fault(format_args!("is not used if clients need no certificate; {remedy}")));
    }
    let names = entry.list()?.iter().map(|name| name.text().map(str::to_owned)).collect::<anyhow::Result<_>>()?;
    Ok(Some(names))
}
