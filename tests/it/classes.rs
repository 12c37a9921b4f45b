//! What SQL says of a value is what the classifier says, in columns of many character sets and collations.

use std::collections::BTreeMap;
use std::path::Path;

use avatar_migrate::config::{Arguments, Command, Config, Layer, Origin, PasswordArgument, load};
use avatar_migrate::database::{
    Candidates, ClassCounts, Content, Database, TextColumn, count_clear, for_each_candidate, survey,
};
use avatar_migrate::path::Class;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::support::World;

const COLUMNS: [&str; 12] = [
    "VARCHAR(1100) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
    "TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
    "TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_ai_ci",
    "TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_turkish_ci",
    "TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
    "TEXT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci",
    "TEXT CHARACTER SET latin1 COLLATE latin1_german2_ci",
    "TEXT CHARACTER SET utf16",
    "TEXT CHARACTER SET sjis",
    "CHAR(255) CHARACTER SET utf8mb4",
    "BLOB",
];

/// Legacy and modern prefixes, key prefixes (if others), and the pattern.
struct Setting {
    prefixes: &'static [(&'static str, &'static str)],
    keys: Option<(&'static str, &'static str)>,
    pattern: &'static str,
}

const SETTINGS: [Setting; 6] = [
    Setting { prefixes: &[("klub/å/", "neu/")], keys: None, pattern: "avatar-*" },
    Setting { prefixes: &[("image/", "avatar/")], keys: None, pattern: "avatar-*" },
    Setting {
        prefixes: &[
            ("image/", "avatar/"),
            ("/image/", "/avatar/"),
            ("https://legacy-url/image/", "https://modern-url/avatar/"),
            ("s3://legacy-s3/image/", "s3://production-s3/avatar/"),
        ],
        keys: None,
        pattern: "avatar-*",
    },
    Setting { prefixes: &[("image/", "avatar/")], keys: Some(("", "new/")), pattern: "*" },
    Setting { prefixes: &[("i_m%ä|ge/", "avatar/")], keys: None, pattern: "a?atar-*%_*" },
    Setting { prefixes: &[("image/", "pics/")], keys: Some(("uploads/2019/", "")), pattern: "*-?.png" },
];

const PIECES: &[&str] = &[
    "image/",
    "IMAGE/",
    "imàge/",
    "avatar/",
    "pics/",
    "i_m%ä|ge/",
    "ixmyÄ|ge/",
    "uploads/2019/",
    "avatar-",
    "Avatar-",
    "aXatar-",
    "/",
    "//",
    "https://legacy-url/",
    "HTTPS://Legacy-URL/",
    "https://modern-url/avatar/",
    "s3://legacy-s3/",
    "%41",
    "%69mage/",
    "%2F",
    "%FF",
    "?",
    "#",
    " ",
    "\t",
    "\\",
    "|",
    "_",
    "%",
    "1.png",
    "-1.png",
    "see ",
    "\"",
    "\u{301}",
    "ß",
    "ı",
    "İ",
    "\u{212a}lub/\u{212b}/avatar-",
    "KLUB/Å/",
    "😀",
    "..",
    "\u{feff}",
    "\0",
    "x",
];

const PREFIXES: [&str; 6] = ["image/", "avatar/", "/image/", "pics/", "i_m%ä|ge/", "https://legacy-url/image/"];

