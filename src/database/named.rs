//! Which object a stored value names, in SQL. Path prefixes never overlap, so that the first bytes of a legacy value tell its
//! mapping; what follows them goes on in the key, but where it is percent-decoded the plan has written down what it names.

use super::column::TextColumn;
use super::ledger::Ledger;
use super::sql::text;
use crate::path::{Mapping, Mappings};

/// The object that a row of a statement's table names under one mapping.
#[derive(Debug)]
pub(super) struct NamedObject {
    /// What has to be joined to the table, or nothing.
    pub(super) urls: String,
    /// Its key in the legacy bucket, as bytes.
    pub(super) source_key: String,
    /// For a subquery without the table: what it reads, the object in the ledger as `o`.
    pub(super) objects: String,
    /// And which object that is.
    pub(super) condition: String,
}

impl NamedObject {
    /// Only for values that begin with the legacy prefix; NULL or nothing for others that the plan has never met.
    pub(super) fn of(column: &TextColumn, mapping: &Mapping, ledger: &Ledger) -> Self {
        let (value, ledger_name) = (column.value(), ledger.name().quoted());
        let object = format!("{ledger_name}.am_object AS o");
        if mapping.decodes() {
            let url = format!("{ledger_name}.am_url AS u");
            let is_met = format!("u.migration = {} AND u.value = {value}", ledger.migration());
            return Self {
                urls: format!("\nJOIN {url} ON {is_met}"),
                source_key: "u.source_key".to_owned(),
                objects: format!("{url} JOIN {object}"),
                condition: format!("{is_met} AND o.source_key = u.source_key"),
            };
        }
        let source_key = key(&mapping.keys().legacy, &value, mapping.legacy.as_str());
        let condition = format!("o.source_key = {source_key}");
        Self { urls: String::new(), source_key, objects: object, condition }
    }
}

/// A key that begins with `keys` and goes on as `value`, bytes, does after `prefix`.
pub(super) fn key(keys: &str, value: &str, prefix: &str) -> String {
    format!("CONCAT(CAST({} AS BINARY), SUBSTR({value}, {}))", text(keys), prefix.len() + 1)
}

/// What a legacy value of any mapping names.
#[derive(Debug)]
pub(super) struct NamedByValue {
    /// The place of its mapping; NULL if the value names nothing that is known.
    pub(super) mapping: String,
    /// Its key in the legacy bucket.
    pub(super) source_key: String,
    /// Its key in the production bucket.
    pub(super) target_key: String,
}

impl NamedByValue {
    /// `value` is an expression of bytes, `decoded` one of the key that the plan has written down for it, or NULL.
    pub(super) fn of(mappings: &Mappings, value: &str, decoded: &str) -> Self {
        let case = |of_mapping: &dyn Fn(usize, &Mapping) -> String| {
            let cases = mappings.all().iter().enumerate().map(|(index, mapping)| {
                let prefix = mapping.legacy.as_str();
                let begins = format!("LEFT({value}, {}) = CAST({} AS BINARY)", prefix.len(), text(prefix));
                format!(" WHEN {begins} THEN {}", of_mapping(index, mapping))
            });
            format!("CASE{} END", cases.collect::<String>())
        };
        Self {
            mapping: case(&|index, mapping| {
                if mapping.decodes() { format!("IF({decoded} IS NULL, NULL, {index})") } else { index.to_string() }
            }),
            source_key: case(&|_, mapping| {
                let keys = mapping.keys();
                if mapping.decodes() { decoded.to_owned() } else { key(&keys.legacy, value, mapping.legacy.as_str()) }
            }),
            target_key: case(&|_, mapping| {
                let keys = mapping.keys();
                if mapping.decodes() {
                    key(&keys.modern, decoded, &keys.legacy)
                } else {
                    key(&keys.modern, value, mapping.legacy.as_str())
                }
            }),
        }
    }
}
