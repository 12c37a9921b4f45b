//! The words of choices, and the names of variables.

use clap::ValueEnum;

use super::*;
use crate::config::{CheckMode, DatabaseTls, Format, Keep, Method, Orphans, Part, Phase, Proxy, Stage};

fn words<T: ValueEnum>() -> Vec<String> {
    let values = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    values.map(|value| value.get_name().to_owned()).collect()
}

#[test]
fn choices_are_the_words_of_their_types() {
    let cases = [
        (METHOD, words::<Method>()),
        (CHECK, words::<CheckMode>()),
        (DATABASE_TLS, words::<DatabaseTls>()),
        (FORMAT, words::<Format>()),
        (LOG_FORMAT, words::<Format>()),
        (ORPHANS, words::<Orphans>()),
        (KEEP, words::<Keep>()),
        (REDIRECT_FORMAT, words::<Proxy>()),
        (STAGE, words::<Stage>()),
        (FOR, words::<Phase>()),
        (ONLY, words::<Part>()),
    ];
    for (setting, words) in cases {
        let Takes::Choice(choices) = setting.takes else { panic!("{} is no choice", setting.name) };
        assert_eq!(choices, words, "{}", setting.name);
    }
}

#[test]
fn variables_follow_from_names() {
    assert_eq!(SOURCE_ENDPOINT_URL.variable(), "AVATAR_MIGRATE_SOURCE_ENDPOINT_URL");
    assert_eq!(SOURCE_BUCKET.short_help(), "The legacy bucket, which objects leave [default: legacy-s3]");
}
