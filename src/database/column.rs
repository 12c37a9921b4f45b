//! A column that holds, or may hold, paths: its facts and the SQL expressions made from them.
//!
//! Byte-exactness is made here: collations fold case, accents and trailing spaces, character sets differ, and `%` and `_`
//! are wildcards. Every predicate is tested against the classifier of `path`.

use super::sql::{ident, text};
use crate::config::ColumnName;
use crate::path::{KEY_BYTES_MAX, Mapping, Mappings, like_literal};

/// A character column of a base table.
#[derive(Clone, Debug)]
pub struct TextColumn {
    /// Its name.
    pub name: ColumnName,
    /// What the column holds besides plain text.
    pub content: Content,
    /// Its character set; `None` for a binary column.
    pub charset: Option<String>,
    /// The most characters (bytes for a binary column) that fit.
    pub length_max: u64,
    /// Whether `length_max` counts bytes.
    pub length_in_bytes: bool,
    /// The columns of the primary key that this user can see, in order; empty without one.
    pub key: Vec<KeyColumn>,
    /// Columns that `ON UPDATE CURRENT_TIMESTAMP` would move.
    pub touched: Vec<String>,
    /// Unique keys that the path is a part of.
    pub uniques: Vec<Vec<UniquePart>>,
    /// Storage engine.
    pub engine: String,
}

/// How the values of a column are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text in some character set.
    Text,
    /// VARBINARY or BLOB: bytes.
    Binary,
    /// A JSON document: never a path, but it may mention one.
    Json,
}

/// A column of a primary key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyColumn {
    /// Its name.
    pub name: String,
    /// Whether its values travel as hexadecimal.
    pub binary: bool,
    /// Whether the value as text compares as the column orders. ENUM and SET sort by number but compare with text as
    /// text, BIT compares as a number, FLOAT as text is rounded, TIMESTAMP has an hour twice when summer time ends.
    pub seekable: bool,
}

/// A column of a unique key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniquePart {
    /// Its name.
    pub column: String,
    /// Only so many characters are indexed.
    pub prefix: Option<u64>,
}

/// The alias under which every statement knows the table of a column.
pub(crate) const ALIAS: &str = "a";

impl TextColumn {
    /// Whether the table can be read in pages along its primary key.
    pub(crate) fn is_seekable(&self) -> bool {
        !self.key.is_empty() && self.key.iter().all(|key| key.seekable)
    }

    /// The columns of the primary key, to order by.
    pub(crate) fn key_order(&self) -> String {
        let columns = self.key.iter().map(|key| format!("{ALIAS}.{}", ident(&key.name)));
        columns.collect::<Vec<_>>().join(", ")
    }

    /// The columns of the primary key as texts, to be selected.
    pub(crate) fn key_texts(&self) -> Vec<String> {
        self.key.iter().map(|key| key.as_text(&format!("{ALIAS}.{}", ident(&key.name)))).collect()
    }

    /// The quoted table.
    pub(crate) fn table(&self, schema: &str) -> String {
        format!("{}.{}", ident(schema), ident(&self.name.table))
    }

    /// The quoted column without an alias.
    pub(crate) fn column(&self) -> String {
        ident(&self.name.column)
    }

    fn raw(&self) -> String {
        format!("{ALIAS}.{}", self.column())
    }

    /// The value as bytes of UTF-8: what the ledger stores and compares. Never pads, never folds.
    pub(crate) fn value(&self) -> String {
        match self.content {
            Content::Binary => self.raw(),
            Content::Text | Content::Json => format!("CAST({} AS BINARY)", self.utf8()),
        }
    }

    /// The same of the column under another name than that of a statement, in a constraint or a trigger, whatever its character
    /// set will be one day.
    pub(crate) fn bytes(&self, raw: &str) -> String {
        match self.content {
            Content::Binary => raw.to_owned(),
            Content::Text | Content::Json => format!("CAST(CONVERT({raw} USING utf8mb4) AS BINARY)"),
        }
    }

    /// The value as UTF-8. A conversion that changes nothing still costs a copy for each row of each statement.
    fn utf8(&self) -> String {
        match self.charset.as_deref() {
            Some("utf8mb4") => self.raw(),
            Some(_) | None => format!("CONVERT({} USING utf8mb4)", self.raw()),
        }
    }

    fn exactly_like(expression: &str, pattern: &str) -> String {
        format!("{expression} COLLATE utf8mb4_nopad_bin LIKE {} ESCAPE '|'", text(pattern))
    }

