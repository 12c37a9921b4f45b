//! The program from outside: the real binary on a real MariaDB and on S3 servers.

#![expect(clippy::indexing_slicing, reason = "a test that reads past the end should fail")]

mod canaries;
mod classes;
mod endings;
mod hostile;
mod interface;
mod interrupt;
mod keys;
mod mappings;
mod again;
mod alone;
mod gates;
mod interface;
mod interrupt;
mod ledger_dropped;
mod methods;
mod migrate;
mod references;
mod refusals;
mod s3;
mod one_line;
mod privileges;
mod process;
mod s3_faults;
mod secrets;
mod settings;
mod support;
mod suspects;
mod sync;
