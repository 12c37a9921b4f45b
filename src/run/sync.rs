//! `--method sync`: the AWS CLI copies, and everything else stays as it is: each object is checked before its rows move.

use std::process::Stdio;

use anyhow::{Context, Result};
use tokio::process::Command;

use super::Session;
use super::verifying::Stages;
use crate::config::{self, BucketConfig};
use crate::failure::Failure;
use crate::finding::{Finding, Status};
use crate::report::text::printable;
use crate::verify::{Sink, Stage, verify};

/// Refuses if the CLI would overwrite something, then lets it copy every key mapping. Credentials reach it as they reach
/// this program, through the environment and the profile, never through its arguments.
pub(super) async fn run(session: &Session) -> Result<()> {
    refuse_overwrites(session).await?;
    let config = &session.config;
    for keys in config.mappings.key_mappings() {
        let name = config.mappings.pattern().to_string();
        let mut command = Command::new("aws");
        // It needs the AWS chain of the environment, and none of this program's variables: one holds the password.
        for variable in config::variables() {
            command.env_remove(variable);
        }
        command
            .args(["s3", "sync", "--no-progress", "--only-show-errors"])
            .arg(format!("s3://{}/{}", config.source.bucket, keys.legacy))
            .arg(format!("s3://{}/{}", config.target.bucket, keys.modern))
            .args(["--exclude", "*", "--include", &name, "--include", &format!("*/{name}")])
            .args(location(&config.source, &config.target))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        session.progress.println(&format!("aws s3 sync {} -> {}", printable(&keys.legacy), printable(&keys.modern)));
        let output = command.output().await.map_err(cannot_start)?;
        let said = String::from_utf8_lossy(&output.stderr);
        for line in said.lines().filter(|line| !line.trim().is_empty()) {
            tracing::warn!("aws: {}", printable(line));
        }
        if !output.status.success() {
            anyhow::bail!("`aws s3 sync` ended with {}; no row has changed", output.status);
        }
    }
    Ok(())
}

pub(super) fn cannot_start(error: std::io::Error) -> anyhow::Error {
    let message = format!("--method sync runs the AWS CLI, which could not be started: {error}");
    Failure::Usage { message, hint: "install the AWS CLI (`aws`), or use --method copy".to_owned() }.into()
}

fn location(source: &BucketConfig, target: &BucketConfig) -> Vec<String> {
    let flags = [
        ("--endpoint-url", &target.endpoint_url),
        ("--profile", &target.profile),
        ("--region", &target.region),
        ("--source-region", &source.region),
    ];
    flags.iter().filter_map(|(flag, value)| Some([(*flag).to_owned(), value.as_ref()?.clone()])).flatten().collect()
}

/// `aws s3 sync` overwrites a target of another size or an older date.
async fn refuse_overwrites(session: &Session) -> Result<()> {
    let Session { config, database, stores, pace, stop, .. } = session;
    let mut sink = Differing { stages: Stages::new(session), count: 0, examples: Vec::new() };
    verify(database, (&stores.source, &stores.target), config, pace, stop, &mut sink)
        .await
        .context("failed to compare the buckets before the sync")?;
    sink.stages.finish();
    if sink.count == 0 {
        return Ok(());
    }
    let mut reasons =
        vec![format!("{} target objects hold other bytes, which `aws s3 sync` would overwrite", sink.count)];
    reasons.extend(sink.examples);
    Err(Failure::Refused { reasons, hint: "use --method copy, which never overwrites".to_owned() }.into())
}

struct Differing {
    stages: Stages,
    count: u64,
    examples: Vec<String>,
}

impl Sink for Differing {
    fn begin(&mut self, stage: Stage) {
        self.stages.begin(stage);
    }

    fn advance(&self, count: u64) {
        self.stages.advance(count);
    }

    fn finding(&mut self, finding: Finding) -> Result<()> {
        let both = finding.source_etag.is_some() && finding.target_etag.is_some();
        if both && finding.proof.is_none() && finding.status != Status::OutOfScope {
            self.count += 1;
            if self.examples.len() < 5 {
                self.examples.extend(finding.target_key.map(|key| printable(key.as_str())));
            }
        }
        Ok(())
    }
}
