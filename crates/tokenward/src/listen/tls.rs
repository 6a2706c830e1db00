//! TLS with rustls; certificate and key can be replaced while connections come.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::Tls;

/// Accepts TLS with the certificate of now.
pub(crate) struct Acceptor(ArcSwap<ServerConfig>);

/// Why certificate or key cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadTls {
    #[error("{file}: no certificate can be read from it: {why}")]
    Certificate { file: PathBuf, why: String },
    #[error("{file}: no private key can be read from it: {why}")]
    Key { file: PathBuf, why: String },
    #[error("{certificate} and {key} do not fit together: {why}")]
    Pair { certificate: PathBuf, key: PathBuf, why: String },
}

// === impl BadTls ===

impl BadTls {
    /// The member of the listener's `tls` that is wrong.
    pub(crate) fn member(&self) -> &'static str {
        match self {
            Self::Certificate { .. } => "certificate",
            Self::Key { .. } | Self::Pair { .. } => "key",
        }
    }
}

// === impl Acceptor ===

impl Acceptor {
    /// With what was read of its files.
    pub(crate) fn new(config: Arc<ServerConfig>) -> Self {
        Self(ArcSwap::new(config))
    }

    /// The server's side of a handshake.
    pub(crate) async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        TlsAcceptor::from(self.0.load_full()).accept(stream).await
    }

    /// From the next handshake on this counts; connections that are there go on.
    pub(crate) fn replace(&self, config: Arc<ServerConfig>) {
        self.0.store(config);
    }
}

/// Takes any certificate whose key the client holds, and none: whose it is, is judged where a client
/// authenticates (RFC 8705 §2), and a token bound to it asks for the same one again.
#[derive(Debug)]
struct AnyClient(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Reads certificate and key.
///
/// # Errors
/// [`BadTls`] names the file.
pub(crate) fn read(files: &Tls) -> Result<Arc<ServerConfig>, BadTls> {
    let bad_certificate =
        |why: String| BadTls::Certificate { file: files.certificate.clone(), why };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| bad_certificate(error.to_string()))?;
    let bad = |error: &rustls::Error| BadTls::Pair {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        why: error.to_string(),
    };
    if chain.is_empty() {
        return Err(bad_certificate("the file has none".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| BadTls::Key { file: files.key.clone(), why: error.to_string() })?;
    let provider = CryptoProvider::get_default().cloned();
    let provider = provider.unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| bad(&error))?;
    let builder = if files.client_certificates {
        builder.with_client_cert_verifier(Arc::new(AnyClient(provider)))
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| bad(&error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
