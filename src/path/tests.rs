//! Table tests and properties of the mapping.

use proptest::prelude::*;

use super::*;

fn mappings(pairs: &[(&str, &str)]) -> Mappings {
    let all = pairs.iter().map(|(legacy, modern)| {
        Mapping::new(Prefix::new(legacy).expect("a prefix"), Prefix::new(modern).expect("a prefix"), None, None)
            .expect("a mapping")
    });
    Mappings::new(all.collect(), NamePattern::new("avatar-*").expect("a pattern"), "legacy-s3").expect("mappings")
}

fn classic() -> Mappings {
    mappings(&[("image/", "avatar/")])
}

fn every_form() -> Mappings {
    mappings(&[
        ("image/", "avatar/"),
        ("/image/", "/avatar/"),
        ("https://legacy-url/image/", "https://modern-url/avatar/"),
        ("s3://legacy-s3/image/", "s3://production-s3/avatar/"),
    ])
}

#[test]
fn the_classes_follow_their_precedence() {
    let suspect = |reason| Class::Suspect(reason);
    let cases = [
        ("image/logo.png", Class::OutOfScope),
        ("image/", Class::OutOfScope),
        ("", Class::Foreign),
        ("avatar/logo.png", Class::Foreign),
        ("profile/avatar-1.png", Class::Foreign),
        ("xximage/avatar-1.png", Class::Foreign),
        ("IMAGE/avatar-1.png", suspect(Suspicion::Variant)),
        ("image/AVATAR-1.png", suspect(Suspicion::Variant)),
        (" image/avatar-1.png", suspect(Suspicion::Variant)),
        ("/image/avatar-1.png", suspect(Suspicion::Variant)),
        ("image//avatar-1.png", Class::Legacy(legacy(&classic(), "image//avatar-1.png"))),
        ("./image/avatar-1.png", suspect(Suspicion::Variant)),
        ("image\\avatar-1.png", suspect(Suspicion::Variant)),
        ("%69mage/avatar-1.png", suspect(Suspicion::Variant)),
        ("image%252Favatar-1.png", suspect(Suspicion::Variant)),
        ("https://legacy-url/image/avatar-1.png", suspect(Suspicion::Variant)),
        ("https://legacy-url/image/avatar-1.png?v=2#top", suspect(Suspicion::Variant)),
        ("https://s3.example.org/legacy-s3/image/avatar-1.png", suspect(Suspicion::Variant)),
        ("s3://legacy-s3/image/avatar-1.png", suspect(Suspicion::Variant)),
        ("imàge/avatar-1.png", Class::Foreign),
        ("see image/avatar-1.png", Class::Foreign),
        ("see https://legacy-url/image/avatar-1.png", Class::Foreign),
    ];
    for (value, class) in cases {
        assert_eq!(classic().classify(value.as_bytes()), class, "{value:?}");
    }
}

fn legacy(mappings: &Mappings, text: &str) -> LegacyPath {
    match mappings.classify(text.as_bytes()) {
        Class::Legacy(path) => path,
        other @ (Class::Modern(_) | Class::Suspect(_) | Class::OutOfScope | Class::Foreign) => {
            panic!("{text:?} is {other:?}")
        }
    }
}

#[test]
fn the_rewrite_is_anchored_and_the_keys_follow_the_form() {
    let all = every_form();
    let cases = [
        ("image/avatar-1.png", "avatar/avatar-1.png", "image/avatar-1.png"),
        ("image/avatar-image/avatar-1.png", "avatar/avatar-image/avatar-1.png", "image/avatar-image/avatar-1.png"),
        ("image/avatar-%41?.png#x ", "avatar/avatar-%41?.png#x ", "image/avatar-%41?.png#x "),
        ("/image/avatar-1.png", "/avatar/avatar-1.png", "image/avatar-1.png"),
        (
            "https://legacy-url/image/avatar-%41%20b.png?v=1#f",
            "https://modern-url/avatar/avatar-%41%20b.png?v=1#f",
            "image/avatar-A b.png",
        ),
        ("s3://legacy-s3/image/avatar-a%20.png", "s3://production-s3/avatar/avatar-a%20.png", "image/avatar-a%20.png"),
    ];
    for (text, modern, source) in cases {
        let path = legacy(&all, text);
        assert_eq!(all.modern(&path).as_str(), modern);
        assert_eq!(path.source().as_str(), source);
        assert_eq!(path.target().as_str(), source.replacen("image/", "avatar/", 1));
    }
}

#[test]
fn what_no_bucket_can_hold_is_suspect() {
    let long = format!("image/avatar-{}", "x".repeat(1024));
    assert_eq!(classic().classify(long.as_bytes()), Class::Suspect(Suspicion::TooLong));
    assert_eq!(classic().classify(b"image/avatar-\xff.png"), Class::Suspect(Suspicion::NotUtf8));
    let decoded = b"https://legacy-url/image/avatar-%FF.png";
    assert_eq!(every_form().classify(decoded), Class::Suspect(Suspicion::NotUtf8));
}

