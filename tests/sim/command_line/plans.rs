//! One plan at a time: replayed, looked into, made smaller, kept, compared.

use std::fs;
use std::path::Path;

use fencepost_sim::plan::Plan;
use fencepost_sim::regressions;

use super::{HOLE, fencepost, fencepost_in, files, heard, said};

#[test]
fn a_shrunk_plan_is_written_as_a_regression_that_replays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.toml");
    let kept = path.to_str().unwrap();
    let output = fencepost(&["shrink", HOLE, "--budget", "300", "--out", kept]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let replayed = fencepost(&["replay", kept, "--timeline", "text"]);
    assert_eq!(replayed.status.code(), Some(1), "{}", said(&replayed));
    assert!(said(&replayed).contains("stale-writer-refused is broken"));
}

#[test]
fn a_page_goes_to_its_file_whole_or_alone_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    let replay = ["replay", HOLE, "--timeline", "html"];
    let alone = fencepost(&replay);
    assert_eq!(alone.status.code(), Some(1));
    let written = fencepost(&[replay.as_slice(), &["--out", path.to_str().unwrap()]].concat());
    assert_eq!(written.status.code(), Some(1), "{}", said(&written));
    assert!(said(&written).contains("stale-writer-refused is broken at event"), "{}", said(&written));
    let page = fs::read(&path).unwrap();
    assert!(page.starts_with(b"<!DOCTYPE html>") && page.ends_with(b"</html>\n"));
    assert!(alone.stdout == page, "standard output has more or less than the page");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let nowhere = path.join("below-a-file.html");
    let refused = fencepost(&[replay.as_slice(), &["--out", nowhere.to_str().unwrap()]].concat());
    assert_eq!(refused.status.code(), Some(4));
    assert!(said(&refused).contains("cannot be written"), "{}", said(&refused));
}

