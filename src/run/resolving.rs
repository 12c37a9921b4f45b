//! `resolve`: a person settles twins that differ, on the record: the source's bytes replace the target, or the target stays.
//!
//! The target is replaced only where the endpoint was seen to heed `If-Match`, only while it is the one that was shown, and
//! only after its bytes were put aside and checked.

use anyhow::{Result, anyhow};
use sha2::{Digest, Sha256};
use tracing::Instrument;

use super::{Meter, Session, refused, sign_off, span, try_conditions};
use crate::check::{Checker, Compared, OwnCopy, VerifiedCopy, VerifiedObjects};
use crate::config::{Keep, Method, ResolveOptions};
use crate::database::{Ledger, LedgerName, RunLock};
use crate::failure::{Exit, Failure};
use crate::path::ObjectKey;
use crate::report::summary::{ResolveSummary, ResolvedObject};
use crate::report::text::printable;
use crate::store::{
    Bucket, Copier, CopyEnd, CopyGuard, CopyObjects, ObjectInfo, PUT_ASIDE, ReadObjects, Scratch, Streamer,
};

/// What is about to be settled: what a person confirms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolveConfirmation {
    /// The legacy object.
    pub source: ResolvedObject,
    /// The production object.
    pub target: ResolvedObject,
    /// Which of them stays.
    pub keep: Keep,
    /// How they differ.
    pub how: String,
    /// Where the target's bytes are put aside, if they are replaced.
    pub saved_as: Option<String>,
}

/// Asks a person; `Ok(false)` is a no.
pub type ConfirmResolve<'a> = dyn Fn(&ResolveConfirmation) -> Result<bool> + Sync + 'a;

/// Runs `resolve`.
///
/// # Errors
/// What keeps the command from going on; [`Failure::Refused`] where there is nothing to settle.
pub async fn resolve(
    session: &Session,
    options: &ResolveOptions,
    confirm: &ConfirmResolve<'_>,
) -> Result<(ResolveSummary, Exit)> {
    let sizes = session.part_sizes();
    let (source, target) = (session.stores.source.clone(), session.stores.target.clone());
    match session.config.method {
        Method::Copy | Method::Sync => {
            let inside = Copier::new(target.clone(), target.clone(), sizes);
            run(session, options, confirm, (&Copier::new(source, target, sizes), &inside)).await
        }
        Method::Stream => {
            let inside = Streamer::new(target.clone(), target.clone(), sizes);
            run(session, options, confirm, (&Streamer::new(source, target, sizes), &inside)).await
        }
    }
}

/// `inside` copies inside the production bucket, as `copier` does between the two.
async fn run<C: CopyObjects>(
    session: &Session,
    options: &ResolveOptions,
    confirm: &ConfirmResolve<'_>,
    (copier, inside): (&C, &C),
) -> Result<(ResolveSummary, Exit)> {
    let meter = session.meter();
    let keys = keys(session, &options.key)?;
    let (database, config) = (&session.database, &session.config);
    let name = LedgerName::new(&config.ledger_schema);
    let mut lock = RunLock::take(database, &name, config.lock_wait).await?;
    let ledger = Ledger::open(database, &mut lock, config, "resolve", session.activity()).await?;
    let resolving = Resolving { session, options, copier, inside, lock: &lock, ledger: &ledger, meter };
    let ended = resolving.steps(keys, confirm).instrument(span("resolve", &ledger)).await;
    Ok((sign_off(ended, |_| Exit::Clean, ledger, lock).await?, Exit::Clean))
}

/// Source and target key of what was named.
fn keys(session: &Session, named: &str) -> Result<(ObjectKey, ObjectKey)> {
    session.config.mappings.twins_named(named).ok_or_else(|| {
        let message = format!("`{named}` is neither a key of an object that is in scope nor a path of one");
        let hint = "give the source_key of a report's line, or the path as the row holds it".to_owned();
        Failure::Usage { message, hint }.into()
    })
}

struct Resolving<'a, C> {
    session: &'a Session,
    options: &'a ResolveOptions,
    copier: &'a C,
    inside: &'a C,
    lock: &'a RunLock,
    ledger: &'a Ledger,
    meter: Meter,
}

