//! The command line: what is said, what it means, what is printed.

pub mod arguments;
mod help;
mod password;

pub use password::ask_password;
