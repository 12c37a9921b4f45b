//! `doctor`: whose the buckets and the credentials are.

use crate::config::{Config, Method, Phase};
use crate::operate::doctor::{self as judged, Check, Owner, Side};
use crate::operate::policy::{BucketSide, policy_of_bucket};
use crate::store::{Bucket, Caller, Connected, StoreError, StoreErrorKind};

/// The identities of both sides.
pub(super) struct Callers {
    pub(super) source: Result<Option<Caller>, StoreError>,
    pub(super) target: Result<Option<Caller>, StoreError>,
}

impl Callers {
    pub(super) async fn of(connected: &Connected) -> Self {
        let (source, target) =
            futures::future::join(connected.source_identity.caller(), connected.target_identity.caller()).await;
        Self { source, target }
    }

    /// Their lines.
    pub(super) fn checks(&self) -> Vec<Check> {
        vec![judged::identity(Side::Source, &self.source), judged::identity(Side::Target, &self.target)]
    }

    /// Who reads the legacy bucket: server-side copies are signed by the identity of the production bucket.
    pub(super) fn copying(&self, method: Method) -> &Result<Option<Caller>, StoreError> {
        match method {
            Method::Copy | Method::Sync => &self.target,
            Method::Stream => &self.source,
        }
    }
}

/// Identities, accounts and regions of both sides.
pub(super) async fn accounts(config: &Config, connected: &Connected) -> Vec<Check> {
    let callers = Callers::of(connected).await;
    let mut checks = callers.checks();
    let mut regions = Vec::new();
    for (side, of, bucket, caller) in [
        (Side::Source, BucketSide::Source, &connected.source, &callers.source),
        (Side::Target, BucketSide::Target, &connected.target, &callers.target),
    ] {
        let Ok(bucket) = bucket else { continue };
        let owner = owner(config, of, bucket, caller.as_ref().ok().and_then(Option::as_ref)).await;
        checks.extend(owner.map(|(caller, owner)| judged::account(side, caller, &owner)));
        let region = bucket.region().await;
        // Of a bucket that cannot be reached the other lines say enough.
        if region.as_ref().err().is_none_or(|error| error.kind == StoreErrorKind::Forbidden) {
            checks.push(judged::region(side, &region));
        }
        regions.extend(region.ok().flatten());
    }
    if let [source, target] = regions.as_slice() {
        checks.extend(judged::regions(source, target));
    }
    checks
}

/// Whose the bucket is, for the identity that is known.
async fn owner<'a>(
    config: &Config,
    side: BucketSide,
    bucket: &Bucket,
    caller: Option<&'a Caller>,
) -> Option<(&'a Caller, Owner)> {
    let caller = caller?;
    let keys = config.mappings.key_mappings();
    let prefix = keys.first().map(|keys| if side == BucketSide::Source { &keys.legacy } else { &keys.modern })?;
    let owner = match bucket.probe(prefix).await {
        Ok(()) => match bucket.belongs_to(&caller.account, prefix).await {
            Ok(true) => Owner::Own,
            Ok(false) => Owner::Other,
            Err(error) => Owner::Unknown(error),
        },
        Err(error) if error.kind == StoreErrorKind::Forbidden => {
            let policy = policy_of_bucket(Phase::Copy, config, side, &caller.principal());
            Owner::Refusing(serde_json::to_string(&policy).unwrap_or_default())
        }
        // `reach` says it.
        Err(_) => return None,
    };
    Some((caller, owner))
}
