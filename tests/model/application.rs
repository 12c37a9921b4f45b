//! The application, old code and new, and everything else that goes on around the program.

use crate::model::{Action, Protocol};
use crate::safeguard::Safeguard;
use crate::state::{BOTH, Clock, Late, Pair, Path, Round, Row, State, Step, Unfinished, Upload, Writer};

/// What may happen besides the program's own steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// Old code uploads to the legacy key of an object; it will write this row next.
    UploadLegacy {
        object: u8,
        row: u8,
    },
    /// New code uploads to the modern key; it will write this row next.
    UploadModern {
        object: u8,
        row: u8,
    },
    /// The row that an upload announced.
    WriteRow,
    /// The writer dies before it writes the row.
    WriterDies,
    OverwriteLegacy(u8),
    OverwriteModern(u8),
    /// A row appears that names a legacy object without an upload.
    LateRow {
        object: u8,
        row: u8,
    },
    /// The picture of a row is deleted: the row and the object that it resolves to.
    DeletePicture(u8),
    /// A source becomes older than the orphan age.
    GrowsOld(u8),
    /// New code stores the modern path of a picture that production has already.
    MoveRow(u8),
    TakePath(u8),
    ReadPath,
    /// The grace period passes; no reader and no cache keeps a path for so long.
    GracePasses,
    ApplyFence,
    DropLedger,
    /// A delete that a killed finalize had sent arrives.
    DeleteArrives,
    QuarterOfAnHour,
}

impl Protocol {
    pub(crate) fn events(&self, state: &State, actions: &mut Vec<Action>) {
        let (world, mut add) = (&self.world, |event| actions.push(Action::World(event)));
        if state.writer.is_some() {
            add(Event::WriteRow);
            add(Event::WriterDies);
        }
        if state.writes < world.writes {
            self.writes(state, &mut add);
        }
        for object in BOTH {
            let announced = state.writer.is_some_and(|writer| writer.object == object);
            if state.young.at(object) && !announced {
                add(Event::GrowsOld(object));
            }
            let promised =
                BOTH.iter().any(|row| state.rows.at(*row) == Row { path: Path::Legacy(object), late: Late::No });
            if world.grace && state.reader.is_none() && promised {
                add(Event::TakePath(object));
            }
        }
        for row in BOTH {
            if let Path::Legacy(object) = state.rows.at(row).path
                && world.grace
                && state.target.at(object) != 0
                && !self.locked(state, row)
            {
                add(Event::MoveRow(row));
            }
        }
        if state.reader.is_some() {
            add(Event::ReadPath);
        }
        if state.clock == Clock::Running && state.reader.is_none() && world.grace {
            add(Event::GracePasses);
        }
        if world.fence && self.on(Safeguard::Fence) && !state.fenced && !state.any_legacy() {
            add(Event::ApplyFence);
        }
        let idle = BOTH.iter().all(|index| state.operators.at(*index).step == Step::Idle);
        if state.flying.is_some() {
            add(Event::DeleteArrives);
        }
        if BOTH
            .iter()
            .any(|index| state.unfinished.at(*index) == Unfinished::Recent && !state.operators.at(*index).connected)
        {
            add(Event::QuarterOfAnHour);
        }
        if world.ledger_drops && idle && state.ledger != Pair::default() {
            add(Event::DropLedger);
        }
    }

    fn writes(&self, state: &State, add: &mut impl FnMut(Event)) {
        let world = &self.world;
        for object in BOTH {
            for row in BOTH {
                let path = state.rows.at(row).path;
                let his =
                    matches!(path, Path::None) || matches!(path, Path::Legacy(of) | Path::Modern(of) if of == object);
                if self.locked(state, row) || !his || state.writer.is_some() {
                    continue;
                }
                if world.old_writer && !state.fenced {
                    add(Event::UploadLegacy { object, row });
                }
                if world.new_writer && !matches!(path, Path::None) {
                    add(Event::UploadModern { object, row });
                }
                if world.late_row && path == Path::None && state.source.at(object) != 0 && !state.fenced {
                    add(Event::LateRow { object, row });
                }
            }
            if world.old_overwrite && state.source.at(object) != 0 {
                add(Event::OverwriteLegacy(object));
            }
            if world.new_overwrite && state.modern_row(object) {
                add(Event::OverwriteModern(object));
            }
        }
        for row in BOTH {
            let path = state.rows.at(row).path;
            let uploading =
                state.writer.is_some_and(|w| path == Path::Legacy(w.object) || path == Path::Modern(w.object));
            if world.deletes && path != Path::None && !uploading && !self.locked(state, row) {
                add(Event::DeletePicture(row));
            }
        }
    }

