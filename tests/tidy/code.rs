//! Rust text without its comments and the contents of its literals: every such character becomes a blank, so that
//! lines and columns stay where they are. And the literals themselves.

/// Blanks comments, strings and characters.
pub(crate) fn code_only(text: &str) -> String {
    let blank = |letter| if letter == '\n' { '\n' } else { ' ' };
    let pieces = pieces(text).into_iter();
    pieces.map(|(piece, hidden)| if hidden { piece.chars().map(blank).collect() } else { piece.to_owned() }).collect()
}

/// A string of the code.
#[derive(Debug)]
pub(crate) struct Literal {
    /// The last of the code before it, without white space, comments and other literals.
    pub(crate) before: String,
    /// What it says.
    pub(crate) text: String,
}

/// So many characters are kept of the code before a literal.
const BEFORE: usize = 40;

/// The strings of the code, in order.
pub(crate) fn literals(text: &str) -> Vec<Literal> {
    let (mut literals, mut before) = (Vec::new(), String::new());
    for (piece, hidden) in pieces(text) {
        if !hidden {
            before.extend(piece.chars().filter(|letter| !letter.is_whitespace()));
            before = before.chars().skip(before.chars().count().saturating_sub(BEFORE)).collect();
        } else if !piece.starts_with(['/', '\'']) {
            literals.push(Literal { before: before.clone(), text: said(piece) });
        }
    }
    literals
}

/// What a literal says: without quotes, and with the commonest escapes resolved.
fn said(literal: &str) -> String {
    let (prefix, body) = literal.split_once('"').unwrap_or_default();
    let body = body.trim_end_matches('#');
    let body = body.strip_suffix('"').unwrap_or(body);
    if prefix.contains('r') {
        return body.to_owned();
    }
    let mut said = String::new();
    let mut letters = body.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('\\', Some('\n')) => while letters.next_if(|next| next.is_whitespace()).is_some() {},
            ('\\', Some('n')) => said.extend(letters.next().map(|_| '\n')),
            ('\\', Some(_)) => said.extend(letters.next()),
            (letter, _) => said.push(letter),
        }
    }
    said
}

/// The text cut into code and what is hidden in it: comments and literals, each a piece.
fn pieces(text: &str) -> Vec<(&str, bool)> {
    let (mut pieces, mut rest, mut code_from, mut last) = (Vec::new(), text, text, ' ');
    let code_until = |from: &'_ str, rest: &str| from.len() - rest.len();
    while let Some(first) = rest.chars().next() {
        let hidden = hidden_length(rest, last.is_alphanumeric() || last == '_');
        if hidden == 0 {
            (rest, last) = (rest.get(first.len_utf8()..).unwrap_or_default(), first);
            continue;
        }
        pieces.push((code_from.get(..code_until(code_from, rest)).unwrap_or_default(), false));
        let (piece, remaining) = rest.split_at(hidden);
        pieces.push((piece, true));
        (rest, code_from, last) = (remaining, remaining, ' ');
    }
    pieces.push((code_from, false));
    pieces
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

#[test]
fn literals_come_with_what_stands_before_them() {
    let text = "f(\"a \\\"b\\\" \\\n    c\"); // \"no\"\nlet x = r#\"d\\e\"#; '\"'; g(b\"z\")";
    let found: Vec<_> = literals(text).into_iter().map(|literal| (literal.before, literal.text)).collect();
    let found: Vec<_> = found.iter().map(|(before, text)| (before.as_str(), text.as_str())).collect();
    assert_eq!(found, [("f(", "a \"b\" c"), ("f();letx=", "d\\e"), ("f();letx=;;g(", "z")]);
}
