//! `--check sha256`: every byte of both twins is read and hashed. As fast as the slower of reading and hashing alone?

use std::time::Instant;

use anyhow::Result;
use avatar_migrate_kit::EmbeddedS3;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::OURS;
use crate::bench::Bench;
use crate::endpoint::{Endpoint, key};
use crate::fleet::{SOURCE, TARGET, empty_target, small_objects, world};
use crate::peers::s5cmd_cat;
use crate::results::{Limit, Row, median};

const MIB: usize = 1 << 20;
const CAT: &str = "s5cmd cat";
const HASH: &str = "SHA-256 alone";
/// As many in flight in both, so that only the size differs.
const STREAMS: &str = "8";

pub(crate) fn measure(bench: &Bench, row: &mut Row) -> Result<()> {
    let (count, size) = (bench.options.scale(200, 10), 8 * MIB);
    bench.step(&format!("the embedded server takes {count} objects of 8 MiB"));
    let server = small_objects(0)?;
    let body = objects(&server, count, size);
    for round in 0..bench.options.rounds {
        bench.step(&format!("round {}: {HASH}, {OURS}, {CAT}", round + 1));
        row.measure(HASH, "seconds", "s", hashing(&body, count * 2)?);
        let seconds = copy(&server, row, count, &["copy", "--check", "sha256"], "8 MiB")?;
        row.measure(OURS, "seconds", "s", seconds);
        let seconds = reading(&server, row)?;
        row.measure(CAT, "seconds", "s", seconds);
    }
    let slower = row.samples(CAT, "seconds").into_iter().zip(row.samples(HASH, "seconds")).map(|(a, b)| a.max(b));
    let ratios = row.samples(OURS, "seconds").into_iter().zip(slower).map(|(own, slower)| own / slower).collect();
    row.goal("`--check sha256`, against the slower of reading and hashing", "×", Limit::AtMost(1.3), ratios);
    row.notes.push(format!(
        "Both twins are read, {} MB in all: ours is the phase `copy`, {CAT} reads both buckets one after the other, and \
         {HASH} takes the same bytes from memory on all cores.",
        2 * count * size / 1_000_000
    ));
    memory(bench, row)
}

/// Memory at objects of 8 and of 256 MiB.
fn memory(bench: &Bench, row: &mut Row) -> Result<()> {
    let streams = ["copy", "--check", "sha256", "--concurrency", STREAMS];
    let mut peaks = Vec::new();
    for (size, count) in [(8, bench.options.scale(64, 10)), (256, 8)] {
        bench.step(&format!("{STREAMS} streams at once, objects of {size} MiB"));
        let server = small_objects(0)?;
        let size_name = format!("{size} MiB, {STREAMS} streams");
        objects(&server, count, size * MIB);
        copy(&server, row, count, &streams, &size_name)?;
        peaks.extend(median(&row.samples(OURS, &format!("peak memory, {size_name}"))));
    }
    if let [small, large] = *peaks.as_slice() {
        row.goal("memory at objects of 256 MiB, against 8 MiB", "×", Limit::AtMost(1.1), vec![large / small]);
    }
    Ok(())
}

/// So many objects of the same bytes; they share their memory.
fn objects(server: &EmbeddedS3, count: usize, size: usize) -> Bytes {
    let body: Bytes = (0..size).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect::<Vec<u8>>().into();
    (0..count).for_each(|n| server.put(SOURCE, &key(n), body.clone()));
    body
}

fn copy(server: &EmbeddedS3, row: &mut Row, count: usize, command: &[&str], size: &str) -> Result<f64> {
    empty_target(server);
    let world = world(server)?;
    world.rows("image/", count, 1)?;
    let migrated = world.run(command)?;
    anyhow::ensure!(migrated.number("/rows/updated")? == count as u64, "not all rows moved");
    row.measure(OURS, &format!("peak memory, {size}"), "MB", migrated.ended.usage.memory);
    row.measure(OURS, &format!("client CPU, {size}"), "s", migrated.ended.usage.cpu);
    row.command(world.program(command).typed());
    migrated.phase("copy")
}

/// Both buckets, one after the other.
fn reading(server: &EmbeddedS3, row: &mut Row) -> Result<f64> {
    let directory = tempfile::tempdir()?;
    let mut seconds = 0.0;
    for (bucket, prefix) in [(SOURCE, "image/"), (TARGET, "avatar/")] {
        let program = s5cmd_cat(&Endpoint::of_embedded(server), bucket, prefix, directory.path())?;
        seconds += program.run()?.usage.wall;
        row.command(program.typed());
    }
    Ok(seconds)
}

/// The same bytes so many times, on all cores.
fn hashing(body: &Bytes, times: usize) -> Result<f64> {
    let cores = std::thread::available_parallelism()?.get();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for core in 0..cores {
            scope.spawn(move || {
                for _ in (core..times).step_by(cores) {
                    std::hint::black_box(Sha256::digest(body));
                }
            });
        }
    });
    Ok(begun.elapsed().as_secs_f64())
}