    pub(crate) fn happens(&self, state: &mut State, event: Event) {
        match event {
            Event::UploadLegacy { object, row } => {
                let orphan = !state.legacy_row(object) && !state.modern_row(object);
                upload_legacy(state, object);
                let upload = if orphan { Upload::Orphan } else { Upload::Legacy };
                state.writer = Some(Writer { object, row, upload });
            }
            Event::UploadModern { object, row } => {
                upload_modern(state, object);
                state.writer = Some(Writer { object, row, upload: Upload::Modern });
            }
            Event::WriteRow => self.write_row(state),
            Event::WriterDies => state.writer = None,
            Event::OverwriteLegacy(object) => upload_legacy(state, object),
            Event::OverwriteModern(object) => upload_modern(state, object),
            Event::LateRow { object, row } => {
                state.writes += 1;
                let late = if is_late(state) && !self.world.fence { Late::Excused } else { Late::No };
                *state.rows.of(row) = Row { path: Path::Legacy(object), late };
                *state.erased.of(object) = false;
            }
            Event::DeletePicture(row) => delete_picture(state, row),
            Event::GrowsOld(object) => *state.young.of(object) = false,
            Event::MoveRow(row) => {
                if let Path::Legacy(object) = state.rows.at(row).path {
                    state.rows.of(row).path = Path::Modern(object);
                }
            }
            Event::TakePath(object) => state.reader = Some((object, false)),
            Event::ReadPath => state.reader = None,
            Event::GracePasses => state.clock = Clock::Elapsed,
            Event::ApplyFence => state.fenced = true,
            Event::DeleteArrives => Self::delete_arrives(state),
            Event::QuarterOfAnHour => self.quarter_of_an_hour(state),
            Event::DropLedger => {
                (state.ledger, state.erased, state.clock) = (Pair::default(), Pair::default(), Clock::Stopped);
                state.owed = Pair::default();
            }
        }
    }

    fn write_row(&self, state: &mut State) {
        let Some(Writer { object, row, upload }) = state.writer else { return };
        let modern = upload == Upload::Modern;
        if self.locked(state, row) || (state.fenced && !modern) {
            return;
        }
        let late = match upload {
            Upload::Orphan if is_late(state) => Late::WithUpload,
            Upload::Legacy if is_late(state) => Late::Excused,
            Upload::Orphan | Upload::Legacy | Upload::Modern => Late::No,
        };
        let path = if modern { Path::Modern(object) } else { Path::Legacy(object) };
        *state.rows.of(row) = Row { path, late };
        state.writer = None;
    }

    /// Whether an open transaction holds the lock of a row.
    fn locked(&self, state: &State, row: u8) -> bool {
        self.on(Safeguard::CompareAndSet) && state.locked(row)
    }
}

fn upload_legacy(state: &mut State, object: u8) {
    *state.source.of(object) = next_version(state, object);
    *state.young.of(object) = true;
    *state.target_newer.of(object) = false;
}

fn upload_modern(state: &mut State, object: u8) {
    *state.target.of(object) = next_version(state, object);
    *state.own.of(object) = false;
    *state.target_newer.of(object) = true;
}

fn next_version(state: &mut State, object: u8) -> u8 {
    state.writes += 1;
    state.versions += 1;
    *state.newest.of(object) = state.versions;
    *state.erased.of(object) = false;
    state.versions
}

/// Whether a row that is written now comes after the last count before a delete.
fn is_late(state: &State) -> bool {
    let deleting =
        BOTH.iter().any(|index| matches!(state.operators.at(*index).step, Step::Delete | Step::RecordDelete));
    state.deleted || deleting || state.flying.is_some()
}

/// The application deletes the object that the row resolves to, and breaks other rows of the same path itself.
fn delete_picture(state: &mut State, row: u8) {
    state.writes += 1;
    let path = state.rows.at(row).path;
    *state.rows.of(row) = Row::default();
    for other in BOTH {
        if state.rows.at(other).path == path {
            state.rows.of(other).late = Late::Excused;
        }
    }
    match path {
        Path::None => {}
        Path::Legacy(object) => {
            *state.source.of(object) = 0;
            *state.young.of(object) = false;
            *state.newest.of(object) = if state.modern_row(object) { state.target.at(object) } else { 0 };
        }
        Path::Modern(object) => {
            *state.target.of(object) = 0;
            let promised = BOTH.iter().any(|row| {
                let row = state.rows.at(*row);
                row.path == Path::Legacy(object) && row.late != Late::Excused
            });
            *state.newest.of(object) = if promised { state.source.at(object) } else { 0 };
            // Of what the ledger does not know nobody can tell that it was deleted.
            *state.erased.of(object) = !state.legacy_row(object) && state.ledger.at(object).proof;
            note_the_gap(state, object);
            *state.own.of(object) = false;
        }
    }
}

/// What the application deletes between the second look and COMMIT no look can see: the one gap that is left.
fn note_the_gap(state: &mut State, object: u8) {
    let on_the_way = |index: &u8| {
        let operator = state.operators.at(*index);
        operator.step != Step::Idle && operator.round == Round::Second
    };
    *state.gap.of(object) |= BOTH.iter().any(on_the_way);
}
