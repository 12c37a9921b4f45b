//! Worlds whose pages are worth a look.

use avatar_migrate_kit::png;

use crate::support::{World, content};

/// Names of pictures that would be markup, scripts or tricks, if anything but text were made of them.
pub(super) const HOSTILE: [&str; 8] = [
    "</script>/avatar-<img src=x onerror=window.hit=1>.png",
    "<!--<script>/avatar-window.hit=1.png",
    "avatar-\"'onmouseover='window.hit=1.png",
    "avatar-{{7*7}}${window.hit=1}`.png",
    "avatar-&lt;b&gt;&amp;\\u003c.png",
    "avatar-gnp.\u{202e}\u{7}\tx.png",
    "avatar-שלום-مرحبا-😀.png",
    "javascript:window.hit=1/avatar-1.png",
];

/// Everything moved: 30 avatars, one of which two rows name.
pub(super) fn clean() -> World {
    let world = World::new();
    world.avatars(30);
    world.rows(&["image/avatar-7.png"]);
    world.run(&["copy"]).exits(0);
    world
}

/// Something of each kind, and names that nobody wishes for.
pub(super) fn hostile() -> World {
    let world = World::new();
    // With `avatar/` before it, it has the 1,024 bytes that a key can have.
    let long = format!("avatar-{}.png", "w".repeat(1_006));
    for name in HOSTILE.iter().copied().chain([long.as_str()]) {
        let key = format!("image/{name}");
        world.source(&key);
        world.rows(&[&key]);
    }
    world.avatars(12);
    for name in ["conflict", "changed", "gone"] {
        world.source(&format!("image/avatar-{name}.png"));
    }
    world.rows(&["image/avatar-changed.png", "image/avatar-gone.png"]);
    world.run(&["copy"]).exits(0);

    // A picture that was written after it was copied, one that is lost, and one whose place is taken.
    world.source("image/avatar-changed.png");
    world.put("legacy-s3", "image/avatar-changed.png", png(4711));
    world.s3.remove("production-s3", "avatar/avatar-gone.png");
    world.put("production-s3", "avatar/avatar-conflict.png", png(4712));
    world.rows(&["image/avatar-conflict.png", "image/avatar-nowhere.png", "image/logo.png", "IMAGE/avatar-3.png"]);
    // Larger than what is shown, no picture at all, and an orphan.
    world.put("legacy-s3", "image/avatar-orphan.png", content("image/avatar-orphan.png"));
    world
}

/// More rows than a page takes, one of them with a lost picture.
pub(super) fn crowded() -> World {
    let world = World::new();
    let keys: Vec<String> = (0..100).map(|number| format!("avatar/avatar-crowd-{number}.png")).collect();
    for key in &keys {
        world.target(key, key);
    }
    let rows: Vec<&str> = (0..103).flat_map(|_| keys.iter().map(String::as_str)).collect();
    world.rows(&rows);
    world.rows(&["avatar/avatar-lost.png"]);
    world
}
