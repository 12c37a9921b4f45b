//! Paths as rows store them, keys as buckets hold them, and the mapping between the two worlds.
//!
//! Everything here is pure and total: any bytes can be classified, and what [`Mappings`] accepts is invertible. A rewrite
//! is anchored (the prefix at the start is exchanged, the rest stays verbatim), so that no later occurrence is touched.

mod key;
mod mapping;
mod pattern;
mod regexp;
mod suspect;

pub use key::{ETag, KEY_BYTES_MAX, KeyError, ObjectKey};
pub use mapping::{KeyMapping, Mapping, MappingError, Prefix, PrefixError, PrefixForm};
pub use pattern::{LIKE_ESCAPE, NamePattern, PatternError, like_literal};
pub use suspect::SuspectCores;

use suspect::SuspectFinder;

/// The longest stored path in bytes of UTF-8 that can be planned: the ledger holds it in an index of 3,072 bytes.
pub const PATH_BYTES_MAX: usize = 3000;

/// What a stored value is, in the order of precedence: legacy, modern, suspect, out of scope, foreign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// Begins, byte for byte, with a legacy prefix, and its name fits the pattern: it has to move.
    Legacy(LegacyPath),
    /// The same with the modern prefix: it has moved, or was born there.
    Modern(ModernPath),
    /// Seems to name a legacy object, but in no form that a mapping knows: never rewritten, always reported.
    Suspect(Suspicion),
    /// Legacy prefix, but the name does not fit the pattern: none of this migration's business.
    OutOfScope,
    /// Anything else.
    Foreign,
}

/// Why a value is suspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspicion {
    /// Trimmed, case-folded, slash- or percent-normalised, or stripped of scheme and host, it names an in-scope key.
    Variant,
    /// The key is longer than S3 allows, or the path longer than [`PATH_BYTES_MAX`].
    TooLong,
    /// The path, or the key that it names once percent-decoded, is no UTF-8, so no key can be meant.
    NotUtf8,
}

impl Suspicion {
    /// What to tell the operator.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Variant => "names an in-scope legacy object in a form that no mapping covers",
            Self::TooLong => "is longer than an object key can be (1,024 bytes)",
            Self::NotUtf8 => "is not valid UTF-8, so it cannot name an object",
        }
    }
}

/// A path in one of the two worlds, with the keys that it means.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Located {
    text: String,
    mapping: usize,
    source: ObjectKey,
    target: ObjectKey,
}

/// A path that names an object of the legacy bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyPath(Located);

/// A path that names an object of the production bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModernPath(Located);

macro_rules! path_accessors {
    ($path:ty) => {
        impl $path {
            /// The stored value.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0.text
            }

            /// The index of the mapping that it belongs to.
            #[must_use]
            pub fn mapping(&self) -> usize {
                self.0.mapping
            }

            /// The key in the legacy bucket.
            #[must_use]
            pub fn source(&self) -> &ObjectKey {
                &self.0.source
            }

            /// The key in the production bucket.
            #[must_use]
            pub fn target(&self) -> &ObjectKey {
                &self.0.target
            }
        }
    };
}
path_accessors!(LegacyPath);
path_accessors!(ModernPath);

/// All mappings of a migration and the name pattern; checked when made, so that every rewrite has one inverse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mappings {
    mappings: Vec<Mapping>,
    keys: Vec<KeyMapping>,
    pattern: NamePattern,
    suspects: SuspectFinder,
}

impl Mappings {
    /// Joins mappings, pattern and the name of the legacy bucket (needed to recognise path-style URLs as suspects).
    ///
    /// # Errors
    /// [`MappingError`] if there is none, or if two prefixes overlap so that a path or a key would have two meanings.
    pub fn new(mappings: Vec<Mapping>, pattern: NamePattern, source_bucket: &str) -> Result<Self, MappingError> {
        mapping::refuse_overlaps(&mappings)?;
        let mut keys: Vec<KeyMapping> = Vec::new();
        for pair in mappings.iter().map(Mapping::keys) {
            if !keys.contains(&pair) {
                keys.push(pair);
            }
        }
        let suspects = SuspectFinder::new(&mappings, &pattern, source_bucket);
        Ok(Self { mappings, keys, pattern, suspects })
    }

    /// The mappings in the order given.
    #[must_use]
    pub fn all(&self) -> &[Mapping] {
        &self.mappings
    }

    /// The name pattern.
    #[must_use]
    pub fn pattern(&self) -> &NamePattern {
        &self.pattern
    }

    /// The distinct pairs of key prefixes: several path forms may mean the same objects.
    #[must_use]
    pub fn key_mappings(&self) -> &[KeyMapping] {
        &self.keys
    }

    /// A legacy and a modern key prefix of which one begins with the other: were both buckets one, a target would be a source.
    #[must_use]
    pub fn shared_place(&self) -> Option<(&str, &str)> {
        let pairs = self.keys.iter().flat_map(|from| self.keys.iter().map(move |to| (&*from.legacy, &*to.modern)));
        pairs.into_iter().find(|(legacy, modern)| legacy.starts_with(modern) || modern.starts_with(legacy))
    }

    /// Whether an object of the legacy bucket belongs to the migration; gives its twin's key.
    #[must_use]
    pub fn twin_of_source(&self, source: &ObjectKey) -> Option<ObjectKey> {
        self.twin(source, |keys| (&keys.legacy, &keys.modern))
    }

    /// Whether an object of the production bucket has its place in the migration; gives its source's key.
    #[must_use]
    pub fn twin_of_target(&self, target: &ObjectKey) -> Option<ObjectKey> {
        self.twin(target, |keys| (&keys.modern, &keys.legacy))
    }

