//! The CI files that users copy: a parser that is not ours reads them, every command in them is one that we understand, and
//! they keep what their heads promise.

use std::path::Path;

use fencepost_sim::cli;
use saphyr::{LoadableYamlNode, Yaml};

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../ci").join(name)).unwrap()
}

fn text<'a>(node: &'a Yaml<'_>, key: &str) -> Option<&'a str> {
    node.as_mapping_get(key).and_then(Yaml::as_str)
}

/// The words after the program, once whatever runs it has put its values in.
fn arguments(command: &str, program: &str, values: &[(&str, &str)]) -> Vec<String> {
    let mut command = command.to_owned();
    for (name, value) in values {
        command = command.replace(name, value);
    }
    assert!(!command.contains('$'), "{command}");
    let (_, arguments) = command.split_once(program).unwrap_or_else(|| panic!("{command}"));
    arguments.split_whitespace().map(str::to_owned).collect()
}

fn is_understood(arguments: &[String]) {
    let words: Vec<&str> = std::iter::once("fencepost").chain(arguments.iter().map(String::as_str)).collect();
    cli::check_usage(&words).unwrap_or_else(|why| panic!("{words:?}: {why}"));
}

#[test]
fn githubs_jobs_stand_in_their_order_and_their_commands_are_understood() {
    let source = read("github.yml");
    let documents = Yaml::load_from_str(&source).unwrap();
    let jobs = documents[0].as_mapping_get("jobs").unwrap();
    let mut commands = Vec::new();
    let mut before = None;
    for name in ["regressions", "search", "prove", "determinism", "sabotage"] {
        let job = jobs.as_mapping_get(name).unwrap_or_else(|| panic!("there is no job `{name}`"));
        assert_eq!(text(job, "needs"), before, "{name}");
        assert!(job.as_mapping_get("timeout-minutes").is_some(), "{name}");
        before = Some(name);
        let steps = job.as_mapping_get("steps").and_then(Yaml::as_sequence).unwrap();
        let mut own = Vec::new();
        for step in steps {
            assert_eq!(step.as_mapping_get("continue-on-error"), None);
            if let Some(run) = text(step, "run").filter(|run| run.starts_with("cargo ")) {
                // What is kept goes through a pipe, whose end is not the command's unless its shell is named.
                let (run, file) = run.split_once(" | tee ").unwrap_or((run, "out/"));
                assert!(file.starts_with("out/"), "{file}");
                assert_eq!(file == "out/", text(step, "shell").is_none(), "{run}");
                let values = [("${{ github.sha }}", "2f9c1e5"), ("${{ matrix.shard }}", "3/4")];
                own.push(arguments(run, "--bin fencepost -- ", &values));
            }
        }
        assert!(!own.is_empty() && own.iter().all(|words| words[0] == name || name == "search"), "{own:?}");
        commands.extend(own);
    }
    assert!(commands.iter().filter(|words| words[0] == "run").count() == 2, "{commands:?}");
    commands.iter().for_each(|words| is_understood(words));

    // Every shard of the matrix, once; all of them are tried, and what breaks is kept.
    let search = jobs.as_mapping_get("search").unwrap();
    let strategy = search.as_mapping_get("strategy").unwrap();
    assert_eq!(strategy.as_mapping_get("fail-fast").and_then(Yaml::as_bool), Some(false));
    let shards = strategy.as_mapping_get("matrix").and_then(|matrix| matrix.as_mapping_get("shard"));
    let shards: Vec<&str> =
        shards.and_then(Yaml::as_sequence).unwrap().iter().filter_map(Yaml::as_str).collect();
    let wanted: Vec<String> = (1..=shards.len()).map(|number| format!("{number}/{}", shards.len())).collect();
    assert_eq!(shards, wanted);
    for job in ["regressions", "search", "prove", "determinism", "sabotage"] {
        let steps = jobs.as_mapping_get(job).and_then(|job| job.as_mapping_get("steps")).unwrap();
        let keeps = steps.as_sequence().unwrap().iter().any(|step| {
            text(step, "uses").is_some_and(|uses| uses.starts_with("actions/upload-artifact@"))
                && text(step, "if") == Some("${{ !success() }}")
        });
        assert!(keeps, "{job} throws away what it found");
    }
    assert!(!source.contains("retry"));
}

