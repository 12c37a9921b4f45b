//! The application that lives through the migration: what its threads share, and the contract that it keeps.
//!
//! # The contract
//!
//! README says it to users ("What the application must do"); here is the same for these threads.
//!
//! - **Read** a row, then the object in the bucket that its path implies. An object that is not there: read the row again
//!   and, if it names another place by now or is gone, go on from there. Only an object that is missing while its row still
//!   names it is a broken image.
//! - **Upload before the row**: an object is there before a row names it.
//! - **Delete after the row**: an object goes once no row names its picture in either form.
//! - **Overwrite where rows point, and look again**: the new version is written to each place that rows of the picture name;
//!   then the rows are read again, and a place that they name by now gets the version too.
//! - **One writer a picture**: of two uploads at once the application itself decides which is the newer one; here by a lock.
//! - **New names are new**: a key is not used again for another picture.
//! - Before finalize, old code that makes rows name pictures of other rows or writes to old places is gone. What it may still
//!   do is what `--orphan-min-age` covers: upload a picture of its own and insert its row soon after.
//!
//! # What it does not do, as the program cannot make good for it (ARCHITECTURE, "What the model leaves open")
//!
//! - It never deletes an object by its modern path while a legacy row names the picture.
//! - It writes no legacy row during finalize that names an object which had rows before.
//! - It does not overwrite in production while a rollback may come: rows follow the journal, not the clock. The new version
//!   gets a new name then.
//!
//! And what no reader may demand: a version written to a legacy place in the instants before its row moves may be unseen
//! under the modern path until that run of `copy`, or the next one, has ended.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};

use avatar_migrate_kit::EmbeddedS3;
use avatar_migrate_kit::effort::Lot;

use super::reader::Reader;
use super::registry::{Form, Registry};
use super::writer::Writer;
use crate::support::World;

const READERS: usize = 2;
const WRITERS: usize = 2;

/// Which code of the application writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    Nothing,
    /// Old and new code; with `undo` a rollback may come.
    OldAndNew {
        undo: bool,
    },
    /// New code; with `stragglers` old code still uploads new pictures now and then.
    New {
        stragglers: bool,
    },
}

pub(crate) struct Application {
    pub(crate) world: World,
    pub(crate) registry: Registry,
    pub(crate) reads: AtomicU64,
    /// Reads of objects by rows known from before, while the database did not answer.
    pub(crate) reads_while_down: AtomicU64,
    pub(crate) writes: AtomicU64,
    writing: RwLock<Writing>,
    ended: AtomicBool,
    broken: Mutex<Option<String>>,
}

impl Application {
    pub(crate) fn new(world: World) -> Self {
        Self {
            world,
            registry: Registry::new(),
            reads: AtomicU64::default(),
            reads_while_down: AtomicU64::default(),
            writes: AtomicU64::default(),
            writing: RwLock::new(Writing::Nothing),
            ended: AtomicBool::default(),
            broken: Mutex::default(),
        }
    }

    /// Runs `work` while readers and writers are at theirs.
    pub(crate) fn alive<T>(&self, lot: &mut Lot, work: impl FnOnce() -> T) -> T {
        std::thread::scope(|scope| {
            // However `work` ends, the threads end after it.
            let _end = End(&self.ended);
            for _ in 0..READERS {
                let mut reader = Reader::new(self, lot.fork());
                scope.spawn(move || reader.run());
            }
            for _ in 0..WRITERS {
                let mut writer = Writer::new(self, lot.fork());
                scope.spawn(move || writer.run());
            }
            work()
        })
    }

    pub(crate) fn s3(&self) -> &EmbeddedS3 {
        &self.world.s3
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Another code is rolled out: what the former one has begun is finished first.
    pub(crate) fn roll_out(&self, writing: Writing) {
        *self.writing.write().expect("the code") = writing;
        self.registry.event(&format!("writing: {writing:?}"));
    }

    /// Whether nobody writes.
    pub(crate) fn is_quiet(&self) -> bool {
        *self.writing.read().expect("the code") == Writing::Nothing
    }

    /// Does something while the code that writes is the given one.
    pub(crate) fn while_writing(&self, act: impl FnOnce(Writing)) {
        act(*self.writing.read().expect("the code"));
    }

    /// Looks at rows and objects while nobody writes.
    pub(crate) fn while_nobody_writes(&self, look: impl FnOnce()) {
        let _nobody = self.writing.write().expect("the code");
        look();
    }

    /// A promise is broken: what stands in both buckets, and the story of the picture. The first one counts.
    pub(crate) fn breaks(&self, name: &str, what: &str) {
        let shown = |form: Form| {
            let object = self.s3().object(form.bucket(), &form.path(name));
            object.map_or("nothing".to_owned(), |object| String::from_utf8_lossy(&object.body).into_owned())
        };
        let story = self.registry.story(name);
        let text = format!(
            "{what}\nlegacy bucket: {}\nproduction bucket: {}\n{story}",
            shown(Form::Legacy),
            shown(Form::Modern)
        );
        self.broken.lock().expect("what broke").get_or_insert(text);
    }

    /// Demands that no reader met anything wrong.
    #[track_caller]
    pub(crate) fn nothing_broke(&self) {
        if let Some(text) = self.broken.lock().expect("what broke").take() {
            panic!("{text}");
        }
    }
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
