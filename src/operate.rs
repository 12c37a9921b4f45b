//! What operators run around a migration.

pub mod attach;
pub mod doctor;
pub mod explain;
pub mod fence;
pub mod forecast;
pub mod policy;
pub mod redirect;