    /// Source and target key of the object that a person names: by its key in either bucket, or by a path as rows hold it.
    #[must_use]
    pub fn twins_named(&self, name: &str) -> Option<(ObjectKey, ObjectKey)> {
        match self.classify(name.as_bytes()) {
            Class::Legacy(path) => return Some((path.source().clone(), path.target().clone())),
            Class::Modern(path) => return Some((path.source().clone(), path.target().clone())),
            Class::Suspect(_) | Class::OutOfScope | Class::Foreign => {}
        }
        let key = ObjectKey::new(name).ok()?;
        match self.twin_of_source(&key) {
            Some(target) => Some((key, target)),
            None => self.twin_of_target(&key).map(|source| (source, key)),
        }
    }

    /// The paths, legacy and modern, that name the object of a source key; those of URLs only in the spelling of the key.
    pub fn paths_of<'a>(&'a self, source: &'a ObjectKey) -> impl Iterator<Item = (String, String)> + 'a {
        self.mappings.iter().filter_map(|mapping| {
            let rest = source.as_str().strip_prefix(mapping.keys().legacy.as_str())?;
            Some((format!("{}{rest}", mapping.legacy.as_str()), format!("{}{rest}", mapping.modern.as_str())))
        })
    }

    fn twin(&self, key: &ObjectKey, sides: impl Fn(&KeyMapping) -> (&String, &String)) -> Option<ObjectKey> {
        if !self.pattern.matches(key.last_segment()) {
            return None;
        }
        self.keys.iter().find_map(|keys| {
            let (from, to) = sides(keys);
            let rest = key.as_str().strip_prefix(from.as_str())?;
            ObjectKey::new(format!("{to}{rest}")).ok()
        })
    }

    /// What a stored value is. Total: any bytes have a class.
    #[must_use]
    pub fn classify(&self, value: &[u8]) -> Class {
        let Ok(text) = std::str::from_utf8(value) else {
            let legacy = self.mappings.iter().any(|m| value.starts_with(m.legacy.as_str().as_bytes()));
            return if legacy { Class::Suspect(Suspicion::NotUtf8) } else { Class::Foreign };
        };
        let legacy = self.locate(text, |m| &m.legacy);
        let modern = self.locate(text, |m| &m.modern);
        match (legacy, modern) {
            (Place::Inside(path), _) => Class::Legacy(LegacyPath(path)),
            (_, Place::Inside(path)) => Class::Modern(ModernPath(path)),
            (Place::Unnameable(why), _) | (_, Place::Unnameable(why)) => Class::Suspect(why),
            (legacy, Place::OutOfScope | Place::Elsewhere) => {
                if self.suspects.names_a_legacy_key(text) {
                    Class::Suspect(Suspicion::Variant)
                } else if matches!(legacy, Place::OutOfScope) {
                    Class::OutOfScope
                } else {
                    Class::Foreign
                }
            }
        }
    }

    fn locate(&self, text: &str, prefix: impl Fn(&Mapping) -> &Prefix) -> Place {
        let found = self.mappings.iter().enumerate().find_map(|(index, mapping)| {
            let rest = text.strip_prefix(prefix(mapping).as_str())?;
            Some((index, mapping.keys_of(rest)))
        });
        let Some((mapping, keys)) = found else { return Place::Elsewhere };
        let Some((source, target)) = keys else { return Place::Unnameable(Suspicion::NotUtf8) };
        let segment = source.rsplit('/').next().unwrap_or_default();
        if !self.pattern.matches(segment) {
            return Place::OutOfScope;
        }
        match (ObjectKey::new(source), ObjectKey::new(target)) {
            (Ok(source), Ok(target)) if text.len() <= PATH_BYTES_MAX => {
                Place::Inside(Located { text: text.to_owned(), mapping, source, target })
            }
            (Err(KeyError::Empty), _) | (_, Err(KeyError::Empty)) => Place::OutOfScope,
            (Ok(_) | Err(KeyError::TooLong), Ok(_) | Err(KeyError::TooLong)) => Place::Unnameable(Suspicion::TooLong),
        }
    }

    /// The modern twin of a legacy path: the prefix at its start exchanged, the rest verbatim.
    #[must_use]
    pub fn modern(&self, path: &LegacyPath) -> ModernPath {
        ModernPath(self.exchange(&path.0, |m| (&m.legacy, &m.modern)))
    }

    /// The legacy twin of a modern path: the inverse of [`Mappings::modern`].
    #[must_use]
    pub fn legacy(&self, path: &ModernPath) -> LegacyPath {
        LegacyPath(self.exchange(&path.0, |m| (&m.modern, &m.legacy)))
    }

    fn exchange(&self, path: &Located, sides: impl Fn(&Mapping) -> (&Prefix, &Prefix)) -> Located {
        let mapping = self.mappings.get(path.mapping);
        let text = mapping.and_then(|mapping| {
            let (from, to) = sides(mapping);
            path.text.strip_prefix(from.as_str()).map(|rest| format!("{}{rest}", to.as_str()))
        });
        // A path is made by these same mappings, so that it always begins with its prefix.
        Located { text: text.unwrap_or_else(|| path.text.clone()), ..path.clone() }
    }

    /// Whether a longer text holds a legacy path somewhere inside. Only asked of values that are no path themselves.
    #[must_use]
    pub fn mentions(&self, text: &str) -> bool {
        suspect::mentions(text, self)
    }

    /// What every suspect value and every mention holds, for a search in SQL that lets nothing slip.
    #[must_use]
    pub fn suspect_cores(&self) -> SuspectCores {
        SuspectCores::of(self)
    }
}

enum Place {
    Inside(Located),
    OutOfScope,
    Unnameable(Suspicion),
    Elsewhere,
}

#[cfg(test)]
mod tests;
