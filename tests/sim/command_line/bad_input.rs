//! Bad input: one sentence that says what to do, and four; never a panic.

use super::{BINARY, HOLE, fencepost, said};
use fencepost_sim::plan::Plan;

#[test]
fn bad_input_is_one_sentence_and_four() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let quiet = Plan::quiet(1).to_string();
    let with = |name: &str, from: &str, to: &str| file(name, quiet.replace(from, to).as_bytes());
    let steps = |name: &str, steps: &str| with(name, "steps = []", &format!("steps = [\n    {steps}\n]"));
    let no_step = steps("step.toml", "\"1s explode\"");
    let newer = with("newer.toml", "format = 1", "format = 9");
    let no_plan = file("none.toml", b"a = [");
    let no_text = file("bytes.toml", b"\xff\xfe\x00");
    let empty = file("empty.toml", b"");
    let stranger = steps("stranger.toml", "\"1s pause worker-9 for 1s\"");
    let circle = steps(
        "circle.toml",
        "\"0s register p1 rerunnable awaits p2\", \"0s register p2 rerunnable awaits p1\"",
    );
    let endless = steps("endless.toml", "\"0s register p1 rerunnable 60000 steps of 9223372036854775807ms\"");
    let far_step = steps("far.toml", "\"0s step registry by +9223372036854775807ms\"");
    let wraps = with("wraps.toml", "renew_ms = 1000", "renew_ms = 6148914691236517206");
    let slow = with("slow.toml", "slowest_us = 3000", "slowest_us = 600000");
    let line_of_step =
        format!("line {}, column 5", quiet[..quiet.find("steps = []").unwrap()].lines().count() + 2);
    let hole = std::fs::read_to_string(HOLE).unwrap();
    let newer_regression =
        file("newer-regression.toml", hole.replace("format = 1", "format = 9\nnew = 1").as_bytes());
    let bad_regression =
        file("bad-regression.toml", hole.replace("hold complete", "holt complete").as_bytes());
    let huge = file("huge.toml", hole.replace("ttl_ms = 1000", "ttl_ms = 18446744073709551615").as_bytes());
    let no_law = file("no-law.toml", hole.replace("stale-writer-refused", "peace").as_bytes());
    let misspelt_law = file("misspelt-law.toml", hole.replace("law = ", "lwa = ").as_bytes());
    let far_newer = file("far-newer.toml", hole.replace("format = 1", "format = 99999999999").as_bytes());
    let misplaced = file("misplaced.toml", hole.replace("pause worker-1 ", "pause worker-9 ").as_bytes());
    let line = hole[..hole.rfind("1.44s pause worker-1 for").unwrap()].lines().count();
    let misplaced_says =
        format!("line {line}, column 5: `1.44s pause worker-9 for 3s` names worker-9, which is not");
    let stranger_says = format!("{line_of_step}: `1s pause worker-9 for 1s` names worker-9");
    let seeds = file("seeds.txt", b"17\nx\n");
    let no_seeds = file("none.txt", b"# nothing\n");
    let not_json = file("a.json", b"{");
    let newer_history = file("newer.json", b"{\"plan\":{\"format\":9}}");
    let here = folder.path().to_str().unwrap();
    let slash = format!("{here}/nd/");
    let whole = folder.path().join("whole.json").to_str().unwrap().to_owned();
    let replayed = ["replay", HOLE, "--history", whole.as_str()];
    std::process::Command::new(BINARY).args(replayed).output().unwrap();
    let whole = std::fs::read_to_string(&whole).unwrap();
    let granted = whole.find("\"kind\":\"Granted\"").unwrap();
    let grant = whole[..granted].rfind("\"grant\":0").unwrap();
    let none = format!("{}\"grant\":{}{}", &whole[..grant], u32::MAX, &whole[grant + "\"grant\":0".len()..]);
    let grantless = file("grantless.json", none.as_bytes());

    let cases: Vec<(Vec<&str>, &str)> = vec![
        (vec!["sabotage", "--most", "0"], "`0` is no number of seeds: say 1 to 1000000000"),
        (vec!["sabotage", "--most", "-1"], "`-1` is no number of seeds: say 1 to 1000000000"),
        (vec!["sabotage", "control-fences-by-threes"], "did you mean `control-fences-by-twos`?"),
        (vec!["replay", &circle], "awaits itself"),
        (vec!["replay", &endless], "further than a day"),
        (vec!["replay", &far_step], "further than a day"),
        (vec!["replay", &wraps], "three times renew_ms"),
        (vec!["replay", &slow], "quicker than renew_ms"),
        (vec!["replay", "missing.toml"], "cannot be read"),
        (vec!["replay", here], "cannot be read"),
        (vec!["replay", &no_text], "cannot be read"),
        (vec!["replay", "1", "--timeline", "music"], "no timeline of kind `music`: say text or html"),
        (vec!["replay", "1", "--out", "x"], "--timeline"),
        (vec!["replay", "1", "--until", "1000000"], "there is no event 1000000: say 0 to "),
        (vec!["replay", "1", "--until", "-1"], "`-1` is no number of an event: say 0 for the first"),
        (vec!["replay", "1", "--without", "abc"], "`abc` is no number of a step: say 1 for the first"),
        (vec!["replay", "-7"], "`-7` is no seed: say a number such as 17"),
        (
            vec!["replay", "9007199254740992"],
            "`9007199254740992` is no seed: seeds are below 2^53 = 9007199254740992",
        ),
        (vec!["replay", "99999999999999999999999"], "is no seed: seeds are below 2^53"),
        (vec!["replay", HOLE, "--store", "sqlite"], "--store is for seeds: what is in `"),
        (vec!["shrink", HOLE, "--profile", "one-worker"], "--profile is for seeds: what is in `"),
        (vec!["replay", "1", "--store", "both"], "`--store both` is for a search: say memory or sqlite"),
        (vec!["determinism", "--store", "both"], "`--store both` is for a search: say memory or sqlite"),
        (vec!["rejudge", here, "--store", "sqlite"], "unexpected argument '--store'"),
        (vec!["diff", HOLE, HOLE, "--subject", "fencepost"], "unexpected argument '--subject'"),
        (vec!["regressions", "--profile", "one-worker"], "unexpected argument '--profile'"),
        (vec!["sabotage", "--subject", "fencepost"], "unexpected argument '--subject'"),
        (vec!["replay", "1", "--show", "mercy"], "`mercy` cannot be shown: say state"),
        (vec!["replay", "1", "--without", "0"], "there is no step 0: say 1 to "),
        (vec!["replay", "1", "--without", "999"], "there is no step 999: say 1 to "),
        (vec!["replay", "1", "--shrunk"], "breaks no law"),
        (vec!["replay", "1", "--history", "/dev/full"], "`/dev/full` cannot be written"),
        (vec!["replay", &no_step], "unknown step `explode`; expected one of: "),
        (vec!["replay", &no_step], &line_of_step),
        (vec!["replay", &newer], "of format 9"),
        (vec!["replay", &newer_regression], "of format 9, and this build reads format 1: use the build"),
        (vec!["regressions", here], "of format 9, and this build reads format 1: use the build"),
        (vec!["replay", &bad_regression], "line "),
        (vec!["replay", &misspelt_law], "line 1, column 1: unknown field `lwa`, expected one of `law`, "),
        (vec!["replay", &misplaced], &misplaced_says),
        (vec!["replay", &stranger], &stranger_says),
        (vec!["replay", &far_newer], "of format 99999999999, and this build reads format 1"),
        (vec!["replay", &bad_regression], "holt"),
        (vec!["replay", &no_plan], "line 1"),
        (vec!["replay", &empty], "missing field `format`"),
        (vec!["replay", &stranger], "names worker-9"),
        (vec!["run", "--seeds", "9..1"], "empty range `9..1`; use START..END, END excluded"),
        (vec!["run", "--seeds", "all"], "no range of seeds"),
        (vec!["run", "--start", ""], "an empty text is no commit"),
        (vec!["run", "--seeds", "0..1", "--junit", here], "cannot be written"),
        (
            vec!["replay", &huge],
            "ttl_ms must be at least three times renew_ms, both above 0, and at most a day",
        ),
        (vec!["replay", &no_law], "there is none of that name: `laws` tells which there are"),
        (vec!["keep", HOLE, "--into", here, "--name", "a/"], "`a/` is no name for a file"),
        (vec!["shrink", HOLE, "--out", &slash], "cannot be written"),
        (vec!["run", "--seeds", "-1..5"], "`-1..5` is no range of seeds: say 0..10000, 5..=9 or 5"),
        (vec!["run", "--seeds", "5..5"], "empty range `5..5`"),
        (vec!["run", "--seeds", "0..9007199254740993"], "seeds are below 2^53 = 9007199254740992"),
        (vec!["run", "--seeds", "0..99999999999999999999999"], "seeds are below 2^53 = 9007199254740992"),
        (
            vec!["run", "--fault", "pause", "--no-fault", "pause"],
            "no fault is left: pause cannot be asked for",
        ),
        (
            vec!["determinism", "--fault", "cut", "--no-fault", "cut"],
            "no fault is left: cut cannot be asked for",
        ),
        (vec!["run", "--shard", "-1/4"], "`-1/4` is no shard: say 1/4"),
        (vec!["run", "--for", "-1s"], "`-1s` is no time: say 30s, 10m, 2h or 1m30s"),
        (vec!["run", "--jobs", "-2"], "`-2` is no number of threads: say 1 to 1024"),
        (vec!["run", "--seeds", "0..9", "--for", "1m"], "cannot be used with"),
        (vec!["run", "--seeds", "0..8", "--shard", "9/10"], "there is no seed to run"),
        (vec!["rejudge", &grantless], "is about a grant, and names none"),
        (vec!["run", "--for", "soon"], "`soon` is no time: say 30s, 10m, 2h or 1m30s"),
        (vec!["run", "--for", "0s"], "`0s` is too short: a time must be above 0"),
        (vec!["run", "--shard", "5/4"], "`5/4` is no shard: say 1/4"),
        (vec!["run", "--jobs", "0"], "`0` is no number of threads"),
        (vec!["run", "--store", "shop"], "`shop` is no store: say memory, sqlite or both"),
        (vec!["run", "--profile", "easy"], "unknown profile `easy`; expected one of calm-clocks, "),
        (vec!["run", "--subject", "xyzzy"], "unknown subject `xyzzy`; expected one of fencepost, "),
        (vec!["run", "--format", "song"], "there is no format `song`: say human, json or github"),
        (vec!["run", "--seeds-from", "missing.txt"], "`missing.txt` cannot be read"),
        (vec!["run", "--seeds-from", "/dev/zero"], "`/dev/zero` cannot be read: it is longer than 256 MB"),
        (vec!["run", "--seeds", "0..1", "--out", HOLE], "is a file: --out names a folder"),
        (vec!["run", "--seeds-from", &seeds], "line 2, column 1: `x` is no seed: say a number such as 17"),
        (vec!["run", "--seeds-from", &no_seeds], "it has no seed: write one a line"),
        (vec!["run", "--seeds", "0..1", "--out", "/dev/null/there"], "cannot be written"),
        (vec!["run", "--seeds", "0..1", "--junit", "/dev/full"], "`/dev/full` cannot be written"),
        (vec!["shrink", "1"], "breaks no law"),
        (vec!["shrink", "0", "--law", "peace"], "unknown law `peace`; expected one of one-live-grant, "),
        (vec!["run", "--law", "ends-onec"], "unknown law `ends-onec`; did you mean `ends-once`?"),
        (vec!["run", "--color", "pink"], "invalid value 'pink'"),
        (vec!["shrink", "0", "--budget", "0"], "`0` is no number of runs: say 1 to "),
        (vec!["shrink", HOLE, "--law", "ends-once"], "does not break `ends-once`"),
        (vec!["shrink", HOLE, "--out", HOLE], "is there already: name another file"),
        (vec!["shrink", HOLE, "--out", "/dev/null/x.toml"], "`/dev/null/x.toml` cannot be written"),
        (vec!["keep", HOLE, "--into", "/dev/null/x"], "cannot be written"),
        (vec!["keep", HOLE, "--story", "  "], "an empty story tells nothing"),
        (vec!["keep", HOLE, "--name", "two words"], "`two words` is no name for a file"),
        (vec!["keep", HOLE, "--name", "x.toml"], "`x.toml` is a name with its .toml: leave that out"),
        (vec!["keep", "1"], "breaks no law"),
        (vec!["keep", HOLE, "--name", "../up", "--into", here], "`../up` is no name for a file"),
        (vec!["keep", HOLE, "--name", "circle", "--into", here], "is there already: say --name another"),
        (
            vec!["regressions", "no-such-folder"],
            "`no-such-folder` does not exist: name the folder of regressions, or make one",
        ),
        (vec!["rejudge", "missing.json"], "`missing.json` cannot be read"),
        (vec!["rejudge", &not_json], "is no history: line 1, column 1"),
        (vec!["rejudge", &newer_history], "of format 9"),
        (vec!["diff", &not_json, &not_json], "is no history"),
        (vec!["determinism", "--seeds", "0..2", "--against", "/no/such/build"], "cannot be started"),
        (vec!["dance"], "unrecognized subcommand 'dance'"),
        (vec!["diff", "one"], "required arguments were not provided"),
    ];
    for (arguments, why) in cases {
        let output = std::process::Command::new(BINARY).args(&arguments).output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {said}");
        assert!(said.contains(why), "{arguments:?} does not say `{why}`: {said}");
        assert!(!said.contains("panicked") && !said.contains("backtrace"), "{arguments:?}: {said}");
        if arguments[0] != "regressions" {
            let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(complaint.trim_end().lines().count(), 1, "{arguments:?}: {complaint}");
            assert!(complaint.starts_with("fencepost: "), "{complaint}");
        }
    }
}

