//! The alternative names of a certificate, as far as `client_allowed_sans` can name them.

use std::net::{Ipv4Addr, Ipv6Addr};

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
/// `[3]`, a certificate's extensions (RFC 5280, 4.1).
const EXTENSIONS: u8 = 0xa3;
/// 2.5.29.17, subjectAltName.
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

/// DNS names, e-mail addresses, URIs and IP addresses; none if the certificate can't be understood, for whoever asks lets in
/// the names that are found.
pub(super) fn all(certificate: &[u8]) -> Vec<String> {
    let Some(names) = names(certificate) else { return Vec::new() };
    elements(names)
        .filter_map(|(tag, name)| match tag {
            // rfc822Name, dNSName, uniformResourceIdentifier.
            0x81 | 0x82 | 0x86 => String::from_utf8(name.to_vec()).ok(),
            0x87 => {
                let v4 = <[u8; 4]>::try_from(name).map(|bytes| Ipv4Addr::from(bytes).to_string());
                v4.or_else(|_| <[u8; 16]>::try_from(name).map(|bytes| Ipv6Addr::from(bytes).to_string())).ok()
            }
            _ => None,
        })
        .collect()
}

/// The inside of the extension.
fn names(certificate: &[u8]) -> Option<&[u8]> {
    let certificate = first(certificate, SEQUENCE)?;
    let to_be_signed = first(certificate, SEQUENCE)?;
    let extensions = first(first(to_be_signed, EXTENSIONS)?, SEQUENCE)?;
    let of_names = |(_, extension): &(u8, &[u8])| first(extension, OBJECT_IDENTIFIER) == Some(ALTERNATIVE_NAMES);
    let (_, extension) = elements(extensions).find(of_names)?;
    first(first(extension, OCTET_STRING)?, SEQUENCE)
}

/// The first element with this tag.
fn first(der: &[u8], wanted: u8) -> Option<&[u8]> {
    elements(der).find(|(tag, _)| *tag == wanted).map(|(_, content)| content)
}

/// The elements of DER that stand side by side, up to the first that is cut off.
fn elements(mut der: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (&[tag, length], rest) = der.split_first_chunk::<2>()?;
        let (length, rest) = if length < 0x80 {
            (usize::from(length), rest)
        } else {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f)).filter(|(bytes, _)| bytes.len() <= 4)?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        };
        let content;
        (content, der) = rest.split_at_checked(length)?;
        Some((tag, content))
    })
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

    proptest! {
        #[test]
        fn no_bytes_are_too_much(bytes: Vec<u8>, at in 0..300_usize, byte: u8) {
            let _ = all(&bytes);
            let mut certificate = certificate(vec![SanType::DnsName("a".try_into().unwrap())]);
            certificate[at.min(200)] = byte;
            let _ = all(&certificate);
        }
    }
}
