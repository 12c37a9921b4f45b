//! Every rule about the documents fails on a bad example and passes a good one.

use super::*;

fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

fn said(text: &str) -> Vec<String> {
    messages(&source("src/a.rs", text))
}

#[test]
fn messages_are_gathered_and_the_rest_is_not() {
    for (text, message) in [
        (r#"bail!("is zero")"#, "is zero"),
        (r#"ConfigError::new(format!("`{text}` is not a size"))"#, "is not a size"),
        (r#"let reason = format!("{rows} rows: the disk `{disk}` is full now; {why}");"#, "is full now"),
        ("x(\"one line of text \\\n     goes on\")", "one line of text goes on"),
        (r#"#[error("{a}: no room is left\n  free some")]"#, "no room is left"),
    ] {
        assert_eq!(said(text), [message], "{text}");
    }
    for text in [
        r#"f("two words")"#,
        r#".hint("what to do now")"#,
        r#"let hint = "what to do now";"#,
        r#"Usage { message, hint: format!("what to do now") }"#,
        r#"query("SELECT all the rows")"#,
        r#"query("AND source_key <= ? and more rows")"#,
        "// \"in a comment here\"\n",
        "#[cfg(test)]\nmod tests { f(\"only in a test\") }",
    ] {
        assert_eq!(said(text), [""; 0], "{text}");
    }
    for path in ["src/a/tests.rs", "src/cli/help.rs", "src/report/human/copy.rs", "src/operate/doctor/table.rs"] {
        assert_eq!(messages(&source(path, r#"f("a text of words")"#)), [""; 0], "{path}");
    }
}

#[test]
fn a_message_without_its_line_is_found() {
    let new = source("src/a.rs", r#"Failure::Refused { reasons: vec![format!("`{name}`: the moon is full")], hint }"#);
    assert_eq!(unexplained(&new, &page("the moon is new")).len(), 1);
    assert_eq!(unexplained(&new, &page("| `NAME`: the\nmoon **is** full | wait |")), [""; 0]);
    assert_eq!(page("write source\\|target"), "write source|target");
}

#[test]
fn exit_codes_and_marked_words_are_read() {
    assert_eq!(
        exit_codes("match self {\n    Self::A => 0,\n    Self::B => 130,\n    Self::C => \"x\",\n}"),
        ["0", "130"]
    );
    let text = r#"match self { Self::A => "a", Self::B => "b" } phase("c") // => "d""#;
    assert_eq!(marked(text, &["=>"]), BTreeSet::from(["a".to_owned(), "b".to_owned()]));
    let names = || ["a".to_owned(), "b".to_owned()];
    assert_eq!(missing("| `a` |", names(), ("`", "`")), ["b"]);
    assert_eq!(missing("`a` `b`", names(), ("`", "`")), [""; 0]);
}

#[test]
fn what_cannot_be_typed_is_found() {
    let unknown = |text: &str| unknown_words(&source("docs/a.md", text));
    for text in ["avatarMigrate stride", "`--no-such-thing`x --bogus", "give --gracee 1h"] {
        assert_eq!(unknown(text).len(), 1, "{text}");
    }
    let good = "avatarMigrate copy --dry-run, avatarMigrate --help, --no-yes, -----BEGIN, |---|, -- comment, --config";
    assert_eq!(unknown(good), [""; 0]);
}

#[test]
fn only_what_this_program_is_told_is_looked_at() {
    let words = |text: &str| typed(&source("deploy/a.md", text)).text;
    assert_eq!(
        words("kubectl --namespace x\nsbatch --array=0 avatarMigrate.sbatch verify --report a"),
        "avatarMigrate verify --report a"
    );
    assert_eq!(words("run `avatarMigrate copy --limit 1` with --array"), "avatarMigrate copy --limit 1");
}

#[test]
fn settings_that_do_not_exist_are_found() {
    let unknown = |path: &str, text: &str| unknown_settings(&source(path, text));
    assert_eq!(unknown("a.json", "AVATAR_MIGRATE_LEASE=3s AVATAR_MIGRATE_LEASES=x"), ["there is no setting leases"]);
    assert_eq!(unknown("a.toml", "# a = 1\nlease = \"3s\"\nleases = 1"), ["there is no setting leases"]);
    assert_eq!(unknown("a.yaml", "AVATAR_MIGRATE_DATABASE_PASSWORD leases = 1"), [""; 0]);
}

#[test]
fn links_that_lead_nowhere_are_found() {
    let file = |path: &str| (path == "b.md").then(|| "# A heading: of `b`\n".to_owned());
    let dead = |text: &str| dead_links(&source("docs/a.md", text), file);
    for text in ["[x](#no)", "[x](c.md)", "[x](b.md#a-heading)"] {
        assert_eq!(dead(text).len(), 1, "{text}");
    }
    let good =
        "## Exit 4, refused\n[x](#exit-4-refused) [y](b.md#a-heading-of-b) [z](b.md) [w](https://example.org/#a)";
    assert_eq!(dead(good), [""; 0]);
}
