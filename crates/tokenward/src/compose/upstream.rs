//! What the gateway is told of an API, with the files of its TLS.

use std::path::Path;
use std::sync::Arc;

use gateway::{UpstreamRule, UpstreamTls};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;

use crate::command::Failure;
use crate::config::upstream::{ServerTls, Upstream};

/// Puts it together.
///
/// # Errors
/// [`Failure`] names the upstream, the option or file, and what is wrong with it.
pub(super) fn rule(name: &str, upstream: &Upstream) -> Result<UpstreamRule, Failure> {
    let rule = upstream.rule();
    let Some(tls) = upstream.tls() else { return Ok(rule) };
    let tls = read(tls)
        .map_err(|error| Failure::new(format_args!("gateway.upstreams.{name}.tls: {error}")))?;
    Ok(UpstreamRule { tls: Some(tls), ..rule })
}

/// What is in the files of its TLS.
///
/// # Errors
/// Words that name the file and what is wrong with it.
pub(crate) fn read(tls: &ServerTls) -> Result<UpstreamTls, String> {
    let authorities = tls.ca_file.as_deref().map(certificates).transpose()?;
    let own = tls.client_certificate_file.as_deref().zip(tls.client_key_file.as_deref());
    let certificate = own.map(|(chain, key)| certificate(chain, key)).transpose()?;
    let server_name = tls.server_name.clone().map(ServerName::try_from).transpose();
    Ok(UpstreamTls {
        authorities,
        certificate: certificate.map(Into::into),
        server_name: server_name.map_err(|error| format!("server_name: {error}"))?,
    })
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |error: &dyn std::fmt::Display| {
        format!("{}: no certificate can be read from it: {error}", file.display())
    };
    let read = CertificateDer::pem_file_iter(file).map_err(|error| wrong(&error))?;
    let read: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| wrong(&error))?;
    if read.is_empty() { Err(wrong(&"there is none in it")) } else { Ok(read) }
}

fn certificate(chain: &Path, key: &Path) -> Result<CertifiedKey, String> {
    let read = PrivateKeyDer::from_pem_file(key).map_err(|error| {
        format!("{}: no private key can be read from it: {error}", key.display())
    })?;
    let provider = CryptoProvider::get_default().cloned();
    let provider = provider.unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
    CertifiedKey::from_der(certificates(chain)?, read, &provider).map_err(|error| {
        format!("{} and {} do not fit together: {error}", chain.display(), key.display())
    })
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{ServerTls, read};

    fn written(folder: &Path, name: &str, text: &str) -> Option<PathBuf> {
        let file = folder.join(name);
        std::fs::write(&file, text).expect("file");
        Some(file)
    }

    #[test]
    fn files_are_read_and_what_is_wrong_is_named() {
        let folder = tempfile::tempdir().expect("folder");
        let make = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("pair");
        let (own, other) = (make(), make());
        let tls = ServerTls {
            ca_file: written(folder.path(), "ca.pem", &own.cert.pem()),
            client_certificate_file: written(folder.path(), "own.pem", &own.cert.pem()),
            client_key_file: written(folder.path(), "own.key", &own.signing_key.serialize_pem()),
            server_name: Some("orders.internal".to_owned()),
        };
        let good = read(&tls).expect("good");
        assert_eq!(good.authorities.map(|authorities| authorities.len()), Some(1));
        assert!(good.certificate.is_some() && good.server_name.is_some());

        let foreign = written(folder.path(), "other.key", &other.signing_key.serialize_pem());
        let empty = written(folder.path(), "empty.pem", "");
        for (wrong, said) in [
            (ServerTls { client_key_file: foreign, ..tls.clone() }, "do not fit together"),
            (ServerTls { ca_file: empty.clone(), ..tls.clone() }, "empty.pem: no certificate"),
            (ServerTls { client_key_file: empty, ..tls.clone() }, "empty.pem: no private key"),
            (ServerTls { ca_file: Some("/nowhere".into()), ..tls }, "/nowhere: no certificate"),
        ] {
            let words = read(&wrong).expect_err(said);
            assert!(words.contains(said), "{words}");
        }
    }
}
