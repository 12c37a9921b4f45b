//! How much a test does: enough for the landing gate, or the many of `make deep`; from which seed; and what came of it.
//!
//! | variable | meaning |
//! |---|---|
//! | `AVATAR_MIGRATE_TEST_DEEP` | set: the large numbers of `make deep` |
//! | `AVATAR_MIGRATE_TEST_SEED` | the seed of what a test draws by lot: repeats a run that went red |
//! | `AVATAR_MIGRATE_TEST_FIGURES` | a directory for the figures of the run, a JSON file a suite |

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::random;

/// How often to do something: `gate` times in `make test`, `deep` times in `make deep`.
#[must_use]
pub fn times(gate: u64, deep: u64) -> u64 {
    if std::env::var_os("AVATAR_MIGRATE_TEST_DEEP").is_some() { deep } else { gate }
}

/// Numbers drawn by lot that can be drawn again: splitmix64, from a seed that is printed.
#[derive(Clone, Debug)]
pub struct Lot {
    state: u64,
}

impl Lot {
    /// Draws for one suite. The seed goes to standard output, which a red test shows.
    ///
    /// # Panics
    /// If `AVATAR_MIGRATE_TEST_SEED` is no number.
    #[must_use]
    pub fn of(suite: &str) -> Self {
        let given = std::env::var("AVATAR_MIGRATE_TEST_SEED").ok();
        let seed =
            given.map_or_else(random::number, |text| text.parse().expect("AVATAR_MIGRATE_TEST_SEED is a number"));
        announce(&format!("{suite}: AVATAR_MIGRATE_TEST_SEED={seed}"));
        Self::from_seed(seed)
    }

    /// Draws that are always the same.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A lot of one's own for a thread, drawn from this one.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self { state: self.draw() }
    }

    /// The next number below `end`, which must not be 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.draw() % end
    }
}

/// Notes what a suite did, for the table of promises: `<suite>.json` in the directory for figures, if there is one.
///
/// # Panics
/// If the file cannot be written.
pub fn record(suite: &str, figures: &[(&str, u64)]) {
    let figures: BTreeMap<&str, u64> = figures.iter().copied().collect();
    let lines: Vec<String> = figures.iter().map(|(name, number)| format!("  \"{name}\": {number}")).collect();
    let json = format!("{{\n{}\n}}\n", lines.join(",\n"));
    announce(&format!("{suite}: {json}"));
    if let Some(directory) = std::env::var_os("AVATAR_MIGRATE_TEST_FIGURES") {
        let directory = PathBuf::from(directory);
        std::fs::create_dir_all(&directory).expect("a directory for figures");
        std::fs::write(directory.join(format!("{suite}.json")), json).expect("a file of figures");
    }
}

#[expect(clippy::print_stdout, reason = "a test that fails shows its standard output")]
fn announce(text: &str) {
    println!("{text}");
}

#[cfg(test)]
mod tests {
    use super::Lot;

    #[test]
    fn a_seed_repeats_what_was_drawn() {
        let drawn = |seed| {
            let mut lot = Lot::from_seed(seed);
            [lot.draw(), lot.draw(), lot.below(10)]
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        // The published first output of splitmix64 for the seed 0.
        assert_eq!(drawn(0)[0], 0xE220_A839_7B1D_CDAF);
    }
}