#[test]
fn a_longer_text_only_mentions_a_path() {
    for text in ["see image/avatar-1.png, please", r#"{"a":"image\/avatar-1.png"}"#, "![x](image/avatar-1.png)"] {
        assert!(classic().mentions(text), "{text}");
    }
    for text in ["see image/logo.png", "an image of me", "myimage/avatar-1.png"] {
        assert!(!classic().mentions(text), "{text}");
    }
}

#[test]
fn prefixes_that_overlap_are_refused() {
    let prefix = |text: &str| Prefix::new(text).expect("a prefix");
    let pair = |a: &str, b: &str| Mapping::new(prefix(a), prefix(b), None, None).expect("a mapping");
    let all = |pairs: Vec<Mapping>| Mappings::new(pairs, NamePattern::new("*").expect("a pattern"), "b");
    assert!(matches!(all(vec![pair("image/", "image/new/")]), Err(MappingError::PathOverlap(..))));
    assert!(matches!(all(vec![pair("a/", "b/"), pair("a/c/", "d/")]), Err(MappingError::PathOverlap(..))));
    assert!(matches!(all(vec![pair("a/", "b/"), pair("/a/x/", "/c/")]), Err(MappingError::KeyOverlap(..))));
    assert!(matches!(all(vec![]), Err(MappingError::None)));
    assert!(all(vec![pair("a/", "b/"), pair("/a/", "/b/")]).is_ok());
}

#[test]
fn a_plain_prefix_and_a_url_do_not_mix() {
    let prefix = |text: &str| Prefix::new(text).expect("a prefix");
    let mixed = Mapping::new(prefix("image/"), prefix("https://cdn/avatar/"), None, None);
    assert!(matches!(mixed, Err(MappingError::Forms { .. })));
}

#[test]
fn a_prefix_error_says_what_to_write() {
    assert_eq!(Prefix::new(""), Err(PrefixError::Empty));
    assert_eq!(Prefix::new("image"), Err(PrefixError::NoSlash("image".into())));
    assert_eq!(Prefix::new("https://host/").map(|p| p.form()), Ok(PrefixForm::Url));
    assert!(matches!(Prefix::new("https:///image/"), Err(PrefixError::NoAuthority(_))));
    assert!(matches!(Prefix::new("s3:///image/"), Err(PrefixError::NoAuthority(_))));
    assert!(matches!(Prefix::new("https://host/a?b/"), Err(PrefixError::Query(_))));
}

/// Text that is likely to stand near the edges: the prefixes themselves, escapes, separators, and anything else.
fn near_path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("image/".to_owned()),
        Just("avatar/".to_owned()),
        Just("avatar-".to_owned()),
        Just("/".to_owned()),
        Just("https://legacy-url/".to_owned()),
        Just("s3://legacy-s3/".to_owned()),
        Just("%41".to_owned()),
        Just("%FF".to_owned()),
        Just("?".to_owned()),
        Just("#".to_owned()),
        Just(" ".to_owned()),
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_have_a_class(value: Vec<u8>) {
        let _class = every_form().classify(&value);
    }

    #[test]
    fn moving_there_and_back_is_the_identity(text in near_path()) {
        let all = every_form();
        if let Class::Legacy(path) = all.classify(text.as_bytes()) {
            let modern = all.modern(&path);
            prop_assert_eq!(all.classify(modern.as_str().as_bytes()), Class::Modern(modern.clone()));
            prop_assert_eq!(all.legacy(&modern), path.clone());
            prop_assert_eq!(all.twin_of_source(path.source()), Some(path.target().clone()));
            prop_assert_eq!(all.twin_of_target(path.target()), Some(path.source().clone()));
        }
    }

    #[test]
    fn different_paths_stay_different(a in near_path(), b in near_path()) {
        let all = every_form();
        if let (Class::Legacy(one), Class::Legacy(other)) = (all.classify(a.as_bytes()), all.classify(b.as_bytes())) {
            prop_assert_eq!(one.as_str() == other.as_str(), all.modern(&one).as_str() == all.modern(&other).as_str());
            prop_assert_eq!(one.source() == other.source(), one.target() == other.target());
        }
    }

    #[test]
    fn a_name_under_the_prefix_is_legacy_verbatim(name in any::<String>()) {
        let text = format!("image/avatar-{}", name.replace('/', ""));
        if text.len() < KEY_BYTES_MAX {
            let path = legacy(&classic(), &text);
            prop_assert_eq!(path.source().as_str(), text);
        }
    }
}
