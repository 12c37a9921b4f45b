//! The page of `verify --html` in a real browser: what it shows, that it works, and that it loads and runs nothing else.

mod files;
mod pictures;
mod worlds;

use std::collections::BTreeSet;
use std::path::PathBuf;

use avatar_migrate_kit::axe;

use crate::browser::Browser;
use crate::support::World;
use worlds::{HOSTILE, clean, crowded, hostile};

/// Runs a verify with report and page, and opens the page.
fn open(world: &World, code: i32) -> (Browser, PathBuf) {
    world.run(&["verify", "--report", "out.csv", "--html", "out.html"]).exits(code);
    let page = world.directory.path().join("out.html").canonicalize().expect("a page");
    let browser = Browser::new();
    browser.open(&page);
    (browser, page)
}

/// Demands that the page asked for nothing but itself and what is inside of it, and that nothing went wrong in it.
#[track_caller]
fn is_quiet(browser: &Browser, page: &std::path::Path) {
    let own = url::Url::from_file_path(page).expect("an absolute path");
    let foreign: Vec<String> =
        browser.requested().into_iter().filter(|url| url != own.as_str() && !url.starts_with("data:")).collect();
    assert_eq!(foreign, [""; 0], "the page asked for more");
    assert_eq!(browser.console(), [] as [serde_json::Value; 0], "the console is not empty");
}

/// Demands that axe-core finds no barrier, as the page is now.
#[track_caller]
fn is_accessible(browser: &Browser) {
    let axe = std::fs::read_to_string(axe().expect("axe-core")).expect("a script");
    browser.eval(&axe);
    let found = browser.eval_async(
        "const done = arguments[arguments.length - 1];
         axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
            .then((found) => done(found.violations.map((one) => one.id + ': ' + one.nodes.map((node) => node.html + ' ' + node.failureSummary).join(' | '))),
                  (error) => done([String(error)]));",
    );
    let found: Vec<String> = serde_json::from_value(found).expect("texts");
    assert_eq!(found, [""; 0], "axe-core found barriers");
}

const STATUSES_SHOWN: &str = "document.querySelectorAll('#list tr td:first-child')].map((cell) => cell.textContent";

fn shown(browser: &Browser) -> Vec<String> {
    browser.texts(&format!("[...{STATUSES_SHOWN})"))
}

#[test]
fn hostile_rows_stay_text_and_everything_that_can_be_filtered_is() {
    let world = hostile();
    let (browser, page) = open(&world, 3);
    is_quiet(&browser, &page);
    assert_eq!(browser.text("document.querySelector('.word').textContent"), "NOT CLEAN");

    // Every line of the CSV is there, problems first.
    let lines = world.report("out.csv");
    let all = browser.number("JSON.parse(document.getElementById('data').textContent).length");
    assert_eq!(usize::try_from(all).expect("a number"), lines.len());
    for (status, count) in world.statuses("out.csv") {
        let chip = format!("document.querySelector('#chips [value={status}]').parentElement.textContent");
        assert_eq!(browser.text(&chip), format!("{status}{count}"));
    }
    let statuses = shown(&browser);
    assert_eq!(statuses.first().map(String::as_str), Some("missing_target"), "{statuses:?}");
    assert_eq!(statuses.last().map(String::as_str), Some("migrated"), "{statuses:?}");

    // Nothing of what hostile names carry has become an element or has run.
    assert!(browser.eval("return window.hit === undefined").as_bool().expect("a truth"), "a name has run");
    assert_eq!(
        browser.number("document.querySelectorAll('main script, main iframe, main svg[onload], main a').length"),
        0
    );
    assert_eq!(browser.number("document.querySelectorAll('img:not([src^=\"data:image/\"])').length"), 0);
    let paths = browser.texts("[...document.querySelectorAll('#list .path')].map((path) => path.textContent)");
    for name in HOSTILE.iter().filter(|name| !name.chars().any(|letter| letter.is_control() || letter == '\u{202e}')) {
        assert!(paths.contains(&format!("image/{name}")), "{name} is not shown as it is: {paths:?}");
    }
    assert!(paths.iter().any(|path| path.contains("\\u{202e}") && path.contains("\\u{7}")), "{paths:?}");

    filters_work(&browser, &lines);
    is_quiet(&browser, &page);

    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        browser.open(&page);
        is_accessible(&browser);
        for (name, width) in [("wide", 1440), ("narrow", 390)] {
            browser.resize(width, 900);
            let overflow = browser.number("document.documentElement.scrollWidth");
            assert!(overflow <= u64::from(width), "{overflow} pixels on {width}");
            browser.picture(&format!("problems-{scheme}-{name}"));
        }
        is_accessible(&browser);
    }
}

