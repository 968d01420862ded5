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

/// The steps of a job.
fn steps<'a>(job: &'a Yaml<'_>) -> &'a [Yaml<'a>] {
    job.as_mapping_get("steps").and_then(Yaml::as_sequence).unwrap()
}

/// The commands of a job that call the program.
fn commands<'a>(job: &'a Yaml<'_>) -> Vec<&'a str> {
    steps(job)
        .iter()
        .filter_map(|step| text(step, "run"))
        .filter(|run| run.starts_with("./fencepost "))
        .collect()
}

fn minutes(node: &Yaml<'_>) -> i64 {
    node.as_mapping_get("timeout-minutes")
        .and_then(Yaml::as_integer)
        .unwrap_or_else(|| panic!("no timeout: {node:?}"))
}

/// Rules that hold for every job that runs the program: it uses the one build, each of its steps ends before the job does, it
/// writes JUnit, and its reports are uploaded whatever happened.
fn expect_good_manners(name: &str, job: &Yaml<'_>) {
    let of_program: Vec<&Yaml<'_>> = steps(job)
        .iter()
        .filter(|step| text(step, "run").is_some_and(|run| run.starts_with("./fencepost ")))
        .collect();
    assert!(!of_program.is_empty(), "{name}");
    let whole: i64 = of_program.iter().map(|step| minutes(step)).sum();
    assert!(
        whole < minutes(job),
        "{name}: its steps may take {whole} minutes, and the job ends after {}",
        minutes(job)
    );
    for step in &of_program {
        assert!(text(step, "run").unwrap().contains(" --junit out/"), "{name} writes no JUnit");
    }
    let uses = |action: &str| {
        steps(job)
            .iter()
            .filter(|step| text(step, "uses").is_some_and(|uses| uses.starts_with(action)))
            .count()
    };
    assert_eq!(uses("actions/download-artifact@"), 1, "{name}");
    assert!(steps(job).iter().all(|step| step.as_mapping_get("continue-on-error").is_none()), "{name}");
    assert!(
        steps(job).iter().all(|step| !text(step, "run").is_some_and(|run| run.contains("cargo "))),
        "{name}"
    );
    let keeps = steps(job).iter().any(|step| {
        text(step, "uses").is_some_and(|uses| uses.starts_with("actions/upload-artifact@"))
            && text(step, "if") == Some("${{ always() }}")
    });
    assert!(keeps, "{name} throws away its reports");
}

/// One job builds, with a cache, and hands the program on.
fn expect_one_build(source: &str, jobs: &Yaml<'_>) {
    assert_eq!(source.matches("cargo build").count() + source.matches("cargo run").count(), 1);
    let build = jobs.as_mapping_get("build").unwrap();
    let uses: Vec<&str> = steps(build).iter().filter_map(|step| text(step, "uses")).collect();
    assert!(uses.iter().any(|uses| uses.starts_with("actions/cache@")), "{uses:?}");
    assert!(uses.iter().any(|uses| uses.starts_with("actions/upload-artifact@")), "{uses:?}");
    let built = steps(build).iter().find(|step| text(step, "run").is_some()).unwrap();
    assert!(minutes(built) < minutes(build));
}

/// Every shard of the matrix once, and all of them are tried.
fn expect_all_shards(job: &Yaml<'_>) -> Vec<String> {
    let strategy = job.as_mapping_get("strategy").unwrap();
    assert_eq!(strategy.as_mapping_get("fail-fast").and_then(Yaml::as_bool), Some(false));
    let shards = strategy.as_mapping_get("matrix").and_then(|matrix| matrix.as_mapping_get("shard"));
    let shards: Vec<String> = shards
        .and_then(Yaml::as_sequence)
        .unwrap()
        .iter()
        .filter_map(|shard| shard.as_str().map(str::to_owned))
        .collect();
    let wanted: Vec<String> = (1..=shards.len()).map(|number| format!("{number}/{}", shards.len())).collect();
    assert_eq!(shards, wanted);
    shards
}

#[test]
fn githubs_jobs_stand_in_their_order_and_their_commands_are_understood() {
    let source = read("github.yml");
    let documents = Yaml::load_from_str(&source).unwrap();
    let jobs = documents[0].as_mapping_get("jobs").unwrap();
    expect_one_build(&source, jobs);
    let mut all = Vec::new();
    let mut before = "build";
    for name in ["regressions", "search", "prove", "determinism", "sabotage"] {
        let job = jobs.as_mapping_get(name).unwrap_or_else(|| panic!("there is no job `{name}`"));
        assert_eq!(text(job, "needs"), Some(before), "{name}");
        before = name;
        expect_good_manners(name, job);
        let values = [("${{ github.sha }}", "2f9c1e5"), ("${{ matrix.shard }}", "3/4")];
        let own: Vec<Vec<String>> =
            commands(job).into_iter().map(|run| arguments(run, "./fencepost ", &values)).collect();
        assert!(own.iter().all(|words| words[0] == name || name == "search"), "{own:?}");
        all.extend(own);
    }
    assert_eq!(all.iter().filter(|words| words[0] == "run").count(), 2, "{all:?}");
    all.iter().for_each(|words| is_understood(words));
    expect_all_shards(jobs.as_mapping_get("search").unwrap());
    assert!(!source.contains("retry"));
}

