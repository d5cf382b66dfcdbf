//! The README's tour: every command in it, and what it says that they print, on both databases.

use crate::support::each_backend;

/// The commands of the README's `console` blocks, each with the line that it prints.
fn tour() -> Vec<(String, String)> {
    let readme = include_str!("../../README.md");
    let blocks = readme.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let lines: Vec<&str> = blocks.flat_map(str::lines).collect();
    let pairs = lines
        .chunks_exact(2)
        .map(|pair| (pair[0].strip_prefix("$ curl ").unwrap().to_owned(), pair[1].to_owned()));
    pairs.collect()
}

/// The address of a `curl` line, and the body: as curl does, the values are sent as they stand.
fn request(line: &str) -> (&str, String) {
    let words: Vec<&str> = line.split(" -d ").map(|word| word.trim_matches('\'')).collect();
    (words[0], words[1..].join("&"))
}

/// An answer with its times made equal.
fn timeless(answer: &str) -> String {
    let parts = answer.split("_at\":\"").map(|part| match part.split_once("Z\"") {
        Some((time, rest)) if time.starts_with("20") => format!("TIME\"{rest}"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("_at\":\"")
}

each_backend! {
    async fn every_command_of_the_tour_prints_what_the_readme_says(app) {
        let tour = tour();
        assert_eq!(tour.len(), 13);
        let mut tick = 0;
        for (command, printed) in tour {
            tick += 1;
            app.clock.fetch_add(tick, std::sync::atomic::Ordering::Relaxed);
            let (url, body) = request(&command);
            let path = url.strip_prefix("http://127.0.0.1:8080").unwrap();
            let answer = if body.is_empty() {
                app.request("GET", path)
            } else {
                app.request("POST", path).header("content-type", "application/x-www-form-urlencoded").body(body)
            };
            let answer = answer.send().await.unwrap().text().await.unwrap();
            assert_eq!(timeless(&answer), timeless(&printed), "{command}");
        }
    }
}

#[test]
fn every_key_stands_in_the_default_configuration_and_in_the_readme() {
    let readme = include_str!("../../README.md");
    let defaults = include_str!("../../config/default.toml");
    let mut section = "";
    for line in defaults.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            assert!(
                readme.contains(&format!("| `{section}.{key}` |")),
                "{section}.{key} is not in the README"
            );
        }
    }
    let accounts = [
        "callback_tokens",
        "signing_secrets",
        "allow_from",
        "report_only",
        "time_zone",
        "country",
        "sid",
        "read_key",
        "read_token",
        "active",
        "read_limit_per_minute",
    ];
    for key in accounts {
        assert!(
            defaults.contains(&format!("#   {key} = ")) && readme.contains(&format!("`accounts.NAME.{key}`")),
            "{key}"
        );
    }
}
