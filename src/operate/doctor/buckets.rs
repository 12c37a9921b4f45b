//! The lines about the two buckets.

use super::{Check, Side};
use crate::report::text::counted;
use crate::store::{
    CopyChecksum, CopyConditions, DeleteMode, LifecycleHit, ListTrial, ObjectInfo, StoreError, StoreErrorKind,
    Versioning,
};

/// S3 refuses requests that are signed more than 15 minutes off.
const CLOCK_SECONDS_MAX: i64 = 600;
/// Below this a clock is right.
const CLOCK_SECONDS_GOOD: i64 = 60;

/// Whether the bucket is there and may be listed; credentials, endpoint and region show here first.
#[must_use]
pub fn reached(side: Side, prefixes: &[&str], error: Option<&StoreError>) -> Check {
    match error {
        None => Check::pass("reach", side, format!("listed below {}", prefixes.join(", "))),
        Some(error) => Check::fail("reach", side, error.to_string(), advice(error)),
    }
}

/// Whether an object can be read; one that is there, if there is any.
#[must_use]
pub fn readable(side: Side, read: &Result<Option<ObjectInfo>, StoreError>) -> Check {
    match read {
        Ok(Some(object)) => Check::pass("read", side, format!("read {}", object.key)),
        Ok(None) => Check::pass("read", side, "no object is there to read"),
        Err(error) => Check::fail("read", side, error.to_string(), advice(error)),
    }
}

/// Whether a scratch object can be written and removed.
#[must_use]
pub fn writable(side: Side, written: &Result<(), StoreError>) -> Check {
    match written {
        Ok(()) => Check::pass("write and delete", side, "a scratch object was written and removed"),
        Err(error) => {
            let permissions =
                "grant s3:PutObject, s3:GetObject and s3:DeleteObject on .avatar-migrate/*; see README, Privileges";
            let advice = if error.kind == StoreErrorKind::Forbidden { permissions.to_owned() } else { advice(error) };
            Check::fail("write and delete", side, error.to_string(), advice)
        }
    }
}

/// A trial that needs scratch objects, which cannot be written.
#[must_use]
pub fn not_tried(name: &'static str, side: Side) -> Check {
    Check::warn(name, side, "unknown: not tried without a scratch object", "make `write and delete` pass first")
}

/// Which conditions on copies hold.
#[must_use]
pub fn copy_conditions(tried: &Result<CopyConditions, StoreError>) -> Check {
    let (name, side) = ("copy conditions", Side::Target);
    match tried {
        Ok(conditions) if conditions.shortcomings().is_empty() => {
            Check::pass(name, side, "a copy never overwrites, and a source that changed is refused")
        }
        Ok(conditions) => {
            let advice = "copy does this by itself; let nothing else write below the modern prefix while it runs";
            Check::warn(name, side, conditions.shortcomings().join("; "), advice)
        }
        Err(error) => Check::fail(name, side, error.to_string(), advice(error)),
    }
}

/// How finalize can delete on condition; `None` where the server ignores conditions.
pub type Conditional = Option<DeleteMode>;

/// Whether deletes can be conditional.
#[must_use]
pub fn conditional_delete(tried: &Result<Conditional, StoreError>) -> Check {
    let (name, side) = ("conditional delete", Side::Source);
    match tried {
        Ok(Some(DeleteMode::Batch)) => Check::pass(name, side, "honoured, also for each key of a batch of 1,000"),
        Ok(Some(DeleteMode::Single | DeleteMode::Compare)) => {
            Check::pass(name, side, "honoured for single deletes, not in batches: finalize deletes one by one")
        }
        Ok(None) => Check::fail(
            name,
            side,
            "the server ignores conditions on deletes: finalize refuses",
            "stop writers to the legacy bucket before finalize, and give it --unconditional-delete",
        ),
        Err(error) => Check::fail(name, side, error.to_string(), advice(error)),
    }
}

/// Whether listings are complete and in order.
#[must_use]
pub fn listing(side: Side, tried: &Result<ListTrial, StoreError>) -> Check {
    let name = "listing";
    let trial = match tried {
        Ok(trial) => trial,
        Err(error) => return Check::fail(name, side, error.to_string(), advice(error)),
    };
    if !trial.etags {
        let advice = "do not migrate from or to this server: every comparison begins with the ETags that are listed";
        return Check::fail(name, side, "objects are listed without their ETags", advice);
    }
    let lost: Vec<String> = trial.lost.iter().map(|name| format!("`{name}`")).collect();
    let lost = lost.join(", ");
    let order = "keys are not listed in byte order";
    match (trial.ordered, lost.is_empty()) {
        (true, true) => Check::pass(name, side, "complete and in byte order, across pages"),
        (false, true) => {
            Check::warn(name, side, order, "nothing to do: what a listing seems to lack is asked for key by key")
        }
        (ordered, false) => {
            let keys = format!("keys like {lost} are not kept as written");
            let found = if ordered { keys } else { format!("{keys}; {order}") };
            let advice =
                "look whether paths with such names exist: their objects are reported as missing, or as another's";
            Check::warn(name, side, found, advice)
        }
    }
}

