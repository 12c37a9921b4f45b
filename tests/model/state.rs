//! The state: rows, buckets, ledger, lock, two operators, and what only an observer of the model knows.

/// Two of something: rows, objects, operators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Pair<T>([T; 2]);

impl<T: Copy> Pair<T> {
    pub(crate) fn new(first: T, second: T) -> Self {
        Self([first, second])
    }

    pub(crate) fn at(&self, index: u8) -> T {
        if index == 0 { self.0[0] } else { self.0[1] }
    }

    pub(crate) fn of(&mut self, index: u8) -> &mut T {
        if index == 0 { &mut self.0[0] } else { &mut self.0[1] }
    }
}

/// Both indices of a [`Pair`].
pub(crate) const BOTH: [u8; 2] = [0, 1];

/// What an object holds: 0 for no object, else the number of the write. It stands for content and ETag in one.
pub(crate) type Version = u8;

/// A mixture of two versions, which nobody ever wrote.
pub(crate) const TORN: Version = 200;

/// The path that a row stores, with the object that it names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Path {
    #[default]
    None,
    Legacy(u8),
    Modern(u8),
}

/// What the promise says of a row that was written late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Late {
    /// Written before the last count before a delete: everything is promised.
    #[default]
    No,
    /// Written after it, naming what its writer had just uploaded where no row named anything: it must resolve.
    WithUpload,
    /// Written after it, naming an object that had rows before; or broken by the application itself: nothing is promised without a fence.
    Excused,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub(crate) path: Path,
    pub(crate) late: Late,
}

/// What the ledger says of an object last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Mark {
    #[default]
    Unknown,
    Planned,
    Verified,
    /// Missing source, conflict, changing source, failed.
    Stuck,
    Deleted,
}

/// The line of an object in the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Fact {
    pub(crate) mark: Mark,
    /// The operator whose present run wrote it; 0 for an earlier run.
    pub(crate) run: u8,
    /// The pass of that run in which it was planned.
    pub(crate) pass: u8,
    pub(crate) source: Version,
    pub(crate) target: Version,
    pub(crate) own: bool,
    pub(crate) proof: bool,
    /// Verified by a run that moved rows and was cut off before it signed off.
    pub(crate) open: bool,
}

/// The condition of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Guard {
    Absent,
    Own(Version),
}

/// Where an operator's program stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    #[default]
    Idle,
    CatchUp,
    Plan,
    Look,
    Copy(Guard),
    Confirm,
    Check,
    Record,
    SecondLook,
    Journal,
    Update,
    Commit,
    ThirdLook,
    EndOfPass,
    ReadRows,
    ListSources,
    ListTargets,
    Judge,
    Count,
    Canary,
    Renew,
    Delete,
    RecordDelete,
    UndoPlan,
    UndoLook,
    UndoCopy,
    UndoMove,
}

/// Which round of looking an object is looked at in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Round {
    #[default]
    First,
    Second,
    Third,
    /// The third look of runs that were cut off.
    Late,
    /// The orphans of a finalize.
    Orphans,
}

/// What a run is going to do with an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Todo {
    #[default]
    Nothing,
    Settle,
    Mark,
    Delete,
}

/// What a run holds of an object in its memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Memory {
    pub(crate) todo: Todo,
    pub(crate) source: Version,
    pub(crate) target: Version,
    /// The source as finalize listed it.
    pub(crate) listed: Version,
    pub(crate) young: bool,
    pub(crate) legacy: bool,
    pub(crate) modern: bool,
    pub(crate) fact: Fact,
    /// Observer: the target was gone already when the look that settles it met it, and its rows had moved.
    pub(crate) was_gone: bool,
}

/// An operator and the run that it has started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Operator {
    pub(crate) step: Step,
    /// Whether the lock's connection lives; without it nothing can be written to the database.
    pub(crate) connected: bool,
    pub(crate) round: Round,
    pub(crate) object: u8,
    pub(crate) passes: u8,
    pub(crate) moved: bool,
    /// Whether any pass of this run has moved rows.
    pub(crate) committed: bool,
    /// The rows that the plan met, the rows of the journal, those that the UPDATE has changed.
    pub(crate) planned: Pair<Path>,
    pub(crate) journaled: Pair<bool>,
    pub(crate) updated: Pair<bool>,
    pub(crate) memory: Pair<Memory>,
    /// Observer: the sources at the second look, then at COMMIT.
    pub(crate) seen: Pair<Version>,
    /// The present run is a finalize whose end leaves no unfinished one of this operator.
    pub(crate) closes: bool,
    /// The signature of the delete that it is about to send is too old.
    pub(crate) expired: bool,
}

/// Whether a finalize never said how it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Unfinished {
    #[default]
    No,
    /// It was alive less than a quarter of an hour ago.
    Recent,
    Silent,
}

/// Where an upload went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Upload {
    Modern,
    /// To a legacy key that a row named already.
    Legacy,
    /// To a legacy key that no row named.
    Orphan,
}

/// A writer of the application that has uploaded and will write its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Writer {
    pub(crate) object: u8,
    pub(crate) row: u8,
    pub(crate) upload: Upload,
}

