//! `--transaction-rows N`: pieces along the primary key, whatever it is made of.

use crate::process::until;
use crate::support::World;

/// Demands that all rows moved, each with one line in the journal, in so many transactions.
#[track_caller]
fn moved_in_pieces(world: &World, rows: usize, pieces: usize) {
    assert_eq!(world.column("SELECT path AS v FROM avatars WHERE path NOT LIKE 'avatar/%'"), [""; 0]);
    let count =
        |what: &str| world.column(&format!("SELECT COUNT({what}) AS v FROM `{}`.am_row_change", world.ledger()));
    assert_eq!(count("DISTINCT row_key, old_value"), [rows.to_string()]);
    assert_eq!((count("*"), count("DISTINCT part")), (vec![rows.to_string()], vec![pieces.to_string()]));
}

#[test]
fn a_piece_follows_the_primary_key_of_any_kind() {
    let kinds = [
        ("id INT AUTO_INCREMENT PRIMARY KEY, a INT, b INT", "NULL, 1, 1"),
        ("id INT, a INT, b INT, PRIMARY KEY (a, b)", "0, seq DIV 4, seq"),
        (
            "id INT, a VARCHAR(20), b DATETIME(3), PRIMARY KEY (a, b)",
            "0, CHAR(65 + seq DIV 3), 20260101 + INTERVAL seq SECOND",
        ),
        ("id INT, a VARBINARY(20) PRIMARY KEY, b INT", "0, UNHEX(SHA1(seq)), seq"),
        ("id INT, a DECIMAL(20, 3), b INT, PRIMARY KEY (a, b)", "0, -seq / 7, seq"),
    ];
    for (key, values) in kinds {
        let world = World::bare();
        world.sql(&format!("CREATE TABLE avatars ({key}, path VARCHAR(200))"));
        let paths = "CONCAT('image/avatar-', seq, '.png')";
        world.sql(&format!("INSERT INTO avatars (id, a, b, path) SELECT {values}, {paths} FROM seq_0_to_22"));
        for n in 0..23 {
            world.source(&format!("image/avatar-{n}.png"));
        }
        assert_eq!(world.run(&["copy", "--transaction-rows", "5"]).exits(0).number("/rows/updated"), 23, "{key}");
        moved_in_pieces(&world, 23, 5);
    }
}

/// Its rows leave the range behind as they move.
#[test]
fn a_piece_follows_a_primary_key_that_is_the_path() {
    for modern in ["avatar/", "zebra/"] {
        let world = World::bare();
        world.sql("CREATE TABLE avatars (path VARCHAR(200) PRIMARY KEY)");
        world.avatars(12);
        world.run(&["copy", "--transaction-rows", "5", "--modern-prefix", modern]).exits(0);
        assert!(world.paths().iter().all(|path| path.starts_with(modern)), "{:?}", world.paths());
        assert_eq!(world.paths().len(), 12);
    }
}

#[test]
fn a_table_without_a_primary_key_moves_in_pieces_of_objects() {
    let world = World::bare();
    world.sql("CREATE TABLE avatars (path VARCHAR(200))");
    world.avatars(12);
    world.run(&["copy", "--transaction-rows", "5"]).exits(0);
    moved_in_pieces(&world, 12, 3);
}

/// A transaction that read the whole table would stand still at a row that a later piece is to move. InnoDB looks at one row
/// behind a range to find its end.
#[test]
fn a_piece_reads_no_rows_but_its_own() {
    let world = World::new();
    world.avatars(6);
    let blocker = world.hold_row(6);
    let running = world.start(&["copy", "--transaction-rows", "2"]);
    let first = || world.column("SELECT path AS v FROM avatars WHERE id <= 4 AND path LIKE 'image/%'").is_empty();
    until("the first two pieces have moved", first);
    drop(blocker);
    assert_eq!(running.ended().exits(0).number("/rows/updated"), 6);
    moved_in_pieces(&world, 6, 3);
}

/// What is refused in one piece is left out of the next ones as well.
#[test]
fn a_row_that_is_refused_stays_and_the_other_pieces_move() {
    let world = World::new();
    let keys = world.avatars(9);
    world.rows(&[&keys[4]]);
    world.sql("ALTER TABLE avatars ADD CONSTRAINT c CHECK (path <> 'avatar/avatar-4.png')");
    let left = world.run(&["copy", "--transaction-rows", "3"]).exits(3);
    assert_eq!((left.number("/rows/updated"), left.number("/rows/left")), (8, 2));
    world.every_row_resolves();
}
