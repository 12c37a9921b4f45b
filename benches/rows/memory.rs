//! The most memory that each command takes, at ten thousand and at a million rows and objects.

use anyhow::Result;

use crate::bench::Bench;
use crate::fleet::{small_objects, twins, world};
use crate::results::{Limit, Row};

/// Each finds what the one before it left.
const COMMANDS: [(&str, &[&str]); 6] = [
    ("copy --dry-run", &["copy", "--dry-run"]),
    ("copy", &["copy"]),
    ("verify", &["verify", "--report", "out.csv"]),
    ("rollback", &["rollback", "--yes"]),
    ("copy again", &["copy"]),
    ("finalize", &["finalize", "--yes"]),
];

pub(crate) fn measure(bench: &Bench, row: &mut Row) -> Result<()> {
    let sizes = [bench.options.scale(10_000, 1_000), bench.options.scale(1_000_000, 10_000)];
    for count in sizes {
        bench.step(&format!("the embedded server takes {count} objects and their twins, MariaDB as many rows"));
        let server = small_objects(count)?;
        twins(&server);
        let world = world(&server)?;
        world.rows("image/", count, 1)?;
        for (name, command) in COMMANDS {
            bench.step(&format!("{name} of {count}"));
            let usage = world.run(command)?.ended.usage;
            row.measure(&format!("{count} rows"), &format!("peak memory, {name}"), "MB", usage.memory);
            row.measure(&format!("{count} rows"), &format!("wall, {name}"), "s", usage.wall);
            row.command(world.program(command).typed());
        }
    }
    let [small, large] = sizes.map(|count| format!("{count} rows"));
    let peaks = |who: &str| {
        COMMANDS.iter().flat_map(|(name, _)| row.samples(who, &format!("peak memory, {name}"))).collect::<Vec<f64>>()
    };
    let (small, large) = (peaks(&small), peaks(&large));
    let most = |samples: Vec<f64>| samples.into_iter().fold(0.0, f64::max);
    let growth = most(large.iter().zip(&small).map(|(large, small)| (large / small - 1.0) * 100.0).collect());
    row.goal("peak memory of any command at 10,000 rows", "MB", Limit::AtMost(80.0), vec![most(small)]);
    row.goal("peak memory of any command at 1,000,000 rows", "MB", Limit::AtMost(80.0), vec![most(large)]);
    row.goal("growth of any command's memory, 10,000 to 1,000,000 rows", "%", Limit::AtMost(10.0), vec![growth]);
    row.notes.push("The objects are in place before `copy`: it looks at them and copies none.".to_owned());
    Ok(())
}
