//! Reports for programs: JSON, JUnit and GitHub's annotations, each read back by a parser that is not ours; and the folder
//! that a search leaves.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use fencepost_sim::judge::judge;
use fencepost_sim::regressions;

use super::{HOLE, command, fencepost, fencepost_in, files, heard, json, said};

const BROKEN: [&str; 7] = ["run", "--seeds", "0..60", "--subject", "renew-then-write", "--budget", "200"];

#[test]
fn json_is_one_document_that_says_what_people_are_told() {
    let told = json(&heard(&fencepost(&["run", "--seeds", "0..30", "--format", "json"])));
    let summary = &told["summary"];
    assert_eq!((&summary["verdict"], &summary["exit_code"]), (&"holds".into(), &0.into()));
    assert_eq!((&summary["seeds"], &summary["format"]), (&30.into(), &1.into()));
    let laws = summary["laws"].as_array().unwrap();
    assert_eq!(laws.len(), fencepost_sim::laws::Laws::names().len());
    // Held is what was put to the test.
    for law in laws {
        let [held, not_reached] = ["held", "not_reached"].map(|key| law[key].as_u64().unwrap());
        assert_eq!((held + not_reached, &law["broken"]), (30, &0.into()), "{law}");
        assert_eq!(held > 0, law["checked"].as_u64() > Some(0), "{law}");
    }
    let of_crashes = laws.iter().find(|law| law["law"] == "acknowledged-survives").unwrap();
    assert_eq!(of_crashes["not_reached"], 30, "there is no disk in these runs");
    assert!(summary["marks"].as_array().unwrap().iter().any(|mark| mark["hit"].as_u64() > Some(0)));
    assert_eq!(told["timings"]["format"], 1);
    assert!(told["timings"]["slowest_seed"]["us"].as_u64() > Some(0), "{}", told["timings"]);

    let output = fencepost(&[BROKEN.as_slice(), &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let broken = json(&heard(&output))["summary"].clone();
    assert_eq!((&broken["verdict"], &broken["exit_code"]), (&"broken".into(), &1.into()));
    let failure = &broken["failures"][0];
    let report = failure["report"].as_str().unwrap();
    assert!(report.starts_with(&format!(
        "{}: {}",
        failure["law"].as_str().unwrap(),
        failure["sentence"].as_str().unwrap()
    )));
}

#[test]
fn junit_has_a_case_for_each_law() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/junit.xml");
    let with = |arguments: &[&str]| {
        fencepost(&[arguments, &["--junit", path.to_str().unwrap()]].concat());
        fs::read_to_string(&path).unwrap()
    };
    let laws = fencepost_sim::laws::Laws::names();
    for (arguments, failures) in [(&["run", "--seeds", "0..20"][..], "0"), (&BROKEN[..], "3")] {
        let xml = with(arguments);
        let document = roxmltree::Document::parse(&xml).unwrap();
        let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
        assert_eq!(suite.attribute("failures"), Some(failures), "{xml}");
        let version = suite.descendants().find(|node| node.attribute("name") == Some("fencepost.format"));
        assert_eq!(version.and_then(|property| property.attribute("value")), Some("1"), "{xml}");
        let cases: Vec<&str> = suite.children().filter_map(|case| case.attribute("name")).collect();
        assert_eq!(suite.attribute("tests"), Some(cases.len().to_string().as_str()));
        assert!(laws.iter().all(|law| cases.contains(law)), "{cases:?}");
        let failed: Vec<_> = suite.descendants().filter(|node| node.has_tag_name("failure")).collect();
        assert_eq!(failed.len().to_string(), failures);
        // The law that was broken first has a report, the others a line with their seed.
        let reports = failed.iter().filter(|node| node.text().unwrap().contains("who believed what")).count();
        assert_eq!(reports, failed.len().min(1), "{xml}");
        assert!(failed.iter().all(|node| node.text().unwrap().contains("seed 0 on memory")), "{xml}");
    }
    let xml = with(&["run", "--seeds", "0..20"]);
    let document = roxmltree::Document::parse(&xml).unwrap();
    let of_crashes =
        document.descendants().find(|node| node.attribute("name") == Some("acknowledged-survives")).unwrap();
    let skipped = of_crashes.children().find(|node| node.has_tag_name("skipped")).unwrap();
    assert_eq!(skipped.attribute("message"), Some("not reached"));
    let table = heard(&fencepost(&["run", "--seeds", "0..20"]));
    let line = table.lines().find(|line| line.starts_with("acknowledged-survives ")).unwrap();
    assert_eq!(line.split_whitespace().skip(1).collect::<Vec<_>>(), ["not", "reached"]);
    let xml = with(&["regressions", Path::new(HOLE).parent().unwrap().to_str().unwrap()]);
    let document = roxmltree::Document::parse(&xml).unwrap();
    let named = |name: &str| document.descendants().any(|node| node.attribute("name") == Some(name));
    assert!(named("stale-writer-refused-renew-then-write"), "{xml}");
}

#[test]
fn github_hears_annotations_and_gets_a_job_summary() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("summary.md");
    fs::write(&page, "what an earlier step said\n").unwrap();
    let run = |arguments: &[&str]| {
        command(&[arguments, &["--format", "github"]].concat())
            .env("GITHUB_STEP_SUMMARY", &page)
            .output()
            .unwrap()
    };
    let broken = run(&BROKEN);
    let annotations: Vec<String> =
        heard(&broken).lines().filter(|line| line.starts_with("::")).map(str::to_owned).collect();
    assert_eq!(annotations.len(), 3, "{}", said(&broken));
    assert!(annotations[0].starts_with("::error title="), "{annotations:?}");
    assert!(annotations[0].contains(" is broken::") && annotations[0].contains("%0A"), "{annotations:?}");
    let written = fs::read_to_string(&page).unwrap();
    assert!(
        written.starts_with("what an earlier step said\n## fencepost: renew-then-write broken\n"),
        "{written}"
    );
    assert!(written.contains("| stale-writer-refused |") && written.contains("keep it:"), "{written}");

    let held = run(&["run", "--seeds", "0..5"]);
    assert!(!heard(&held).lines().any(|line| line.starts_with("::error")), "{}", said(&held));
    let kept = run(&["regressions", Path::new(HOLE).parent().unwrap().to_str().unwrap()]);
    assert_eq!(kept.status.code(), Some(0), "{}", said(&kept));
    assert!(fs::read_to_string(&page).unwrap().contains("the regressions of fencepost"));
    let nowhere = command(&["run", "--seeds", "0..2", "--format", "github"])
        .env("GITHUB_STEP_SUMMARY", "/no/such/folder/page.md")
        .output()
        .unwrap();
    assert_eq!(nowhere.status.code(), Some(4), "{}", said(&nowhere));
    // The check comes before the search, which may take an hour.
    assert_eq!(heard(&nowhere), "");
    let unnamed = command(&["run", "--seeds", "0..2", "--format", "github"])
        .env("GITHUB_STEP_SUMMARY", "")
        .output()
        .unwrap();
    assert_eq!(unnamed.status.code(), Some(0), "{}", said(&unnamed));
}

