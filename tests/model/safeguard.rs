//! The safeguards of the program, each of which can be switched off.

/// A safeguard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Safeguard {
    CompareAndSet,
    RollBack,
    IfNoneMatch,
    SourceIfMatch,
    Check,
    SecondLook,
    SecondLookAtTargets,
    ThirdLook,
    RunLock,
    LockRecheck,
    VerifyRefuses,
    Recount,
    ConditionalDelete,
    DeleteCanary,
    OrphanCopied,
    OrphanAge,
    OrphanAsListed,
    OwnCopyOnly,
    ReplaceIfMatch,
    ReplaceCanary,
    LookAfterDoubt,
    ClockResetByVerify,
    ClockResetByCopy,
    Fence,
    DeletedByApplication,
    SupersededOldSource,
    LiveETag,
    UndoSourcesSeen,
    UndoCompareAndSet,
    UndoIfNoneMatch,
    UndoWaits,
    DeletesExpire,
    ThisPassOnly,
    DeletedAfterCommit,
    PlannedInThisPass,
    CatchUp,
}

impl Safeguard {
    /// All of them, with what they are in words.
    pub(crate) const ALL: [(Self, &'static str); 36] = [
        (Self::CompareAndSet, "compare and set: a row moves only if it holds the planned bytes, under its row lock"),
        (Self::RollBack, "any error in the transaction, or another count than journaled, rolls back all of it"),
        (Self::IfNoneMatch, "`If-None-Match: *` on the copy"),
        (Self::SourceIfMatch, "`copy-source-if-match` on the copy"),
        (Self::Check, "contents are compared before rows may move"),
        (Self::SecondLook, "sources are looked at again right before the cutover"),
        (Self::SecondLookAtTargets, "targets are looked at again right before the cutover"),
        (Self::ThirdLook, "sources are looked at again after COMMIT"),
        (Self::RunLock, "one writing run on a schema (`GET_LOCK`)"),
        (Self::LockRecheck, "everything is written on the lock's connection, after a check that it holds the lock"),
        (Self::VerifyRefuses, "finalize refuses while verify finds a legacy row"),
        (Self::Recount, "legacy rows are counted again before each batch of deletes"),
        (Self::ConditionalDelete, "a delete names the ETag that was compared"),
        (Self::DeleteCanary, "a canary proves that the endpoint honours conditions on deletes"),
        (Self::OrphanCopied, "an orphan is copied and checked before its source goes"),
        (Self::OrphanAge, "young orphans stay"),
        (Self::OrphanAsListed, "an orphan that was written again since it was listed stays, as it is young again"),
        (Self::OwnCopyOnly, "only copies of this migration are ever replaced"),
        (Self::ReplaceIfMatch, "a copy is replaced on the condition that it still is that copy (`If-Match`)"),
        (Self::ReplaceCanary, "a canary proves that the endpoint honours that condition"),
        (Self::LookAfterDoubt, "a lost answer or a 412 is settled by looking at both sides"),
        (Self::ClockResetByVerify, "a legacy row that verify meets resets the grace clock"),
        (Self::ClockResetByCopy, "a legacy row that copy meets resets the grace clock"),
        (Self::Fence, "the schema refuses late legacy rows"),
        (Self::DeletedByApplication, "an orphan whose checked copy is gone stays and is not copied again"),
        (Self::SupersededOldSource, "a source counts as old only while it is the one that was copied"),
        (Self::LiveETag, "what the ledger recorded counts only while the live ETag is the recorded one"),
        (Self::UndoSourcesSeen, "rollback: a row goes back only after its source was seen"),
        (Self::UndoCompareAndSet, "rollback: a row goes back only if it holds what the journal says it was moved to"),
        (Self::UndoIfNoneMatch, "rollback: an object is copied back only where there is none (`If-None-Match: *`)"),
        (Self::UndoWaits, "rollback waits until the deletes of an unfinished finalize are void"),
        (
            Self::DeletesExpire,
            "a delete is signed as of the last look at the lock, and void a quarter of an hour later",
        ),
        (Self::ThisPassOnly, "the second look leaves alone what earlier passes have moved"),
        (Self::DeletedAfterCommit, "the look after COMMIT leaves alone what the application has deleted"),
        (Self::PlannedInThisPass, "a row that comes back to a path of an earlier pass waits for the next one"),
        (Self::CatchUp, "the look after COMMIT of a run that was cut off is made by the next one"),
    ];
}

/// The safeguards that are on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Safeguards {
    off: u64,
}

impl Safeguards {
    pub(crate) const ALL_ON: Self = Self { off: 0 };

    pub(crate) fn without(self, safeguard: Safeguard) -> Self {
        Self { off: self.off | 1 << safeguard as u64 }
    }

    pub(crate) fn on(self, safeguard: Safeguard) -> bool {
        self.off & 1 << safeguard as u64 == 0
    }
}