#[test]
fn the_nightly_proof_runs_every_shard_once_and_keeps_its_statement() {
    let source = read("github-nightly.yml");
    let documents = Yaml::load_from_str(&source).unwrap();
    let job = documents[0].as_mapping_get("jobs").and_then(|jobs| jobs.as_mapping_get("prove")).unwrap();
    let strategy = job.as_mapping_get("strategy").unwrap();
    assert_eq!(strategy.as_mapping_get("fail-fast").and_then(Yaml::as_bool), Some(false));
    let shards = strategy.as_mapping_get("matrix").and_then(|matrix| matrix.as_mapping_get("shard"));
    let shards: Vec<&str> =
        shards.and_then(Yaml::as_sequence).unwrap().iter().filter_map(Yaml::as_str).collect();
    let wanted: Vec<String> = (1..=shards.len()).map(|number| format!("{number}/{}", shards.len())).collect();
    assert_eq!(shards, wanted);
    let steps = job.as_mapping_get("steps").and_then(Yaml::as_sequence).unwrap();
    let commands: Vec<&str> =
        steps.iter().filter_map(|step| text(step, "run")).filter(|run| run.starts_with("cargo ")).collect();
    assert_eq!(commands.len(), 1);
    for shard in shards {
        let words = arguments(commands[0], "--bin fencepost -- ", &[("${{ matrix.shard }}", shard)]);
        is_understood(&words);
        assert!(
            words.starts_with(&["prove".to_owned(), "--deviations".to_owned(), "2".to_owned()]),
            "{words:?}"
        );
    }
    assert!(
        steps.iter().any(|step| text(step, "uses").is_some_and(|uses| uses.contains("upload-artifact@")))
    );
    assert!(!source.contains("retry"));
}

#[test]
fn the_clusters_job_runs_a_shard_for_each_index_and_tries_nothing_again() {
    let source = read("kubernetes.yml");
    let documents = Yaml::load_from_str(&source).unwrap();
    let spec = documents[0].as_mapping_get("spec").unwrap();
    assert_eq!(text(&documents[0], "kind"), Some("Job"));
    assert_eq!(text(spec, "completionMode"), Some("Indexed"));
    assert_eq!(spec.as_mapping_get("backoffLimit").and_then(Yaml::as_integer), Some(0));
    let completions = spec.as_mapping_get("completions").and_then(Yaml::as_integer).unwrap();
    let pod = spec.as_mapping_get("template").and_then(|template| template.as_mapping_get("spec")).unwrap();
    assert_eq!(text(pod, "restartPolicy"), Some("Never"));
    let container = &pod.as_mapping_get("containers").and_then(Yaml::as_sequence).unwrap()[0];
    let command = container.as_mapping_get("args").and_then(Yaml::as_sequence).unwrap()[0].as_str().unwrap();
    for index in [0, completions - 1] {
        let (number, index) = ((index + 1).to_string(), index.to_string());
        let values =
            [("$((JOB_COMPLETION_INDEX + 1))", number.as_str()), ("$JOB_COMPLETION_INDEX", index.as_str())];
        let words = arguments(command, "exec /fencepost ", &values);
        is_understood(&words);
        assert!(words.contains(&format!("{number}/{completions}")), "{words:?}");
    }
    // The shell puts the index in as we did.
    let asked = std::process::Command::new("sh")
        .args(["-c", &command.replace("exec /fencepost", "echo")])
        .env("JOB_COMPLETION_INDEX", "7")
        .output()
        .unwrap();
    let said = String::from_utf8(asked.stdout).unwrap();
    assert!(said.contains(&format!("--shard 8/{completions} --jobs 2 --out /found/7")), "{said}");
}
