//! The judgement: what the twins of a place are to each other, and what that means for each row.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::Listed;
use super::item::{RowItem, RowKind};
use super::objects::head;
use crate::check::{Checker, Compared, Deletable, VerifiedCopy, proved_by_ledger, settled, superseded};
use crate::config::CheckMode;
use crate::database::{Decisions, LedgerObject};
use crate::finding::{Finding, Proof, Status};
use crate::path::ObjectKey;
use crate::store::{Moment, ObjectInfo, ReadObjects, StoreError};

/// How often twins that change while they are read are looked at again.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(200);

/// What meets at one place: the twins as listed, some of their rows, and what the ledger knows.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) source_key: ObjectKey,
    pub(super) target_key: ObjectKey,
    pub(super) source: Option<ObjectInfo>,
    pub(super) target: Option<ObjectInfo>,
    pub(super) listed: Listed,
    /// When source and target were as listed, where an inventory says so.
    pub(super) as_of: (Option<Moment>, Option<Moment>),
    pub(super) recorded: Option<LedgerObject>,
    pub(super) rows: Vec<RowItem>,
    /// The same for all groups of a place: the twins are judged once.
    pub(super) verdict: Arc<OnceCell<Verdict>>,
    /// Whether this is the first group of its place.
    pub(super) first: bool,
}

/// What the twins are to each other.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) source: Option<ObjectInfo>,
    pub(super) target: Option<ObjectInfo>,
    pub(super) twins: Twins,
    /// When that was so, if nobody has looked since.
    as_of: Option<Moment>,
}

#[derive(Debug)]
pub(super) enum Twins {
    /// The same bytes: evidence that the source can go.
    Same(Deletable, Proof, Option<String>),
    /// The source is gone; the ledger proves that the target is its checked copy.
    Recorded(VerifiedCopy),
    /// Other bytes in the target, newer than the migration: evidence that the source is old.
    Superseded(Deletable),
    /// Other bytes in the target, which a person has decided to keep: who and when.
    Settled(Deletable, String),
    /// Other bytes in the target: the source was written after it was copied.
    SourceChanged(String),
    /// Other bytes in the target, which nothing explains.
    Differ(String),
    /// Both exist, but they could not be compared, for this reason.
    Unjudged(String),
    /// Only the legacy object exists.
    SourceOnly,
    /// Only the production object exists, and nothing proves where it came from.
    TargetOnly,
    /// Neither exists.
    Neither,
}

/// Judges the twins of a group; listings that show nothing are checked by HEAD where absence would matter, and what inventories
/// show is looked at wherever it is more than twins with equal ETags.
pub(super) async fn judge<R: ReadObjects>(
    (source, target): (&R, &R),
    mode: CheckMode,
    group: &Group,
    decisions: &Decisions,
) -> Result<Verdict, StoreError> {
    let legacy =
        group.rows.iter().any(|row| matches!(row.kind, RowKind::Legacy | RowKind::Clashing | RowKind::Unlisted));
    let modern = group.rows.iter().any(|row| row.kind == RowKind::Modern);
    let recorded = group.recorded.as_ref();
    let was_copied = recorded.is_some_and(|recorded| recorded.proof.is_some());
    let checker = Checker::new(source, target, mode);
    if modern
        && !legacy
        && mode == CheckMode::Auto
        && let Some(verdict) = by_inventory(&checker, group).await?
    {
        return Ok(verdict);
    }
    let mut twins = (group.source.clone(), group.target.clone());
    // A line of an inventory is a candidate; nothing in it or in a listing is no proof of absence.
    let look_at_source = if twins.0.is_some() { group.as_of.0.is_some() } else { legacy };
    if look_at_source {
        twins.0 = head(source, &group.source_key).await?;
    }
    let unseen = || modern || was_copied || if twins.0.is_some() { group.as_of.1.is_some() } else { legacy };
    let look_at_target = if twins.1.is_some() { group.as_of.1.is_some() } else { unseen() };
    if look_at_target {
        twins.1 = head(target, &group.target_key).await?;
    }
    for _ in 0..ATTEMPTS {
        let (Some(ours), Some(theirs)) = &twins else { break };
        match checker.compare(ours, theirs, None).await {
            Ok(Compared::Same(copy)) => return Ok(verdict(twins.0, twins.1, same(copy))),
            Ok(Compared::Different(how)) => {
                let decided = decisions.of(&group.source_key).and_then(|decision| settled(decision, ours, theirs));
                let twin = match decided {
                    Some(settled) => {
                        let decided = settled.decided().to_owned();
                        Twins::Settled(Deletable::Superseded(settled.superseded()), decided)
                    }
                    None => differing(ours, theirs, recorded, how),
                };
                return Ok(verdict(twins.0, twins.1, twin));
            }
            Ok(Compared::Moved) => {
                tokio::time::sleep(PAUSE).await;
                twins =
                    futures::future::try_join(head(source, &group.source_key), head(target, &group.target_key)).await?;
            }
            Err(error) if error.kind.is_of_one_object() => {
                return Ok(verdict(twins.0, twins.1, Twins::Unjudged(error.to_string())));
            }
            // The next object would fare no better: a report full of such lines would only hide the reason.
            Err(error) => return Err(error),
        }
    }
    let twin = match (&twins.0, &twins.1) {
        (Some(_), Some(_)) => Twins::Unjudged("one of the two changes all the time".to_owned()),
        (Some(_), None) => Twins::SourceOnly,
        (None, Some(target)) => match recorded.and_then(|recorded| proved_by_ledger(recorded, target)) {
            Some(copy) => Twins::Recorded(copy),
            None => Twins::TargetOnly,
        },
        (None, None) => Twins::Neither,
    };
    Ok(verdict(twins.0, twins.1, twin))
}

