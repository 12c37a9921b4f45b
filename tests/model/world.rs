//! The worlds: what rows and buckets hold at first, and what may happen. Each gives room to some hazards, as all of
//! them at once would drown every search.

use crate::state::{Late, Pair, Path, Row, State};

/// What may happen, and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    pub(crate) name: &'static str,
    pub(crate) rows: [Path; 2],
    pub(crate) source: [u8; 2],
    pub(crate) target: [u8; 2],
    /// Writes of the application, runs of the program, faults (crash, lost connection, lost answer, error 1205).
    pub(crate) writes: u8,
    pub(crate) runs: u8,
    pub(crate) faults: u8,
    /// Old code uploads to legacy keys and then writes rows; old code overwrites legacy objects in place.
    pub(crate) old_writer: bool,
    pub(crate) old_overwrite: bool,
    /// New code does the same with modern keys.
    pub(crate) new_writer: bool,
    pub(crate) new_overwrite: bool,
    /// A row appears that names an old legacy object.
    pub(crate) late_row: bool,
    pub(crate) deletes: bool,
    pub(crate) two_operators: bool,
    pub(crate) delete_superseded: bool,
    pub(crate) grace: bool,
    pub(crate) fence: bool,
    pub(crate) ledger_drops: bool,
    /// Something is in the way for ever.
    pub(crate) blocked: bool,
    /// The endpoint ignores the conditions of deletes.
    pub(crate) ignores_if_match: bool,
    /// The endpoint ignores `If-Match` on copies.
    pub(crate) ignores_replace: bool,
    /// Operators roll back, with `--restore-objects`.
    pub(crate) rollback: bool,
}

const QUIET: World = World {
    name: "quiet",
    rows: [Path::Legacy(0), Path::Legacy(1)],
    source: [1, 2],
    target: [0, 0],
    writes: 0,
    runs: 3,
    faults: 1,
    old_writer: false,
    old_overwrite: false,
    new_writer: false,
    new_overwrite: false,
    late_row: false,
    deletes: false,
    two_operators: false,
    delete_superseded: false,
    grace: false,
    fence: false,
    ledger_drops: false,
    blocked: false,
    ignores_if_match: false,
    ignores_replace: false,
    rollback: false,
};

const SHARED: [Path; 2] = [Path::Legacy(0), Path::Legacy(0)];
const HALF: [Path; 2] = [Path::Modern(0), Path::Legacy(0)];
const ONE: [Path; 2] = [Path::Legacy(0), Path::None];
const MOVED: [Path; 2] = [Path::Modern(0), Path::None];

pub(crate) const FAULTS: World =
    World { name: "faults on two objects, the ledger is dropped", faults: 3, runs: 4, ledger_drops: true, ..QUIET };

pub(crate) const OLD_CODE: World = World {
    name: "old code writes while rows of one object move",
    rows: SHARED,
    source: [1, 0],
    writes: 2,
    faults: 2,
    old_writer: true,
    old_overwrite: true,
    ..QUIET
};

pub(crate) const OLD_AND_NEW: World = World {
    name: "old and new code write",
    rows: ONE,
    source: [1, 0],
    writes: 3,
    runs: 3,
    old_writer: true,
    old_overwrite: true,
    new_writer: true,
    new_overwrite: true,
    ..QUIET
};

pub(crate) const SUPERSEDED: World = World {
    name: "superseded sources may go",
    rows: ONE,
    source: [1, 0],
    writes: 3,
    runs: 3,
    old_overwrite: true,
    new_overwrite: true,
    deletes: true,
    delete_superseded: true,
    ledger_drops: true,
    ..QUIET
};

pub(crate) const FOREIGN: World = World {
    name: "a target holds foreign bytes",
    target: [0, 3],
    blocked: true,
    writes: 2,
    faults: 2,
    old_overwrite: true,
    new_overwrite: true,
    ..QUIET
};