/// Values that stand near the edges of every setting.
fn near_path() -> impl Strategy<Value = String> {
    let long = prop_oneof![Just(1009_usize), Just(1010), Just(1011), Just(1012), Just(1024)];
    let piece = prop_oneof![
        20 => proptest::sample::select(PIECES.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    let text = proptest::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat());
    prop_oneof![
        12 => text.clone(),
        6 => (proptest::sample::select(PREFIXES.to_vec()), text)
            .prop_map(|(prefix, rest)| format!("{prefix}{rest}")),
        1 => long.prop_map(|length| format!("image/avatar-{}", "x".repeat(length))),
    ]
}

fn config(world: &World, setting: &Setting) -> Config {
    let mut flags = Layer::default();
    let mut set = |name: &str, values: Vec<&str>| {
        flags.insert(name, values.into_iter().map(str::to_owned).collect(), Origin::Flag(name.to_owned()));
    };
    set("database-url", vec![&world.database.url()]);
    set("legacy-prefix", setting.prefixes.iter().map(|(legacy, _)| *legacy).collect());
    set("modern-prefix", setting.prefixes.iter().map(|(_, modern)| *modern).collect());
    if let Some((legacy, modern)) = setting.keys {
        set("legacy-key-prefix", vec![legacy]);
        set("modern-key-prefix", vec![modern]);
    }
    set("name-pattern", vec![setting.pattern]);
    let arguments = Arguments { command: Command::Copy, flags, password: PasswordArgument::None };
    load(arguments, [], Path::new("/nonexistent")).expect("settings").config
}

/// The values as the column holds them: what a character set cannot hold is stored as something else.
async fn stored(world: &World, column: &TextColumn) -> BTreeMap<u64, Vec<u8>> {
    let mut connection = world.database.connect().await.expect("a connection");
    let value = match column.content {
        Content::Binary => "v".to_owned(),
        Content::Text | Content::Json => "CAST(CONVERT(v USING utf8mb4) AS BINARY)".to_owned(),
    };
    let sql = format!("SELECT CAST(id AS UNSIGNED), {value} FROM {} WHERE v IS NOT NULL", column.name.table);
    let rows: Vec<(u64, Vec<u8>)> =
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await.expect("rows");
    rows.into_iter().collect()
}

async fn candidates(database: &Database, column: &TextColumn, config: &Config, which: Candidates<'_>) -> Vec<u64> {
    let mut ids = Vec::new();
    let take = |row: avatar_migrate::database::CandidateRow| {
        ids.push(row.primary_key.parse()?);
        Ok(())
    };
    for_each_candidate(database, column, &config.mappings, which, take).await.expect("candidates");
    ids
}

async fn compare(world: &World, database: &Database, column: &TextColumn, config: &Config, counts: ClassCounts) {
    let mappings = &config.mappings;
    let exact = |mapping: usize| column.content == Content::Text && !mappings.all()[mapping].decodes();
    let all = candidates(database, column, config, Candidates::All).await;
    let unclear = candidates(database, column, config, Candidates::Unclear).await;
    let (mut expected, mut clear) = (ClassCounts::default(), (0, 0));
    for (id, value) in stored(world, column).await {
        let class = mappings.classify(&value);
        let mentions = std::str::from_utf8(&value).is_ok_and(|text| mappings.mentions(text));
        let said = format!("{:?} in {} is {class:?}", String::from_utf8_lossy(&value), column.name.table);
        let alone = match &class {
            Class::Legacy(path) => {
                expected.legacy += 1;
                clear.0 += u64::from(exact(path.mapping()));
                exact(path.mapping())
            }
            Class::Modern(path) => {
                expected.modern += 1;
                clear.1 += u64::from(exact(path.mapping()));
                exact(path.mapping())
            }
            Class::Suspect(_) => {
                expected.suspect += 1;
                false
            }
            Class::OutOfScope => {
                expected.out_of_scope += 1;
                expected.mentions += u64::from(mentions);
                false
            }
            Class::Foreign => {
                expected.foreign += 1;
                expected.mentions += u64::from(mentions);
                false
            }
        };
        let matters = class != Class::Foreign || mentions;
        assert!(!matters || all.contains(&id), "{said}, but SQL did not read it");
        assert!(!matters || unclear.contains(&id) != alone, "{said}, but SQL alone says otherwise");
    }
    let found = count_clear(database, column, mappings).await.expect("counts");
    assert_eq!((found.legacy, found.modern), clear, "{}", column.name.table);
    expected.foreign += found.total - stored(world, column).await.len() as u64;
    assert_eq!(counts, expected, "{}", column.name.table);
}

#[test]
fn sql_and_the_classifier_agree_on_every_value() {
    let world = World::bare();
    let mut runner = TestRunner::deterministic();
    let mut values: Vec<String> =
        (0..600).map(|_| near_path().new_tree(&mut runner).expect("a value").current()).collect();
    values.extend(PREFIXES.iter().flat_map(|prefix| PIECES.iter().map(move |piece| format!("{prefix}{piece}"))));
    values.sort();
    values.dedup();
    for (index, column) in COLUMNS.iter().enumerate() {
        world.sql(&format!("CREATE TABLE t{index} (id INT AUTO_INCREMENT PRIMARY KEY, v {column})"));
        let hex = |value: &String| value.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
        let rows: Vec<String> = values.iter().map(|value| format!("(_utf8mb4 X'{}')", hex(value))).collect();
        world.sql(&format!("INSERT IGNORE INTO t{index} (v) VALUES {}, (NULL)", rows.join(", ")));
    }
    let binary = COLUMNS.len() - 1;
    world.sql(&format!(
        "INSERT INTO t{binary} (v) VALUES ('image/avatar-\\xFF'), (X'696D6167652F6176617461722DFF'), (X'FF')"
    ));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for setting in &SETTINGS {
            let config = config(&world, setting);
            let database = Database::connect(&config.database).await.expect("a connection");
            let surveys = survey(&database, &config).await.expect("a survey");
            assert_eq!(surveys.len(), COLUMNS.len());
            for surveyed in surveys {
                compare(&world, &database, &surveyed.column, &config, surveyed.counts).await;
            }
            database.close().await;
        }
    });
}
