//! What each command asks of S3: the one table from which every policy is made.
//!
//! An action is here because some request of the command needs it (AWS: "Required permissions for Amazon S3 API
//! operations"); `tests/it/policy` compares the table with every request that the commands send, both ways.

use crate::config::{Config, Method, Phase};
use crate::copy::common_prefix;
use crate::path::Mappings;
use crate::store::{PUT_ASIDE, SCRATCH_OF_DOCTOR, SCRATCH_OF_RUNS};

/// One of the two buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BucketSide {
    /// The legacy bucket.
    Source,
    /// The production bucket.
    Target,
}

impl BucketSide {
    /// Both, in order.
    pub const BOTH: [Self; 2] = [Self::Source, Self::Target];

    pub(super) fn of<T>(self, source: T, target: T) -> T {
        match self {
            Self::Source => source,
            Self::Target => target,
        }
    }
}

/// Some actions on some part of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) side: BucketSide,
    /// What the statement is for, as the end of its Sid.
    pub(super) purpose: &'static str,
    pub(super) actions: Vec<&'static str>,
    pub(super) place: Place,
}

impl Need {
    /// Whether it is about one of the two buckets themselves.
    pub(super) fn is_of_bucket(&self) -> bool {
        match self.place {
            Place::Listing { .. } | Place::Objects(_) | Place::ObjectsIfMatch(_) | Place::Settings => true,
            Place::Elsewhere(_) => false,
        }
    }
}

/// What of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Listing.
    Listing {
        /// By a prefix that begins with one of these.
        below: Vec<String>,
        /// By just one of these.
        exactly: Vec<String>,
    },
    /// The objects that begin with these.
    Objects(Vec<String>),
    /// The same, in requests that name the ETag of the object (AWS: "Enforce conditional deletes on Amazon S3 buckets").
    ObjectsIfMatch(Vec<String>),
    /// Objects of other buckets, each `bucket/prefix`.
    Elsewhere(Vec<String>),
    /// Its settings.
    Settings,
}

const LIST: &str = "s3:ListBucket";
const GET: &str = "s3:GetObject";
const GET_TAGS: &str = "s3:GetObjectTagging";
const PUT: &str = "s3:PutObject";
const PUT_TAGS: &str = "s3:PutObjectTagging";
const ABORT: &str = "s3:AbortMultipartUpload";
const DELETE: &str = "s3:DeleteObject";

/// What a command needs of both buckets.
pub(super) fn needs(phase: Phase, config: &Config) -> Vec<Need> {
    let (source, target) = (Keys::of(BucketSide::Source, config), Keys::of(BucketSide::Target, config));
    match phase {
        Phase::Verify => [source.read(&[GET]), source.inventory(), target.read(&[GET]), target.inventory()].concat(),
        Phase::Copy => [source.read(&[GET, GET_TAGS]), twin(&source, config), target.write(&[])].concat(),
        // Orphans are copied first, by the conditions that scratch objects have shown.
        Phase::Finalize => [
            source.read(&[GET, GET_TAGS]),
            source.delete(),
            source.scratch(SCRATCH_OF_RUNS, "TryDeletes"),
            source.inventory(),
            target.write(&[]),
            target.inventory(),
        ]
        .concat(),
        // Sources are looked at; of the production bucket every command but status asks whether it is there.
        Phase::Rollback => [source.read(&[GET]), target.read(&[])].concat(),
        Phase::Restore => [source.write(&[]), target.read(&[GET, GET_TAGS])].concat(),
        Phase::Resolve => [
            source.read(&[GET, GET_TAGS]),
            twin(&source, config),
            // What is replaced is copied aside first, with its tags.
            target.write(&[GET_TAGS]),
            target.objects("PutAside", &[GET, PUT, PUT_TAGS, ABORT], PUT_ASIDE),
        ]
        .concat(),
        Phase::Fence | Phase::Prune => [source.read(&[]), target.read(&[])].concat(),
        Phase::Doctor => [source.examine(), target.examine()].concat(),
        Phase::Status => Vec::new(),
    }
}

/// Where a place of sources overlaps one of targets, `copy` looks whether both names are one bucket: it reads in the one
/// what it has written into the other.
fn twin(source: &Keys<'_>, config: &Config) -> Vec<Need> {
    let overlap = config.mappings.shared_place().is_some();
    if overlap { source.objects("TellBucketsApart", &[GET], SCRATCH_OF_RUNS) } else { Vec::new() }
}

/// The keys of one side.
struct Keys<'a> {
    side: BucketSide,
    prefixes: Vec<String>,
    config: &'a Config,
}

impl<'a> Keys<'a> {
    fn of(side: BucketSide, config: &'a Config) -> Self {
        Self { side, prefixes: prefixes(&config.mappings, side), config }
    }

