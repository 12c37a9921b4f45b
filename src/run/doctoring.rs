//! `doctor`: asks and tries everything, each for itself. Nothing is written but scratch objects, and no lock is taken.

mod accounts;
mod attaching;

use std::time::Instant;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

pub use attaching::{ConfirmPolicy, PolicyConfirmation, change_policy};

use super::aws_cli::AwsCli;
use super::weighing::weighed;
use super::{exit, is_local, legacy_in, of_profile, reach, refuse_unusable};
use crate::config::{BucketConfig, Config, Method};
use crate::database::{
    ColumnSurvey, Database, LedgerName, check_privileges, generated_columns, lock_holder, missing_for_ledger,
    references, replica, role, schema_reasons, server_facts, session_cipher, survey, update_triggers,
};
use crate::failure::{Exit, Failure};
use crate::operate::doctor::{self as judged, Check, Conditional, DoctorSummary, Side, Status};
use crate::report::progress::Progress;
use crate::store::{
    Bucket, Connected, Copier, CopyConditions, DeleteProof, Deleter, ObjectInfo, PartSizes, ReadObjects, Scratch,
    StoreError, StoreErrorKind, Streamer, connect_each, is_same_bucket, probe_write, prove_checksum, prove_copies,
    prove_listing,
};

/// Runs `doctor`.
///
/// # Errors
/// Only if it was interrupted: whatever else goes wrong is what it is to find.
pub async fn doctor(config: &Config, progress: &Progress, stop: &CancellationToken) -> Result<(DoctorSummary, Exit)> {
    let begun = Instant::now();
    let phase = progress.phase("examine", None, "checks");
    let connected = connect_each(&config.source, &config.target, reach(config)).await;
    let shown = async |checks: Vec<Check>| {
        phase.add(u64::try_from(checks.len()).unwrap_or_default());
        checks
    };
    let (machine, accounts, buckets, database) = tokio::join!(
        async { shown(machine(config).await).await },
        async { shown(accounts::accounts(config, &connected).await).await },
        async { shown(buckets(config, &connected, stop).await).await },
        async { shown(database(config).await).await },
    );
    phase.finish();
    if stop.is_cancelled() {
        return Err(Failure::Interrupted.into());
    }
    let checks = [machine, accounts, buckets, database].concat();
    let requests = connected.requests.snapshot();
    let summary = DoctorSummary { checks, requests, elapsed: begun.elapsed(), policy: None };
    let exit = exit(summary.count(Status::Fail) == 0);
    Ok((summary, exit))
}

async fn machine(config: &Config) -> Vec<Check> {
    let directory = config.temp_dir.display().to_string();
    let mut checks = vec![judged::temporary_files(&directory, &refuse_unusable(&config.temp_dir))];
    if config.method == Method::Sync {
        checks.push(judged::aws_cli(&AwsCli::find().await.map(|aws| aws.version().to_owned())));
    }
    checks
}

/// One side after the other: both may be the same bucket, and scratch objects of one trial must not meet.
async fn buckets(config: &Config, connected: &Connected, stop: &CancellationToken) -> Vec<Check> {
    let keys = config.mappings.key_mappings();
    let legacy: Vec<&str> = keys.iter().map(|keys| keys.legacy.as_str()).collect();
    let modern: Vec<&str> = keys.iter().map(|keys| keys.modern.as_str()).collect();
    let source = Examined { side: Side::Source, settings: &config.source, prefixes: &legacy, config };
    let target = Examined { side: Side::Target, settings: &config.target, prefixes: &modern, config };
    let (mut checks, source_writes) = source.checks(&connected.source).await;
    if stop.is_cancelled() {
        return checks;
    }
    let (of_target, target_writes) = target.checks(&connected.target).await;
    checks.extend(of_target);
    if let (true, true, Ok(source), Ok(target)) = (source_writes, target_writes, &connected.source, &connected.target) {
        let same = is_same_bucket(source, target, &Scratch::of_doctor()).await;
        checks.push(judged::same_bucket(&same, config.mappings.shared_place().is_some()));
    }
    checks
}

/// One bucket and what is asked of it.
struct Examined<'a> {
    side: Side,
    settings: &'a BucketConfig,
    prefixes: &'a [&'a str],
    config: &'a Config,
}