    /// Whether the value begins, byte for byte, with `prefix`.
    ///
    /// The first LIKE folds as the column's collation does, but can use an index on it; the second one is exact. Where the
    /// column's character set may not hold the prefix, the first one would be an error.
    pub(crate) fn begins_with(&self, prefix: &str) -> String {
        let pattern = format!("{}%", like_literal(prefix));
        match self.content {
            Content::Binary => format!("LEFT({}, {}) = CAST({} AS BINARY)", self.raw(), prefix.len(), text(prefix)),
            Content::Text | Content::Json if !prefix.is_ascii() => Self::exactly_like(&self.utf8(), &pattern),
            Content::Text | Content::Json => format!(
                "({} LIKE {} ESCAPE '|' AND {})",
                self.raw(),
                text(&pattern),
                Self::exactly_like(&self.utf8(), &pattern)
            ),
        }
    }

    /// Whether SQL alone can tell that a value belongs to `mapping`: not where keys are percent-decoded, and not in
    /// binary columns, whose bytes may be no text.
    pub(crate) fn is_exact(&self, mapping: &Mapping) -> bool {
        match self.content {
            Content::Text => !mapping.decodes(),
            Content::Binary | Content::Json => false,
        }
    }

    /// Whether the value is exactly what the classifier calls legacy in `mapping`; only where [`Self::is_exact`].
    pub(crate) fn is_legacy(&self, mappings: &Mappings, mapping: &Mapping) -> String {
        self.in_scope(mappings, mapping, mapping.legacy.as_str())
    }

    /// Whether the value is exactly what the classifier calls modern in `mapping`; only where [`Self::is_exact`].
    pub(crate) fn is_modern(&self, mappings: &Mappings, mapping: &Mapping) -> String {
        self.in_scope(mappings, mapping, mapping.modern.as_str())
    }

    fn in_scope(&self, mappings: &Mappings, mapping: &Mapping, prefix: &str) -> String {
        let keys = mapping.keys();
        let key_growth = keys.legacy.len().max(keys.modern.len());
        let bytes_max = (KEY_BYTES_MAX + prefix.len()).saturating_sub(key_growth);
        let rest = format!("SUBSTR({}, {})", self.utf8(), prefix.chars().count() + 1);
        let name = format!("SUBSTRING_INDEX({rest}, '/', -1)");
        let in_pattern = Self::exactly_like(&name, &mappings.pattern().to_like());
        let not_empty = if keys.legacy.is_empty() || keys.modern.is_empty() {
            format!(" AND LENGTH({rest}) > 0")
        } else {
            String::new()
        };
        format!("({} AND {in_pattern} AND LENGTH({}) <= {bytes_max}{not_empty})", self.begins_with(prefix), self.utf8())
    }

    /// Whether the value could be anything but foreign or out of every interest: lets nothing slip that the classifier
    /// would call legacy, modern, suspect, out of scope or a mention.
    pub(crate) fn is_candidate(&self, mappings: &Mappings) -> String {
        let prefixes = mappings.all().iter().flat_map(|m| [m.legacy.as_str(), m.modern.as_str()]);
        let mut tests: Vec<String> = prefixes.map(|prefix| self.begins_with(prefix)).collect();
        let cores = mappings.suspect_cores();
        let folded = |pattern: &str| {
            format!("{} COLLATE {} LIKE {} ESCAPE '|'", self.utf8(), folding_collation(pattern), text(pattern))
        };
        tests.extend(cores.terms.iter().map(|term| folded(&format!("%{}%", like_literal(term)))));
        if !cores.terms.is_empty() {
            // Percent-encoding can hide any term.
            tests.push(folded("%|%__%"));
        }
        format!("({})", tests.join(" OR "))
    }

    /// Whether the value is one that SQL cannot classify alone.
    pub(crate) fn is_unclear(&self, mappings: &Mappings) -> String {
        let exact = mappings.all().iter().filter(|mapping| self.is_exact(mapping));
        let clear: Vec<String> =
            exact.flat_map(|m| [self.is_legacy(mappings, m), self.is_modern(mappings, m)]).collect();
        let unclear = if clear.is_empty() { String::new() } else { format!(" AND NOT ({})", clear.join(" OR ")) };
        format!("({}{unclear})", self.is_candidate(mappings))
    }

    /// The value with the legacy prefix exchanged for the modern one at its start, the rest verbatim.
    pub(crate) fn modern_value(&self, mapping: &Mapping) -> String {
        let (legacy, modern) = (mapping.legacy.as_str(), mapping.modern.as_str());
        let raw = self.raw();
        match self.content {
            Content::Binary => {
                format!("CONCAT(CAST({} AS BINARY), SUBSTR({raw}, {}))", text(modern), legacy.len() + 1)
            }
            Content::Text | Content::Json => {
                format!("CONCAT({}, SUBSTR({raw}, {}))", text(modern), legacy.chars().count() + 1)
            }
        }
    }

