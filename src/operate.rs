//! What operators run around a migration.

pub mod doctor;
pub mod fence;
pub mod forecast;
