//! The fence on tables of every kind, under hostile names, and beside what is there already.

use crate::support::World;

/// A modern row in every reference, so that it is one.
fn fenced(world: &World, trigger: bool) -> Vec<String> {
    let kind = if trigger { "--trigger" } else { "--no-trigger" };
    let applied = world.run(&["fence", "--apply", "--yes", kind]).exits(0);
    assert_eq!(applied.json["fenced"], true, "{}", applied.json);
    let references = applied.json["references"].as_array().expect("references");
    references.iter().map(|of| of["reference"].as_str().expect("a name").to_owned()).collect()
}

/// Demands that a statement is refused by the fence.
#[track_caller]
fn refused(world: &World, sql: &str) {
    let error = world.database.execute(sql).expect_err(sql);
    let text = format!("{error:#}");
    assert!(text.contains("avatar_migrate_fence_") || text.contains("avatarMigrate fence: a legacy path"), "{text}");
}

#[test]
fn every_kind_of_table_is_fenced() {
    for trigger in [false, true] {
        let world = World::bare();
        world.sql(
            "CREATE TABLE versioned (id INT PRIMARY KEY, path VARCHAR(200)) WITH SYSTEM VERSIONING;
             CREATE TABLE parted (id INT PRIMARY KEY, path VARCHAR(200)) PARTITION BY HASH (id) PARTITIONS 3;
             CREATE TABLE plain (path VARCHAR(200), other TEXT) ENGINE = Aria;
             CREATE TABLE keyed (path VARBINARY(200) PRIMARY KEY);
             CREATE VIEW seen AS SELECT path FROM parted",
        );
        // Its history keeps the legacy path: that is no row.
        world.sql("INSERT INTO versioned VALUES (1, 'image/avatar-1'); UPDATE versioned SET path = 'avatar/avatar-1'");
        for table in
            ["parted (id, path) VALUES (1,", "plain (other, path) VALUES ('avatar/avatar-2',", "keyed (path) VALUES ("]
        {
            world.sql(&format!("INSERT INTO {table} 'avatar/avatar-1')"));
        }
        let references = fenced(&world, trigger);
        assert_eq!(references, ["keyed.path", "parted.path", "plain.path", "plain.other", "versioned.path"]);
        refused(&world, "INSERT INTO versioned VALUES (2, 'image/avatar-1')");
        refused(&world, "UPDATE versioned SET path = 'image/avatar-1'");
        refused(&world, "UPDATE seen SET path = 'image/avatar-1'");
        refused(&world, "UPDATE plain SET other = 'image/avatar-1'");
        refused(&world, "REPLACE INTO keyed VALUES ('image/avatar-1')");
        refused(&world, "INSERT INTO parted VALUES (1, 'x') ON DUPLICATE KEY UPDATE path = 'image/avatar-1'");
        world.sql("UPDATE versioned SET path = 'avatar/avatar-3'; INSERT INTO parted VALUES (2, 'image/logo.png')");
        world.run(&["fence", "--drop"]).exits(0);
        world.sql("INSERT INTO versioned VALUES (2, 'image/avatar-1'); INSERT INTO keyed VALUES ('image/avatar-1')");
    }
}

#[test]
fn hostile_and_long_names_are_fenced_each_by_a_name_of_its_own() {
    for trigger in [false, true] {
        let world = World::bare();
        let long = "t".repeat(60);
        let tables = [
            format!("{long}abcd"),
            format!("{long}abce"),
            "we`ird'\\\"; -- {body}$$".to_owned(),
            "späce né".to_owned(),
        ];
        for table in &tables {
            let quoted = table.replace('`', "``");
            world.sql(&format!(
                "CREATE TABLE `{quoted}` (`{long}abcd` VARCHAR(100) PRIMARY KEY, `p``'\\x {{name}}` VARCHAR(90) CHARACTER SET utf16);
                 INSERT INTO `{quoted}` VALUES ('avatar/avatar-1', 'avatar/avatar-1')"
            ));
        }
        assert_eq!(fenced(&world, trigger).len(), 8);
        for table in &tables {
            let quoted = table.replace('`', "``");
            refused(&world, &format!("INSERT INTO `{quoted}` VALUES ('image/avatar-2', '')"));
            refused(&world, &format!("INSERT INTO `{quoted}` VALUES ('', 'image/avatar-2')"));
            world.sql(&format!("INSERT INTO `{quoted}` VALUES ('image/logo', NULL)"));
        }
        let dropped = world.run(&["fence", "--drop"]).exits(0);
        assert_eq!(dropped.json["changed"].as_array().map(Vec::len), Some(8));
        assert_eq!(world.run(&["fence", "--drop"]).exits(0).json["changed"].as_array().map(Vec::len), Some(0));
    }
}

#[test]
fn triggers_that_are_there_stay_and_the_fence_sees_what_they_store() {
    let world = World::new();
    world.sql("INSERT INTO avatars (path) VALUES ('avatar/avatar-1')");
    world.sql(
        "CREATE TABLE log (n INT);
         CREATE TRIGGER counts BEFORE INSERT ON avatars FOR EACH ROW INSERT INTO log VALUES (1);
         CREATE TRIGGER turns BEFORE INSERT ON avatars FOR EACH ROW
           SET NEW.path = IF(NEW.path = 'turn me', 'image/avatar-1', NEW.path)",
    );
    assert_eq!(fenced(&world, true), ["avatars.path"]);
    world.sql("INSERT INTO avatars (path) VALUES ('avatar/avatar-2')");
    refused(&world, "INSERT INTO avatars (path) VALUES ('turn me')");
    // One that comes later may store what the fence has not seen: that is no fence until it is made anew.
    world.sql("CREATE TRIGGER later BEFORE UPDATE ON avatars FOR EACH ROW SET NEW.path = 'image/avatar-1'");
    assert_eq!(world.run(&["verify"]).json["fenced"], false);
    assert_eq!(fenced(&world, true), ["avatars.path"]);
    refused(&world, "UPDATE avatars SET path = 'x'");
    world.run(&["fence", "--drop"]).exits(0);
    let names = "SELECT trigger_name AS v FROM information_schema.triggers WHERE trigger_schema = DATABASE()";
    assert_eq!(world.column(names), ["counts", "later", "turns"]);
    // Both kinds at once are taken away together.
    world.sql("DROP TRIGGER later");
    fenced(&world, true);
    let check = world.run(&["fence", "--name-pattern", "*"]).exits(0).json["statements"][0].as_str().map(str::to_owned);
    world.sql(&check.expect("a statement"));
    assert_eq!(world.run(&["verify", "--name-pattern", "*"]).json["fenced"], true);
}

/// Where the table is moved aside and made anew without its fence, that is seen.
#[test]
fn a_fence_that_was_lost_is_not_believed() {
    for trigger in [false, true] {
        let world = World::new();
        world.sql("INSERT INTO avatars (path) VALUES ('avatar/avatar-1')");
        fenced(&world, trigger);
        world.sql("CREATE TABLE copied AS SELECT * FROM avatars; DROP TABLE avatars; RENAME TABLE copied TO avatars");
        assert_eq!(world.run(&["verify"]).json["fenced"], false);
        fenced(&world, trigger);
        world.sql("ALTER TABLE avatars MODIFY path VARBINARY(300)");
        // Read otherwise from now on: the old clause would fold nothing, but it is not the one that is asked for.
        assert_eq!(world.run(&["verify"]).json["fenced"], false);
        fenced(&world, trigger);
        refused(&world, "INSERT INTO avatars (id, path) VALUES (9, 'image/avatar-1')");
    }
}