/// The grace clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Clock {
    #[default]
    Stopped,
    Running,
    Elapsed,
}

/// A promise that was broken in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Broken {
    Overwrite,
    StaleCutover,
    StaleSuccess,
    HalfCutover,
    WrongRow,
    NotAlone,
    EarlyDelete,
    Resurrected,
    StaleReader,
}

/// Everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) rows: Pair<Row>,
    pub(crate) source: Pair<Version>,
    pub(crate) target: Pair<Version>,
    /// The source is younger than the orphan age: its writer may still insert a row.
    pub(crate) young: Pair<bool>,
    /// The target was written after the source.
    pub(crate) target_newer: Pair<bool>,
    pub(crate) ledger: Pair<Fact>,
    pub(crate) lock: Option<u8>,
    pub(crate) operators: Pair<Operator>,
    pub(crate) clock: Clock,
    pub(crate) fenced: bool,
    /// What the journal says each row was moved to, unless it went back.
    pub(crate) journal: Pair<Path>,
    pub(crate) unfinished: Pair<Unfinished>,
    /// A delete of a killed finalize that may still arrive: the object and the version that it names.
    pub(crate) flying: Option<(u8, Version)>,
    pub(crate) writer: Option<Writer>,
    /// A reader who holds the legacy path of this object, and whether the program has seen a row with it meanwhile.
    pub(crate) reader: Option<(u8, bool)>,
    pub(crate) versions: u8,
    pub(crate) writes: u8,
    pub(crate) runs: u8,
    pub(crate) faults: u8,
    /// Observer: the target was written by the program.
    pub(crate) own: Pair<bool>,
    /// Observer: what the application wrote last and did not delete.
    pub(crate) newest: Pair<Version>,
    /// Observer: the application deleted the picture after its rows had moved.
    pub(crate) erased: Pair<bool>,
    /// Observer: the application deleted the target between a second look and COMMIT.
    pub(crate) gap: Pair<bool>,
    /// Observer: the sources at the COMMIT of runs that were cut off since.
    pub(crate) owed: Pair<Version>,
    /// Observer: a source was deleted by finalize.
    pub(crate) deleted: bool,
    pub(crate) broken: Option<Broken>,
}

impl State {
    pub(crate) fn operator(&mut self, index: u8) -> &mut Operator {
        self.operators.of(index)
    }

    pub(crate) fn memory(&mut self, index: u8, object: u8) -> &mut Memory {
        self.operators.of(index).memory.of(object)
    }

    pub(crate) fn go(&mut self, index: u8, step: Step) {
        self.operators.of(index).step = step;
    }

    pub(crate) fn breaks(&mut self, promise: Broken) {
        self.broken = self.broken.or(Some(promise));
    }

    pub(crate) fn legacy_row(&self, object: u8) -> bool {
        BOTH.iter().any(|row| self.rows.at(*row).path == Path::Legacy(object))
    }

    pub(crate) fn modern_row(&self, object: u8) -> bool {
        BOTH.iter().any(|row| self.rows.at(*row).path == Path::Modern(object))
    }

    pub(crate) fn any_legacy(&self) -> bool {
        BOTH.iter().any(|object| self.legacy_row(*object))
    }

    /// The program has seen a legacy row of an object.
    pub(crate) fn see(&mut self, object: u8) {
        if let Some(reader) = self.reader.as_mut().filter(|(of, _)| *of == object) {
            reader.1 = true;
        }
    }

    /// What the path of a row leads to.
    pub(crate) fn content(&self, path: Path) -> Option<Version> {
        match path {
            Path::None => None,
            Path::Legacy(object) => Some(self.source.at(object)),
            Path::Modern(object) => Some(self.target.at(object)),
        }
    }

    /// Whether an open transaction holds the lock of a row.
    pub(crate) fn locked(&self, row: u8) -> bool {
        BOTH.iter().any(|index| {
            let operator = self.operators.at(*index);
            matches!(operator.step, Step::Update | Step::Commit) && operator.journaled.at(row)
        })
    }

    /// The run ends here, in whatever way: its transaction is rolled back and its lock is free.
    pub(crate) fn end(&mut self, index: u8) {
        if self.operators.at(index).closes {
            *self.unfinished.of(index) = Unfinished::No;
        }
        if self.operators.at(index).connected {
            self.leave_open(index);
        }
        *self.operator(index) = Operator::default();
        if self.lock == Some(index) {
            self.lock = None;
        }
        for object in BOTH {
            let fact = self.ledger.of(object);
            if fact.run == index + 1 {
                (fact.run, fact.pass) = (0, 0);
            }
        }
    }

    /// The run is cut off, or may never wake up again: what it moved is for the next one to look at.
    pub(crate) fn leave_open(&mut self, index: u8) {
        let Operator { committed, seen, .. } = self.operators.at(index);
        for object in BOTH {
            let fact = self.ledger.of(object);
            if committed && fact.run == index + 1 && fact.mark == Mark::Verified {
                fact.open = true;
                let stale = self.target.at(object) < seen.at(object);
                *self.owed.of(object) = if stale { seen.at(object) } else { 0 };
            }
        }
    }
}
