//! The program from outside: the real binary on a real MariaDB and on S3 servers.

#![expect(clippy::indexing_slicing, reason = "a test that reads past the end should fail")]

mod again;
mod alone;
mod between;
mod canaries;
mod classes;
mod disk;
mod doctor;
mod endings;
mod fire;
mod fence;
mod fence_exact;
mod fence_tables;
mod gates;
mod hostile;
mod hygiene;
mod injection;
mod interface;
mod interrupt;
mod keys;
mod kills;
mod ledger_dropped;
mod mappings;
mod methods;
mod migrate;
mod nth_fault;
mod one_line;
mod privileges;
mod process;
mod references;
mod refusals;
mod resolve;
mod rollback;
mod s3;
mod s3_faults;
mod secret_places;
mod secrets;
mod servers;
mod settings;
mod support;
mod suspects;
mod sync;
mod tls;
mod wire;
mod zombie;
