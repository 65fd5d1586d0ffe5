//! Whom connections to providers trust.
//!
//! Pingora takes one file of certificates, in the place of the system's. An operator's own authority is wanted beside them, so
//! both are written together into a file of ours.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::error::StartError;

/// The file both are written to, in the data directory.
const BUNDLE: &str = "upstream-ca.pem";
/// Characters to a line of PEM.
const LINE: usize = 64;

/// The file of certificates to trust: what the system trusts and what is in `own`. None where nothing is added.
///
/// # Errors
/// When `own` holds no certificate that can be an authority, or the file cannot be written.
pub fn bundle(own: Option<&Path>, data_dir: &Path) -> Result<Option<PathBuf>, StartError> {
    let Some(own) = own else { return Ok(None) };
    let wrong = |e: &dyn std::fmt::Display| format!("UPSTREAM_CA_FILE {}: {e}", own.display());
    let added = CertificateDer::pem_file_iter(own)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| wrong(&e))?;
    if added.is_empty() {
        return Err(wrong(&"no certificate in it").into());
    }
    let mut store = RootCertStore::empty();
    for certificate in &added {
        store.add(certificate.clone()).map_err(|e| wrong(&e))?;
    }
    let system = rustls_native_certs::load_native_certs().certs;
    let mut pem = String::new();
    for certificate in added.iter().chain(&system) {
        write(&mut pem, certificate);
    }
    let path = data_dir.join(BUNDLE);
    fs::write(&path, pem).map_err(|e| format!("{} cannot be written: {e}", path.display()))?;
    Ok(Some(path))
}

fn write(pem: &mut String, certificate: &CertificateDer<'_>) {
    pem.push_str("-----BEGIN CERTIFICATE-----\n");
    let mut text = BASE64_STANDARD.encode(certificate);
    while !text.is_empty() {
        let rest = text.split_off(text.len().min(LINE));
        pem.push_str(&text);
        pem.push('\n');
        text = rest;
    }
    pem.push_str("-----END CERTIFICATE-----\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_added_to_the_systems() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(bundle(None, data.path()).unwrap(), None);
        let own = data.path().join("own.pem");
        fs::write(&own, "nothing").unwrap();
        let error = bundle(Some(&own), data.path()).unwrap_err();
        assert!(error.to_string().contains("own.pem"), "{error}");
        let made = rcgen::generate_simple_self_signed(["relay".to_owned()]).unwrap();
        fs::write(&own, made.cert.pem()).unwrap();
        let path = bundle(Some(&own), data.path()).unwrap().unwrap();
        let all: Vec<_> = CertificateDer::pem_file_iter(path)
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let system = rustls_native_certs::load_native_certs().certs;
        assert_eq!(all.len(), system.len() + 1);
        assert_eq!(all[0], *made.cert.der());
    }
}