/// What the server says of the content of a copy.
#[must_use]
pub fn checksum(tried: &Result<CopyChecksum, StoreError>) -> Check {
    let (name, side) = ("copy checksum", Side::Target);
    match tried {
        Ok(CopyChecksum::Right) => Check::pass(name, side, "the server computes the SHA-256 of a copy"),
        Ok(CopyChecksum::None) => {
            Check::pass(name, side, "none is given: copies are checked by ETag, else by their bytes")
        }
        Ok(CopyChecksum::Wrong) => Check::fail(
            name,
            side,
            "the SHA-256 that the server gives for a copy is not that of its content",
            "do not migrate to this server: it does not know what it stores, and good copies would be called conflicts",
        ),
        Err(error) => Check::fail(name, side, error.to_string(), advice(error)),
    }
}

/// What a delete or an overwrite leaves behind.
#[must_use]
pub fn versioning(side: Side, asked: &Result<Versioning, StoreError>) -> Check {
    let name = "versioning";
    match (asked, side) {
        (Ok(Versioning::Off), Side::Source) => Check::pass(name, side, "off: what finalize deletes is gone for good"),
        (Ok(Versioning::Off), Side::Target | Side::Database | Side::Machine) => Check::pass(name, side, "off"),
        (Ok(Versioning::Enabled), _) => {
            Check::pass(name, side, "on: a delete only adds a marker; versions stay, and are paid for")
        }
        (Ok(Versioning::Suspended), _) => Check::warn(
            name,
            side,
            "suspended: a delete removes an object written since, and only hides older ones",
            "decide whether old versions are to stay; the program never deletes versions",
        ),
        (Err(error), _) => unknown(name, side, error, "s3:GetBucketVersioning"),
    }
}

/// Whether objects are locked against deletion.
#[must_use]
pub fn object_lock(side: Side, asked: &Result<Option<String>, StoreError>) -> Check {
    let name = "object lock";
    match asked {
        Ok(None) => Check::pass(name, side, "off"),
        Ok(Some(retention)) => Check::warn(
            name,
            side,
            format!("object lock: {retention}"),
            "locked versions stay after a delete, scratch objects of this program too, until their retention ends",
        ),
        Err(error) => unknown(name, side, error, "s3:GetBucketObjectLockConfiguration"),
    }
}

/// Whether the bucket deletes or moves objects by itself.
#[must_use]
pub fn lifecycle(side: Side, prefixes: &[&str], asked: &Result<Vec<LifecycleHit>, StoreError>) -> Check {
    let name = "lifecycle";
    let hits = match asked {
        Ok(hits) => hits,
        Err(error) => return unknown(name, side, error, "s3:GetLifecycleConfiguration"),
    };
    let below = prefixes.join(", ");
    if hits.is_empty() {
        return Check::pass(name, side, format!("no rule touches {below}"));
    }
    let rules: Vec<String> = hits.iter().map(ToString::to_string).collect();
    let found = format!("below {below}: {}", rules.join("; "));
    let deletes = hits.iter().any(|hit| hit.deletes);
    match (side, deletes) {
        (Side::Target, true) => {
            Check::fail(name, side, found, "take the rule away: it would delete the pictures that rows point at")
        }
        (Side::Source | Side::Database | Side::Machine, true) => {
            Check::warn(name, side, found, "take the rule away until all is copied: what it deletes first is lost")
        }
        (_, false) => Check::warn(name, side, found, "archived objects must be restored before they can be copied"),
    }
}

/// Whether both names stand for one bucket; `overlap` says whether the key prefixes of the two sides overlap.
#[must_use]
pub fn same_bucket(asked: &Result<bool, StoreError>, overlap: bool) -> Check {
    let (name, side) = ("two buckets", Side::Target);
    match (asked, overlap) {
        (Ok(false), _) => Check::pass(name, side, "source and target are two buckets"),
        (Ok(true), false) => Check::warn(
            name,
            side,
            "source and target are one bucket; their prefixes do not overlap",
            "nothing to do, if that is meant",
        ),
        (Ok(true), true) => Check::fail(
            name,
            side,
            "source and target are one bucket, and their prefixes overlap: finalize would delete what rows point at",
            "name two buckets, or prefixes of which none begins with another",
        ),
        (Err(error), _) => Check::warn(name, side, format!("unknown: {error}"), advice(error)),
    }
}

/// The server's clock against this machine's.
#[must_use]
pub fn clock(side: Side, ahead_seconds: Option<i64>) -> Check {
    let name = "clock";
    let Some(ahead) = ahead_seconds else {
        return Check::warn(name, side, "unknown: the server gives no date", "compare its clock with this machine's");
    };
    let apart = counted(ahead.unsigned_abs(), "second", "seconds");
    let found = format!("the server's clock and this machine's are {apart} apart");
    if ahead.abs() <= CLOCK_SECONDS_GOOD {
        return Check::pass(name, side, "right to the minute");
    }
    let advice = "set the clock (NTP): S3 refuses requests that are 15 minutes off";
    if ahead.abs() <= CLOCK_SECONDS_MAX {
        Check::warn(name, side, found, advice)
    } else {
        Check::fail(name, side, found, advice)
    }
}

pub(super) fn unknown(name: &'static str, side: Side, error: &StoreError, permission: &str) -> Check {
    let advice = match error.kind {
        StoreErrorKind::Forbidden => format!("grant {permission}, or look it up yourself"),
        StoreErrorKind::NoSuchBucket
        | StoreErrorKind::Credentials
        | StoreErrorKind::Archived
        | StoreErrorKind::Throttled
        | StoreErrorKind::Unreachable
        | StoreErrorKind::Other => "look it up yourself".to_owned(),
    };
    Check::warn(name, side, format!("unknown: {error}"), advice)
}

fn advice(error: &StoreError) -> String {
    error.advice().unwrap_or_else(|| "run doctor again later".to_owned())
}