#[test]
fn help_and_the_version_are_no_bad_input() {
    for arguments in [&["--help"][..], &["run", "--help"], &["--version"], &["help", "keep"]] {
        let output = fencepost(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{arguments:?}");
    }
}

/// A history is a file that anybody may have changed by hand.
#[test]
fn a_history_that_no_run_wrote_is_refused_before_it_is_judged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.json");
    let name = path.to_str().unwrap();
    assert_eq!(fencepost(&["replay", HOLE, "--history", name]).status.code(), Some(1));
    let text = std::fs::read_to_string(&path).unwrap();
    let damaged = [
        ("\"grant\":0", "\"grant\":4000000000", "about a grant that it does not name"),
        ("\"at_us\":", "\"at_us\":999999999", "not after the one before it"),
        ("\"kind\":\"Granted\"", "\"kind\":\"Stolen\"", "unknown variant `Stolen`"),
        ("\"ttl_ms\":1000", "\"ttl_ms\":0", "three times renew_ms"),
    ];
    let end = text.rfind(",{\"at_us\"").expect("it ends");
    std::fs::write(&path, format!("{}]}}", &text[..end])).unwrap();
    let cut = fencepost(&["rejudge", name]);
    assert_eq!(cut.status.code(), Some(4), "{}", said(&cut));
    assert!(said(&cut).contains("it stops before the end of its run"), "{}", said(&cut));
    for (from, to, why) in damaged {
        assert!(text.contains(from), "{from}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let output = fencepost(&["rejudge", name]);
        assert_eq!(output.status.code(), Some(4), "{}", said(&output));
        assert!(said(&output).contains(why), "{}", said(&output));
    }
}