#[test]
fn the_nightly_proof_runs_every_shard_once_and_keeps_its_statement() {
    let source = read("github-nightly.yml");
    let documents = Yaml::load_from_str(&source).unwrap();
    let jobs = documents[0].as_mapping_get("jobs").unwrap();
    expect_one_build(&source, jobs);
    let job = jobs.as_mapping_get("prove").unwrap();
    expect_good_manners("prove", job);
    let commands = commands(job);
    assert_eq!(commands.len(), 1);
    for shard in expect_all_shards(job) {
        let words = arguments(commands[0], "./fencepost ", &[("${{ matrix.shard }}", &shard)]);
        is_understood(&words);
        assert_eq!(words[..3], ["prove", "--deviations", "2"], "{words:?}");
    }
    assert!(!source.contains("retry"));
}

#[test]
fn no_night_searches_the_seeds_of_another() {
    let source = read("github-nightly.yml");
    let documents = Yaml::load_from_str(&source).unwrap();
    let job = documents[0].as_mapping_get("jobs").and_then(|jobs| jobs.as_mapping_get("search")).unwrap();
    expect_good_manners("search", job);
    let step =
        steps(job).iter().find(|step| text(step, "run").is_some_and(|run| run.contains(" run "))).unwrap();
    let run_number = step.as_mapping_get("env").and_then(|env| text(env, "RUN"));
    assert_eq!(run_number, Some("${{ github.run_number }}"));
    // The shell puts the number in.
    let seeds = |night: u32| {
        let asked = std::process::Command::new("sh")
            .args(["-c", &text(step, "run").unwrap().replace("./fencepost", "echo")])
            .env("RUN", night.to_string())
            .output()
            .unwrap();
        let words: Vec<String> =
            String::from_utf8(asked.stdout).unwrap().split_whitespace().map(str::to_owned).collect();
        is_understood(&words);
        let place = words.iter().position(|word| word == "--seeds").unwrap();
        let (first, end) = words[place + 1].split_once("..").unwrap();
        first.parse::<u64>().unwrap()..end.parse::<u64>().unwrap()
    };
    for night in [1, 2, 17, 999] {
        let (tonight, next) = (seeds(night), seeds(night + 1));
        assert!(tonight.start < tonight.end && tonight.end <= next.start, "{tonight:?} {next:?}");
    }
}

#[test]
fn a_node_that_goes_away_does_not_fail_the_clusters_job() {
    let source = read("kubernetes.yml");
    let documents = Yaml::load_from_str(&source).unwrap();
    let spec = documents[0].as_mapping_get("spec").unwrap();
    let rules = spec.as_mapping_get("podFailurePolicy").and_then(|policy| policy.as_mapping_get("rules"));
    let rules = rules.and_then(Yaml::as_sequence).unwrap();
    // The first rule that fits decides, and a search that hears SIGTERM ends with 2.
    let actions: Vec<&str> = rules.iter().filter_map(|rule| text(rule, "action")).collect();
    assert_eq!(actions, ["Ignore", "FailJob"]);
    let disrupted = rules[0].as_mapping_get("onPodConditions").and_then(Yaml::as_sequence).unwrap();
    assert_eq!(text(&disrupted[0], "type"), Some("DisruptionTarget"));
    let codes = rules[1].as_mapping_get("onExitCodes").unwrap();
    let values = codes.as_mapping_get("values").and_then(Yaml::as_sequence).unwrap();
    assert_eq!(values.iter().filter_map(Yaml::as_integer).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(spec.as_mapping_get("activeDeadlineSeconds").and_then(Yaml::as_integer) > Some(0));
    let pod = spec.as_mapping_get("template").and_then(|template| template.as_mapping_get("spec")).unwrap();
    let container = &pod.as_mapping_get("containers").and_then(Yaml::as_sequence).unwrap()[0];
    assert_eq!(text(container, "name"), text(codes, "containerName"));
    let limits =
        container.as_mapping_get("resources").and_then(|resources| resources.as_mapping_get("limits"));
    assert!(limits.and_then(|limits| text(limits, "memory")).is_some());
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
    assert!(said.contains(&format!("--shard 8/{completions} --jobs 2 --out /found/COMMIT/7")), "{said}");
}