#[test]
fn a_plan_is_kept_with_its_story_under_a_name_that_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let seed = (0..60)
        .map(|seed| seed.to_string())
        .find(|seed| fencepost(&["replay", seed, "--subject", "never-renews"]).status.code() == Some(1))
        .unwrap();
    let keep = ["keep", &seed, "--subject", "never-renews", "--budget", "300"];
    let output = fencepost_in(folder.path(), &[keep.as_slice(), &["--story", "Nobody renews."]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let kept = files(folder.path());
    assert_eq!(kept.len(), 1, "{kept:?}");
    let (_, regression) = regressions::load(&kept[0]).unwrap();
    let regression = regression.unwrap();
    assert_eq!(
        kept[0].strip_prefix(folder.path()).unwrap(),
        Path::new(&format!("regressions/{}-never-renews.toml", regression.law))
    );
    assert_eq!(regression.story, "Nobody renews.");
    assert_eq!(
        (regression.origin.seed.map(|seed| seed.to_string()), regression.origin.planted_bug.as_deref()),
        (Some(seed.clone()), Some("never-renews"))
    );

    // A second time it would be written over.
    let again = fencepost_in(folder.path(), &keep);
    assert_eq!(again.status.code(), Some(4), "{}", said(&again));
    let other = fencepost_in(folder.path(), &[keep.as_slice(), &["--name", "other"]].concat());
    assert_eq!(other.status.code(), Some(1), "{}", said(&other));
    assert!(said(&other).contains("edit `story` in the file"), "{}", said(&other));
    let (_, told) = regressions::load(&folder.path().join("regressions/other.toml")).unwrap();
    assert!(told.unwrap().story.starts_with("`never-renews` breaks "), "a first sentence");

    // A long story is one that people can read in the file.
    let story = "It is told from its beginning to its end. ".repeat(9);
    let long = ["--name", "long", "--budget", "1", "--story", &story];
    fencepost_in(folder.path(), &[&keep[..4], &long].concat());
    let path = folder.path().join("regressions/long.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.lines().all(|line| line.len() <= 100), "{text}");
    let (_, told) = regressions::load(&path).unwrap();
    assert!(told.unwrap().story.split_whitespace().eq(story.split_whitespace()));
    fs::remove_file(&path).unwrap();

    // Both hold for the true system, and catch what they came from.
    let all = fencepost_in(folder.path(), &["regressions"]);
    assert_eq!(all.status.code(), Some(0), "{}", said(&all));
    assert!(heard(&all).contains("and never-renews is caught by") && heard(&all).contains("2 of 2 held"));
    let broken = fencepost_in(folder.path(), &["regressions", "--subject", "never-renews"]);
    assert_eq!(broken.status.code(), Some(1), "{}", said(&broken));
    assert!(heard(&broken).starts_with("broken "), "{}", said(&broken));
}

#[test]
fn a_regression_that_no_longer_shows_anything_is_told_apart_from_one_that_holds() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(HOLE).unwrap();
    let toothless: String =
        text.lines().filter(|line| !line.contains("hold complete")).map(|line| format!("{line}\n")).collect();
    fs::write(folder.path().join("a.toml"), toothless).unwrap();
    let output = fencepost(&["regressions", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        heard(&output).starts_with("toothless ") && heard(&output).contains("0 of 1 held"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_story_is_kept_with_the_law_that_it_tells_of_and_with_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().to_str().unwrap();
    let keep = |name: &str, law: &str| {
        let words = ["keep", HOLE, "--law", law, "--into", into, "--name", name, "--budget", "200"];
        let output = fencepost(&words);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        let kept = regressions::load(&folder.path().join(format!("{name}.toml"))).unwrap().1.unwrap();
        (kept, heard(&output))
    };
    let (of_its_law, hint) = keep("same", "stale-writer-refused");
    let told = regressions::load(Path::new(HOLE)).unwrap().1.unwrap();
    assert!(of_its_law.story.split_whitespace().eq(told.story.split_whitespace()));
    assert!(hint.contains("see whether it is still so"), "{hint}");
    let (of_another, hint) = keep("another", "linearizable");
    assert!(of_another.story.starts_with("`renew-then-write` breaks linearizable"), "{}", of_another.story);
    assert!(hint.contains("edit `story` in the file"), "{hint}");
}

#[test]
fn a_regression_of_which_it_cannot_be_told_is_no_proof() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(HOLE).unwrap();
    let lies = text
        .replace("bound = 4", "bound = 4\nstore = \"sqlite\"")
        .replace("steps = [", "steps = [\n    \"0ms disk lies about syncs for 1s\",");
    fs::write(folder.path().join("a.toml"), lies).unwrap();
    let output = fencepost(&["regressions", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(heard(&output).starts_with("undecided "), "{}", said(&output));
}

#[test]
fn a_run_is_stopped_at_an_event_and_asked_who_believed_what() {
    let whole = heard(&fencepost(&["replay", HOLE, "--show", "state"]));
    assert!(whole.contains("store      p1: held by worker-2 under fence 2; live, for "), "{whole}");
    let number: usize = whole
        .lines()
        .find_map(|line| line.strip_prefix("just before event ")?.split(',').next()?.parse().ok())
        .expect("without --until it is the breach");
    let events = heard(&fencepost(&["events", HOLE]));
    let until = number.to_string();
    let stopped = fencepost(&["replay", HOLE, "--until", &until, "--timeline", "text", "--show", "state"]);
    let told = heard(&stopped);
    let line = events.lines().nth(number).unwrap().trim();
    assert!(told.contains(&format!("event {number}: {line}")), "{told}");
    assert!(told.contains("\nx ") && told.contains("worker-1 "), "{told}");
    // One event earlier nothing is broken yet.
    let earlier =
        heard(&fencepost(&["replay", HOLE, "--until", &(number - 1).to_string(), "--timeline", "text"]));
    assert!(!earlier.contains("\nx "), "{earlier}");
}

#[test]
fn a_page_says_what_it_was_drawn_from_and_no_more_of_the_laws_than_is_known() {
    let title = |arguments: &[&str]| {
        let page = heard(&fencepost(&[&["replay"], arguments, &["--timeline", "html"]].concat()));
        let (_, rest) = page.split_once("<title>").expect("a page has a title");
        rest.split_once("</title>").unwrap().0.to_owned()
    };
    let file = "renew-then-write · stale-writer-refused-renew-then-write.toml · memory";
    assert_eq!(title(&[HOLE]), format!("stale-writer-refused · {file}"));
    assert_eq!(title(&[HOLE, "--until", "3"]), format!("The breach is not reached · {file}"));
    let changed = title(&[HOLE, "--without", "2"]);
    assert!(changed.contains("renew-then-write.toml, without step 2 · "), "{changed}");
    assert_eq!(title(&["1"]), "Every law holds · fencepost · seed 1 · memory");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lies.toml");
    let steps =
        "steps = [\"0s register p1 rerunnable 1 steps of 10ms\", \"1s disk lies about syncs for 1s\"]";
    let plan = Plan::quiet(1).to_string().replace("steps = []", steps);
    fs::write(&path, plan.replace("bound = 4", "bound = 4\nstore = \"sqlite\"")).unwrap();
    let undecided = title(&[path.to_str().unwrap()]);
    assert!(undecided.starts_with("It cannot be told whether "), "{undecided}");
    assert!(undecided.ends_with(" · fencepost · lies.toml · sqlite"), "{undecided}");
}

#[test]
fn a_step_is_left_out_by_its_number() {
    // The first of three is the work, the second is what holds the write back.
    let without = |steps: &[&str]| fencepost(&[&["replay", HOLE], steps].concat());
    let breaks = |steps: &[&str]| heard(&without(steps)).contains("stale-writer-refused is broken");
    assert!(breaks(&[]) && !breaks(&["--without", "2"]));
    assert_eq!(
        without(&["--without", "1"]).status.code(),
        Some(0),
        "{}",
        said(&without(&["--without", "1"]))
    );
    assert_eq!(without(&["--without", "1", "--without", "2", "--without", "3"]).status.code(), Some(0));
    assert_eq!(without(&["--without", "4"]).status.code(), Some(4));
}

#[test]
fn two_histories_are_compared_and_the_first_event_that_differs_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, arguments: &[&str]| {
        fencepost_in(folder.path(), &[&["replay", HOLE, "--history", name], arguments].concat());
    };
    write("one.json", &[]);
    write("same.json", &[]);
    write("other.json", &["--without", "3"]);
    write("lawful.json", &["--subject", "fencepost"]);
    let diff = |other: &str| fencepost_in(folder.path(), &["diff", "one.json", other]);
    assert_eq!(diff("same.json").status.code(), Some(0));
    assert!(heard(&diff("same.json")).starts_with("no event differs"));
    let other = diff("other.json");
    assert_eq!(other.status.code(), Some(0), "two plans may differ: {}", said(&other));
    assert!(heard(&other).contains("only in one.json: 1.44s pause worker-1 for 3s"), "{}", said(&other));
    // One plan, two subjects: of course the events part.
    let lawful = diff("lawful.json");
    assert_eq!(lawful.status.code(), Some(0), "{}", said(&lawful));
    let text = heard(&lawful);
    assert!(text.starts_with("their subjects differ: `renew-then-write` and `fencepost`\n"), "{text}");
    assert!(!text.contains("not deterministic"), "{text}");
    // Two histories of one plan and one subject that differ have no harmless explanation.
    let stored = std::fs::read_to_string(folder.path().join("lawful.json")).unwrap();
    let same_name = stored.replace("\"subject\":\"fencepost\"", "\"subject\":\"renew-then-write\"");
    std::fs::write(folder.path().join("parted.json"), same_name).unwrap();
    let parted = diff("parted.json");
    assert_eq!(parted.status.code(), Some(3), "{}", said(&parted));
    assert!(heard(&parted).contains("that is not deterministic"), "{}", said(&parted));
    let place = |mark: &str| {
        let line = text.lines().find(|line| line.starts_with(mark)).unwrap();
        line[1..].split_whitespace().next().unwrap().parse::<usize>().unwrap()
    };
    assert_eq!(place("<"), place(">"));
    let events = |arguments: &[&str]| heard(&fencepost(&[&["events", HOLE], arguments].concat()));
    let (ours, theirs) = (events(&[]), events(&["--subject", "fencepost"]));
    let parts = ours.lines().zip(theirs.lines()).position(|(one, other)| one != other).unwrap();
    assert!(place("<") <= parts, "{text}");
}

#[test]
fn old_histories_are_judged_by_todays_laws() {
    let folder = tempfile::tempdir().unwrap();
    let in_folder = |arguments: &[&str]| fencepost_in(folder.path(), arguments);
    in_folder(&["replay", "3", "--history", "old/lawful.json"]);
    assert_eq!(in_folder(&["rejudge", "old"]).status.code(), Some(0));
    in_folder(&["replay", HOLE, "--history", "old/broken.json"]);
    let both = in_folder(&["rejudge", "old"]);
    assert_eq!(both.status.code(), Some(1), "{}", said(&both));
    assert!(heard(&both).contains("old/broken.json: stale-writer-refused is broken"), "{}", said(&both));
    assert!(heard(&both).contains("old/lawful.json: every law holds"), "{}", said(&both));

    // The subject is not judged by laws that it never claimed.
    let broken = folder.path().join("old/broken.json");
    let text = fs::read_to_string(&broken).unwrap();
    let claims_less = text.replace("\"not_claimed\":[]", "\"not_claimed\":[\"stale-writer-refused\"]");
    assert_ne!(text, claims_less);
    fs::write(&broken, claims_less).unwrap();
    assert!(!heard(&in_folder(&["rejudge", "old/broken.json"])).contains("stale-writer-refused"));

    // Nor is an order of calls that overlapped: ours are recorded in the order of their decisions, and of another's registry
    // nobody knows it.
    let hasty = ["--subject", "claim-decided-before-a-wait"];
    let search = [&["run", "--seeds", "0..200", "--out", "hasty"], hasty.as_slice()].concat();
    assert_eq!(in_folder(&search).status.code(), Some(1));
    let found = files(&folder.path().join("hasty/failures"));
    let told = found.iter().find(|path| path.extension().is_some_and(|end| end == "json")).unwrap();
    let told = told.to_str().unwrap();
    let ours = in_folder(&["rejudge", told]);
    assert!(heard(&ours).contains("one-live-grant is broken"), "{}", said(&ours));
    let text_of_ours = fs::read_to_string(told).unwrap();
    fs::write(told, text_of_ours.replace("\"is_ours\":true", "\"is_ours\":false")).unwrap();
    let theirs = in_folder(&["rejudge", told]);
    assert!(heard(&theirs).contains("linearizable is broken"), "{}", said(&theirs));

    // One that cannot be read keeps nobody silent about the others.
    fs::write(folder.path().join("old/empty.json"), "").unwrap();
    fs::write(&broken, text).unwrap();
    let all = in_folder(&["rejudge", "old"]);
    assert_eq!(all.status.code(), Some(4), "{}", said(&all));
    assert!(
        said(&all).contains("`old/empty.json` is no history") && heard(&all) == heard(&both),
        "{}",
        said(&all)
    );
}

#[test]
fn every_law_is_told_with_its_sentence_and_what_it_catches() {
    let told = heard(&fencepost(&["laws"]));
    let laws = fencepost_sim::laws::Laws::new(&fencepost_sim::plan::Plan::quiet(0));
    for law in laws.all() {
        assert!(told.contains(&format!("{}\n    {}\n", law.name(), law.sentence())), "{}", law.name());
    }
    for planted in fencepost_sim::planted::all() {
        let line = told.lines().find(|line| line.starts_with("    catches ") && line.contains(planted.name));
        assert!(line.is_some(), "{}", planted.name);
    }
}

#[test]
fn the_doctor_finds_flags_that_are_set_and_a_toolchain_that_is_not_the_pinned_one() {
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let doctor = |change: &dyn Fn(&mut std::process::Command)| {
        let mut command = super::command(&["doctor"]);
        command.current_dir(workspace);
        for flag in ["RUSTFLAGS", "RUSTDOCFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
            command.env_remove(flag);
        }
        change(&mut command);
        command.output().unwrap()
    };
    let well = doctor(&|_| ());
    assert_eq!(well.status.code(), Some(0), "{}", said(&well));
    assert!(heard(&well).lines().all(|line| line.starts_with("ok     ")), "{}", said(&well));
    for flag in ["RUSTFLAGS", "RUSTDOCFLAGS"] {
        let set = doctor(&|command| {
            command.env(flag, "");
        });
        assert_eq!(set.status.code(), Some(4), "{}", said(&set));
        assert!(heard(&set).contains(&format!("run `unset {flag}`")), "{}", said(&set));
    }
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("rust-toolchain.toml"), "[toolchain]\nchannel = \"1.2.3\"\n").unwrap();
    fs::write(elsewhere.path().join("Cargo.toml"), "").unwrap();
    let other = doctor(&|command| {
        command.current_dir(elsewhere.path()).env("RUSTUP_AUTO_INSTALL", "0");
    });
    assert_eq!(other.status.code(), Some(4), "{}", said(&other));
    assert!(
        heard(&other).contains("1.2.3") && heard(&other).contains("no .cargo/config.toml"),
        "{}",
        said(&other)
    );
}
