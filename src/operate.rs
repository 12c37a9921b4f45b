//! What operators run around a migration.
