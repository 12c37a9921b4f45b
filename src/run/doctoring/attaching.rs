//! `doctor --attach-policy` and `--detach-policy`: one change of the legacy bucket's policy, shown before and read back after.

use std::time::Instant;

use anyhow::{Context, Result, anyhow};

use super::accounts::Callers;
use crate::config::{Config, DoctorOptions, Phase, PolicyChange};
use crate::failure::{Exit, Failure};
use crate::operate::attach::{AttachError, Attached};
use crate::operate::doctor::{self as judged, DoctorSummary, PolicyChanged};
use crate::operate::policy::{BucketSide, Policy, policy_of_bucket};
use crate::run::{of_profile, reach, refused, usage};
use crate::store::{Bucket, StoreError, StoreErrorKind, connect_each};

/// What is about to change in the policy: what a person confirms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyConfirmation {
    /// The legacy bucket.
    pub bucket: String,
    /// The statements that it will have of ours, as JSON on several lines; nothing when they are taken out.
    pub statements: String,
    /// The names of those that go, or are replaced.
    pub goes: Vec<String>,
    /// How many other statements stay as they are.
    pub kept: usize,
    /// Whether the policy as a whole goes, as nothing else is in it.
    pub deletes_policy: bool,
}

/// Asks a person; `Ok(false)` is a no.
pub type ConfirmPolicy<'a> = dyn Fn(&PolicyConfirmation) -> Result<bool> + Sync + 'a;

/// Changes the policy of the legacy bucket.
///
/// # Errors
/// [`Failure::Usage`] where credentials or permissions are the reason, [`Failure::Refused`] if nobody confirmed it, if it is
/// not needed, or if somebody else changed the policy meanwhile.
pub async fn change_policy(
    config: &Config,
    options: &DoctorOptions,
    change: PolicyChange,
    confirm: &ConfirmPolicy<'_>,
) -> Result<(DoctorSummary, Exit)> {
    let begun = Instant::now();
    let connected = connect_each(&config.source, &config.target, reach(config)).await;
    let callers = Callers::of(&connected).await;
    let bucket = connected.source.as_ref().map_err(|error| usage(error.clone()))?;
    let wanted = match change {
        PolicyChange::Attach(phase) => Some(wanted(config, options, phase, &callers)?),
        PolicyChange::Detach => None,
    };
    let changing = Changing { config, options, bucket };
    let changed = changing.run(wanted.as_ref(), confirm).await?;
    let mut checks = callers.checks();
    checks.push(judged::policy_changed(&changed.attached, &changed.detached, changed.kept));
    let requests = connected.requests.snapshot();
    let summary = DoctorSummary { checks, requests, elapsed: begun.elapsed(), policy: Some(changed) };
    Ok((summary, Exit::Clean))
}

/// What the policy is to hold, for who was named or else for who copies.
fn wanted(config: &Config, options: &DoctorOptions, phase: Phase, callers: &Callers) -> Result<Policy> {
    let principal = match (&options.principal, callers.copying(config.method)) {
        (Some(named), _) => named.clone(),
        (None, Ok(Some(copying))) => {
            let owner = callers.source.as_ref().ok().and_then(Option::as_ref);
            if owner.is_some_and(|owner| owner.account == copying.account) {
                let reason =
                    format!("both identities are of account {}, where no bucket policy is needed", copying.account);
                let hint = "name the owner of the legacy bucket with --source-profile and who copies with --target-profile; \
                            within an account avatarMigrate policy --for copy --only iam suffices";
                return Err(refused(reason, hint));
            }
            copying.principal()
        }
        (None, Ok(None)) => return Err(nobody("the server is not AWS")),
        (None, Err(error)) => return Err(nobody(&error.to_string())),
    };
    let policy = policy_of_bucket(phase, config, BucketSide::Source, &principal);
    if policy.statement.is_empty() {
        let message = format!("`{}` needs nothing of the legacy bucket", phase.word());
        return Err(Failure::Usage { message, hint: "name another command with --for".to_owned() }.into());
    }
    Ok(policy)
}

struct Changing<'a> {
    config: &'a Config,
    options: &'a DoctorOptions,
    bucket: &'a Bucket,
}

