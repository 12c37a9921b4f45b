//! `--method sync`: the AWS CLI copies, and everything else stays as it is: each object is checked before its rows move.

use anyhow::{Context, Result};

use super::Session;
use super::aws_cli::AwsCli;
use super::verifying::Stages;
use crate::config::BucketConfig;
use crate::failure::Failure;
use crate::finding::{Finding, Status};
use crate::report::text::printable;
use crate::store::Inventories;
use crate::verify::{Sink, Stage, verify};

/// Refuses if the CLI would overwrite something, then lets it copy every key mapping. Credentials reach it as they reach
/// this program, through the environment and the profile, never through its arguments.
pub(super) async fn run(session: &Session) -> Result<()> {
    let aws = AwsCli::find().await?;
    session.progress.println(&format!("aws: {}", printable(aws.version())));
    refuse_overwrites(session).await?;
    let config = &session.config;
    let name = config.mappings.pattern().to_string();
    let (name_in_folder, location) = (format!("*/{name}"), location(&config.source, &config.target));
    for keys in config.mappings.key_mappings() {
        let from = format!("s3://{}/{}", config.source.bucket, keys.legacy);
        let to = format!("s3://{}/{}", config.target.bucket, keys.modern);
        let mut arguments = vec!["s3", "sync", "--no-progress", &from, &to, "--exclude", "*"];
        arguments.extend(["--include", &name, "--include", &name_in_folder]);
        arguments.extend(location.iter().map(String::as_str));
        session.progress.println(&format!("aws s3 sync {} -> {}", printable(&from), printable(&to)));
        let phase = session.progress.phase("aws s3 sync", None, "objects");
        let copied = |line: &str| phase.add(u64::from(line.starts_with("copy: ")));
        aws.run(&arguments, &session.stop, copied).await?;
        phase.finish();
    }
    Ok(())
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
    verify(database, (&stores.source, &stores.target, &Inventories::default()), config, pace, stop, &mut sink)
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
