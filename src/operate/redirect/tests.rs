//! What the formats have no words for, and how little a text of the settings can say. That the real programs take what is
//! printed, and do what it means, is shown by `tests/it/redirect`.

use std::path::Path;

use super::*;
use crate::config::{Arguments, Command, Layer, Origin as Place, PasswordArgument, PublicUrl, Settings, load};

pub(super) fn options() -> RedirectOptions {
    RedirectOptions {
        proxy: Proxy::Nginx,
        stage: Stage::DualRead,
        legacy_url: PublicUrl::default(),
        modern_url: PublicUrl::default(),
        listen: ([127, 0, 0, 1], 8080).into(),
        resolver: None,
        region: None,
        endpoint_url: None,
        authority: None,
    }
}

fn settings(given: &[(&str, &[&str])]) -> Settings {
    let mut flags = Layer::default();
    let regions = [("source-region", &["eu-central-1"][..]), ("target-region", &["eu-central-1"])];
    for (name, values) in regions.iter().chain(given) {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        flags.insert(name, values, Place::Flag((*name).to_owned()));
    }
    let arguments = Arguments { command: Command::Redirect, flags, password: PasswordArgument::None };
    load(arguments, [], Path::new("/nonexistent")).unwrap_or_else(|error| panic!("{error}"))
}

fn printed(given: &[(&str, &[&str])]) -> Result<Printed, ConfigError> {
    let Settings { config, redirect: Some(options), .. } = settings(given) else { panic!("no options") };
    redirect(&config, &options, Some(([10, 0, 0, 2], 53).into()))
}

#[track_caller]
fn refusal(given: &[(&str, &[&str])]) -> String {
    printed(given).expect_err("a refusal").to_string()
}

fn website(given: &[(&str, &[&str])]) -> (Vec<serde_json::Value>, Vec<String>) {
    let Printed { text, warnings } = printed(&[&[("format", &["s3"][..])], given].concat()).expect("a website");
    let website: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    (website["RoutingRules"].as_array().expect("rules").clone(), warnings)
}

#[test]
fn no_database_is_needed_and_two_servers_are_no_contradiction() {
    let two = [("format", &["nginx"][..]), ("source-endpoint-url", &["http://10.0.0.1"]), ("method", &["copy"])];
    let text = printed(&two).expect("a configuration").text;
    assert!(text.contains("http://10.0.0.1/legacy-s3/image/"), "{text}");
    assert!(text.contains("https://production-s3.s3.eu-central-1.amazonaws.com/avatar/"), "{text}");
    assert!(text.contains("    resolver 10.0.0.2;\n"), "{text}");
}

#[test]
fn one_name_server_is_needed_where_names_are() {
    let Settings { config, redirect: Some(options), .. } = settings(&[("format", &["nginx"])]) else { panic!() };
    let error = redirect(&config, &options, None).expect_err("no name server");
    assert_eq!(error.to_string(), "nginx needs a name server, and /etc/resolv.conf names none");
    let addresses = RedirectOptions { endpoint_url: Some("http://[::1]:9000".to_owned()), ..options };
    assert!(!redirect(&config, &addresses, None).expect("addresses").text.contains("resolver"));
}

#[test]
fn urls_that_a_path_does_not_tell_apart_are_refused() {
    let both = |legacy: &'static [&'static str], modern: &'static [&'static str]| {
        [("format", &["haproxy"][..]), ("legacy-prefix", legacy), ("modern-prefix", modern)]
    };
    let hosts = both(&["https://a/image/", "https://b/image/old/"], &["https://a/avatar/", "https://b/person/"]);
    let keys = [("legacy-key-prefix", &["a/", "b/"][..])];
    assert_eq!(
        refusal(&[&hosts[..], &keys].concat()),
        "the URLs below /image/ and /image/old/ cannot be told apart by their path"
    );
    // The same objects by a path and by a URL are one route.
    let text = printed(&both(&["image/", "/image/"], &["avatar/", "/avatar/"])).expect("one route").text;
    assert!(!text.contains("both_2"), "{text}");
    let in_place = both(&["https://old.example/image/"], &["https://new.example/image/"]);
    let text = printed(&in_place).expect("one path for both").text;
    assert_eq!(text.matches("set-var(txn.route)").count(), 1, "{text}");
    let redirecting = [&in_place[..], &[("stage", &["redirect"])]].concat();
    assert_eq!(
        refusal(&redirecting),
        "legacy and modern URLs have the same path /image/, so a redirect would lead to itself"
    );
}

