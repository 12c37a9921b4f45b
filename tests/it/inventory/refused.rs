//! Inventories that cannot be used: each says what, where, and what to do.

use super::written::{CSV, Inventory, put_manifest};
use super::{HOUR, finalize, migrated, of_both, verify};
use crate::support::World;

/// Verify refuses it, and so does finalize, which deletes nothing.
#[track_caller]
fn refused(world: &World, inventories: &[String], exit: i32, told: &[&str]) {
    for ended in [verify(world, inventories), finalize(world, inventories, &[])] {
        let ended = ended.exits(exit);
        for text in told {
            assert!(ended.stderr.contains(text), "{text}\n{}", ended.stderr);
        }
    }
    assert_eq!(world.s3.keys("legacy-s3").len(), 10);
}

#[test]
fn of_another_bucket() {
    let world = migrated();
    world.s3.put("elsewhere", "image/avatar-1.png", "x");
    let address = Inventory::csv(&world, "elsewhere", "").write(&world);
    let told = ["describes the bucket `elsewhere`, and neither `legacy-s3` nor `production-s3`"];
    refused(&world, &[address], 2, &told);
}

#[test]
fn two_of_one_bucket() {
    let world = migrated();
    let [address, _] = of_both(&world);
    let other = address.replace("2026-11-20", "2026-11-21").replace("s3://reports/", "");
    let manifest = world.s3.object("reports", &address.replace("s3://reports/", "")).expect("a manifest");
    put_manifest(&world, &other, &manifest.body);
    refused(&world, &[address, format!("s3://reports/{other}")], 2, &["two inventories of the bucket `legacy-s3`"]);
}

#[test]
fn that_lack_what_is_needed() {
    let world = migrated();
    let of = |format, schema| Inventory { format, schema, ..Inventory::csv(&world, "legacy-s3", "") }.write(&world);
    refused(&world, &[of("ORC", "struct<key:string>")], 2, &["is an inventory in ORC", "in CSV or Parquet"]);
    let told = ["does not tell Size, ETag", "add these fields to the configuration"];
    refused(&world, &[of("CSV", "Bucket, Key, LastModifiedDate")], 2, &told);
    let missing = ["s3://reports/inv/legacy-s3/none/manifest.json".to_owned()];
    refused(&world, &missing, 2, &["inv/legacy-s3/none/manifest.json does not exist"]);
    let nowhere = ["s3://nowhere/legacy-s3/manifest.json".to_owned()];
    refused(&world, &nowhere, 2, &["the inventory cannot be read", "check the bucket in --inventory"]);
    put_manifest(&world, "inv/manifest.json", b"{\"sourceBucket\": 7}");
    let told = ["is no manifest of an S3 Inventory", "as S3 wrote it"];
    refused(&world, &["s3://reports/inv/manifest.json".to_owned()], 2, &told);
    // No address at all.
    refused(&world, &["reports/inv".to_owned()], 2, &["`reports/inv` is not an s3:// URL"]);
}

#[test]
fn that_are_not_what_s3_wrote() {
    let world = migrated();
    let address = Inventory::csv(&world, "legacy-s3", "").write(&world);
    let manifest = address.replace("s3://reports/", "");
    let addresses = [address];
    let data = "inv/legacy-s3/all/data/two.csv.gz";
    let whole = world.s3.object("reports", data).expect("a file").body;

    world.s3.put("reports", data, [&whole[..], b"x"].concat());
    refused(&world, &addresses, 1, &["two.csv.gz was damaged", "and the manifest says"]);
    let mut flipped = whole.to_vec();
    flipped[20] ^= 1;
    world.s3.put("reports", data, flipped);
    refused(&world, &addresses, 1, &["two.csv.gz was damaged"]);
    assert!(world.s3.remove("reports", data));
    refused(&world, &addresses, 2, &["two.csv.gz does not exist", "name a newer inventory"]);
    world.s3.put("reports", data, whole);
    verify(&world, &addresses).exits(0);

    world.s3.put("reports", &manifest.replace(".json", ".checksum"), "0".repeat(32));
    refused(&world, &addresses, 1, &["was damaged: its MD5 is", "and manifest.checksum says 000"]);
    assert!(world.s3.remove("reports", &manifest.replace(".json", ".checksum")));
    refused(&world, &addresses, 2, &["there is no manifest.checksum beside", "wait until the inventory is complete"]);
}

#[test]
fn whose_lines_cannot_be_read() {
    let world = migrated();
    for bytes in [b"no gzip".to_vec(), Vec::new()] {
        let files = vec![("one.csv.gz".to_owned(), bytes)];
        let whole = Inventory::csv(&world, "legacy-s3", "");
        let address = Inventory { files, schema: CSV, ..whole }.write(&world);
        refused(&world, &[address], 1, &["failed to read the inventory file inv/legacy-s3/all/data/one.csv.gz"]);
    }
    let files = vec![("one.parquet".to_owned(), b"PAR1 and no more".to_vec())];
    let address = Inventory { files, ..Inventory::parquet(&world, "legacy-s3") }.write(&world);
    refused(&world, &[address], 1, &["failed to read the inventory file", "it is no Parquet"]);
}

#[test]
fn whose_filter_leaves_keys_out() {
    let world = migrated();
    for filter in ["image/avatar-5", "picture/"] {
        let address = Inventory::csv(&world, "legacy-s3", filter).aged(HOUR).write(&world);
        let told =
            ["does not cover `image/`", "it lacks s3://legacy-s3/image/avatar-0.png", "a filter for another prefix"];
        refused(&world, &[address], 2, &told);
    }
    // What follows the last key of the inventory.
    let address = Inventory::csv(&world, "production-s3", "avatar/avatar-0").aged(HOUR).write(&world);
    refused(&world, &[address], 2, &["does not cover `avatar/`", "it lacks s3://production-s3/avatar/avatar-1.png"]);
    // What is too new to be in it is no sign of a filter.
    let address = Inventory::csv(&world, "legacy-s3", "").aged(HOUR).write(&world);
    for name in ["a", "z"] {
        world.s3.put("legacy-s3", &format!("image/{name}.png"), "new");
    }
    verify(&world, &[address]).exits(0);
}
