//! The folder that `--out` names: its page for people, and folders that are refused.

use std::fs;

use super::{fencepost_in, json, said};

#[test]
fn the_page_of_a_search_has_laws_marks_windows_speed_and_links_to_failures() {
    let folder = tempfile::tempdir().unwrap();
    let search =
        ["run", "--seeds", "0..40", "--subject", "renew-then-write", "--budget", "60", "--out", "out"];
    let output = fencepost_in(folder.path(), &search);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let out = folder.path().join("out");
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    let summary = json(&fs::read_to_string(out.join("summary.json")).unwrap());
    // Every law and every mark has its line, with its numbers.
    for law in summary["laws"].as_array().unwrap() {
        let checked =
            format!("<td>{}</td><td class=\"number\">{}</td>", law["law"].as_str().unwrap(), law["checked"]);
        assert!(page.contains(&checked), "{checked}");
    }
    for mark in summary["marks"].as_array().unwrap() {
        let hit = format!("<td class=\"number\">{}</td>", mark["hit"]);
        let name = mark["mark"]
            .as_str()
            .unwrap()
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('\'', "&#39;");
        assert!(page.contains(&format!("<td>{name}</td>{hit}")), "{name}");
    }
    // Every link leads to a file that is there.
    let links: Vec<&str> = page
        .split("href=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .filter(|link| link.starts_with("failures/"))
        .collect();
    assert_eq!(links.len(), 4 * summary["failures"].as_array().unwrap().len(), "{links:?}");
    assert!(!links.is_empty() && links.iter().all(|link| out.join(link).is_file()), "{links:?}");
    // The windows of all seeds are in the plot.
    let seeds: u64 = summary["zombie_windows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|range| range["seeds"].as_u64().unwrap())
        .sum();
    assert_eq!(Some(seeds), summary["seeds"].as_u64());
    let last =
        summary["zombie_windows"].as_array().unwrap().iter().rposition(|range| range["seeds"] != 0).unwrap();
    assert_eq!(page.matches("<rect ").count(), last + 1);
    assert!(page.contains("seeds a second") && page.contains("laws are broken</h1>"));
    assert!(!page.contains("<script"));

    // A later search that holds replaces it.
    let output = fencepost_in(folder.path(), &["run", "--seeds", "0..5", "--out", "out"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    assert!(page.contains("<h1>No law is broken</h1>") && !page.contains("failures/"), "{page}");
}

#[test]
fn a_page_of_something_else_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("index.html");
    fs::write(&page, "<h1>my home page</h1>").unwrap();
    let output = fencepost_in(folder.path(), &["run", "--seeds", "0..1", "--out", "."]);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(said(&output).contains("is a page of something else: name another folder"), "{}", said(&output));
    assert_eq!(fs::read_to_string(&page).unwrap(), "<h1>my home page</h1>");
}
