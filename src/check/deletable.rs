//! Evidence that a source is needed no more: its twin holds the same bytes, or replaces it.

use super::VerifiedCopy;
use crate::database::{Decision, LedgerObject};
use crate::path::{ETag, ObjectKey};
use crate::store::{DeleteItem, ObjectInfo};

/// Evidence that a source is needed no more.
#[derive(Debug)]
#[must_use]
pub enum Deletable {
    /// Its twin in production holds the same bytes.
    Twin(VerifiedCopy),
    /// The application has replaced its twin in production since: the source is the old picture.
    Superseded(Superseded),
}

impl Deletable {
    /// What to delete, on the condition that it is still what was compared; `None` if the source is gone already.
    #[must_use]
    pub fn item(&self) -> Option<DeleteItem> {
        let (key, etag) = match self {
            Self::Twin(copy) => (&copy.source, copy.source_etag.as_ref()?),
            Self::Superseded(old) => (&old.source, &old.source_etag),
        };
        Some(DeleteItem { key: key.clone(), etag: etag.clone() })
    }

    /// The checked copy, if that is the evidence.
    #[must_use]
    pub fn into_copy(self) -> Option<VerifiedCopy> {
        match self {
            Self::Twin(copy) => Some(copy),
            Self::Superseded(_) => None,
        }
    }

    /// The key of the object in production that takes its place.
    #[must_use]
    pub fn target(&self) -> &ObjectKey {
        match self {
            Self::Twin(copy) => &copy.target,
            Self::Superseded(old) => &old.target,
        }
    }

    /// Whether both objects are as they were when they were compared; `None` stands for one that does not exist.
    #[must_use]
    pub fn still_holds(&self, source: Option<&ObjectInfo>, target: Option<&ObjectInfo>) -> bool {
        let (source_etag, target_etag) = match self {
            Self::Twin(copy) => (copy.source_etag.as_ref(), &copy.target_etag),
            Self::Superseded(old) => (Some(&old.source_etag), &old.target_etag),
        };
        source.map(|object| &object.etag) == source_etag && target.is_some_and(|object| object.etag == *target_etag)
    }
}

/// Evidence that the application replaced the production object after the migration: made by [`superseded`] alone.
#[derive(Debug)]
#[must_use]
pub struct Superseded {
    pub(super) source: ObjectKey,
    pub(super) source_etag: ETag,
    pub(super) target: ObjectKey,
    pub(super) target_etag: ETag,
}

impl Superseded {
    fn of(source: &ObjectInfo, target: &ObjectInfo) -> Self {
        let (source_etag, target_etag) = (source.etag.clone(), target.etag.clone());
        Self { source: source.key.clone(), source_etag, target: target.key.clone(), target_etag }
    }
}

/// Whether a differing target is newer than what the migration put there. The ledger tells exactly (the live target is
/// not the one that was checked, but the live source is: had both been written since, the source may be the newer one);
/// without it the newer of the two writes wins.
#[must_use]
pub fn superseded(source: &ObjectInfo, target: &ObjectInfo, recorded: Option<&LedgerObject>) -> Option<Superseded> {
    let checked = recorded.filter(|recorded| recorded.proof.is_some());
    let replaced =
        match checked.and_then(|recorded| Some((recorded.source_etag.as_ref(), recorded.target_etag.as_ref()?))) {
            Some((copied, checked)) => *checked != target.etag && copied == Some(&source.etag),
            None => target.modified_ms > source.modified_ms,
        };
    replaced.then(|| Superseded::of(source, target))
}

/// Evidence that a person has decided for the target, and that both objects are still those that were decided about. Made
/// by [`settled`] alone. It proves no equal content.
#[derive(Debug)]
#[must_use]
pub struct Settled {
    pub(super) source: ObjectInfo,
    pub(super) target: ObjectInfo,
    pub(super) decided: String,
}

impl Settled {
    /// Who has decided what and when, as a sentence.
    #[must_use]
    pub fn decided(&self) -> &str {
        &self.decided
    }

    /// What it means of a modern row: the source is the old picture.
    pub fn superseded(self) -> Superseded {
        Superseded::of(&self.source, &self.target)
    }
}

/// Whether a recorded decision is about these two, live as they are now.
#[must_use]
pub fn settled(decision: &Decision, source: &ObjectInfo, target: &ObjectInfo) -> Option<Settled> {
    let same = decision.source_etag == source.etag && decision.target_etag == target.etag;
    let decided = format!("{} decided on {} UTC to keep the target (resolve)", decision.by, decision.at);
    same.then(|| Settled { source: source.clone(), target: target.clone(), decided })
}
