//! Objects in the ledger: windows of planned ones, and what became of them.

use std::collections::HashMap;

use anyhow::{Context, Result};
use sqlx::mysql::MySqlRow;
use sqlx::{MySql, QueryBuilder, Row};

use super::ledger::Ledger;
use super::right::MayWrite;
use super::sql::{Statement, statement};
use crate::finding::Proof;
use crate::path::{ETag, ObjectKey};

/// Objects a multi-row statement takes.
const ROWS_A_STATEMENT: usize = 500;

/// What the ledger knows of an object. It counts only while the live ETags equal the recorded ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerObject {
    /// The key in the legacy bucket.
    pub source: ObjectKey,
    /// The key in the production bucket.
    pub target: ObjectKey,
    /// What became of it last.
    pub state: ObjectState,
    /// The source's ETag when it was last checked.
    pub source_etag: Option<ETag>,
    /// The target's ETag when it was last checked.
    pub target_etag: Option<ETag>,
    /// Whether this migration wrote the target object that had `target_etag`.
    pub own_copy: bool,
    /// The SHA-256 of the content in hexadecimal.
    pub sha256: Option<String>,
    /// How equal content was proved.
    pub proof: Option<Proof>,
}

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectState {
    /// To be copied and checked.
    Planned,
    /// Checked: its rows may move.
    Verified,
    /// The source does not exist.
    MissingSource,
    /// The target holds other bytes.
    Conflict,
    /// The source changes again and again.
    SourceChanged,
    /// The schema refuses the new path of its rows.
    Refused,
    /// Could not be copied or checked.
    Failed,
    /// The source was deleted by finalize.
    Deleted,
}

const STATES: [(ObjectState, &str); 8] = [
    (ObjectState::Planned, "planned"),
    (ObjectState::Verified, "verified"),
    (ObjectState::MissingSource, "missing_source"),
    (ObjectState::Conflict, "conflict"),
    (ObjectState::SourceChanged, "source_changed"),
    (ObjectState::Refused, "refused"),
    (ObjectState::Failed, "failed"),
    (ObjectState::Deleted, "deleted"),
];

impl ObjectState {
    /// The word in the ledger.
    #[must_use]
    pub fn word(self) -> &'static str {
        STATES.iter().find(|(state, _)| *state == self).map_or("planned", |(_, word)| word)
    }

    fn from_word(word: &str) -> Option<Self> {
        STATES.iter().find(|(_, known)| *known == word).map(|(state, _)| *state)
    }
}

/// A new state for an object, with what was learnt.
#[derive(Clone, Debug)]
pub struct ObjectMark {
    /// The object after the change.
    pub object: LedgerObject,
    /// The size in bytes, if known.
    pub size: Option<u64>,
    /// Why, for a person.
    pub detail: String,
    /// The pass of this run whose rows may move to it; 0 if none may.
    pub pass: u32,
}