fn filters_work(browser: &Browser, lines: &[std::collections::BTreeMap<String, String>]) {
    let with = |status: &str| lines.iter().filter(|line| line["status"] == status).count();
    browser.click("#chips input[value=conflict]");
    assert_eq!(shown(browser), vec!["conflict"; with("conflict")]);
    // The keyboard does the same as the mouse.
    browser.eval("document.querySelector('#chips input[value=orphan]').focus()");
    browser.press(" ");
    assert_eq!(shown(browser).len(), with("conflict") + with("orphan"));
    browser.click("#all");
    assert_eq!(shown(browser).len(), lines.len());

    browser.type_into("#search", "AVATAR-CONFLICT");
    assert_eq!(shown(browser), ["conflict"]);
    assert!(browser.text("document.getElementById('found').textContent").starts_with("1 row of "));
    browser.type_into("#search", "<img src=x");
    assert_eq!(shown(browser).len(), 1);
    browser.type_into("#search", "nothing has this name");
    assert_eq!(browser.text("document.getElementById('found').textContent"), "No row of this page fits.");
    browser.click("#all");

    let of_table = lines.iter().filter(|line| line["table"] == "avatars").count();
    browser.eval("const box = document.getElementById('column'); box.value = 'avatars.path'; box.dispatchEvent(new Event('input', { bubbles: true }))");
    assert_eq!(shown(browser).len(), of_table);
    browser.click("#all");
    browser.click("#list details summary");
    assert!(browser.text("document.querySelector('#list details[open] dl').textContent").contains("ETag"));
}

#[test]
fn pictures_of_both_buckets_are_seen_side_by_side() {
    let world = clean();
    let (browser, page) = open(&world, 0);
    is_quiet(&browser, &page);
    assert_eq!(
        browser.text("document.querySelector('h1').textContent"),
        "CLEAN no legacy row is left and 31 modern rows resolve; finalize may delete"
    );
    assert_eq!(browser.text("document.querySelector('.next code').textContent"), "avatarMigrate finalize");
    let widths = browser.texts("[...document.images].map((image) => `${image.naturalWidth}`)");
    assert_eq!(widths, vec!["64"; 24], "not every picture is drawn");
    let pairs = browser.texts("[...document.querySelectorAll('.twins')].map((twins) => `${twins.querySelectorAll('img')[0].src === twins.querySelectorAll('img')[1].src}`)");
    assert_eq!(pairs, vec!["true"; 12]);
    is_accessible(&browser);
    for (scheme, width) in [("light", 1440), ("dark", 1440), ("light", 390)] {
        browser.prefer(scheme);
        browser.resize(width, 900);
        browser.picture(&format!("clean-{scheme}-{width}"));
    }

    // The page is the same without scripts, but for what only scripts can do.
    browser.devtools("Emulation.setScriptExecutionDisabled", serde_json::json!({ "value": true }));
    browser.open(&page);
    browser.devtools("Emulation.setScriptExecutionDisabled", serde_json::json!({ "value": false }));
    assert_eq!(browser.number("document.querySelectorAll('#list tr').length"), 31);
    assert!(browser.eval("return document.getElementById('filters').hidden").as_bool().expect("a truth"));

    // The switch of colours, whatever the system prefers.
    browser.prefer("light");
    browser.open(&page);
    let ground = "getComputedStyle(document.body).backgroundColor";
    let light = browser.text(ground);
    browser.click("#theme");
    assert_ne!(browser.text(ground), light);
    assert_eq!(browser.text("document.getElementById('theme').textContent"), "Light");

    world.run(&["finalize", "--yes"]).exits(0);
    let (browser, page) = open(&world, 0);
    is_quiet(&browser, &page);
    let instead =
        browser.texts("[...new Set([...document.querySelectorAll('.none')].map((none) => none.textContent))]");
    assert_eq!(instead, ["deleted, after its copy was checked"]);
    assert_eq!(browser.number("document.images.length"), 12);
    browser.picture("finalized");
}

#[test]
fn ten_thousand_rows_are_in_the_page_and_the_rest_in_the_report() {
    let world = crowded();
    let (browser, page) = open(&world, 3);
    is_quiet(&browser, &page);
    let lines = world.report("out.csv").len();
    assert_eq!(lines, 10_301);
    assert_eq!(browser.number("JSON.parse(document.getElementById('data').textContent).length"), 10_000);
    let said = browser.text("document.querySelector('#rows + p').textContent");
    assert!(
        said.starts_with("10,000 of 10,301 lines of the report") && said.contains("the other 301 stand in out.csv"),
        "{said}"
    );
    assert_eq!(shown(&browser).len(), 100);
    assert_eq!(shown(&browser)[0], "missing_target");
    assert_eq!(browser.text("document.getElementById('place').textContent"), "Page 1 of 100");
    browser.click("#after");
    assert_eq!(browser.text("document.getElementById('place').textContent"), "Page 2 of 100");
    assert!(browser.text("document.getElementById('found').textContent").contains("from 101 to 200"));
    browser.type_into("#search", "crowd-77.");
    assert_eq!(browser.text("document.getElementById('place').textContent"), "Page 1 of 2");
    is_accessible(&browser);
    browser.resize(1440, 900);
    browser.picture("crowded");
    let pages: BTreeSet<String> = browser
        .texts("[...document.querySelectorAll('.figures dd')].map((one) => one.textContent)")
        .into_iter()
        .collect();
    assert!(pages.contains("10,301"), "{pages:?}");
}

#[test]
fn a_schema_without_any_path_has_a_page_too() {
    let world = World::new();
    let (browser, page) = open(&world, 0);
    is_quiet(&browser, &page);
    assert_eq!(browser.text("document.querySelector('.word').textContent"), "NOT FINALIZABLE");
    assert_eq!(
        browser.text("document.querySelector('.reasons').textContent").trim().split(':').next(),
        Some("no row of the schema holds a legacy or a modern path, which proves nothing")
    );
    assert_eq!(
        browser.text("document.querySelector('#rows + p').textContent"),
        "No row is in scope, and there is no orphan."
    );
    is_accessible(&browser);
    browser.resize(1440, 900);
    browser.picture("empty");
}