impl<C: CopyObjects> Resolving<'_, C> {
    async fn steps(&self, keys: (ObjectKey, ObjectKey), confirm: &ConfirmResolve<'_>) -> Result<ResolveSummary> {
        let (source, target, how) = self.differing(&keys).await?;
        let saved_as = match self.options.keep {
            Keep::Source => Some(self.safe_key(&target.key)?),
            Keep::Target => None,
        };
        let asked = ResolveConfirmation {
            source: ResolvedObject::of(&source),
            target: ResolvedObject::of(&target),
            keep: self.options.keep,
            how,
            saved_as: saved_as.as_ref().map(ToString::to_string),
        };
        if !self.options.yes && !confirm(&asked)? {
            let hint = "nothing was changed; run it again and type the answer, or give --yes";
            return Err(refused("the decision was not confirmed".to_owned(), hint));
        }
        match &saved_as {
            Some(saved_as) => self.keep_source(&source, &target, saved_as).await?,
            None => self.keep_target(&source, &target).await?,
        }
        Ok(ResolveSummary {
            run: self.ledger.run(),
            kept: self.options.keep.word().to_owned(),
            source: asked.source,
            target: asked.target,
            saved_as: asked.saved_as,
            requests: self.meter.requests(self.session),
            elapsed: self.meter.elapsed(),
        })
    }

    fn buckets(&self) -> (&Bucket, &Bucket) {
        (&self.session.stores.source, &self.session.stores.target)
    }

    /// Both objects as they are now, and how they differ.
    async fn differing(&self, (source, target): &(ObjectKey, ObjectKey)) -> Result<(ObjectInfo, ObjectInfo, String)> {
        let (from, to) = self.buckets();
        let (ours, theirs) = futures::future::try_join(from.head(source), to.head(target)).await?;
        let missing =
            |what: &str, bucket: &str, hint: &str| refused(format!("{what} does not exist in {bucket}"), hint);
        let Some(ours) = ours else {
            let hint = "there is nothing to choose from: restore the object, or correct the rows";
            return Err(missing(source.as_str(), &self.session.config.source.bucket, hint));
        };
        let Some(theirs) = theirs else {
            let hint = "there is nothing in its way: run copy";
            return Err(missing(target.as_str(), &self.session.config.target.bucket, hint));
        };
        match Checker::new(from, to, self.session.config.check).compare(&ours.info, &theirs.info, None).await? {
            Compared::Same(_) => {
                let reason = format!("{source} and {target} hold the same bytes: there is nothing to settle");
                Err(refused(reason, "run copy if rows are left"))
            }
            Compared::Different(how) => Ok((ours.info, theirs.info, how)),
            Compared::Moved => Err(changed()),
        }
    }

    /// The ledger carries the decision for as long as both are what was shown.
    async fn keep_target(&self, source: &ObjectInfo, target: &ObjectInfo) -> Result<()> {
        let (from, to) = self.buckets();
        let (ours, theirs) = futures::future::try_join(from.head(&source.key), to.head(&target.key)).await?;
        let same = |now: Option<crate::store::ObjectDetails>, then: &ObjectInfo| {
            now.is_some_and(|now| now.info.etag == then.etag)
        };
        if !same(ours, source) || !same(theirs, target) {
            return Err(changed());
        }
        self.ledger.decide(self.lock, &source.key, (&source.etag, &target.etag)).await
    }

    async fn keep_source(&self, source: &ObjectInfo, target: &ObjectInfo, saved_as: &ObjectKey) -> Result<()> {
        let tried = try_conditions(self.session, self.inside, &Scratch::of_run(self.ledger.run())).await?;
        let conditions = tried.cleared().await?;
        if !conditions.own_copy || !conditions.source {
            let reason =
                "the endpoint ignores conditions on copies, so that an object written in this moment would be lost";
            return Err(refused(
                reason.to_owned(),
                "copy the source over the target by hand while nobody writes to it",
            ));
        }
        let (from, to) = self.buckets();
        let aside = self.copied(self.inside, (to, target), saved_as, &CopyGuard::Absent).await?;
        tracing::info!("put aside as {}", printable(aside.target().as_str()));
        let guard = CopyGuard::OwnCopy(target.etag.clone());
        let copy = self.copied(self.copier, (from, source), &target.key, &guard).await?;
        self.ledger.undecide(self.lock, &source.key).await?;
        VerifiedObjects::without_rows(self.lock).add(self.ledger, vec![(copy, OwnCopy::Ours)]).await
    }

    /// Copies under the guard, and checks what is in the production bucket then: the answer alone proves nothing.
    async fn copied(
        &self,
        copier: &C,
        (bucket, object): (&Bucket, &ObjectInfo),
        to: &ObjectKey,
        guard: &CopyGuard,
    ) -> Result<VerifiedCopy> {
        let target = self.buckets().1;
        let end = copier.copy(object, to, guard).await?;
        let now = target.head(to).await?;
        let Some(now) = now else { return Err(unsettled(&end, to)) };
        match Checker::new(bucket, target, self.session.config.check).compare(object, &now.info, None).await? {
            Compared::Same(copy) => Ok(copy),
            Compared::Different(_) | Compared::Moved => Err(changed()),
        }
    }

    /// Where the bytes that lose are put: below a name of this run, by the key itself if that fits.
    fn safe_key(&self, target: &ObjectKey) -> Result<ObjectKey> {
        let folder = format!("{PUT_ASIDE}{}/", self.ledger.run());
        let named = ObjectKey::new(format!("{folder}{target}"));
        let hashed = || {
            let digest = Sha256::digest(target.as_str().as_bytes());
            ObjectKey::new(format!("{folder}{}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
        };
        Ok(named.or_else(|_| hashed())?)
    }
}

fn changed() -> anyhow::Error {
    refused(
        "one of the two objects changed meanwhile: it is not what was shown".to_owned(),
        "look at both again, and decide anew",
    )
}

fn unsettled(end: &CopyEnd, key: &ObjectKey) -> anyhow::Error {
    match end {
        CopyEnd::MissingSource | CopyEnd::Unsettled => changed(),
        CopyEnd::Copied { .. } => anyhow!("{} was copied but is not there", printable(key.as_str())),
    }
}
