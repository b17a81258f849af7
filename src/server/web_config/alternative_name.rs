//! The subject alternative names of a certificate that `client_allowed_sans` can contain.

use std::net::{Ipv4Addr, Ipv6Addr};

use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// DNS names, e-mail addresses, URIs and IP addresses. A certificate that can't be parsed completely, or has the extension twice, has
/// none, because the returned names give access.
pub(super) fn all(certificate: &[u8]) -> Vec<String> {
    let Ok(([], certificate)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(|bytes| Ipv4Addr::from(bytes).to_string());
            v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(|bytes| Ipv6Addr::from(bytes).to_string())).ok()
        }
        _ => None,
    };
    names.value.general_names.iter().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    fn certificate(names: Vec<SanType>) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn every_kind_of_name_is_found() {
        let names = vec![
            SanType::DnsName("client.example.com".try_into().unwrap()),
            SanType::Rfc822Name("me@example.com".try_into().unwrap()),
            SanType::URI("spiffe://example.com/a".try_into().unwrap()),
            SanType::IpAddress("192.0.2.1".parse().unwrap()),
            SanType::IpAddress("2001:db8::1".parse().unwrap()),
        ];
        let expected = ["client.example.com", "me@example.com", "spiffe://example.com/a", "192.0.2.1", "2001:db8::1"];
        assert_eq!(all(&certificate(names)), expected);
        assert!(all(&certificate(Vec::new())).is_empty());
    }

    /// A name in another place than the extension, or in an extension that does not parse, gives no access.
    #[test]
    fn a_text_that_only_looks_like_a_name_is_ignored() {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, "client.example.com");
        let key = KeyPair::generate().unwrap();
        assert!(all(params.self_signed(&key).unwrap().der()).is_empty());
        let twice = [SanType::DnsName("a.example".try_into().unwrap())];
        let mut params = CertificateParams::default();
        params.subject_alt_names = twice.to_vec();
        let names = b"\x30\x0b\x82\x09b.example".to_vec();
        params.custom_extensions.push(rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 17], names));
        assert!(all(params.self_signed(&key).unwrap().der()).is_empty());
        let mut trailing = certificate(twice.to_vec());
        assert_eq!(all(&trailing), ["a.example"]);
        trailing.push(0);
        assert!(all(&trailing).is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, at in 0..300_usize, byte: u8) {
            let _ = all(&bytes);
            let mut certificate = certificate(vec![SanType::DnsName("a".try_into().unwrap())]);
            certificate[at.min(200)] = byte;
            let _ = all(&certificate);
        }
    }
}