#[test]
fn the_folder_that_a_search_leaves_is_as_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let output = fencepost_in(folder.path(), &[BROKEN.as_slice(), &["--out", "found"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let out = folder.path().join("found");
    let summary = json(&fs::read_to_string(out.join("summary.json")).unwrap());
    let failure = &summary["failures"][0];
    let stem = format!("failures/{}-{}", failure["law"].as_str().unwrap(), failure["seed"]);
    let mut wanted: Vec<_> = ["html", "json", "report.txt", "toml", "txt"]
        .iter()
        .map(|extension| out.join(format!("{stem}.{extension}")))
        .collect();
    wanted.extend(["index.html", "summary.json", "timings.json"].map(|name| out.join(name)));
    assert_eq!(files(&out), wanted);
    assert!(json(&fs::read_to_string(out.join("timings.json")).unwrap())["wall_us"].is_u64());
    assert!(summary.get("wall_us").is_none() && summary.get("timings").is_none());

    // The regression breaks its law, the pictures are whole, and the report is the one that was said.
    let plan = out.join(format!("{stem}.toml"));
    let (loaded, regression) = regressions::load(&plan).unwrap();
    let regression = regression.unwrap();
    assert!(judge(&Arc::new(loaded), &regression.subject(&plan).unwrap()).breaks(&regression.law));
    let page = fs::read_to_string(out.join(format!("{stem}.html"))).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    let report = fs::read_to_string(out.join(format!("{stem}.report.txt"))).unwrap();
    assert!(heard(&output).contains(&format!("\n\n{report}")), "{report}");
    let replay = report.lines().find_map(|line| line.strip_prefix("replay it:  fencepost ")).unwrap();
    let again = fencepost_in(folder.path(), &replay.split_whitespace().collect::<Vec<_>>());
    assert_eq!(again.status.code(), Some(1), "{}", said(&again));

    // `rejudge` judges the old histories by the present laws.
    let rejudged = fencepost_in(folder.path(), &["rejudge", "found"]);
    assert_eq!(rejudged.status.code(), Some(1), "{}", said(&rejudged));
    assert!(heard(&rejudged).contains(" is broken at event "), "{}", said(&rejudged));

    // The same search says the same.
    let again =
        fencepost_in(folder.path(), &[BROKEN.as_slice(), &["--out", "again", "--jobs", "1"]].concat());
    assert_eq!(again.status.code(), Some(1));
    let without_paths =
        |name: &str| fs::read_to_string(folder.path().join(name)).unwrap().replace("again/", "found/");
    assert_eq!(without_paths("found/summary.json"), without_paths("again/summary.json"));
}

#[test]
fn a_search_forgets_the_failures_of_an_earlier_one_and_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    fencepost_in(folder.path(), &[BROKEN.as_slice(), &["--out", "found"]].concat());
    let failures = folder.path().join("found/failures");
    assert!(!files(&failures).is_empty());
    for name in ["notes.txt", "stale-writer-refused.txt", "stale-writer-refused-of-mine.txt"] {
        fs::write(failures.join(name), "mine").unwrap();
    }
    let lawful = fencepost_in(folder.path(), &["run", "--seeds", "0..3", "--out", "found"]);
    assert_eq!(lawful.status.code(), Some(0), "{}", said(&lawful));
    let left: Vec<_> = files(&failures).iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(left, ["notes.txt", "stale-writer-refused-of-mine.txt", "stale-writer-refused.txt"]);
}

#[test]
fn a_report_that_cannot_be_written_does_not_swallow_the_breach() {
    let folder = tempfile::tempdir().unwrap();
    let output = fencepost_in(folder.path(), &[BROKEN.as_slice(), &["--junit", "/dev/full"]].concat());
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(heard(&output).contains("replay it:"), "{}", said(&output));
    assert!(said(&output).contains("`/dev/full` cannot be written"), "{}", said(&output));
}

#[test]
fn the_kill_matrix_is_a_document_with_a_row_for_each_that_was_planted() {
    let output =
        fencepost(&["sabotage", "fence-repeated", "control-the-same-value", "--most", "30", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let table = json(&heard(&output));
    let rows = table["rows"].as_array().unwrap();
    let told: Vec<_> = rows.iter().map(|row| (&row["sabotage"], &row["verdict"], &row["law"])).collect();
    assert_eq!(
        told,
        [
            (&"fence-repeated".into(), &"CAUGHT".into(), &"fences-only-grow".into()),
            (
                &"control-the-same-value".into(),
                &"SURVIVED: NEVER REACHED".into(),
                &"stale-writer-refused".into()
            )
        ]
    );
    assert_eq!(rows[0]["needed"].as_array().map(Vec::len), Some(5));
    assert!(
        rows[0]["small"]["steps"].as_u64() > Some(0)
            && rows[0]["first_difference"]["event"].as_u64() > Some(0)
    );
    // The bars are for the whole catalogue.
    assert!(table["figures"].is_null());
}
