//! The examples of the documents: every command of the tour, and what it says that they print, on both databases; the code that
//! signs URLs; and every configuration key.

use std::{process::Command, time::Duration};

use crate::support::{Backend, Database, Service, binary, each_backend};

const README: &str = include_str!("../../../README.md");
const TOUR: &str = include_str!("../../../docs/tour.md");
const CALLBACK_URLS: &str = include_str!("../../../docs/callback-urls.md");
const CONFIGURATION: &str = include_str!("../../../docs/configuration.md");

/// A command of a document, and the line that it prints.
#[derive(PartialEq, Eq, Debug)]
struct Example {
    command: String,
    printed: String,
}

/// The commands of a document's `console` blocks.
fn examples(document: &str) -> Vec<Example> {
    let blocks = document.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let lines: Vec<&str> = blocks.flat_map(str::lines).collect();
    let examples = lines.chunks_exact(2).map(|pair| Example {
        command: pair[0].strip_prefix("$ curl ").unwrap().to_owned(),
        printed: pair[1].to_owned(),
    });
    examples.collect()
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
    async fn every_command_of_the_tour_prints_what_it_says(app) {
        let tour = examples(TOUR);
        assert_eq!(tour.len(), 13);
        let mut tick = 0;
        for Example { command, printed } in tour {
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
fn the_readme_begins_as_the_tour_does() {
    let readme = examples(README);
    assert!(readme.len() >= 5, "five minutes with curl");
    assert_eq!(readme, examples(TOUR)[..readme.len()]);
}

/// What the documented signing code of a language makes with these words before it, and `print` behind it.
fn signed_by(language: &str, (program, flags): (&str, &[&str]), (before, print): (&str, &str)) -> String {
    let code = code(language);
    assert_eq!(code.lines().count(), 5, "five lines of {language}");
    let script = format!("{before}\n{code}\n{print}\n");
    let output = Command::new(program).args(flags).arg(&script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// The one block of a language.
fn code(language: &str) -> &'static str {
    let (_, rest) = CALLBACK_URLS.split_once(&format!("```{language}\n")).unwrap();
    rest.split("\n```").next().unwrap()
}

const SIGNING: (&str, &str) = ("ACCOUNTS__ACME__SIGNING_SECRETS", "9f86d081884c7d659a2feaa0c55ad015");
const TO: &str = "+919812345670";

/// The variables that the documented code uses.
fn words(base: &str, ends: [&str; 2]) -> String {
    let [before, after] = ends;
    let words = [("base", base), ("account", "acme"), ("secret", SIGNING.1), ("to", TO)];
    words.map(|(name, value)| format!("{before}{name} = \"{value}\"{after}")).join("\n")
}

#[tokio::test]
async fn senders_sign_callback_urls_as_the_binary_does() {
    let database = Database::create(Backend::Sqlite).await;
    let service = Service::start(&database, &[SIGNING]).await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = binary(folder.path());
    command.env(format!("DLR__{}", SIGNING.0), SIGNING.1).env("DLR__HTTP__PUBLIC_URL", &service.url);
    let output = command.args(["callback-url", "--to", "09812345670", "--expires", "48h"]).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap().trim_end().to_owned();
    let exp = printed.split("exp=").nth(1).unwrap().split('&').next().unwrap();
    let soon = dlr_receiver::domain::Clock::System.now() + Duration::from_hours(48);
    assert!((soon.timestamp() - exp.parse::<i64>().unwrap()).abs() < 60, "{exp}");

    let python = (("python3", &["-c"][..]), (words(&service.url, ["", ""]), "print(url)"));
    let js = (
        ("node", &["--input-type=module", "-e"][..]),
        (words(&service.url, ["const ", ";"]), "console.log(url);"),
    );
    let mut urls = vec![printed.clone()];
    for (language, (program, (before, print))) in [("python", python), ("js", js)] {
        let url = signed_by(language, program, (&before, print));
        // The same but for the second at which it was made.
        let at = |url: &str| url.split("exp=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        let clock = match language {
            "python" => format!("import time; time.time = lambda: {exp} - 48 * 3600"),
            _ => format!("Date.now = () => ({exp} - 48 * 3600) * 1000;"),
        };
        let then = signed_by(language, program, (&format!("{before}\n{clock}"), print));
        assert_eq!(then, printed, "{language}");
        assert!(
            (at(&url).parse::<i64>().unwrap() - exp.parse::<i64>().unwrap()).abs() < 60,
            "{language}: {url}"
        );
        urls.push(url);
    }
    let client = reqwest::Client::new();
    for url in urls {
        let call = client.post(&url).form(&[("SmsSid", "s1"), ("Status", "sent"), ("To", "09812345670")]);
        assert_eq!(call.send().await.unwrap().status(), 200, "{url}");
        let other = client.post(&url).form(&[("SmsSid", "s1"), ("Status", "sent"), ("To", "09812345671")]);
        assert_eq!(other.send().await.unwrap().status(), 401, "{url}");
    }
}

/// Nobody can set PHP's clock from outside, so its URL is made again for the time that it names.
#[test]
fn php_signs_what_the_others_sign() {
    let before = words("https://dlr.example.com", ["$", ";"]);
    let url = signed_by("php", ("php", &["-r"]), (&before, "echo $url;"));
    let exp = url.split("exp=").nth(1).unwrap().split('&').next().unwrap();
    let sig = dlr_receiver::access::Permit { account: "acme", to: TO, exp }.sign(&SIGNING.1.into());
    let expected =
        format!("https://dlr.example.com/callbacks/exotel/acme?to=%2B919812345670&exp={exp}&sig={sig}");
    assert_eq!(url, expected);
}

#[test]
fn every_key_stands_in_the_default_configuration_and_in_the_documents() {
    let defaults = include_str!("../../../config/default.toml");
    let mut section = "";
    for line in defaults.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            assert!(
                CONFIGURATION.contains(&format!("| `{section}.{key}` |")),
                "{section}.{key} is not in docs/configuration.md"
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
            defaults.contains(&format!("#   {key} = "))
                && CONFIGURATION.contains(&format!("`accounts.NAME.{key}`")),
            "{key}"
        );
    }
}
