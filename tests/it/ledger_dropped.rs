//! The ledger never decides: dropped between any two commands, codes, rows and objects are the same.

use crate::support::{World, content};

/// What a world comes to: exit codes, rows, keys of both buckets.
type Outcome = (Vec<i32>, Vec<String>, Vec<String>, Vec<String>);

/// Runs a scenario with the ledger kept and with the ledger dropped before each command, and compares.
#[track_caller]
fn same_without_ledger(prepare: fn(&World), steps: &[Step], codes: &[i32]) {
    let outcome = |drop_it: bool| -> Outcome {
        let world = World::new();
        prepare(&world);
        let mut codes = Vec::new();
        for step in steps {
            if drop_it {
                world.drop_ledger();
            }
            match step {
                Step::Run(arguments) => codes.push(world.run(arguments).code),
                Step::Do(act) => act(&world),
            }
        }
        (codes, world.paths(), world.s3.keys("legacy-s3"), world.s3.keys("production-s3"))
    };
    let kept = outcome(false);
    assert_eq!(kept.0, codes);
    assert_eq!(kept, outcome(true));
}

enum Step {
    Run(&'static [&'static str]),
    Do(fn(&World)),
}

const COPY: Step = Step::Run(&["copy"]);
const VERIFY: Step = Step::Run(&["verify", "--report", "out.csv"]);
const FINALIZE: Step = Step::Run(&["finalize", "--yes"]);

fn classic(world: &World) {
    world.avatars(8);
    world.source("image/avatar-orphan.png");
    world.source("image/logo.png");
    world.rows(&["image/logo.png", "image/avatar-0.png"]);
}

#[test]
fn between_any_two_commands() {
    same_without_ledger(classic, &[COPY, VERIFY, FINALIZE, VERIFY, COPY, FINALIZE, VERIFY], &[0; 7]);
}

#[test]
fn after_a_part_of_the_copy() {
    let some: Step = Step::Run(&["copy", "--limit", "3"]);
    same_without_ledger(classic, &[some, VERIFY, FINALIZE, COPY, FINALIZE], &[3, 3, 4, 0, 0]);
}

#[test]
fn with_problems_that_stay() {
    fn prepare(world: &World) {
        classic(world);
        world.rows(&["image/avatar-gone.png", "image/avatar-taken.png"]);
        world.source("image/avatar-taken.png");
        world.target("avatar/avatar-taken.png", "other bytes");
    }
    same_without_ledger(prepare, &[COPY, VERIFY, FINALIZE, COPY], &[3, 3, 4, 3]);
}

#[test]
fn with_a_picture_that_the_application_replaced() {
    // Clearly newer than its source: its date alone says so, and no record is needed.
    fn replace(world: &World) {
        world.s3.put("production-s3", "avatar/avatar-3.png", content("a new picture"));
    }
    same_without_ledger(classic, &[COPY, Step::Do(replace), VERIFY, FINALIZE, VERIFY, FINALIZE], &[0; 5]);
}

#[test]
fn with_a_legacy_row_written_after_finalize() {
    // The ledger proves the twin of a deleted source (the row moves); without it the program is more cautious (it stays).
    let world = World::new();
    classic(&world);
    for arguments in [&["copy"][..], &["finalize", "--yes"]] {
        world.run(arguments).exits(0);
    }
    world.rows(&["image/avatar-1.png"]);
    world.run(&["copy"]).exits(0);
    assert_eq!(world.paths().iter().filter(|path| *path == "avatar/avatar-1.png").count(), 2);
    world.rows(&["image/avatar-1.png"]);
    world.drop_ledger();
    assert_eq!(world.run(&["copy"]).exits(3).number("/objects/missing_source"), 1);
    assert_eq!(world.paths().iter().filter(|path| *path == "image/avatar-1.png").count(), 1);
}
