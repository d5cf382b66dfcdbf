//! What is shipped to run the service with: the Dockerfile, compose.yaml, haproxy's files and the manifests for
//! Kubernetes agree with each other and with the service, and their own programs understand them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

use crate::support::{binary, needs::set_by_run, program::server_program};

const KUBERNETES: [&str; 2] = ["config/deploy/receiver.yaml", "config/deploy/network.yaml"];

/// What the secrets hold, by the names of their files.
const SECRETS: [(&str, &str); 3] = [
    ("database-url", "postgres://dlr:pa55@postgres/dlr\n"),
    ("callback-tokens", "n3w,0ld\n"),
    (
        "api-keys",
        r#"[{name = "reports", sha256 = "39837fd9340ce30616ea915553495532a866d06bc79a7fea178c9cbac8328939", scopes = ["read"]}]"#,
    ),
];

fn shipped(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

/// Holds files against their schemas.
fn check(files: &[&str]) -> Output {
    let clients = set_by_run("DLR_TEST_CLIENTS", "the schemas of Compose and Kubernetes");
    let mut python = Command::new(PathBuf::from(clients).join("venv/bin/python"));
    python.current_dir(env!("CARGO_MANIFEST_DIR")).env("PYTHONDONTWRITEBYTECODE", "1");
    python.arg("tests/clients/manifests.py").args(files).output().unwrap()
}

/// The documents of files that must meet their schemas.
fn documents(files: &[&str]) -> Vec<Value> {
    let checked = check(files);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    serde_json::from_slice(&checked.stdout).unwrap()
}

fn compose() -> Value {
    documents(&["compose.yaml"]).remove(0)
}

fn stateful_set() -> Value {
    let mut all = documents(&KUBERNETES).into_iter();
    all.find(|document| document["kind"] == "StatefulSet").unwrap()
}

/// The members of an object.
fn members(of: &Value) -> impl Iterator<Item = (&String, &Value)> {
    of.as_object().unwrap().iter()
}

/// The environment of each kind of receiver: of both in compose.yaml, and of the pods.
fn environments() -> Vec<(String, Vec<(String, String)>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let compose = compose();
    let receivers = members(&compose["services"]).filter(|(name, _)| name.starts_with("receiver-"));
    let mut environments: Vec<_> = receivers
        .map(|(name, receiver)| {
            let variables = members(&receiver["environment"]);
            (name.clone(), variables.map(|(name, value)| (name.clone(), text(value))).collect())
        })
        .collect();
    let stateful_set = stateful_set();
    let variables = stateful_set["spec"]["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
    let variables = variables.iter().map(|variable| (text(&variable["name"]), text(&variable["value"])));
    environments.push(("pod".to_owned(), variables.collect()));
    environments
}

/// What the service makes of an environment, with the secrets in a folder of this machine.
fn configured(environment: &[(String, String)], image: &[(String, String)]) -> toml::Table {
    let folder = tempfile::tempdir().unwrap();
    for (name, secret) in SECRETS {
        fs::write(folder.path().join(name), secret).unwrap();
    }
    let mut command = binary(folder.path());
    command.arg("check-config").envs(image.iter().cloned());
    for (name, value) in environment {
        let secret = value.strip_prefix("/run/secrets/").and_then(|path| path.rsplit('/').next());
        assert_eq!(secret.is_some(), name.ends_with("_FILE"), "{name}");
        command.env(name, secret.map_or_else(|| value.into(), |secret| folder.path().join(secret)));
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    toml::from_str(&String::from_utf8(output.stdout).unwrap()).unwrap()
}

/// The words behind an instruction of the Dockerfile.
fn dockerfile(instruction: &str) -> Vec<String> {
    let file = shipped("Dockerfile");
    let lines = file.lines().filter_map(|line| line.strip_prefix(&format!("{instruction} ")));
    lines.flat_map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn image_environment() -> Vec<(String, String)> {
    let pairs = dockerfile("ENV");
    pairs
        .iter()
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect()
}

#[test]
fn files_meet_their_schemas() {
    documents(&[&KUBERNETES[..], &["compose.yaml"]].concat());
    // And they would not if a word were wrong.
    let folder = tempfile::tempdir().unwrap();
    for (file, right, wrong) in [
        ("config/deploy/receiver.yaml", "replicas: 2", "replica: 2"),
        ("config/deploy/network.yaml", "targetPort: callbacks", "targetPort: [callbacks]"),
        ("compose.yaml", "stop_grace_period: 15s", "stop_grace: 15s"),
        ("compose.yaml", "read_only: true", "read_only: always"),
    ] {
        let altered = folder.path().join("altered.yaml");
        assert!(shipped(file).contains(right), "{file}: {right}");
        fs::write(&altered, shipped(file).replace(right, wrong)).unwrap();
        assert!(!check(&[altered.to_str().unwrap()]).status.success(), "{file}: {wrong}");
    }
}

#[test]
fn the_service_understands_what_it_is_told() {
    for (receiver, environment) in environments() {
        for image in [Vec::new(), image_environment()] {
            let config = configured(&environment, &image);
            let value =
                |section: &str, key: &str| config[section][key].as_str().unwrap_or_default().to_owned();
            assert_eq!(value("database", "url"), "postgres://dlr:redacted@postgres/dlr", "{receiver}");
            assert_eq!(value("http", "bind"), "0.0.0.0:8080", "{receiver}");
            assert_eq!(value("http", "internal_bind"), "0.0.0.0:9090", "{receiver}");
            assert_eq!(value("spool", "path"), "/data/spool.db", "{receiver}");
            assert_eq!(config["auth"]["allow_insecure"].as_bool(), Some(false), "{receiver}");
        }
    }
}

#[test]
fn ports_agree() {
    assert_eq!(dockerfile("EXPOSE"), ["8080", "9090"]);
    let haproxy = shipped("config/haproxy/haproxy.cfg");
    for number in [1, 2] {
        assert!(haproxy.contains(&format!("${{RECEIVER_{number}-receiver-{number}:8080}}")));
        assert!(haproxy.contains(&format!("${{RECEIVER_{number}_INTERNAL-receiver-{number}:9090}}")));
    }
    let compose = compose();
    for (name, service) in members(&compose["services"]) {
        let published = (name == "haproxy").then(|| serde_json::json!(["8080:8080", "127.0.0.1:9090:9090"]));
        assert_eq!(service.get("ports").cloned(), published, "{name}");
    }
    let pod = &stateful_set()["spec"]["template"]["spec"]["containers"][0];
    let port =
        |name: &str| pod["ports"].as_array().unwrap().iter().find(|port| port["name"] == name).unwrap();
    assert_eq!(port("callbacks")["containerPort"], 8080);
    assert_eq!(port("internal")["containerPort"], 9090);
    for (probe, path, at) in [
        ("startupProbe", "/livez", "callbacks"),
        ("livenessProbe", "/livez", "callbacks"),
        ("readinessProbe", "/readyz", "internal"),
    ] {
        assert_eq!(pod[probe]["httpGet"], serde_json::json!({"path": path, "port": at}), "{probe}");
    }
}

#[test]
fn receivers_may_do_nothing_that_they_need_not_and_keep_their_spools() {
    let compose = compose();
    for (name, service) in members(&compose["services"]) {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name}");
        assert_eq!(service["security_opt"], serde_json::json!(["no-new-privileges:true"]), "{name}");
    }
    let spool = |number: u8| format!("spool-{number}:/data");
    assert_eq!(compose["services"]["receiver-1"]["volumes"][0], spool(1));
    assert_eq!(compose["services"]["receiver-2"]["volumes"][0], spool(2));
    let spec = &stateful_set()["spec"];
    let (pod, container) = (&spec["template"]["spec"], &spec["template"]["spec"]["containers"][0]);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    let user = format!("{}:{}", pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsGroup"]);
    assert_eq!(user, dockerfile("USER")[0]);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false);
    assert_eq!(container["securityContext"]["capabilities"]["drop"], serde_json::json!(["ALL"]));
    assert_eq!(container["volumeMounts"][0]["mountPath"], "/data");
    assert_eq!(container["volumeMounts"][0]["name"], spec["volumeClaimTemplates"][0]["metadata"]["name"]);
    let version = env!("CARGO_PKG_VERSION");
    assert!(container["image"].as_str().unwrap().ends_with(&format!(":{version}")), "{version}");
}

/// As compose.yaml runs it: names that nobody knows yet.
#[test]
fn haproxy_understands_its_files() {
    for file in ["haproxy.cfg", "postgres.cfg"] {
        let mut haproxy = Command::new(server_program("haproxy"));
        haproxy.current_dir(env!("CARGO_MANIFEST_DIR")).env_clear();
        let checked = haproxy.args(["-c", "-f", &format!("config/haproxy/{file}")]).output().unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    }
}

/// The image is built from what the Dockerfile copies, and what .dockerignore lets through.
#[test]
fn the_dockerfile_copies_what_the_build_reads() {
    let copied = dockerfile("COPY");
    let let_through = shipped(".dockerignore");
    let rust = walk(Path::new("src"));
    let mut read: Vec<PathBuf> =
        ["Cargo.toml", "Cargo.lock", "src", "migrations"].map(PathBuf::from).to_vec();
    for file in rust {
        let text = shipped(file.to_str().unwrap());
        for mark in ["include_str!(\"", "include_bytes!(\""] {
            let named = text.split(mark).skip(1).map(|rest| rest.split('"').next().unwrap());
            read.extend(named.map(|name| tidy(&file.parent().unwrap().join(name))));
        }
    }
    for path in read {
        let first = path.iter().next().unwrap().to_str().unwrap();
        assert!(copied.iter().any(|copied| copied == first), "{}: not copied", path.display());
        assert!(let_through.lines().any(|line| line == format!("!{first}")), "{}: ignored", path.display());
    }
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// A path without its detours.
fn tidy(path: &Path) -> PathBuf {
    path.iter().fold(PathBuf::new(), |mut path, step| {
        if step == ".." {
            path.pop();
        } else {
            path.push(step);
        }
        path
    })
}