impl Changing<'_> {
    async fn run(&self, wanted: Option<&Policy>, confirm: &ConfirmPolicy<'_>) -> Result<PolicyChanged> {
        let text = self.read().await?;
        let before = Attached::read(text.as_deref()).map_err(unusable)?;
        let is_there = wanted.map_or_else(|| before.sids().is_empty(), |wanted| before.holds(wanted));
        if is_there {
            return Ok(self.changed(&before, before.sids(), Vec::new()));
        }
        let after = match wanted {
            Some(wanted) => Some(before.with(wanted).map_err(unusable)?),
            None => before.without(),
        };
        self.confirm(wanted, &before, after.is_none(), confirm)?;
        // Between this look and the write nothing can be locked; whoever is seen in between has priority.
        if self.read().await? != text {
            let reason = "the bucket's policy was changed by somebody else meanwhile".to_owned();
            return Err(refused(reason, "nothing was changed; run it again to see what the policy is now"));
        }
        self.bucket.set_policy(after.as_deref()).await.map_err(|error| self.denied(error))?;
        self.read_back(wanted, &before).await
    }

    async fn read_back(&self, wanted: Option<&Policy>, before: &Attached) -> Result<PolicyChanged> {
        let now = Attached::read(self.read().await?.as_deref()).map_err(unusable)?;
        let as_meant = wanted.map_or_else(|| now.sids().is_empty(), |wanted| now.holds(wanted));
        if !as_meant || !now.keeps_others_of(before) {
            let bucket = self.bucket.name();
            return Err(anyhow!(
                "the policy that was read back is not the one that was written; somebody else may have changed it at the same \
                 time\n  look at it: aws s3api get-bucket-policy --bucket {bucket}"
            ));
        }
        let attached = now.sids();
        let gone = before.sids().into_iter().filter(|sid| !attached.contains(sid)).collect();
        Ok(self.changed(&now, attached, gone))
    }

    fn changed(&self, policy: &Attached, attached: Vec<String>, detached: Vec<String>) -> PolicyChanged {
        PolicyChanged { bucket: self.bucket.name().to_owned(), attached, detached, kept: policy.others() }
    }

    fn confirm(
        &self,
        wanted: Option<&Policy>,
        before: &Attached,
        deletes_policy: bool,
        confirm: &ConfirmPolicy<'_>,
    ) -> Result<()> {
        let shown = wanted.map(|wanted| serde_json::to_string_pretty(&wanted.statement)).transpose();
        let asked = PolicyConfirmation {
            bucket: self.bucket.name().to_owned(),
            statements: shown.context("failed to write the statements as JSON")?.unwrap_or_default(),
            goes: before.sids(),
            kept: before.others(),
            deletes_policy,
        };
        if self.options.yes || confirm(&asked)? {
            return Ok(());
        }
        let hint = "nothing was changed; run it again and type the bucket's name, or give --yes";
        Err(refused("the change of the policy was not confirmed".to_owned(), hint))
    }

    async fn read(&self) -> Result<Option<String>> {
        self.bucket.policy().await.map_err(|error| self.denied(error))
    }

    /// Only the owner of a bucket sees and changes its policy; others are told 403 or 405 (AWS: "GetBucketPolicy").
    fn denied(&self, error: StoreError) -> anyhow::Error {
        let error = of_profile(error, &self.config.source);
        if error.kind != StoreErrorKind::Forbidden && !error.message.contains("MethodNotAllowed") {
            return usage(error);
        }
        let hint = "run it as the owner of the legacy bucket (--source-profile), with s3:GetBucketPolicy, s3:PutBucketPolicy \
                    and s3:DeleteBucketPolicy";
        Failure::Usage { message: error.to_string(), hint: hint.to_owned() }.into()
    }
}

fn unusable(error: AttachError) -> anyhow::Error {
    let hint = "change it by hand, with what avatarMigrate policy --for copy --only source-bucket prints";
    refused(error.to_string(), hint)
}

fn nobody(why: &str) -> anyhow::Error {
    let message = format!("it is not known whom to let in: {why}");
    let hint = "name the user or the role that copies: --principal arn:aws:iam::ACCOUNT:role/NAME".to_owned();
    Failure::Usage { message, hint }.into()
}