    /// The SET list that stores `value` and keeps every column that would move by itself.
    pub(crate) fn assignments(&self, value: &str) -> String {
        let kept = self.touched.iter().map(|column| format!(", {ALIAS}.{0} = {ALIAS}.{0}", ident(column)));
        format!("{} = {value}{}", self.raw(), kept.collect::<String>())
    }

    /// The same as bytes of UTF-8, for the journal.
    pub(crate) fn modern_value_bytes(&self, mapping: &Mapping) -> String {
        match self.content {
            Content::Binary => self.modern_value(mapping),
            Content::Text | Content::Json => {
                format!("CAST(CONVERT({} USING utf8mb4) AS BINARY)", self.modern_value(mapping))
            }
        }
    }

    /// The row's key as text in bytes: plain for one column, a JSON array for several, empty without a key.
    pub(crate) fn row_key(&self) -> String {
        self.row_key_of(|column| format!("{ALIAS}.{}", ident(column)))
    }

    /// The row's key once the path has moved, if the path is a part of it; else NULL.
    pub(crate) fn new_row_key(&self, mapping: &Mapping) -> String {
        if self.key.iter().all(|column| column.name != self.name.column) {
            return "NULL".to_owned();
        }
        self.row_key_of(|column| {
            if column == self.name.column { self.modern_value(mapping) } else { format!("{ALIAS}.{}", ident(column)) }
        })
    }

    fn row_key_of(&self, value: impl Fn(&str) -> String) -> String {
        let parts: Vec<String> = self.key.iter().map(|column| column.as_text(&value(&column.name))).collect();
        match parts.as_slice() {
            [] => "CAST('' AS BINARY)".to_owned(),
            [one] => format!("CAST({one} AS BINARY)"),
            several => format!("CAST(JSON_ARRAY({}) AS BINARY)", several.join(", ")),
        }
    }

    /// Whether the column's character set is known to hold `text`: SQL that joins the two would be an error if it does not.
    pub(crate) fn holds(&self, text: &str) -> bool {
        match self.charset.as_deref() {
            None | Some("utf8mb4" | "utf16" | "utf16le" | "utf32") => true,
            Some("utf8mb3" | "utf8" | "ucs2") => text.chars().all(|c| u32::from(c) <= 0xFFFF),
            Some("latin1") => text.chars().all(|c| c.is_ascii() || ('\u{a0}'..='\u{ff}').contains(&c)),
            Some(_) => text.is_ascii(),
        }
    }

    /// Whether another row already holds the new path in a unique key, compared as that key compares.
    pub(crate) fn clashes(&self, schema: &str, mapping: &Mapping) -> Option<String> {
        if !self.holds(mapping.modern.as_str()) {
            // Preflight refuses to move its rows at all.
            return None;
        }
        let clash_in = |unique: &Vec<UniquePart>| {
            let parts = unique.iter().map(|part| {
                let column = ident(&part.column);
                let new = if part.column == self.name.column {
                    self.modern_value(mapping)
                } else {
                    format!("{ALIAS}.{column}")
                };
                let (old, cut) = (format!("{ALIAS}.{column}"), |value: &str| match part.prefix {
                    Some(length) => format!("LEFT({value}, {length})"),
                    None => value.to_owned(),
                });
                let same = format!("{} = {}", cut(&format!("b.{column}")), cut(&new));
                // A new path that the key holds equal to the old one (`Image/` for `image/`) meets only its own row.
                if new == old { same } else { format!("{same} AND {} <> {}", cut(&new), cut(&old)) }
            });
            let same = parts.collect::<Vec<_>>().join(" AND ");
            format!("EXISTS (SELECT 1 FROM {} AS b WHERE {same})", self.table(schema))
        };
        let clashes: Vec<String> = self.uniques.iter().map(clash_in).collect();
        if clashes.is_empty() { None } else { Some(format!("({})", clashes.join(" OR "))) }
    }
}

/// A collation that folds at least as `str::to_lowercase` does: the quick one does for ASCII but `k`, which is also the lower
/// case of the Kelvin sign.
fn folding_collation(pattern: &str) -> &'static str {
    let quick = pattern.is_ascii() && !pattern.contains(['k', 'K']);
    if quick { "utf8mb4_general_ci" } else { "utf8mb4_unicode_520_ci" }
}

impl KeyColumn {
    /// The column as text that keeps every value apart.
    pub(crate) fn as_text(&self, value: &str) -> String {
        if self.binary { format!("HEX({value})") } else { format!("CONVERT({value} USING utf8mb4)") }
    }

    /// A bound parameter holding that text, turned back into the column's type.
    pub(crate) fn parameter(&self) -> &'static str {
        if self.binary { "UNHEX(?)" } else { "?" }
    }
}