impl Examined<'_> {
    /// The checks, and whether scratch objects can be written.
    async fn checks(&self, bucket: &Result<Bucket, StoreError>) -> (Vec<Check>, bool) {
        let side = self.side;
        let reached = match bucket {
            Ok(bucket) => self.reach(bucket).await.map_err(|error| of_profile(error, self.settings)),
            Err(error) => Err(error.clone()),
        };
        let mut checks = vec![judged::reached(side, self.prefixes, reached.as_ref().err())];
        // Without the bucket nothing else can be said; an identity that may not list may still do the rest.
        let reads_on = reached.as_ref().map_or_else(|error| error.kind == StoreErrorKind::Forbidden, |()| true);
        let (Ok(bucket), true) = (bucket, reads_on) else { return (checks, false) };
        if reached.is_ok() {
            checks.push(judged::readable(side, &self.read(bucket).await));
        }
        let written = probe_write(bucket, &Scratch::of_doctor()).await;
        checks.push(judged::writable(side, &written));
        checks.extend(match written {
            Ok(()) => self.tried(bucket).await,
            Err(_) => self.untried(),
        });
        checks.push(judged::versioning(side, &bucket.versioning().await));
        checks.push(judged::object_lock(side, &bucket.object_lock().await));
        checks.push(judged::lifecycle(side, self.prefixes, &bucket.lifecycle(self.prefixes).await));
        checks.push(judged::bucket_encryption(side, &bucket.encryption().await));
        checks.push(judged::ownership(side, &bucket.ownership().await));
        checks.push(judged::clock(side, bucket.clock_ahead_seconds()));
        (checks, written.is_ok())
    }

    async fn reach(&self, bucket: &Bucket) -> Result<(), StoreError> {
        for prefix in self.prefixes {
            bucket.probe(prefix).await?;
        }
        Ok(())
    }

    /// One object, if there is one: a HEAD takes the permission that every GET takes.
    async fn read(&self, bucket: &Bucket) -> Result<Option<ObjectInfo>, StoreError> {
        for prefix in self.prefixes {
            if let Some(object) = bucket.list(prefix, None, None).await?.objects.into_iter().next() {
                return Ok(bucket.head(&object.key).await?.map(|details| details.info));
            }
        }
        Ok(None)
    }

    async fn tried(&self, bucket: &Bucket) -> Vec<Check> {
        let scratch = Scratch::of_doctor();
        let mut checks = Vec::new();
        match self.side {
            Side::Source => checks.push(judged::conditional_delete(&conditional(bucket, &scratch).await)),
            Side::Target => {
                checks.push(judged::copy_conditions(&self.copies(bucket, &scratch).await));
                if self.config.method != Method::Stream {
                    let copier = Copier::new(bucket.clone(), bucket.clone(), self.sizes());
                    checks.push(judged::checksum(&prove_checksum(bucket, &copier, &scratch).await));
                }
            }
            Side::Database | Side::Machine => {}
        }
        checks.push(judged::listing(self.side, &prove_listing(bucket, &scratch).await));
        checks
    }

    fn untried(&self) -> Vec<Check> {
        let names: &[&'static str] = match self.side {
            Side::Source => &["conditional delete", "listing"],
            Side::Target => &["copy conditions", "copy checksum", "listing"],
            Side::Database | Side::Machine => &[],
        };
        names.iter().map(|name| judged::not_tried(name, self.side)).collect()
    }

    async fn copies(&self, bucket: &Bucket, scratch: &Scratch) -> Result<CopyConditions, StoreError> {
        let sizes = self.sizes();
        match self.config.method {
            Method::Copy | Method::Sync => {
                let copier = Copier::new(bucket.clone(), bucket.clone(), sizes);
                prove_copies(bucket, &copier, scratch).await?.cleared().await
            }
            Method::Stream => {
                let streamer = Streamer::new(bucket.clone(), bucket.clone(), sizes);
                prove_copies(bucket, &streamer, scratch).await?.cleared().await
            }
        }
    }

    fn sizes(&self) -> PartSizes {
        PartSizes { threshold: self.config.multipart_threshold, part_size: self.config.multipart_part_size }
    }
}

async fn conditional(bucket: &Bucket, scratch: &Scratch) -> Result<Conditional, StoreError> {
    Ok(match Deleter::prove(bucket.clone(), scratch).await? {
        DeleteProof::Enforced(deleter) => Some(deleter.mode()),
        DeleteProof::NotEnforced(_) => None,
    })
}

async fn database(config: &Config) -> Vec<Check> {
    let settings = &config.database;
    let place = format!("{} at {}:{}", settings.schema, settings.host, settings.port);
    let database = match Database::connect(settings).await {
        Ok(database) => database,
        Err(error) => return vec![judged::connected(&place, Some(&error))],
    };
    let mut checks = vec![judged::connected(&place, None)];
    let server = server_facts(&database).await;
    checks.extend(judged::server(&server, settings.replica_is_primary));
    checks.extend(server.as_ref().ok().map(judged::sql_mode));
    checks.push(judged::encryption(&session_cipher(&database).await, settings.tls, is_local(settings)));
    checks.push(judged::replica(&replica(&database).await));
    let surveyed = survey(&database, config).await;
    match &surveyed {
        Ok(surveys) => {
            checks.extend(references_of(&database, config, surveys).await);
            let found = references(config, surveys);
            let rows: Vec<_> = found.iter().map(|column| (column, legacy_in(surveys, &column.name))).collect();
            checks.push(judged::forecast(&weighed(&database, config, &rows, None).await));
        }
        Err(_) => checks.extend(judged::references(&surveyed.map(|_| (0, 0)))),
    }
    let name = LedgerName::new(&config.ledger_schema);
    checks.push(judged::ledger(&config.ledger_schema, &missing_for_ledger(&database, &name).await));
    checks.push(judged::run_lock(&lock_holder(&database, &name).await));
    database.close().await;
    checks
}

/// What the columns hold and whether their rows can move.
async fn references_of(database: &Database, config: &Config, surveys: &[ColumnSurvey]) -> Vec<Check> {
    let mut checks = Vec::new();
    let (mut legacy, mut modern, mut mentions) = (0, 0, 0);
    let found = references(config, surveys);
    for survey in surveys {
        let counts = survey.counts;
        checks.extend(judged::reference(survey, role(config, &survey.column, counts.legacy + counts.modern > 0)));
        mentions += counts.mentions;
        if found.iter().any(|column| column.name == survey.column.name) {
            legacy += counts.legacy;
            modern += counts.modern;
        }
    }
    checks.extend(judged::references(&Ok((legacy, modern))));
    checks.extend(judged::mentions(mentions, config.strict_mentions));
    for column in &found {
        checks.push(judged::grants(column, &check_privileges(database, column).await));
    }
    checks.extend(judged::schema(&schema_reasons(database, config, &found).await));
    checks.push(judged::triggers(&update_triggers(database).await, &found));
    checks.push(judged::generated_columns(&generated_columns(database).await, &found));
    checks
}
