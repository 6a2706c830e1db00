//! TLS with rustls; certificate and key are read again when their files change.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::config::Tls;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Accepts TLS with the newest good certificate.
pub(crate) struct Acceptor {
    files: Tls,
    current: RwLock<Arc<ServerConfig>>,
}

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

// === impl Acceptor ===

impl Acceptor {
    /// Reads the files.
    ///
    /// # Errors
    /// [`BadTls`] names the file.
    pub(crate) fn new(files: &Tls) -> Result<Arc<Self>, BadTls> {
        let current = RwLock::new(Arc::new(read(files)?));
        Ok(Arc::new(Self { files: files.clone(), current }))
    }

    /// The server's side of a handshake.
    pub(crate) async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        TlsAcceptor::from(config).accept(stream).await
    }

    /// Looks at the files until `stop`; a bad pair is reported and the old one stays.
    pub(crate) async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let mut seen = self.stamps();
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stop.cancelled() => return,
            }
            let now = self.stamps();
            if now == seen {
                continue;
            }
            match read(&self.files) {
                Ok(config) => {
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) =
                        Arc::new(config);
                    seen = now;
                    tracing::info!(certificate = %self.files.certificate.display(), "certificate read again");
                }
                // The pair may be half written: look again, the old one stays in use.
                Err(error) => tracing::warn!(%error, "the changed certificate is not used"),
            }
        }
    }

    fn stamps(&self) -> [Option<SystemTime>; 2] {
        [&self.files.certificate, &self.files.key].map(|file| modified(file))
    }
}

fn modified(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|metadata| metadata.modified()).ok()
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

fn read(files: &Tls) -> Result<ServerConfig, BadTls> {
    let bad_certificate =
        |why: String| BadTls::Certificate { file: files.certificate.clone(), why };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| bad_certificate(error.to_string()))?;
    if chain.is_empty() {
        return Err(bad_certificate("the file has none".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| BadTls::Key { file: files.key.clone(), why: error.to_string() })?;
    let builder = ServerConfig::builder();
    let provider = Arc::clone(builder.crypto_provider());
    let builder = if files.client_certificates {
        builder.with_client_cert_verifier(Arc::new(AnyClient(provider)))
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| BadTls::Pair {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        why: error.to_string(),
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
