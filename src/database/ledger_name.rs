//! The name of the schema that the ledger lives in.

use super::sql::ident;

/// The name of the ledger's schema.
#[derive(Clone, Debug)]
pub struct LedgerName(String);

impl LedgerName {
    /// Takes the name as configured.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name as it stands in `information_schema`.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as an identifier in SQL.
    pub(crate) fn quoted(&self) -> String {
        ident(&self.0)
    }
}
