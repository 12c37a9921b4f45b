//! Rust text without its comments and the contents of its literals: every such character becomes a blank, so that
//! lines and columns stay where they are.

/// Blanks comments, strings and characters.
pub(crate) fn code_only(text: &str) -> String {
    let mut rest = text;
    let mut code = String::with_capacity(text.len());
    while let Some(first) = rest.chars().next() {
        let after_word = code.ends_with(|before: char| before.is_alphanumeric() || before == '_');
        let hidden = hidden_length(rest, after_word);
        let length = if hidden > 0 { hidden } else { first.len_utf8() };
        let (piece, remaining) = rest.split_at(length);
        if hidden > 0 {
            code.extend(piece.chars().map(|letter| if letter == '\n' { '\n' } else { ' ' }));
        } else {
            code.push_str(piece);
        }
        rest = remaining;
    }
    code
}

/// How many bytes a comment or literal takes that begins here; 0 if none does.
fn hidden_length(text: &str, after_word: bool) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return text.find("*/").map_or(text.len(), |end| end + 2);
    }
    if text.starts_with('\'') {
        return character_length(text);
    }
    let quoted = text.strip_prefix(['b', 'c']).filter(|_| !after_word).unwrap_or(text);
    let prefix = text.len() - quoted.len();
    if let Some(body) = quoted.strip_prefix('"') {
        return prefix + 1 + escaped_end(body, '"');
    }
    match quoted.strip_prefix('r').filter(|_| !after_word) {
        Some(raw) => raw_length(raw).map_or(0, |length| prefix + 1 + length),
        None => 0,
    }
}

/// A raw string from its hashes on.
fn raw_length(text: &str) -> Option<usize> {
    let body = text.trim_start_matches('#');
    let hashes = text.len() - body.len();
    let body = body.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(hashes + 1 + body.find(&end).map_or(body.len(), |at| at + end.len()))
}

/// `'x'` or `'\n'`, but not the lifetime `'a`.
fn character_length(text: &str) -> usize {
    let mut letters = text.char_indices().skip(1);
    match (letters.next(), letters.next()) {
        (Some((_, '\\')), _) => 1 + text.get(1..).map_or(0, |body| escaped_end(body, '\'')),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// The length up to and with the closing quote that no backslash escapes.
fn escaped_end(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in body.char_indices() {
        if letter == quote && !escaped {
            return at + quote.len_utf8();
        }
        escaped = letter == '\\' && !escaped;
    }
    body.len()
}

#[test]
fn comments_and_literals_are_blank_and_code_stays() {
    let cases = [
        ("a // b\nc", "a     \nc"),
        ("a /* b\n */ c", "a     \n    c"),
        (r#"f("{ // \" }") }"#, "f(           ) }"),
        ("x = r#\"a\"{\"#;", "x =         ;"),
        ("b\"{\" br\"{\" '{' '\\'' b'}'", "                    b   "),
        ("fn f<'a>(x: &'a str) -> char { '\"' }", "fn f<'a>(x: &'a str) -> char {     }"),
        ("number\"s\"", "number   "),
        ("error(r)", "error(r)"),
    ];
    for (text, code) in cases {
        assert_eq!(code_only(text), code, "{text}");
    }
}
