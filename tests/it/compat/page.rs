//! The page on moving a poller: every command in it, and what it says that they print.

use crate::support::{Backend, TestApp};

const SETTINGS: crate::support::Settings<'static> = &[
    ("ACCOUNTS__ACME__CALLBACK_TOKENS", "s3cret"),
    ("ACCOUNTS__ACME__SID", "acme1m"),
    ("ACCOUNTS__ACME__READ_KEY", "aK3y"),
    ("ACCOUNTS__ACME__READ_TOKEN", "aT0ken"),
];
const PAGE: &str = include_str!("../../../docs/moving-a-poller.md");

/// The commands of the page, each with the line that it prints.
fn commands() -> Vec<(&'static str, &'static str)> {
    let blocks = PAGE.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let lines: Vec<&str> = blocks.flat_map(str::lines).collect();
    lines.chunks_exact(2).map(|pair| (pair[0].strip_prefix("$ curl ").unwrap(), pair[1])).collect()
}

/// The words of a command, out of their quotes.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (n, part) in command.split('\'').enumerate() {
        let quoted = n % 2 == 1;
        for (n, piece) in part.split(' ').enumerate() {
            match words.last_mut() {
                Some(word) if n == 0 => word.push_str(piece),
                Some(word) if quoted => *word = format!("{word} {piece}"),
                _ => words.push(piece.to_owned()),
            }
        }
    }
    words.into_iter().filter(|word| !word.is_empty()).collect()
}

/// Does what curl does with `-u` and `-d`.
async fn run(app: &TestApp, command: &str) -> String {
    let (mut url, mut user, mut form) = (String::new(), None, Vec::new());
    let mut words = words(command).into_iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-u" => user = words.next(),
            "-d" => form.extend(words.next()),
            _ => url = word,
        }
    }
    let path = url.strip_prefix("http://127.0.0.1:8080").unwrap();
    let mut request = app.request(if form.is_empty() { "GET" } else { "POST" }, path);
    if let Some((key, token)) = user.as_deref().and_then(|user| user.split_once(':')) {
        request = request.basic_auth(key, Some(token));
    }
    if !form.is_empty() {
        request = request.header("content-type", "application/x-www-form-urlencoded").body(form.join("&"));
    }
    request.send().await.unwrap().text().await.unwrap()
}

/// An answer without what differs from run to run.
fn timeless(answer: &str) -> String {
    let mut text = answer.to_owned();
    for (before, after) in [
        ("\"request_id\":\"", '"'),
        ("\"DateCreated\":\"", '"'),
        ("<DateCreated>", '<'),
        ("\"DateUpdated\":\"", '"'),
        ("<DateUpdated>", '<'),
    ] {
        if let Some((head, rest)) = text.split_once(before) {
            let (_, tail) = rest.split_once(after).unwrap();
            text = format!("{head}{before}…{after}{tail}");
        }
    }
    text
}

#[tokio::test]
async fn every_command_of_the_page_prints_what_it_says() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let app = TestApp::with(backend, SETTINGS).await;
        assert_eq!(commands().len(), 8);
        for (command, printed) in commands() {
            assert_eq!(timeless(&run(&app, command).await), timeless(printed), "{command}");
        }
    }
}

#[test]
fn the_page_has_every_error_of_the_table() {
    for row in include_str!("../../fixtures/api_errors.csv").lines().skip(1) {
        let [_, scenario, status, code, message] = row.split(',').collect::<Vec<_>>().try_into().unwrap();
        let code = if code.is_empty() { String::new() } else { format!("{code} ") };
        let cells = format!("| {status} | {code}| `{}` |", message.replace("$version", "v3"));
        assert!(PAGE.contains(&cells), "{scenario}: {cells}");
    }
}
