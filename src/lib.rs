//! x
pub mod config;
pub mod finding;
pub mod path;
pub mod store;
