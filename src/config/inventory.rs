//! Where an S3 Inventory is.

use std::fmt;

use super::layers::Layers;
use super::{ConfigError, catalogue};

/// The manifest of an S3 Inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryAddress {
    /// The bucket that holds it.
    pub bucket: String,
    /// Its key, which ends with `manifest.json`.
    pub key: String,
}

/// The name that S3 gives to every manifest (AWS: "Locating your inventory list").
const MANIFEST: &str = "manifest.json";

impl InventoryAddress {
    fn parse(text: &str) -> Result<Self, ConfigError> {
        let wrong = |what: &str| {
            ConfigError::new(format!("`{text}` {what}"))
                .hint("write s3://BUCKET/PREFIX/SOURCE-BUCKET/CONFIGURATION/2026-11-20T01-00Z/manifest.json")
        };
        let path = text.strip_prefix("s3://").ok_or_else(|| wrong("is not an s3:// URL"))?;
        let (bucket, key) = path.split_once('/').filter(|(bucket, _)| !bucket.is_empty()).unwrap_or_default();
        let is_manifest = key.rsplit('/').next() == Some(MANIFEST) && !key.chars().any(char::is_control);
        if bucket.is_empty() || !is_manifest {
            return Err(wrong("does not name the manifest.json of an inventory"));
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

impl InventoryAddress {
    /// Whether its key says that it describes this bucket: S3 makes it of a prefix, the bucket's name, the name of the
    /// configuration and the time (AWS: "Locating your inventory list").
    #[must_use]
    pub fn names(&self, bucket: &str) -> bool {
        self.key.split('/').any(|part| part == bucket)
    }

    /// What the keys of the manifest and of its data files begin with: all but the time and what follows.
    #[must_use]
    pub fn folder(&self) -> &str {
        let folder = self.key.rsplitn(3, '/').nth(2).map(str::len);
        folder.and_then(|length| self.key.get(..=length)).unwrap_or_default()
    }
}

impl fmt::Display for InventoryAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// Reads them, each once.
pub(super) fn inventories(layers: &Layers) -> Result<Vec<InventoryAddress>, ConfigError> {
    let mut addresses: Vec<InventoryAddress> = layers.list(&catalogue::INVENTORY, InventoryAddress::parse)?;
    addresses.dedup();
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_manifest() {
        let parsed = InventoryAddress::parse("s3://reports/inv/legacy-s3/all/2026-11-20T01-00Z/manifest.json");
        let address = parsed.expect("an address");
        assert_eq!(address.to_string(), "s3://reports/inv/legacy-s3/all/2026-11-20T01-00Z/manifest.json");
        assert_eq!((address.bucket.as_str(), address.folder()), ("reports", "inv/legacy-s3/all/"));
        assert!(address.names("legacy-s3") && !address.names("legacy"));
        for (text, folder) in [("s3://reports/manifest.json", ""), ("s3://reports/a/manifest.json", "")] {
            assert_eq!(InventoryAddress::parse(text).expect("an address").folder(), folder);
        }
        for text in [
            "",
            "reports/manifest.json",
            "https://reports/manifest.json",
            "s3://",
            "s3:///manifest.json",
            "s3://reports",
            "s3://reports/all/",
            "s3://reports/all/manifest.checksum",
            "s3://reports/notmanifest.json",
            "s3://reports/\n/manifest.json",
        ] {
            assert!(InventoryAddress::parse(text).is_err(), "{text}");
        }
    }
}