/// Twins that were equal by their ETags when an inventory was made: nothing is asked.
async fn by_inventory<R: ReadObjects>(checker: &Checker<'_, R>, group: &Group) -> Result<Option<Verdict>, StoreError> {
    let as_of = [group.as_of.0, group.as_of.1].into_iter().flatten().min();
    let (Some(as_of), Some(ours), Some(theirs)) = (as_of, &group.source, &group.target) else { return Ok(None) };
    if ours.etag != theirs.etag || !ours.etag.is_single_part() {
        return Ok(None);
    }
    let Compared::Same(copy) = checker.compare(ours, theirs, None).await? else { return Ok(None) };
    let verdict = verdict(group.source.clone(), group.target.clone(), same(copy));
    Ok(Some(Verdict { as_of: Some(as_of), ..verdict }))
}

fn verdict(source: Option<ObjectInfo>, target: Option<ObjectInfo>, twins: Twins) -> Verdict {
    Verdict { source, target, twins, as_of: None }
}

fn same(copy: VerifiedCopy) -> Twins {
    let (proof, sha256) = (copy.proof(), copy.sha256().map(str::to_owned));
    Twins::Same(Deletable::Twin(copy), proof, sha256)
}

fn differing(source: &ObjectInfo, target: &ObjectInfo, recorded: Option<&LedgerObject>, how: String) -> Twins {
    if let Some(old) = superseded(source, target, recorded) {
        return Twins::Superseded(Deletable::Superseded(old));
    }
    let changed = match recorded.and_then(|recorded| recorded.source_etag.as_ref()) {
        Some(etag) => *etag != source.etag,
        None => source.modified_ms > target.modified_ms,
    };
    if changed { Twins::SourceChanged(how) } else { Twins::Differ(how) }
}

impl Verdict {
    /// The finding for a row; `None` for one that gets no line.
    pub(super) fn of_row(&self, row: &RowItem, recorded: Option<&LedgerObject>) -> Option<Finding> {
        let (status, detail) = match row.kind {
            RowKind::Silent => return None,
            RowKind::Unlisted => (
                Status::UnlistedReference,
                "a legacy path in a column that --reference leaves out: add it, or exclude it with --exclude-reference"
                    .to_owned(),
            ),
            RowKind::Clashing => (
                Status::RowConflict,
                "another row already holds the new path in a unique key: merge or delete one of the two".to_owned(),
            ),
            RowKind::Legacy => self.of_legacy_row(recorded),
            RowKind::Modern => self.of_modern_row(),
        };
        let mut finding = self.finding(status, &detail);
        finding.legacy_path = Some(row.legacy_path.clone());
        finding.modern_path = Some(row.modern_path.clone());
        Some(finding)
    }

    fn of_legacy_row(&self, recorded: Option<&LedgerObject>) -> (Status, String) {
        let movable = |detail: &str| (Status::Legacy, detail.to_owned());
        match &self.twins {
            Twins::Same(..) => movable("copied and checked; the row has not moved yet: run copy"),
            Twins::SourceOnly => movable("not copied yet: run copy"),
            Twins::Settled(_, decided) => movable(&format!("{decided}: run copy")),
            Twins::Recorded(_) => movable("the source was moved before; the row was written later: run copy"),
            Twins::Unjudged(why) => movable(&format!("could not be compared: {why}")),
            Twins::Superseded(_) | Twins::SourceChanged(_) | Twins::Differ(_) if self.is_own_stale_copy(recorded) => {
                movable("the source changed after it was copied: run copy, which replaces its own copy")
            }
            Twins::Superseded(_) => (Status::Conflict, conflict("the two hold other bytes")),
            Twins::SourceChanged(how) | Twins::Differ(how) => (Status::Conflict, conflict(how)),
            Twins::TargetOnly => (
                Status::MissingSource,
                "the source does not exist; the target does, but nothing proves that it is a copy".to_owned(),
            ),
            Twins::Neither => (
                Status::MissingSource,
                "the row names an object that exists in neither bucket: restore it, or correct the row".to_owned(),
            ),
        }
    }

