//! Asking for the password that was given as `-`.

use std::io::{self, BufRead, IsTerminal};

use secrecy::SecretString;

/// Asks on the terminal without echo; without a terminal one line of standard input is the password.
///
/// # Errors
/// If neither can be read, or standard input ends before a line.
pub fn ask_password() -> io::Result<SecretString> {
    let input = io::stdin();
    if input.is_terminal() {
        return rpassword::prompt_password("Database password: ").map(SecretString::from);
    }
    read_line(input.lock())
}

fn read_line(mut input: impl BufRead) -> io::Result<SecretString> {
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "standard input holds no password"));
    }
    let line = line.strip_suffix('\n').map_or(line.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(SecretString::from(line))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn one_line_is_the_password() {
        for (input, password) in [("a b \nrest", "a b "), ("p", "p"), ("p\r\n", "p"), ("\n", "")] {
            assert_eq!(read_line(input.as_bytes()).expect(input).expose_secret(), password);
        }
        assert!(read_line(io::empty()).is_err());
    }
}