    fn need(&self, purpose: &'static str, actions: &[&'static str], place: Place) -> Vec<Need> {
        vec![Need { side: self.side, purpose, actions: actions.to_vec(), place }]
    }

    fn list(&self, more: &[&str]) -> Vec<Need> {
        let below = self.prefixes.iter().cloned().chain(more.iter().map(|prefix| (*prefix).to_owned()));
        self.need("List", &[LIST], Place::Listing { below: below.collect(), exactly: self.between() })
    }

    /// A window of keys that reaches from one prefix into another is listed by what the two have in common.
    fn between(&self) -> Vec<String> {
        let mut shared: Vec<String> = Vec::new();
        for (index, one) in self.prefixes.iter().enumerate() {
            for other in self.prefixes.iter().skip(index + 1) {
                let common = common_prefix(one, other).to_owned();
                if !shared.contains(&common) {
                    shared.push(common);
                }
            }
        }
        shared
    }

    fn objects(&self, purpose: &'static str, actions: &[&'static str], prefix: &str) -> Vec<Need> {
        self.need(purpose, actions, Place::Objects(vec![prefix.to_owned()]))
    }

    /// Lists, and reads objects if there is anything to read by.
    fn read(&self, actions: &[&'static str]) -> Vec<Need> {
        let read = self.need("Read", actions, Place::Objects(self.prefixes.clone()));
        [self.list(&[]), if actions.is_empty() { Vec::new() } else { read }].concat()
    }

    /// Reads inventories: that of the legacy bucket with the identity of this side, any other with that of the production bucket.
    fn inventory(&self) -> Vec<Need> {
        let legacy = &self.config.source.bucket;
        let all = self.config.inventories.iter();
        let mine = all.filter(|address| self.side.of(true, false) == address.names(legacy));
        let files: Vec<String> = mine.map(|address| format!("{}/{}", address.bucket, address.folder())).collect();
        if files.is_empty() { Vec::new() } else { self.need("ReadInventory", &[GET], Place::Elsewhere(files)) }
    }

    /// Lists, and makes objects, which are looked at before and after; tries conditions on scratch objects first.
    fn write(&self, more: &[&'static str]) -> Vec<Need> {
        let actions = [&[GET, PUT, PUT_TAGS, ABORT], more].concat();
        [
            self.list(&[SCRATCH_OF_RUNS]),
            self.need("Write", &actions, Place::Objects(self.prefixes.clone())),
            self.scratch_objects(SCRATCH_OF_RUNS, "TryCopies"),
        ]
        .concat()
    }

    /// Deletes only what has not changed since it was checked.
    fn delete(&self) -> Vec<Need> {
        self.need("DeleteWhatWasChecked", &[DELETE], Place::ObjectsIfMatch(self.prefixes.clone()))
    }

    /// Lists and makes scratch objects, and removes them again.
    fn scratch(&self, prefix: &str, purpose: &'static str) -> Vec<Need> {
        let listed =
            self.need("ListScratch", &[LIST], Place::Listing { below: vec![prefix.to_owned()], exactly: Vec::new() });
        [listed, self.scratch_objects(prefix, purpose)].concat()
    }

    fn scratch_objects(&self, prefix: &str, purpose: &'static str) -> Vec<Need> {
        // So small a threshold makes multipart copies even of scratch objects.
        let in_parts = self.config.multipart_threshold < SCRATCH_BYTES_MAX && self.config.method != Method::Sync;
        let parts: &[&'static str] = if in_parts { &[ABORT, GET_TAGS] } else { &[] };
        self.objects(purpose, &[&[GET, PUT, DELETE], parts].concat(), prefix)
    }

    fn examine(&self) -> Vec<Need> {
        [
            self.list(&[SCRATCH_OF_DOCTOR]),
            self.need("Read", &[GET], Place::Objects(self.prefixes.clone())),
            self.scratch_objects(SCRATCH_OF_DOCTOR, "Try"),
            self.need("Settings", &SETTINGS, Place::Settings),
        ]
        .concat()
    }
}

/// What `doctor` asks of a bucket as a whole; without one of them that line says `unknown`.
const SETTINGS: [&str; 6] = [
    "s3:GetBucketLocation",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
];

/// A scratch object holds its own key, and no key is longer than this.
const SCRATCH_BYTES_MAX: u64 = 1024;

/// What the keys of one side begin with, each once.
fn prefixes(mappings: &Mappings, side: BucketSide) -> Vec<String> {
    let mut prefixes: Vec<String> = Vec::new();
    for keys in mappings.key_mappings() {
        let prefix = side.of(keys.legacy.clone(), keys.modern.clone());
        if !prefixes.contains(&prefix) {
            prefixes.push(prefix);
        }
    }
    prefixes
}