    fn is_own_stale_copy(&self, recorded: Option<&LedgerObject>) -> bool {
        let (Some(recorded), Some(source), Some(target)) = (recorded, &self.source, &self.target) else { return false };
        recorded.own_copy
            && recorded.target_etag.as_ref() == Some(&target.etag)
            && recorded.source_etag.as_ref().is_some_and(|etag| *etag != source.etag)
    }

    fn of_modern_row(&self) -> (Status, String) {
        match &self.twins {
            Twins::Same(..) => match self.as_of {
                None => (Status::Migrated, "resolves; the source is still there".to_owned()),
                Some(as_of) => {
                    (Status::Migrated, format!("resolved as of the inventory of {as_of}; the source was still there"))
                }
            },
            Twins::Recorded(_) => (Status::Migrated, "resolves; the source is gone".to_owned()),
            Twins::TargetOnly => (Status::Migrated, "resolves; there is no source to compare with".to_owned()),
            Twins::Superseded(_) => {
                (Status::Superseded, "the application replaced the picture in production since: fine".to_owned())
            }
            Twins::Settled(_, decided) => (Status::Superseded, format!("{decided}; the source is kept")),
            Twins::SourceChanged(how) => {
                (Status::SourceChanged, format!("the source was written after it was copied ({how}): {DECIDE}"))
            }
            Twins::Differ(how) => (Status::Mismatch, format!("the target is no copy of the source ({how}): {DECIDE}")),
            Twins::Unjudged(why) => (Status::Mismatch, format!("could not be compared: {why}")),
            Twins::SourceOnly => (
                Status::MissingTarget,
                "the picture is broken: the target does not exist, but the source does".to_owned(),
            ),
            Twins::Neither => {
                (Status::MissingTarget, "the picture is broken: the object exists in neither bucket".to_owned())
            }
        }
    }

    /// The finding for an object of the legacy bucket that no row names; `None` if there is none.
    pub(super) fn of_orphan(&self, recorded: Option<&LedgerObject>) -> Option<Finding> {
        self.source.as_ref()?;
        // Also of an object that a killed run has planned again: a proof was recorded, so that a checked copy existed.
        let copied_before = recorded.is_some_and(|recorded| recorded.proof.is_some());
        let (status, detail) = match &self.twins {
            Twins::SourceOnly if copied_before => (
                Status::DeletedByApplication,
                "no row names it, and the application deleted its checked copy: kept, not copied again".to_owned(),
            ),
            Twins::SourceOnly => (Status::Orphan, "no row names it: finalize copies it first".to_owned()),
            Twins::Same(..) => (Status::Orphan, "no row names it; its copy is in production".to_owned()),
            Twins::Superseded(_) | Twins::Settled(..) | Twins::SourceChanged(_) | Twins::Differ(_) => {
                (Status::Orphan, "no row names it, and the target holds other bytes: kept".to_owned())
            }
            Twins::Unjudged(why) => (Status::Orphan, format!("no row names it; could not be compared: {why}")),
            Twins::Recorded(_) | Twins::TargetOnly | Twins::Neither => return None,
        };
        Some(self.finding(status, &detail))
    }

    fn finding(&self, status: Status, detail: &str) -> Finding {
        let mut finding = Finding::new(status, detail);
        let (proof, sha256) = match &self.twins {
            Twins::Same(_, proof, sha256) => (Some(*proof), sha256.clone()),
            Twins::Recorded(copy) => (Some(copy.proof()), copy.sha256().map(str::to_owned)),
            Twins::Superseded(_)
            | Twins::Settled(..)
            | Twins::SourceChanged(_)
            | Twins::Differ(_)
            | Twins::Unjudged(_)
            | Twins::SourceOnly
            | Twins::TargetOnly
            | Twins::Neither => (None, None),
        };
        (finding.proof, finding.sha256) = (proof, sha256);
        finding.size = self.target.as_ref().or(self.source.as_ref()).map(|object| object.size);
        finding.source_etag = self.source.as_ref().map(|object| object.etag.clone());
        finding.target_etag = self.target.as_ref().map(|object| object.etag.clone());
        finding
    }
}

/// What a person has to do about twins that differ.
const DECIDE: &str = "decide which of the two to keep (avatarMigrate resolve KEY --keep source|target)";

fn conflict(how: &str) -> String {
    format!("the target holds other bytes and is never overwritten ({how}): {DECIDE}")
}
