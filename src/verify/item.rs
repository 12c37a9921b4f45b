//! What is sorted and joined: rows and objects, each at the place that its key has in its mapping.

use serde::{Deserialize, Serialize};

use crate::database::Role;
use crate::path::{ETag, Mappings, ObjectKey};
use crate::store::ObjectInfo;

/// Where twins meet: the pair of key prefixes, and what follows them in both buckets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) keys: u16,
    pub(super) rest: String,
}

impl Place {
    /// The place of a source key; `None` if it belongs to no mapping.
    pub(super) fn of_source(mappings: &Mappings, key: &ObjectKey) -> Option<Self> {
        Self::of(mappings, key, |keys| &keys.legacy)
    }

    /// The place of a target key; `None` if it belongs to no mapping.
    pub(super) fn of_target(mappings: &Mappings, key: &ObjectKey) -> Option<Self> {
        Self::of(mappings, key, |keys| &keys.modern)
    }

    fn of(mappings: &Mappings, key: &ObjectKey, side: impl Fn(&crate::path::KeyMapping) -> &String) -> Option<Self> {
        mappings.key_mappings().iter().zip(0..).find_map(|(keys, index)| {
            let rest = key.as_str().strip_prefix(side(keys).as_str())?;
            Some(Self { keys: index, rest: rest.to_owned() })
        })
    }

    /// The keys of the twins that meet here.
    pub(super) fn twins(&self, mappings: &Mappings) -> Option<(ObjectKey, ObjectKey)> {
        let keys = mappings.key_mappings().get(usize::from(self.keys))?;
        let key = |prefix: &str| ObjectKey::new(format!("{prefix}{}", self.rest)).ok();
        Some((key(&keys.legacy)?, key(&keys.modern)?))
    }
}

/// A row that names an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct RowItem {
    pub(super) place: Place,
    pub(super) column: u32,
    pub(super) primary_key: String,
    pub(super) legacy_path: String,
    pub(super) modern_path: String,
    pub(super) kind: RowKind,
}

/// What a row means for the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum RowKind {
    /// A legacy row of a reference.
    Legacy,
    /// The same, but a unique key forbids its new path.
    Clashing,
    /// A modern row of a reference.
    Modern,
    /// A legacy row of a column that an explicit `--reference` left out.
    Unlisted,
    /// A row of an excluded or plain column: gets no line, but its object is no orphan.
    Silent,
}

impl RowKind {
    /// Of a row with a legacy path, in a column of this role.
    pub(super) fn of_legacy(role: Role, clashes: bool) -> Self {
        match role {
            Role::Reference if clashes => Self::Clashing,
            Role::Reference => Self::Legacy,
            Role::Other => Self::Unlisted,
            Role::Excluded => Self::Silent,
        }
    }

    /// Of a row with a modern path.
    pub(super) fn of_modern(role: Role) -> Self {
        match role {
            Role::Reference => Self::Modern,
            Role::Excluded | Role::Other => Self::Silent,
        }
    }
}

impl RowItem {
    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        self.place.rest.len() + self.primary_key.len() + self.legacy_path.len() + self.modern_path.len() + 32
    }
}

/// A listed object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct ObjectItem {
    pub(super) place: Place,
    size: u64,
    etag: String,
    modified_ms: i64,
    /// The range of the listing that showed it.
    pub(super) range: u32,
    /// The how-manieth key of this range it is, out of scope or not.
    pub(super) nth: u64,
}

impl ObjectItem {
    /// An object that was the `nth` key of a range.
    pub(super) fn new(place: Place, info: &ObjectInfo, (range, nth): (u32, u64)) -> Self {
        let etag = info.etag.as_str().to_owned();
        Self { place, size: info.size, etag, modified_ms: info.modified_ms, range, nth }
    }

    pub(super) fn weight(&self) -> usize {
        self.place.rest.len() + self.etag.len() + 32
    }

    /// The object under its key.
    pub(super) fn info(&self, key: ObjectKey) -> ObjectInfo {
        ObjectInfo { key, size: self.size, etag: ETag::new(&self.etag), modified_ms: self.modified_ms }
    }
}
