//! `policy`: the least that each command needs, as documents to hand to who grants. Nothing is asked here.

mod document;
mod needs;
mod text;

use serde::Serialize;

pub(crate) use document::SID_OF_BUCKETS;
pub use document::{Policy, Principal, Statement};
pub use needs::BucketSide;
pub use text::{document_text, policy_text};

use crate::config::{Config, Part, Phase, PolicyOptions};
use crate::database::{Grants, LedgerUse};

/// The policies of one or of all commands.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "command", rename = "policy")]
pub struct PolicySummary {
    /// The account that the GRANTs are for, quoted; it ends in `@'HOST'` where the database was not asked.
    pub account: String,
    /// The columns that store paths, each `table.column`; empty where they are not known.
    pub references: Vec<String>,
    /// Whether the database was asked for columns and account.
    pub asked_database: bool,
    /// Whom bucket and key policies let in.
    pub principal: String,
    /// Command by command.
    pub phases: Vec<PhasePolicy>,
}

/// What one command needs.
#[derive(Clone, Debug, Serialize)]
pub struct PhasePolicy {
    /// The word of `--for`.
    pub phase: &'static str,
    /// One for the identity that reaches both buckets, or one for each of the two.
    pub iam: Vec<IdentityPolicy>,
    /// For each bucket that belongs to another account than the identity.
    pub buckets: Vec<BucketPolicy>,
    /// For each bucket that is encrypted by a KMS key.
    pub keys: Vec<KeyStatement>,
    /// SQL for an administrator of the database, without semicolons.
    pub grants: Vec<String>,
}

/// The policy of an identity.
#[derive(Clone, Debug, Serialize)]
pub struct IdentityPolicy {
    /// `both`, `source` or `target`: which buckets it reaches.
    pub reaches: &'static str,
    /// The document for `aws iam put-role-policy`.
    pub policy: Policy,
}

/// The policy of a bucket.
#[derive(Clone, Debug, Serialize)]
pub struct BucketPolicy {
    /// `source` or `target`.
    pub side: &'static str,
    /// Its name.
    pub bucket: String,
    /// The document for `aws s3api put-bucket-policy`, where it has none yet.
    pub policy: Policy,
}

/// What the identity needs of a KMS key.
#[derive(Clone, Debug, Serialize)]
pub struct KeyStatement {
    /// `source` or `target`: the bucket that it encrypts.
    pub side: &'static str,
    /// The statement for the key's own policy.
    pub statement: Statement,
}

/// Makes the documents. `references` are those that `grants` was made of.
#[must_use]
pub fn policies(
    config: &Config,
    options: &PolicyOptions,
    grants: &Grants,
    (references, asked_database): (Vec<String>, bool),
) -> PolicySummary {
    let principal = options.principal.clone().unwrap_or_else(|| PRINCIPAL.to_owned());
    let phases: &[Phase] = options.phase.as_ref().map_or(&PHASES, std::slice::from_ref);
    PolicySummary {
        account: grants.account().to_owned(),
        references,
        asked_database,
        phases: phases.iter().map(|phase| of_phase(*phase, config, &principal, grants)).collect(),
        principal,
    }
}

