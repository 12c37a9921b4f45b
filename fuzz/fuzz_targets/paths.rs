//! Any bytes in a row have a class, and what is legacy or modern has exactly one twin, whatever the mappings.
#![no_main]

use avatar_migrate::path::{Class, Mapping, Mappings, NamePattern, Prefix};
use libfuzzer_sys::fuzz_target;

/// The first line is the pattern, the next ones pairs of prefixes with a tab between, the rest after an empty line the value.
fn mappings(text: &str) -> Option<(Mappings, &str)> {
    let (head, value) = text.split_once("\n\n")?;
    let mut lines = head.lines();
    let pattern = NamePattern::new(lines.next()?).ok()?;
    let pair = |line: &str| {
        let mut parts = line.split('\t');
        let (legacy, modern) = (Prefix::new(parts.next()?).ok()?, Prefix::new(parts.next()?).ok()?);
        Mapping::new(legacy, modern, parts.next(), parts.next()).ok()
    };
    let all: Vec<Mapping> = lines.take(4).filter_map(pair).collect();
    Mappings::new(all, pattern, "legacy-s3").ok().map(|mappings| (mappings, value))
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let Some((mappings, value)) = mappings(&text) else { return };
    // The value as bytes too, as rows hold what is no text.
    let raw = data.windows(2).position(|pair| pair == b"\n\n").map_or(data, |at| &data[at + 2..]);
    mappings.classify(raw);
    mappings.mentions(value);
    match mappings.classify(value.as_bytes()) {
        Class::Legacy(path) => {
            let modern = mappings.modern(&path);
            assert_eq!(mappings.legacy(&modern), path, "the rewrite has no inverse");
            assert_eq!((modern.source(), modern.target()), (path.source(), path.target()));
            assert_eq!(
                mappings.twin_of_source(path.source()).as_ref(),
                Some(path.target()),
                "the listing sees another twin"
            );
            assert_eq!(mappings.twin_of_target(path.target()).as_ref(), Some(path.source()));
            // A modern path may be too long; else it is what it was made to be.
            match mappings.classify(modern.as_str().as_bytes()) {
                Class::Modern(again) => assert_eq!(again, modern),
                Class::Suspect(_) => assert!(modern.as_str().len() > path.as_str().len(), "{modern:?}"),
                other => panic!("{modern:?} is {other:?}"),
            }
        }
        Class::Modern(path) => {
            assert_eq!(mappings.modern(&mappings.legacy(&path)), path, "the way back has no inverse");
            assert_eq!(mappings.twin_of_target(path.target()).as_ref(), Some(path.source()));
        }
        Class::Suspect(_) | Class::OutOfScope | Class::Foreign => {}
    }
});
