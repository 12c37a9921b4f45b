//! Every server that can be started, measured: what it does otherwise than AWS is reported, never a red test.

use std::panic::AssertUnwindSafe;
use std::process::Command;

use anyhow::{Context, Result};
use avatar_migrate_kit::{OtherS3, effort};
use futures::FutureExt;

use crate::page::{self, Column, VERSION};
use crate::subject::Subject;
use crate::{CASES, Case, capabilities, program};

/// A server of the page.
enum Server {
    Embedded,
    Seaweed,
    Other(Box<OtherS3>),
}

impl Server {
    /// A client and an empty bucket, to be judged by what AWS does.
    fn subject(&self) -> Result<Subject> {
        match self {
            Self::Embedded => Subject::embedded(),
            Self::Seaweed => Ok(Subject::seaweed().judged_as_aws()),
            Self::Other(server) => Subject::other(server),
        }
    }

    fn version(&self) -> String {
        match self {
            Self::Embedded => "of this source".to_owned(),
            Self::Seaweed => seaweed_version(),
            Self::Other(server) => server.version().to_owned(),
        }
    }
}

/// `version 8000GB 4.48 pypi linux amd64`.
fn seaweed_version() -> String {
    let output = Command::new(avatar_migrate_kit::Seaweed::program().expect("weed")).arg("version").output();
    let said = String::from_utf8_lossy(&output.expect("weed runs").stdout).into_owned();
    said.split_whitespace().nth(2).unwrap_or_default().to_owned()
}

async fn measured(server: &Server) -> Result<Column> {
    let mut column = Column::from([(VERSION.to_owned(), server.version())]);
    for name in program::TRIALS {
        let cell = program::trial(name, &server.subject()?).await?;
        column.insert(name.to_owned(), cell);
    }
    for name in capabilities::PROBES {
        column.insert(name.to_owned(), capabilities::probe(name, &server.subject()?).await);
    }
    for (name, case) in CASES {
        column.insert(name.replace('_', " "), kept(*case, &server.subject()?).await.to_owned());
    }
    Ok(column)
}

/// Whether a case of the contract holds; a case that panics has failed.
async fn kept(case: Case, subject: &Subject) -> &'static str {
    match AssertUnwindSafe(case(subject)).catch_unwind().await {
        Ok(Ok(())) => "as AWS",
        Ok(Err(_)) | Err(_) => "**differs**",
    }
}

#[tokio::test]
async fn the_page_of_servers_is_what_was_measured() -> Result<()> {
    let deep = effort::times(0, 1) == 1;
    let committed = std::fs::read_to_string(page::path()).unwrap_or_default();
    let mut columns = vec![
        ("embedded".to_owned(), measured(&Server::Embedded).await?),
        ("SeaweedFS".to_owned(), measured(&Server::Seaweed).await?),
    ];
    for (name, start) in [("moto", OtherS3::moto as fn() -> Result<OtherS3>), ("s3s-fs", OtherS3::s3s_fs)] {
        let column = if deep {
            measured(&Server::Other(Box::new(start()?))).await.with_context(|| name.to_owned())?
        } else {
            page::column_of(&committed, name)
        };
        columns.push((name.to_owned(), column));
    }
    let embedded = columns.first().map(|(_, column)| column.values().filter(|cell| *cell == "**differs**").count());
    assert_eq!(embedded, Some(0), "the embedded server stands for AWS");
    if deep {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        effort::record("contract", &[("servers", count(columns.len())), ("cases", count(CASES.len() * columns.len()))]);
    }
    let cases: Vec<&str> = CASES.iter().map(|(name, _)| *name).collect();
    let page = page::page(&columns, &cases);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(page::path(), &page)?;
        return Ok(());
    }
    assert_eq!(page, committed, "docs/servers.md differs; if it should, run the test with UPDATE_GOLDEN=1");
    Ok(())
}
