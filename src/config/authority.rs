//! Certificate authorities that a server's certificate is verified by, read and looked at before any connection.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::ConfigError;

/// One or more certificates that can sign others, in PEM. Nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority(Vec<u8>);

impl Authority {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, or holds no certificate, or one that could never verify anything.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let shown = file.display();
        let pem = std::fs::read(file)
            .map_err(|error| ConfigError::new(format!("cannot read {shown}: {error}")).hint(FORM))?;
        let wrong = |why: String| ConfigError::new(format!("{shown} {why}")).hint(FORM);
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| wrong(format!("is not valid PEM: {error}")))?;
            roots.add(certificate).map_err(|error| wrong(format!("holds a certificate that is not valid: {error}")))?;
        }
        if roots.is_empty() { Err(wrong("holds no certificate".to_owned())) } else { Ok(Self(pem)) }
    }

    /// The certificates.
    #[must_use]
    pub fn pem(&self) -> &[u8] {
        &self.0
    }
}

const FORM: &str = "give the authority's certificate as PEM: a text that begins with -----BEGIN CERTIFICATE-----";

#[cfg(test)]
mod tests {
    use avatar_migrate_kit::Authority as TestAuthority;

    use super::*;

    fn read(text: &str) -> Result<Authority, ConfigError> {
        let directory = tempfile::tempdir().expect("a folder");
        let file = directory.path().join("ca.pem");
        std::fs::write(&file, text).expect("a written file");
        Authority::read(&file)
    }

    #[test]
    fn only_certificates_are_an_authority() {
        let (one, other) = (TestAuthority::new().expect("an authority"), TestAuthority::new().expect("an authority"));
        assert_eq!(read(one.pem()).expect("an authority").pem(), one.pem().as_bytes());
        read(&format!("{}# another one\n{}", one.pem(), other.pem())).expect("two authorities");
        let key = one.issue("h", avatar_migrate_kit::Validity::Now).expect("a certificate").key;
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let open = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        for (text, why) in [
            ("", "holds no certificate"),
            ("garbage\u{1b}", "holds no certificate"),
            (key.as_str(), "holds no certificate"),
            (broken, "holds a certificate that is not valid"),
            (open, "is not valid PEM"),
        ] {
            let error = read(text).expect_err(why);
            assert!(error.message.contains(why), "{error}");
        }
        let error = Authority::read(Path::new("/no/such/file")).expect_err("no file");
        assert!(error.message.contains("cannot read /no/such/file"), "{error}");
    }
}
