//! The deletes of finalize: what forbids them, who is asked, and their manifest.

use anyhow::Result;

use super::{Confirm, Confirmation, FinalizeRun};
use crate::check::EvidenceSpool;
use crate::failure::Failure;
use crate::finalize::{Deleted, delete_all, manifest_path, write_manifest};
use crate::run::Session;
use crate::run::approval::refuse_unapproved;
use crate::store::{CopyObjects, DeleteMode, Deleter};
use crate::verify::{Verified, ZeroLegacyProof};

impl<C: CopyObjects> FinalizeRun<'_, C> {
    /// Deletes what there is evidence for, once somebody has agreed.
    pub(super) async fn delete(
        &self,
        verified: &Verified,
        evidence: EvidenceSpool,
        mut proof: ZeroLegacyProof<'_>,
        clean_for_seconds: Option<i64>,
        confirm: &Confirm<'_>,
    ) -> Result<Deleted> {
        let config = &self.session.config;
        if let Some(most) = self.options.max_delete.filter(|most| evidence.len() > *most) {
            let reason = format!("{} objects would be deleted, more than --max-delete {most}", evidence.len());
            let hint = "look into the report, then raise --max-delete".to_owned();
            return Err(Failure::Refused { reasons: vec![reason], hint }.into());
        }
        let evidence = match &self.options.approved {
            Some(approved) => refuse_unapproved(approved, config, evidence)?,
            None => evidence,
        };
        let deleter = self.hands.deleter().await?;
        let manifest = manifest_path(&self.report);
        let asked = Confirmation {
            bucket: config.source.bucket.clone(),
            deletes: evidence.len(),
            orphans_copied: self.totals.orphans_copied,
            kept: self.totals.kept,
            clean_for_seconds,
            excluded: if verified.counts.excluded > 0 {
                config.exclude_references.iter().map(ToString::to_string).collect()
            } else {
                Vec::new()
            },
            fenced: proof.is_fenced(),
            conditional: deleter.mode() != DeleteMode::Compare,
            manifest: manifest.clone(),
        };
        if !self.options.yes && !confirm(&asked)? {
            let hint = "nothing was deleted; run finalize again and type the bucket's name, or give --yes".to_owned();
            return Err(Failure::Refused { reasons: vec!["the deletion was not confirmed".to_owned()], hint }.into());
        }
        let evidence = write_manifest(&manifest, config, evidence)?;
        match self.hands.seat {
            Some(seat) => self.delete_together(seat, evidence, proof).await,
            None => self.delete_alone(deleter, evidence, &mut proof).await,
        }
    }

    async fn delete_alone(
        &self,
        deleter: &Deleter,
        evidence: EvidenceSpool,
        proof: &mut ZeroLegacyProof<'_>,
    ) -> Result<Deleted> {
        let Session { database, config, stores, stop, progress, .. } = self.session;
        let phase = progress.phase("delete", Some(evidence.len()), "objects");
        let scope = (database, self.lock, self.ledger, config);
        // What an inventory shows is hours old: both sides are looked at right before they go.
        let look = (!config.inventories.is_empty()).then_some((&stores.source, &stores.target));
        let evidence = (evidence.read()?, look);
        let deleted =
            delete_all((deleter, &self.hands.batches), proof, scope, evidence, stop, |objects| phase.add(objects))
                .await?;
        phase.finish();
        Ok(deleted)
    }
}
