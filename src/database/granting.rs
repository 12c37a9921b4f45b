//! GRANTs for who runs the program: no more than each command needs.

use super::column::TextColumn;
use super::grants::{TO_RECORD, TO_UNDO};
use super::ledger_name::LedgerName;
use super::session::{Database, quoted, schema_pattern};
use super::sql::ident;
use crate::config::{ColumnName, Config};

/// What a command does with the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerUse {
    /// It writes down what it did.
    Record,
    /// It lays the journal's rows out beside those that are there.
    Undo,
}

/// The account that is granted to, and where.
#[derive(Clone, Debug)]
pub struct Grants {
    account: String,
    schema: String,
    ledger: LedgerName,
    tables: Vec<(String, Vec<String>)>,
}

impl Grants {
    /// For the user who is connected. `references` with what their tables touch.
    #[must_use]
    pub fn of(database: &Database, config: &Config, references: &[TextColumn]) -> Self {
        let moved = references.iter().flat_map(|column| {
            let touched = column.touched.iter().map(|name| (&column.name.table, name));
            std::iter::once((&column.name.table, &column.name.column)).chain(touched)
        });
        Self { tables: by_table(moved), ..Self::new(database.account().to_owned(), config) }
    }

    /// For the user of the settings, of whom only the name is known.
    #[must_use]
    pub fn unseen(config: &Config, references: &[ColumnName]) -> Self {
        let moved = references.iter().map(|name| (&name.table, &name.column));
        let account = format!("{}@'HOST'", quoted(&config.database.user));
        Self { tables: by_table(moved), ..Self::new(account, config) }
    }

    fn new(account: String, config: &Config) -> Self {
        let ledger = LedgerName::new(&config.ledger_schema);
        Self { account, schema: config.database.schema.clone(), ledger, tables: Vec::new() }
    }

    /// Who is granted to, quoted.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// To read the whole schema. A legacy path in a column that this user cannot see would count as none, so that no
    /// command is content with the columns that it knows.
    #[must_use]
    pub fn read(&self) -> String {
        self.grant("SELECT", &format!("{}.*", schema_pattern(&self.schema)))
    }

    /// To move rows: one GRANT for each table.
    #[must_use]
    pub fn move_rows(&self) -> Vec<String> {
        let tables = self.tables.iter().map(|(table, columns)| {
            let columns: Vec<String> = columns.iter().map(|column| ident(column)).collect();
            self.grant(&format!("UPDATE ({})", columns.join(", ")), &self.table(table))
        });
        tables.collect()
    }

    /// To keep the ledger, its schema included.
    #[must_use]
    pub fn keep_ledger(&self, use_of: LedgerUse) -> String {
        let more: &[&str] = match use_of {
            LedgerUse::Record => &[],
            LedgerUse::Undo => &[TO_UNDO],
        };
        let privileges = [&TO_RECORD, more].concat().join(", ");
        self.grant(&privileges, &format!("{}.*", schema_pattern(self.ledger.as_str())))
    }

    /// To look into the ledger.
    #[must_use]
    pub fn read_ledger(&self) -> String {
        self.grant("SELECT", &format!("{}.*", schema_pattern(self.ledger.as_str())))
    }

    /// To add and drop the constraints or the triggers of a fence: one GRANT for each table.
    #[must_use]
    pub fn fence(&self, privilege: &str) -> Vec<String> {
        self.tables.iter().map(|(table, _)| self.grant(privilege, &self.table(table))).collect()
    }

    /// To see the triggers of the schema.
    #[must_use]
    pub fn see_triggers(&self) -> String {
        self.grant("TRIGGER", &format!("{}.*", schema_pattern(&self.schema)))
    }

    /// To ask whether the server is a replica.
    #[must_use]
    pub fn see_replication(&self) -> String {
        self.grant("REPLICA MONITOR", "*.*")
    }

    fn table(&self, table: &str) -> String {
        format!("{}.{}", ident(&self.schema), ident(table))
    }

    fn grant(&self, privileges: &str, object: &str) -> String {
        format!("GRANT {privileges} ON {object} TO {}", self.account)
    }
}

/// Columns in the order of their tables, each once.
fn by_table<'a>(columns: impl Iterator<Item = (&'a String, &'a String)>) -> Vec<(String, Vec<String>)> {
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    for (table, column) in columns {
        match tables.iter_mut().find(|(known, _)| known == table) {
            Some((_, columns)) if columns.contains(column) => {}
            Some((_, columns)) => columns.push(column.clone()),
            None => tables.push((table.clone(), vec![column.clone()])),
        }
    }
    tables
}
