//! Every rule fails on a bad example and passes a good one.

use super::*;

fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

fn order() -> Vec<String> {
    room_order("//! Rooms.\n/// Pure.\npub mod path;\npub mod store;\nmod copy;\n// pub mod gone;\n")
}

#[test]
fn the_order_is_read_from_the_list() {
    assert_eq!(order(), ["path", "store", "copy"]);
}

#[test]
fn uses_of_lower_rooms_are_found() {
    let bad = [
        "use crate::copy::Copied;",
        "fn f() { crate::copy::all() }",
        "use crate::{path::{Key, Path}, copy::Copied};",
        "use crate::{\n    copy,\n};",
        "use super::copy;",
        "use super::super::path;",
    ];
    for text in bad {
        assert!(!upward_uses(&source("src/store.rs", text), &order()).is_empty(), "{text}");
    }
    let good = [
        "use crate::path::Key;",
        "use crate::store::Store;",
        "//! See [`crate::copy`].",
        "const X: &str = \"crate::copy\";",
        "use crate::{path::{copy, Key}};",
        "mod copy; use super::copy;",
        "#[cfg(test)] mod tests { use super::*; }",
    ];
    for text in good {
        assert_eq!(upward_uses(&source("src/store.rs", text), &order()), [""; 0], "{text}");
    }
    assert_eq!(upward_uses(&source("src/store/client.rs", "use crate::copy;"), &order()).len(), 1);
    assert_eq!(upward_uses(&source("src/attic.rs", ""), &order()), ["`attic` does not stand in src/lib.rs"]);
    assert_eq!(upward_uses(&source("src/main.rs", "use crate::copy;"), &order()), [""; 0]);
}

#[test]
fn crates_outside_their_rooms_are_found() {
    let bad = [
        ("src/copy.rs", "use aws_sdk_s3::Client;"),
        ("src/run.rs", "aws_config::load();"),
        ("src/verify.rs", "fn f(row: sqlx::Row) {}"),
        ("src/report.rs", "#[derive(clap::Parser)]"),
    ];
    for (path, text) in bad {
        assert_eq!(foreign_crates(&source(path, text)).len(), 1, "{path}");
    }
    let good = [
        ("src/store/client.rs", "use aws_sdk_s3::Client;"),
        ("src/database.rs", "use sqlx::Row;"),
        ("src/config/column.rs", "use clap::ValueEnum;"),
        ("src/copy.rs", "//! Knows nothing of sqlx.\nlet sqlx_like = \"sqlx\";"),
    ];
    for (path, text) in good {
        assert_eq!(foreign_crates(&source(path, text)), [""; 0], "{path}");
    }
}

#[test]
fn verified_is_the_checkers_word() {
    let bad = [
        "ObjectMark { state: ObjectState::Verified, size }",
        "object.state =\n    ObjectState::Verified;",
        "use crate::database::ObjectState::{Planned, Verified};",
        "use crate::database::ObjectState::*;",
    ];
    for text in bad {
        assert_eq!(unchecked_verified(&source("src/run.rs", text)).len(), 1, "{text}");
    }
    assert_eq!(unchecked_verified(&source("src/run.rs", "ledger.count(ObjectState::Verified)")), [""; 0]);
    assert_eq!(unchecked_verified(&source("src/check.rs", "state: ObjectState::Verified")), [""; 0]);
}

#[test]
fn length_is_measured() {
    assert_eq!(long_file(&source("src/a.rs", &"\n".repeat(401))), ["401 lines, more than 400"]);
    assert_eq!(long_file(&source("src/a.rs", &"\n".repeat(400))), [""; 0]);
    let function = |lines: usize| format!("fn f(x: [u8; 2]) -> u8 {{\n{}}}\nfn g() {{}}\n", "{}\n".repeat(lines - 2));
    assert_eq!(long_functions(&source("src/a.rs", &function(71))), ["`f` has 71 lines, more than 70"]);
    assert_eq!(long_functions(&source("src/a.rs", &function(70))), [""; 0]);
    let declared = format!("trait T {{ fn f(&self); {} }}", "\n".repeat(80));
    assert_eq!(long_functions(&source("src/a.rs", &declared)), [""; 0]);
}

#[test]
fn heads_are_demanded() {
    for text in ["use std::fmt;", "//!\n", "//! x\n", ""] {
        assert_eq!(missing_head(&source("src/a.rs", text)).len(), 1, "{text}");
    }
    assert_eq!(missing_head(&source("src/a.rs", "//! Says what it is for.\n")), [""; 0]);
}

#[test]
fn notes_to_oneself_are_found() {
    for word in LEFTOVERS {
        assert_eq!(leftovers(&source("src/a.rs", &format!("x\n// {word} x"))), [format!("line 2: {word}")]);
    }
    assert_eq!(leftovers(&source("src/a.rs", "// done\n")), [""; 0]);
}

#[test]
fn statements_explain_themselves_and_are_used() {
    assert_eq!(statement_head(&source("sql/a.sql", "SELECT 1")).len(), 3);
    assert_eq!(statement_head(&source("sql/a.sql", "-- Purpose: x.\n-- Locks: none.\nSELECT 'Rows: 1'")).len(), 1);
    assert_eq!(statement_head(&source("sql/a.sql", "-- Purpose: x. Locks: none. Rows: 1.\nSELECT 1")), [""; 0]);
    assert_eq!(statement_head(&source("sql/ledger/1.sql", "-- Purpose: a table.\nCREATE")), [""; 0]);
    let users = [source("src/database/a.rs", "statement!(\"a.sql\"); include_str!(\"../../sql/b.sql\")")];
    for (path, unused) in [("sql/a.sql", 0), ("sql/b.sql", 0), ("sql/aa.sql", 1), ("sql/ledger/a.sql", 1)] {
        assert_eq!(unused_statement(&source(path, ""), &users).len(), unused, "{path}");
    }
}