pub(crate) const ONE_NAME: World = World {
    name: "a modern and a legacy row of one name, deletes",
    rows: HALF,
    source: [1, 0],
    target: [1, 0],
    writes: 2,
    faults: 2,
    deletes: true,
    old_overwrite: true,
    new_writer: true,
    ..QUIET
};

pub(crate) const ORPHANS: World = World {
    name: "orphans: uploads before rows",
    rows: MOVED,
    source: [1, 2],
    target: [1, 0],
    writes: 2,
    old_writer: true,
    ..QUIET
};

pub(crate) const DELETED: World = World {
    name: "pictures are deleted after they moved",
    rows: [Path::Legacy(0), Path::Modern(1)],
    source: [1, 0],
    target: [0, 2],
    writes: 2,
    deletes: true,
    new_writer: true,
    late_row: true,
    ..QUIET
};

pub(crate) const PASSES: World = World {
    name: "pictures are changed and deleted between passes and around the cutover",
    rows: ONE,
    source: [1, 2],
    writes: 2,
    deletes: true,
    old_overwrite: true,
    late_row: true,
    ..QUIET
};

pub(crate) const LATE_ROWS: World = World {
    name: "late legacy rows during finalize",
    rows: ONE,
    source: [1, 2],
    writes: 2,
    faults: 1,
    late_row: true,
    old_writer: true,
    ..QUIET
};

pub(crate) const READERS: World = World {
    name: "readers with stale paths and the grace clock",
    rows: ONE,
    source: [1, 0],
    writes: 2,
    runs: 5,
    faults: 1,
    late_row: true,
    grace: true,
    ..QUIET
};

pub(crate) const FENCED: World =
    World { name: "a fenced schema", rows: ONE, source: [1, 2], writes: 2, late_row: true, fence: true, ..QUIET };

pub(crate) const TWO: World = World {
    name: "two operators",
    rows: ONE,
    source: [1, 0],
    writes: 2,
    runs: 3,
    faults: 2,
    two_operators: true,
    old_overwrite: true,
    new_overwrite: true,
    late_row: true,
    ..QUIET
};

pub(crate) const NO_CONDITIONS: World = World {
    name: "an endpoint that ignores conditions on deletes",
    rows: ONE,
    source: [1, 2],
    writes: 2,
    old_overwrite: true,
    old_writer: true,
    ignores_if_match: true,
    blocked: true,
    ..QUIET
};

pub(crate) const NO_REPLACEMENT: World = World {
    name: "an endpoint that ignores conditions on replacing copies",
    rows: ONE,
    source: [1, 0],
    writes: 2,
    old_overwrite: true,
    new_writer: true,
    new_overwrite: true,
    ignores_replace: true,
    ..QUIET
};

pub(crate) const ROLLED_BACK: World = World {
    name: "rolled back, also after a finalize that was killed or frozen",
    rows: ONE,
    source: [1, 0],
    writes: 1,
    runs: 4,
    faults: 1,
    two_operators: true,
    old_writer: true,
    new_overwrite: true,
    rollback: true,
    ..QUIET
};

/// All worlds, about as large as they are: what the small ones leave of a search goes to the others.
pub(crate) const WORLDS: [World; 16] = [
    FAULTS,
    FENCED,
    READERS,
    NO_REPLACEMENT,
    DELETED,
    PASSES,
    SUPERSEDED,
    ONE_NAME,
    FOREIGN,
    OLD_CODE,
    NO_CONDITIONS,
    ORPHANS,
    LATE_ROWS,
    OLD_AND_NEW,
    TWO,
    ROLLED_BACK,
];

impl World {
    pub(crate) fn init(&self) -> State {
        let row = |path| Row { path, late: Late::No };
        let [first, second] = self.rows;
        let pair = |[first, second]: [u8; 2]| Pair::new(first, second);
        State {
            rows: Pair::new(row(first), row(second)),
            source: pair(self.source),
            target: pair(self.target),
            newest: pair(self.source),
            versions: 4,
            ..State::default()
        }
    }
}
