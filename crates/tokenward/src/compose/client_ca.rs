//! The authorities whose client certificates are taken (RFC 8705 §2.1).

use std::sync::Arc;
use std::time::Duration;

use authority::client_auth::certificate::CertificateTrust;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use token::client_certificate::ClientCertificate;
use token::time::Timestamp;

use crate::command::Failure;
use crate::config;

struct Roots(Arc<dyn ClientCertVerifier>);

impl CertificateTrust for Roots {
    fn vouches_for(&self, certificate: &ClientCertificate, now: Timestamp) -> bool {
        let Ok(secs) = u64::try_from(now.as_secs()) else { return false };
        let now = UnixTime::since_unix_epoch(Duration::from_secs(secs));
        let certificate = CertificateDer::from(certificate.der());
        self.0.verify_client_cert(&certificate, &[], now).is_ok()
    }
}

/// Reads them.
///
/// # Errors
/// [`Failure`] names the file and what is wrong with it.
pub(super) fn trust(
    part: &config::Authority,
) -> Result<Option<Arc<dyn CertificateTrust>>, Failure> {
    let Some(file) = &part.client_ca else { return Ok(None) };
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::new(format_args!("authority.client_ca {}: {error}", file.display()))
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| wrong(&error))? {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        roots.add(certificate).map_err(|error| wrong(&error))?;
    }
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build();
    Ok(Some(Arc::new(Roots(verifier.map_err(|error| wrong(&error))?))))
}
