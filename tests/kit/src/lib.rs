//! The real parts that avatarMigrate's tests and demo run on: a private MariaDB, SeaweedFS, an embedded S3 server
//! that does what AWS does, images to fill them with, certificates, and a browser.

mod avatar;
mod blocking;
mod browser;
mod certificates;
mod client;
mod directory;
pub mod effort;
mod embedded;
mod mariadb;
mod other;
mod ports;
mod programs;
mod proxy;
mod random;
mod seaweed;
mod slurm;
mod supervisor;
mod tls;
mod web;

pub use avatar::png;
pub use browser::ChromeDriver;
pub use certificates::{Authority, Certificate, Validity};
pub use embedded::{
    Algorithm, EmbeddedS3, Fault, Ignored, ItemSeen, ObjectHeaders, RequestSeen, Snapshot, StoredChecksum,
    StoredObject, Strain, Tick,
};
pub use mariadb::{Database, Mariadb, MariadbOptions};
pub use other::OtherS3;
pub use programs::{aws_cli, axe, kubectl, kubernetes_validate, python};
pub use proxy::{CommandKind, CommandSeen, DatabaseFault, FaultProxy};
pub use seaweed::Seaweed;
pub use slurm::Slurm;
pub use tls::TlsFront;
pub use web::{RunningWebServer, WebServer, node};