fn of_phase(phase: Phase, config: &Config, principal: &str, grants: &Grants) -> PhasePolicy {
    let sides = |sides: &[BucketSide]| Policy::of_identity(phase, config, sides);
    let identities: &[(&'static str, &[BucketSide])] = if has_two_identities(config) {
        &[("source", &[BucketSide::Source]), ("target", &[BucketSide::Target])]
    } else {
        &[("both", &BucketSide::BOTH)]
    };
    let iam = identities.iter().map(|(reaches, of)| IdentityPolicy { reaches, policy: sides(of) });
    PhasePolicy {
        phase: phase.word(),
        iam: iam.filter(|identity| !identity.policy.statement.is_empty()).collect(),
        buckets: BucketSide::BOTH.iter().filter_map(|side| bucket_policy(phase, config, *side, principal)).collect(),
        keys: BucketSide::BOTH.iter().filter_map(|side| key_statement(phase, config, *side, principal)).collect(),
        grants: sql(phase, grants),
    }
}

fn bucket_policy(phase: Phase, config: &Config, side: BucketSide, principal: &str) -> Option<BucketPolicy> {
    let policy = Policy::of_bucket(phase, config, side, principal);
    let bucket = side.of(&config.source, &config.target).bucket.clone();
    let there_is_one = !policy.statement.is_empty();
    there_is_one.then(|| BucketPolicy { side: side.of("source", "target"), bucket, policy })
}

fn key_statement(phase: Phase, config: &Config, side: BucketSide, principal: &str) -> Option<KeyStatement> {
    let statement = Statement::of_key(phase, config, side, principal)?;
    Some(KeyStatement { side: side.of("source", "target"), statement })
}

/// Whether a bucket each is reached by an identity of its own: only then none of them needs the other bucket.
fn has_two_identities(config: &Config) -> bool {
    let (source, target) = (&config.source, &config.target);
    source.profile != target.profile || source.endpoint_url != target.endpoint_url
}

/// The SQL that lets a command do its part in the database.
fn sql(phase: Phase, grants: &Grants) -> Vec<String> {
    let read = vec![grants.read()];
    let ledger = |use_of| vec![grants.keep_ledger(use_of)];
    match phase {
        Phase::Verify => read,
        Phase::Copy => [read, grants.move_rows(), ledger(LedgerUse::Record)].concat(),
        Phase::Finalize => [read, ledger(LedgerUse::Record)].concat(),
        Phase::Rollback | Phase::Restore => [read, grants.move_rows(), ledger(LedgerUse::Undo)].concat(),
        Phase::Resolve | Phase::Prune => [read, ledger(LedgerUse::Record)].concat(),
        Phase::Fence => [read, grants.fence("ALTER"), grants.fence("TRIGGER"), ledger(LedgerUse::Record)].concat(),
        // It looks whether all other commands may do what they do.
        Phase::Doctor => {
            let look = vec![grants.see_triggers(), grants.see_replication()];
            [read, grants.move_rows(), look, ledger(LedgerUse::Undo)].concat()
        }
        // Whoever connects names the schema, and is let in by a privilege on it alone.
        Phase::Status => vec![grants.read(), grants.read_ledger()],
    }
}

/// What a bucket has to allow `principal` for a command.
#[must_use]
pub fn policy_of_bucket(phase: Phase, config: &Config, side: BucketSide, principal: &str) -> Policy {
    Policy::of_bucket(phase, config, side, principal)
}

/// The document that `--only` wants; none where the command needs nothing of the kind.
#[must_use]
pub fn only(phase: Phase, config: &Config, options: &PolicyOptions, part: Part, grants: &Grants) -> Option<Document> {
    let principal = options.principal.as_deref().unwrap_or(PRINCIPAL);
    let identity = |sides: &[BucketSide]| Some(Policy::of_identity(phase, config, sides));
    let bucket = |side| Some(Policy::of_bucket(phase, config, side, principal));
    let key = |side| Statement::of_key(phase, config, side, principal).map(Policy::of_statement);
    let policy = match part {
        Part::Iam => identity(&BucketSide::BOTH),
        Part::IamSource => identity(&[BucketSide::Source]),
        Part::IamTarget => identity(&[BucketSide::Target]),
        Part::SourceBucket => bucket(BucketSide::Source),
        Part::TargetBucket => bucket(BucketSide::Target),
        Part::SourceKey => key(BucketSide::Source),
        Part::TargetKey => key(BucketSide::Target),
        Part::Grants => return Some(Document::Sql(sql(phase, grants))),
    };
    policy.filter(|policy| !policy.statement.is_empty()).map(Document::Json)
}

/// One document alone.
#[derive(Clone, Debug)]
pub enum Document {
    /// For IAM, S3 or KMS.
    Json(Policy),
    /// For MariaDB.
    Sql(Vec<String>),
}

/// The order of a migration.
const PHASES: [Phase; 10] = [
    Phase::Doctor,
    Phase::Verify,
    Phase::Copy,
    Phase::Fence,
    Phase::Finalize,
    Phase::Rollback,
    Phase::Restore,
    Phase::Resolve,
    Phase::Prune,
    Phase::Status,
];

/// Whom policies let in as long as nobody was named: no ARN, so that AWS takes none of them by mistake.
pub const PRINCIPAL: &str = "arn:aws:iam::ACCOUNT:role/ROLE";