#[test]
fn folders_of_the_site_stand_before_paths_but_not_before_rooted_ones() {
    let urls = [
        ("format", &["cloudfront"][..]),
        ("legacy-url", &["https://old.example/m/"]),
        ("modern-url", &["https://new.example/n/o/"]),
        ("legacy-prefix", &["image/", "s3://legacy-s3/i/"]),
        ("modern-prefix", &["/avatar/", "s3://production-s3/a/"]),
    ];
    let text = printed(&urls).expect("a function").text;
    assert!(text.contains(r#""legacy":"/m/image/","modern":"/avatar/","to":"https://new.example/avatar/""#), "{text}");
    assert!(text.contains(r#""legacy":"/m/i/","modern":"/n/o/a/","to":"https://new.example/n/o/a/""#), "{text}");
}

#[test]
fn cloudfront_gets_what_it_can_hold_or_nothing() {
    let with = |name: &'static str, modern: &str, count: usize| {
        let legacy: Vec<String> = (0..count).map(|n| format!("l{n}/")).collect();
        let modern: Vec<String> = (0..count).map(|n| format!("{n}{modern}")).collect();
        let of =
            |texts: &[String]| texts.iter().map(|text| &*text.clone().leak()).collect::<Vec<&'static str>>().leak();
        let (legacy, modern): (&[&str], &[&str]) = (of(&legacy), of(&modern));
        refusal(&[("format", &[name][..]), ("legacy-prefix", legacy), ("modern-prefix", modern)])
    };
    assert_eq!(
        with("cloudfront", " x/", 1),
        "a path pattern of CloudFront cannot hold ` ` as itself, which /0 x/avatar-* would"
    );
    let long = format!("{}/", "x".repeat(250));
    assert!(with("cloudfront", &long, 1).ends_with("is too long for CloudFront (255 characters)"));
    let longer = format!("{}/", "x".repeat(260));
    assert!(with("cloudfront", &longer, 1).ends_with("is too long for an origin of CloudFront (255 characters)"));
    assert_eq!(with("cloudfront", "m/", 200), "the mappings make the function larger than CloudFront takes (10 KB)");
    assert_eq!(with("s3", "m/", 26), "these mappings need 52 routing rules, and a website has at most 50");
    let address = printed(&[("format", &["cloudfront"]), ("target-endpoint-url", &["https://10.0.0.1:9000"])]);
    let Printed { text, warnings } = address.expect("a function");
    assert!(warnings[0].contains("10.0.0.1 is an address"), "{warnings:?}");
    assert!(text.contains(r#""HTTPPort":80,"HTTPSPort":9000,"OriginProtocolPolicy":"https-only""#), "{text}");
}

#[test]
fn websites_send_on_what_begins_so() {
    let (rules, warnings) = website(&[]);
    assert_eq!(rules.len(), 2, "403 and 404");
    assert_eq!(rules[0]["Condition"]["KeyPrefixEquals"], "image/avatar-");
    assert_eq!(rules[0]["Redirect"]["HttpRedirectCode"], "302");
    assert_eq!(rules[0]["Redirect"]["HostName"], "production-s3.s3.eu-central-1.amazonaws.com");
    assert_eq!(rules[0]["Redirect"]["ReplaceKeyPrefixWith"], "avatar/avatar-");
    assert!(warnings[1].contains("names that fit avatar-* in folders"), "{warnings:?}");

    let whole = [
        ("stage", &["redirect"][..]),
        ("name-pattern", &["*"]),
        ("modern-url", &["http://h:81/m"]),
        ("legacy-prefix", &["/"]),
        ("modern-prefix", &["a$b/"]),
        ("target-bucket", &["www.example.org"]),
    ];
    let (rules, warnings) = website(&whole);
    let expected = serde_json::json!({"HostName": "h:81", "HttpRedirectCode": "301", "Protocol": "http",
        "ReplaceKeyPrefixWith": "m/a$b/"});
    assert_eq!((rules.len(), &rules[0]["Redirect"]), (1, &expected));
    assert_eq!((rules[0].get("Condition"), warnings.len()), (None, 1));

    let pattern = [("format", &["s3"][..]), ("name-pattern", &["a?atar-*"])];
    assert!(refusal(&pattern).starts_with("routing rules of S3 cannot tell which names fit a?atar-*"));
}

#[test]
fn a_region_that_nobody_knows_is_said() {
    let Settings { config, redirect: Some(options), .. } = settings(&[("format", &["haproxy"])]) else { panic!() };
    let mut source = config.source.clone();
    source.region = None;
    let nowhere = Config { source, ..config.clone() };
    let warnings = redirect(&nowhere, &options, None).expect("a configuration").warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("no region is known for the source bucket"), "{warnings:?}");
    let known = RedirectOptions { region: Some("eu-west-1".to_owned()), ..options };
    let text = redirect(&nowhere, &known, None).expect("a configuration").text;
    assert!(text.contains("legacy-s3.s3.eu-west-1.amazonaws.com:443"), "{text}");
}

#[test]
fn what_is_filled_in_is_never_looked_at_again() {
    assert_eq!(filled("a {{B}} c {{D}}", &[("B", "{{D}}"), ("D", "e")]), "a {{D}} c e");
    assert_eq!(filled("{{B}}", &[]), "");
}
