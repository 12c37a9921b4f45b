//! The lines about whose the buckets are: identities, accounts, regions, keys, ACLs, and the policy that lets others in.

use super::{Check, Side};
use crate::report::text::counted;
use crate::store::{Caller, Encryption, Ownership, StoreError, StoreErrorKind};

/// Whose the credentials are.
#[must_use]
pub fn identity(side: Side, asked: &Result<Option<Caller>, StoreError>) -> Check {
    let name = "identity";
    match asked {
        Ok(Some(caller)) => Check::pass(name, side, format!("{} of account {}", caller.arn, caller.account)),
        Ok(None) => Check::pass(name, side, "not asked: the server is not AWS"),
        Err(error) if error.kind == StoreErrorKind::Credentials => {
            let advice = error.advice().unwrap_or_default();
            Check::fail(name, side, error.to_string(), advice)
        }
        Err(error) => Check::warn(
            name,
            side,
            format!("unknown: {error}"),
            "nothing to do, if the token service of AWS (STS) cannot be reached from here and `reach` passes",
        ),
    }
}

/// Whose a bucket is.
#[derive(Clone, Debug)]
pub enum Owner {
    /// The identity's account.
    Own,
    /// Another account, which lets the identity in.
    Other,
    /// The bucket lets nobody look: this is what its policy would have to hold, if it is another account's.
    Refusing(String),
    /// It was not found out.
    Unknown(StoreError),
}

/// Whether the bucket belongs to the account of the identity that uses it.
#[must_use]
pub fn account(side: Side, caller: &Caller, owner: &Owner) -> Check {
    let (name, account) = ("account", &caller.account);
    match owner {
        Owner::Own => Check::pass(name, side, format!("the bucket is of account {account}, as the identity is")),
        Owner::Other => {
            let only = if side == Side::Source { "source-bucket" } else { "target-bucket" };
            let advice = format!(
                "let its owner compare its policy with avatarMigrate policy --for finalize --only {only} --principal {}",
                caller.principal()
            );
            Check::warn(name, side, format!("the bucket is not of account {account}, but lets the identity in"), advice)
        }
        Owner::Refusing(policy) => Check::warn(
            name,
            side,
            format!("unknown: the bucket refuses {}", caller.arn),
            format!(
                "if it is not of account {account}, its owner has to let the identity in: avatarMigrate doctor \
                 --attach-policy, or these statements in its policy: {policy}"
            ),
        ),
        Owner::Unknown(error) => Check::warn(name, side, format!("unknown: {error}"), "look it up yourself"),
    }
}

/// Where the bucket is.
#[must_use]
pub fn region(side: Side, asked: &Result<Option<String>, StoreError>) -> Check {
    let name = "region";
    match asked {
        Ok(Some(region)) => Check::pass(name, side, region.clone()),
        Ok(None) => Check::pass(name, side, "the server has none"),
        Err(error) => super::buckets::unknown(name, side, error, "s3:GetBucketLocation"),
    }
}

/// Whether copies cross the border of a region; nothing where both are known to be in one.
#[must_use]
pub fn regions(source: &str, target: &str) -> Option<Check> {
    let advice =
        "copies cost transfer, and take longer: give copy --dry-run --price-transfer 0.02, and run it near the target";
    let found = format!("from {source} to {target}");
    (source != target).then(|| Check::warn("two regions", Side::Target, found, advice))
}

/// Which keys new objects are encrypted with. What lies there already may be encrypted otherwise.
#[must_use]
pub fn encryption(side: Side, asked: &Result<Encryption, StoreError>) -> Check {
    let name = "encryption";
    let key = match asked {
        Ok(Encryption::Plain) => {
            return Check::pass(name, side, "by keys of the server, for which nobody needs a permission");
        }
        Ok(Encryption::Kms(key)) => key,
        Err(error) => return super::buckets::unknown(name, side, error, "s3:GetEncryptionConfiguration"),
    };
    let only = if side == Side::Source { "source-key" } else { "target-key" };
    let (key, advice) = match key {
        Some(key) => (
            key.as_str(),
            format!(
                "let the key's policy hold what avatarMigrate policy --for finalize --only {only} prints; ETags prove nothing, so \
                 that contents are compared by checksums or by their bytes"
            ),
        ),
        None => (
            "aws/s3",
            "an identity of another account cannot use this key: give the bucket a key of your own if there is one; ETags \
             prove nothing, so that contents are compared by checksums or by their bytes"
                .to_owned(),
        ),
    };
    Check::warn(name, side, format!("by the KMS key {key}"), advice)
}

/// Whether ACLs count.
#[must_use]
pub fn ownership(side: Side, asked: &Result<Ownership, StoreError>) -> Check {
    let name = "ownership";
    match (asked, side) {
        (Ok(Ownership::Enforced), _) => {
            Check::pass(name, side, "the bucket's owner owns every object; ACLs do not count")
        }
        (Ok(Ownership::Acls), Side::Source) => Check::warn(
            name,
            side,
            "ACLs count, and copies do not take them along",
            "if pictures are public by their ACL, let the production bucket's policy or its CDN make them public first",
        ),
        (Ok(Ownership::Acls), Side::Target | Side::Database | Side::Machine) => Check::warn(
            name,
            side,
            "ACLs count: a copy belongs to the account that makes it",
            "set Object Ownership to BucketOwnerEnforced, or copy with an identity of the bucket's own account",
        ),
        (Err(error), _) => super::buckets::unknown(name, side, error, "s3:GetBucketOwnershipControls"),
    }
}

/// What a change of the legacy bucket's policy did.
#[must_use]
pub fn policy_changed(attached: &[String], detached: &[String], kept: usize) -> Check {
    let name = "bucket policy";
    let others = counted(u64::try_from(kept).unwrap_or(u64::MAX), "other statement", "other statements");
    let found = match (attached, detached) {
        ([], []) => format!("nothing was to be changed; {others}"),
        ([], gone) => format!("taken out: {}; {others} untouched", gone.join(", ")),
        (there, _) => format!("in place: {}; {others} untouched", there.join(", ")),
    };
    Check::pass(name, Side::Source, found)
}