impl Ledger {
    /// The next objects of this run in `state`, in key order after `after`.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn objects(
        &self,
        state: ObjectState,
        after: Option<&ObjectKey>,
        limit: usize,
    ) -> Result<Vec<LedgerObject>> {
        self.objects_of_run(self.run(), state, after, limit).await
    }

    /// The next objects that `run` left in `state`, in key order after `after`. What a later run dealt with is that one's.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn objects_of_run(
        &self,
        run: u64,
        state: ObjectState,
        after: Option<&ObjectKey>,
        limit: usize,
    ) -> Result<Vec<LedgerObject>> {
        let statement = self.statement(statement!("objects_of_run.sql"));
        let rows = sqlx::query(statement.sql())
            .bind(self.migration())
            .bind(run)
            .bind(state.word())
            .bind(after.map_or("", ObjectKey::as_str).as_bytes())
            .bind(u64::try_from(limit)?)
            .fetch_all(self.pool())
            .await
            .context("failed to read objects from the ledger")?;
        rows.iter().map(object).collect()
    }

    /// The next objects that `pass` has planned and this run has not found immovable, in key order after `after`.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn objects_planned(
        &self,
        pass: u32,
        after: Option<&ObjectKey>,
        limit: usize,
    ) -> Result<Vec<LedgerObject>> {
        self.window_of_pass(statement!("objects_planned.sql"), pass, after, limit).await
    }

    /// The next objects that this run has verified and that `pass` has planned, in key order after `after`.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn objects_of_pass(
        &self,
        pass: u32,
        after: Option<&ObjectKey>,
        limit: usize,
    ) -> Result<Vec<LedgerObject>> {
        self.window_of_pass(statement!("objects_of_pass.sql"), pass, after, limit).await
    }

    async fn window_of_pass(
        &self,
        statement: Statement,
        pass: u32,
        after: Option<&ObjectKey>,
        limit: usize,
    ) -> Result<Vec<LedgerObject>> {
        let rows = sqlx::query(self.statement(statement).sql())
            .bind(self.migration())
            .bind(self.run())
            .bind(pass)
            .bind(after.map_or("", ObjectKey::as_str).as_bytes())
            .bind(u64::try_from(limit)?)
            .fetch_all(self.pool())
            .await
            .context("failed to read objects from the ledger")?;
        rows.iter().map(object).collect()
    }

    /// Whether this run has verified any object that `pass` has planned.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn has_verified(&self, pass: u32) -> Result<bool> {
        let verified = sqlx::query(self.statement(statement!("verified_of_pass.sql")).sql());
        let verified = verified.bind(self.migration()).bind(self.run()).bind(pass).fetch_optional(self.pool()).await;
        Ok(verified.context("failed to read objects from the ledger")?.is_some())
    }

    /// How many objects of this run are in each state.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn object_counts(&self) -> Result<HashMap<ObjectState, u64>> {
        let statement = self.statement(statement!("object_counts.sql"));
        let rows = sqlx::query(statement.sql()).bind(self.migration()).bind(self.run()).fetch_all(self.pool()).await?;
        let mut counts = HashMap::new();
        for row in rows {
            let word: String = row.try_get("state")?;
            if let Some(state) = ObjectState::from_word(&word) {
                counts.insert(state, row.try_get("objects")?);
            }
        }
        Ok(counts)
    }

    /// Writes what became of objects.
    ///
    /// # Errors
    /// If the ledger cannot be written, or the lock is lost.
    pub async fn mark(&self, right: &impl MayWrite, marks: &[ObjectMark]) -> Result<()> {
        for batch in marks.chunks(ROWS_A_STATEMENT) {
            right.write(|| self.marking(batch)).await?;
        }
        Ok(())
    }

    fn marking(&self, batch: &[ObjectMark]) -> QueryBuilder<MySql> {
        let head = self.statement(statement!("objects_mark.sql")).sql();
        let mut query = QueryBuilder::new(head.0);
        query.push_values(batch, |mut row, mark| {
            let object = &mark.object;
            row.push_bind(self.migration())
                .push_bind(object.source.as_str().as_bytes().to_vec())
                .push_bind(object.target.as_str().as_bytes().to_vec())
                .push_bind(object.state.word())
                .push_bind(self.run())
                .push_bind(mark.pass)
                .push_bind(mark.size)
                .push_bind(object.source_etag.as_ref().map(|etag| etag.as_str().as_bytes().to_vec()))
                .push_bind(object.target_etag.as_ref().map(|etag| etag.as_str().as_bytes().to_vec()))
                .push_bind(object.own_copy)
                .push_bind(object.sha256.as_deref().and_then(from_hex))
                .push_bind(object.proof.map(Proof::word))
                .push_bind(mark.detail.chars().take(1000).collect::<String>());
        });
        query.push(statement!("objects_mark_update.sql").sql().0);
        query
    }
}

pub(super) fn object(row: &MySqlRow) -> Result<LedgerObject> {
    let key = |name: &str| -> Result<ObjectKey> { Ok(ObjectKey::new(String::from_utf8(row.try_get(name)?)?)?) };
    let etag = |name: &str| -> Result<Option<ETag>> {
        let bytes: Option<Vec<u8>> = row.try_get(name)?;
        Ok(bytes.map(|bytes| ETag::new(&String::from_utf8_lossy(&bytes))))
    };
    let state: String = row.try_get("state")?;
    let proof: Option<String> = row.try_get("proof")?;
    let sha256: Option<Vec<u8>> = row.try_get("sha256")?;
    Ok(LedgerObject {
        source: key("source_key")?,
        target: key("target_key")?,
        state: ObjectState::from_word(&state).with_context(|| format!("the ledger holds the unknown state {state}"))?,
        source_etag: etag("source_etag")?,
        target_etag: etag("target_etag")?,
        own_copy: row.try_get("own_copy")?,
        sha256: sha256.map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        proof: proof.and_then(|word| Proof::from_word(&word)),
    })
}

fn from_hex(hex: &str) -> Option<Vec<u8>> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect()
}
