//! x
pub mod path;
