//! The table of safeguards: where the lack of each shows, or which other one covers it and why.

use crate::safeguard::Safeguard;
use crate::search::Counterexample;
use crate::world::{
    DELETED, FAULTS, FENCED, LATE_ROWS, NO_CONDITIONS, NO_REPLACEMENT, OLD_AND_NEW, OLD_CODE, ONE_NAME, ORPHANS,
    PASSES, READERS, ROLLED_BACK, SUPERSEDED, TWO, WORLDS, World,
};
use Safeguard as S;

/// A safeguard whose lack alone shows nothing, as another one covers it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cover {
    pub(crate) by: Safeguard,
    /// What breaks without both.
    pub(crate) promise: &'static str,
    pub(crate) why: &'static str,
}

/// What is expected of a safeguard, and in which world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) world: World,
    pub(crate) cover: Option<Cover>,
}

pub(crate) fn expected(safeguard: Safeguard) -> Expected {
    let alone = |world| Expected { world, cover: None };
    match safeguard {
        S::CompareAndSet | S::SecondLookAtTargets | S::ThirdLook | S::ConditionalDelete => alone(ONE_NAME),
        S::RollBack
        | S::IfNoneMatch
        | S::Check
        | S::SecondLook
        | S::OwnCopyOnly
        | S::ReplaceIfMatch
        | S::LiveETag
        | S::CatchUp => alone(OLD_AND_NEW),
        S::RunLock | S::LockRecheck => alone(TWO),
        S::Recount | S::OrphanCopied | S::OrphanAge | S::OrphanAsListed => alone(ORPHANS),
        S::DeleteCanary => alone(NO_CONDITIONS),
        S::ReplaceCanary => alone(NO_REPLACEMENT),
        S::SourceIfMatch | S::LookAfterDoubt => alone(OLD_CODE),
        S::ClockResetByVerify | S::ClockResetByCopy => alone(READERS),
        S::Fence => alone(FENCED),
        S::DeletedByApplication => alone(DELETED),
        S::SupersededOldSource => alone(SUPERSEDED),
        S::UndoSourcesSeen | S::UndoCompareAndSet | S::UndoIfNoneMatch | S::UndoWaits | S::DeletesExpire => {
            alone(ROLLED_BACK)
        }
        S::ThisPassOnly | S::DeletedAfterCommit => alone(PASSES),
        S::PlannedInThisPass => alone(LATE_ROWS),
        S::VerifyRefuses => Expected {
            world: FAULTS,
            cover: Some(Cover {
                by: S::Recount,
                promise: "no source is deleted while a legacy row exists",
                why: "the count before the first batch finds the same rows",
            }),
        },
    }
}

/// What a search found for a safeguard.
#[derive(Debug)]
pub(crate) struct Proof {
    pub(crate) words: &'static str,
    pub(crate) expected: Expected,
    pub(crate) found: Counterexample,
}

/// `docs/model.md`.
pub(crate) fn page(proofs: &[Proof]) -> String {
    let mut page = HEAD.to_owned();
    for Proof { words, expected, found } in proofs {
        let with = expected.cover.map_or(String::new(), |cover| {
            let other =
                Safeguard::ALL.iter().find(|(safeguard, _)| *safeguard == cover.by).map_or("", |(_, words)| words);
            format!(" (None alone: {}. So without this as well: {other}.)", cover.why)
        });
        page += &format!("| {words} | {} | {}{with} | {} |\n", found.steps, found.promise, expected.world.name);
    }
    page += WORLDS_HEAD;
    for world in WORLDS {
        let World { name, writes, runs, faults, .. } = world;
        page += &format!("| {name} | {writes} | {runs} | {faults} |\n");
    }
    page
}

const HEAD: &str = "# What the model proves of each safeguard

Written by `UPDATE_GOLDEN=1 cargo test -p avatar-migrate-model every_safeguard`; a test fails if it is not what the
model says. ARCHITECTURE.md tells what the model covers and what it does not.

With all safeguards on, no promise breaks in any state that the search reaches. With one of them off, the shortest way to a
broken promise takes so many steps:

| switched off | steps | what breaks | world |
|---|---:|---|---|
";

const WORLDS_HEAD: &str = "
## The worlds

Each has at most two rows, two objects and two operators. So often the application writes, the program is started, and
something fails (a crash, a lost lock, a lost or refused answer, an error in the transaction):

| world | writes | runs | faults |
|---|---:|---:|---:|
";
