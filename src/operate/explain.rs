//! What a key or path is in words, and what a person does about it.

use crate::finding::Status;
use crate::path::{Class, Mappings};

/// What the mappings call a text, and why it names no object if it does not.
#[must_use]
pub fn class_of(mappings: &Mappings, given: &str) -> (&'static str, String) {
    let prefixes: Vec<&str> = mappings.all().iter().map(|mapping| mapping.legacy.as_str()).collect();
    let foreign = || format!("it begins with no legacy prefix ({}) and no modern one", prefixes.join(", "));
    match mappings.classify(given.as_bytes()) {
        Class::Legacy(_) => ("legacy", String::new()),
        Class::Modern(_) => ("modern", String::new()),
        Class::Suspect(why) => ("suspect", format!("it {}", why.reason())),
        Class::OutOfScope => {
            ("out_of_scope", format!("its name does not fit the pattern {}: never touched", mappings.pattern()))
        }
        // A key that no row could hold in this form may still be one of the objects.
        Class::Foreign => match mappings.twins_named(given) {
            Some((source, _)) if source.as_str() == given => ("legacy", String::new()),
            Some(_) => ("modern", String::new()),
            None => ("foreign", foreign()),
        },
    }
}

/// Which ending is told if an object has several: what users see broken now, what a person has to decide, what is waiting.
#[must_use]
pub fn gravity(status: Status) -> u8 {
    match status {
        Status::MissingTarget => 6,
        Status::Mismatch | Status::SourceChanged | Status::Conflict => 5,
        Status::MissingSource | Status::RowConflict => 4,
        Status::UnlistedReference | Status::Suspect => 3,
        Status::Legacy => 2,
        Status::Orphan | Status::Superseded | Status::DeletedByApplication => 1,
        Status::Migrated | Status::OutOfScope => 0,
    }
}

/// What to do about an ending; empty where nothing is to be done.
#[must_use]
pub fn next_step(status: Status, source: &str) -> String {
    match status {
        Status::Legacy => "avatarMigrate copy".to_owned(),
        Status::Conflict | Status::Mismatch | Status::SourceChanged => {
            format!("look at both, then avatarMigrate resolve '{}' --keep source|target", source.replace('\'', r"'\''"))
        }
        Status::MissingSource => "restore the object, or correct the row; then avatarMigrate copy".to_owned(),
        Status::MissingTarget => "copy the source to the target by hand, or restore it from a backup".to_owned(),
        Status::RowConflict => "merge or delete one of the two rows; then avatarMigrate copy".to_owned(),
        Status::Suspect => "correct the path, or add a mapping".to_owned(),
        Status::UnlistedReference => {
            "add the column with --reference, or leave it out with --exclude-reference".to_owned()
        }
        Status::Orphan => "avatarMigrate finalize, which copies it first".to_owned(),
        Status::Migrated | Status::Superseded | Status::OutOfScope | Status::DeletedByApplication => String::new(),
    }
}
