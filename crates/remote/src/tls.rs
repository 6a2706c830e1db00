//! Whom we trust when we connect.

use std::sync::Arc;

use hyper_rustls::ConfigBuilderExt as _;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Why there is nobody to trust.
#[derive(Debug, thiserror::Error)]
pub enum BadTrust {
    /// The text has no certificate that can be used.
    #[error("it has no usable PEM certificate: {0}")]
    Authorities(String),
    /// The system's certificate authorities cannot be read.
    #[error("the system's certificate authorities are unusable: {0}")]
    System(String),
}

/// Connections that trust these authorities (PEM) alone, or without them those of the system.
///
/// # Errors
/// [`BadTrust`] when there would be nobody to trust.
pub fn trust(authorities: Option<&[u8]>) -> Result<ClientConfig, BadTrust> {
    let provider = CryptoProvider::get_default().cloned();
    let provider =
        provider.unwrap_or_else(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| BadTrust::System(error.to_string()))?;
    let trusting = match authorities {
        Some(pem) => builder.with_root_certificates(roots(pem)?),
        None => builder.with_native_roots().map_err(|error| BadTrust::System(error.to_string()))?,
    };
    Ok(trusting.with_no_client_auth())
}

fn roots(pem: &[u8]) -> Result<RootCertStore, BadTrust> {
    let unusable = |words: String| BadTrust::Authorities(words);
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable("there is none".to_owned()));
    }
    Ok(roots)
}
