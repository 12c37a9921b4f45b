//! The help is a promise too: it is compared with golden files. `UPDATE_GOLDEN=1` writes them anew.

use std::path::Path;

use avatar_migrate::cli::arguments::command;

#[test]
fn the_help_is_the_golden_one() {
    let mut program = command().term_width(100);
    program.build();
    compare("help.txt", &program.render_long_help().to_string());
    compare("help-short.txt", &program.render_help().to_string());
    let names: Vec<String> = program.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    for name in names.iter().filter(|name| *name != "help") {
        let command = program.find_subcommand_mut(name).expect(name);
        compare(&format!("help-{name}.txt"), &command.render_long_help().to_string());
    }
}

/// Trailing blanks, which clap leaves after empty cells, are no difference.
fn compare(file: &str, help: &str) {
    let help: String = help.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    for line in help.lines() {
        assert!(line.chars().count() <= 100, "{file}: wider than 100 columns: {line}");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &help).expect("a writable golden file");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(help, golden, "{file} differs; if it should, run the test with UPDATE_GOLDEN=1");
}
