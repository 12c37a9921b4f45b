//! Texts of settings as the programs read them: nothing in them means more than itself.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a URL's path holds as it is (RFC 3986, "unreserved"), and the slash.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The path of a URL, in characters that no program's configuration takes for its own.
pub(super) fn url_path(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

/// A regular expression (PCRE, on bytes) for a path as clients send it, each character as it is or percent-encoded.
pub(super) fn path_regexp(path: &str) -> String {
    let mut regexp = String::new();
    for byte in path.bytes() {
        // Writing to a String cannot fail.
        match byte {
            b'.' => regexp += "[.]",
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'/' => regexp.push(char::from(byte)),
            _ => {
                let digits: String = format!("{byte:02X}").chars().map(either_case).collect();
                write!(regexp, r"(?:\x{byte:02x}|%{digits})").unwrap_or_default();
            }
        }
    }
    regexp
}

fn either_case(digit: char) -> String {
    if digit.is_ascii_digit() { digit.to_string() } else { format!("[{digit}{}]", digit.to_ascii_lowercase()) }
}

/// A parameter of nginx that holds no variable (nginx: ngx_conf_file.c, what a backslash takes away).
pub(super) fn nginx(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

/// A word of HAProxy (its manual, 2.2 "Quoting and escaping").
pub(super) fn haproxy(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The same where the word is a format, in which `%` begins a variable.
pub(super) fn haproxy_format(text: &str) -> String {
    haproxy(&text.replace('%', "%%"))
}

/// JSON in ASCII, which any version of JavaScript takes as it is.
pub(super) fn ascii_json(text: &str) -> String {
    let mut json = String::new();
    for letter in text.chars() {
        if letter.is_ascii() {
            json.push(letter);
        } else {
            let units =
                letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            json += &units;
        }
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_hold_nothing_that_a_configuration_could_read() {
        assert_eq!(url_path("/image/a-b_c.~d/"), "/image/a-b_c.~d/");
        assert_eq!(url_path("/a b$\"';{}\\#%ä/"), "/a%20b%24%22%27%3B%7B%7D%5C%23%25%C3%A4/");
    }

    #[test]
    fn a_path_matches_however_it_is_encoded() {
        assert_eq!(path_regexp("/image/a.b/"), "/image/a[.]b/");
        assert_eq!(path_regexp("/a b;/"), r"/a(?:\x20|%20)b(?:\x3b|%3[Bb])/");
    }

    #[test]
    fn quotes_end_where_they_should() {
        assert_eq!(nginx(r#"a"b\c"#), r#""a\"b\\c""#);
        assert_eq!(haproxy(r"it's \1"), r"'it'\''s \1'");
        assert_eq!(haproxy_format("/a%20b/\\1"), r"'/a%%20b/\1'");
        assert_eq!(ascii_json(&serde_json::json!("ä\u{2028}👍\"").to_string()), r#""\u00e4\u2028\ud83d\udc4d\"""#);
    }
}
