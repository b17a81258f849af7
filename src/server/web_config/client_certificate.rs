//! Checks of client certificates: Go's kinds of client authentication, and allowed names.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};

use super::alternative_name;

/// `client_auth_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    None,
    Request,
    RequireAny,
    VerifyIfGiven,
    RequireAndVerify,
}

/// The names of the policies in the file.
pub(super) const POLICIES: &[(&str, Policy)] = &[
    ("NoClientCert", Policy::None),
    ("RequestClientCert", Policy::Request),
    ("RequireAnyClientCert", Policy::RequireAny),
    // The former name.
    ("RequireClientCert", Policy::RequireAny),
    ("VerifyClientCertIfGiven", Policy::VerifyIfGiven),
    ("RequireAndVerifyClientCert", Policy::RequireAndVerify),
];

impl Policy {
    pub(super) fn is_mandatory(self) -> bool {
        matches!(self, Policy::RequireAny | Policy::RequireAndVerify)
    }

    pub(super) fn verifies(self) -> bool {
        matches!(self, Policy::VerifyIfGiven | Policy::RequireAndVerify)
    }
}

/// Verifies client certificates. Every policy checks that the client has the key of its certificate.
#[derive(Debug)]
pub(super) struct Verifier {
    is_mandatory: bool,
    /// Verifies the certificate chain up to the authorities; `None` accepts any certificate.
    chain: Option<Arc<dyn ClientCertVerifier>>,
    allowed_names: Option<Vec<String>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    /// # Errors
    /// If the authorities can't be used.
    pub(super) fn build(
        policy: Policy,
        authorities: RootCertStore,
        allowed_names: Option<Vec<String>>,
        provider: Arc<CryptoProvider>,
    ) -> anyhow::Result<Arc<dyn ClientCertVerifier>> {
        let chain = if policy.verifies() {
            let verifier = WebPkiClientVerifier::builder_with_provider(authorities.into(), provider.clone());
            Some(verifier.allow_unauthenticated().build()?)
        } else {
            None
        };
        Ok(Arc::new(Verifier { is_mandatory: policy.is_mandatory(), chain, allowed_names, provider }))
    }
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.is_mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.as_ref().map_or(&[], |chain| chain.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Some(chain) = &self.chain {
            chain.verify_client_cert(certificate, intermediates, now)?;
        }
        if let Some(allowed) = &self.allowed_names {
            let names = alternative_name::all(certificate);
            if !names.iter().any(|name| allowed.contains(name)) {
                return Err(CertificateError::ApplicationVerificationFailure.into());
            }
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
