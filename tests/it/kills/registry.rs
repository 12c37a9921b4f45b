//! What the application knows of its rows and pictures: the truth that every read is compared with.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

pub(crate) const LEGACY: &str = "legacy-s3";
pub(crate) const PRODUCTION: &str = "production-s3";

/// Events of the whole application that a report shows.
const SHOWN: usize = 40;

/// How a row names a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Legacy,
    Modern,
}

impl Form {
    /// The path, which is the key too.
    pub(crate) fn path(self, name: &str) -> String {
        match self {
            Self::Legacy => format!("image/{name}"),
            Self::Modern => format!("avatar/{name}"),
        }
    }

    /// The bucket that a path of this form implies.
    pub(crate) fn bucket(self) -> &'static str {
        match self {
            Self::Legacy => LEGACY,
            Self::Modern => PRODUCTION,
        }
    }

    /// Form and name of a path.
    pub(crate) fn of(path: &str) -> (Self, &str) {
        if let Some(name) = path.strip_prefix("image/") {
            return (Self::Legacy, name);
        }
        (Self::Modern, path.strip_prefix("avatar/").unwrap_or_else(|| panic!("nobody wrote the path {path:?}")))
    }
}

/// The bytes of a version of a picture.
pub(crate) fn bytes(name: &str, version: u64) -> Vec<u8> {
    format!("{name} {version} and its pixels").into_bytes()
}

/// Name and version of such bytes; `None` if nobody wrote them.
pub(crate) fn name_and_version(found: &[u8]) -> Option<(String, u64)> {
    let text = std::str::from_utf8(found).ok()?;
    let mut words = text.split(' ');
    let (name, version) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
    (bytes(&name, version) == found).then_some((name, version))
}

/// What a row held when the application wrote it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) form: Form,
}

/// The versions that a read has to show at least.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Floor {
    /// Read under the legacy path: every finished write.
    legacy: u64,
    /// Read under the modern path: writes to that place, and those to the legacy place that the program has to have seen.
    modern: u64,
}

impl Floor {
    pub(crate) fn of(self, form: Form) -> u64 {
        match form {
            Form::Legacy => self.legacy,
            Form::Modern => self.modern,
        }
    }
}

#[derive(Default)]
struct Picture {
    lock: Arc<Mutex<()>>,
    floor: Floor,
    /// Deleted by its modern path, as the last row that named it went.
    erased: bool,
    history: Vec<String>,
}

pub(crate) struct Registry {
    begun: Instant,
    pictures: Mutex<BTreeMap<String, Picture>>,
    rows: Mutex<BTreeMap<u64, Row>>,
    /// Names of pictures that no row named from the beginning.
    orphans: Mutex<Vec<String>>,
    numbers: AtomicU64,
    events: Mutex<Vec<String>>,
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self {
            begun: Instant::now(),
            pictures: Mutex::default(),
            rows: Mutex::default(),
            orphans: Mutex::default(),
            numbers: AtomicU64::new(1),
            events: Mutex::default(),
        }
    }

    /// A number that was never given before: of a row, a name, a version.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::SeqCst)
    }

    pub(crate) fn rows(&self) -> MutexGuard<'_, BTreeMap<u64, Row>> {
        self.rows.lock().expect("the rows")
    }

    pub(crate) fn orphans(&self) -> MutexGuard<'_, Vec<String>> {
        self.orphans.lock().expect("the orphans")
    }

    /// The `n`-th row from the lowest, round and round.
    pub(crate) fn nth_row(&self, n: u64) -> Option<(u64, Row)> {
        let rows = self.rows();
        let nth = usize::try_from(n).expect("small").checked_rem(rows.len())?;
        rows.iter().nth(nth).map(|(id, row)| (*id, row.clone()))
    }

    /// Who writes or deletes a picture, or makes a row name it, holds this.
    pub(crate) fn lock_of(&self, name: &str) -> Arc<Mutex<()>> {
        self.with(name, |picture| Arc::clone(&picture.lock))
    }

    pub(crate) fn floor(&self, name: &str) -> Floor {
        self.with(name, |picture| picture.floor)
    }

    /// A version was written: everywhere if in production too, else only to where the legacy path leads.
    pub(crate) fn written(&self, name: &str, version: u64, in_production: bool) {
        self.with(name, |picture| {
            picture.floor.legacy = version;
            if in_production {
                picture.floor.modern = version;
            }
        });
    }

    /// From now on each reader has to see the newest version of every picture.
    pub(crate) fn all_is_visible(&self) {
        for picture in self.pictures.lock().expect("the pictures").values_mut() {
            picture.floor.modern = picture.floor.legacy;
        }
    }

    pub(crate) fn erase(&self, name: &str) {
        self.with(name, |picture| picture.erased = true);
    }

    pub(crate) fn erased(&self) -> Vec<String> {
        let pictures = self.pictures.lock().expect("the pictures");
        pictures.iter().filter(|(_, picture)| picture.erased).map(|(name, _)| name.clone()).collect()
    }

    /// Notes what happened to a picture.
    pub(crate) fn note(&self, name: &str, what: &str) {
        let line = self.at_time(what);
        self.with(name, |picture| picture.history.push(line));
    }

    /// Notes what the operator did.
    pub(crate) fn event(&self, what: &str) {
        self.events.lock().expect("the events").push(self.at_time(what));
    }

    /// What is known of a picture, to understand a red run.
    pub(crate) fn story(&self, name: &str) -> String {
        let history = self.with(name, |picture| format!("{:?}\n  {}", picture.floor, picture.history.join("\n  ")));
        let rows: Vec<String> =
            self.rows().iter().filter(|(_, row)| row.name == name).map(|r| format!("{r:?}")).collect();
        let events = self.events.lock().expect("the events");
        let last = events.get(events.len().saturating_sub(SHOWN)..).unwrap_or_default();
        format!("{name}: {history}\nrows: {}\nthe last events:\n  {}", rows.join(", "), last.join("\n  "))
    }

    fn at_time(&self, what: &str) -> String {
        format!("{:9.3} s {what}", self.begun.elapsed().as_secs_f64())
    }

    fn with<T>(&self, name: &str, look: impl FnOnce(&mut Picture) -> T) -> T {
        let mut pictures = self.pictures.lock().expect("the pictures");
        if !pictures.contains_key(name) {
            pictures.insert(name.to_owned(), Picture::default());
        }
        look(pictures.get_mut(name).expect("just inserted"))
    }
}
