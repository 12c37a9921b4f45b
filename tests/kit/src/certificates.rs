//! Certificates for tests of TLS: an authority of one's own, and certificates that are right or wrong in one way.

use anyhow::Context;
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

use crate::random;

/// An authority with a name of its own that nobody else knows.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A server's certificate and its key, both PEM.
#[derive(Clone)]
pub struct Certificate {
    /// What the server shows.
    pub certificate: String,
    /// What it keeps.
    pub key: String,
}

/// When a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Now.
    Now,
    /// Until some years ago.
    Expired,
}

impl Authority {
    /// A new one.
    pub fn new() -> anyhow::Result<Self> {
        let key = KeyPair::generate().context("no key")?;
        let mut params = params(&[], &format!("authority {}", random::text(8)), Validity::Now)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).context("no certificate")?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    /// Its own certificate, by which clients verify others.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for a server under this name or address.
    pub fn issue(&self, name: &str, validity: Validity) -> anyhow::Result<Certificate> {
        let key = KeyPair::generate().context("no key")?;
        let signed = params(&[name], name, validity)?.signed_by(&key, &self.issuer).context("no certificate")?;
        Ok(Certificate { certificate: signed.pem(), key: key.serialize_pem() })
    }
}

fn params(names: &[&str], common_name: &str, validity: Validity) -> anyhow::Result<CertificateParams> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).context("a name that no certificate can hold")?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = match validity {
        Validity::Now => date_time_ymd(2120, 1, 1),
        Validity::Expired => date_time_ymd(2021, 1, 1),
    };
    Ok(params)
}
