//! Reports of a proof: the statement of each scope for people, and the same for CI servers.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::Serialize;

use crate::prove::{BreachWitness, LevelStatement, ProveResult, Statement};
use crate::report::format::PROOF;
use crate::report::github::{Level, annotation};
use crate::report::human::broken_laws;
use crate::report::json::pretty;
use crate::report::junit::{CaseResult, JunitCase, Suite};
use crate::search::Conclusion;
use crate::support::plural::counted;

/// A proof of one subject, with the reports of its broken laws.
pub struct ProofReport<'a> {
    pub subject: &'a str,
    pub shard: String,
    pub result: &'a ProveResult,
    /// By law: the report of its first witness.
    pub failures: &'a [(&'static str, String)],
}

/// The statement of one scope.
pub fn statement(statement: &Statement) -> String {
    let mut text = String::new();
    let how_much = if statement.is_complete { "complete" } else { "not complete" };
    let _ =
        writeln!(text, "{}: {how_much} with at most {}", statement.scope, deviations(statement.deviations));
    let _ = writeln!(text, "  {}", statement.about);
    for level in &statement.levels {
        let _ = writeln!(text, "  {}", level_line(level));
    }
    for witness in &statement.broken {
        let _ = writeln!(text, "  BROKEN {}", witness_line(witness));
    }
    if !statement.undecided.is_empty() {
        let _ = writeln!(text, "  it could not always be told: {}", statement.undecided.join(", "));
    }
    if !statement.not_reached.is_empty() {
        let _ = writeln!(text, "  never put to the test: {}", statement.not_reached.join(", "));
    }
    let _ = writeln!(text, "  digest {}", statement.digest);
    text
}

fn deviations(count: usize) -> String {
    counted(count, "deviation")
}

fn level_line(level: &LevelStatement) -> String {
    let about = if level.is_exact { "" } else { "about " };
    let how_much = match level.is_complete() {
        true => String::new(),
        false => format!(" ({} of {} done)", level.done, counted(level.parts, "part")),
    };
    if level.deviations == 0 {
        return format!("nothing goes wrong: {}{how_much}", counted(level.runs, "run"));
    }
    let unchanged = match level.unchanged {
        0 => String::new(),
        unchanged => format!(", {unchanged} of them without any effect"),
    };
    let extended = match level.extended {
        0 => String::new(),
        1 => "; 1 run is tried with one deviation more".to_owned(),
        extended => format!("; {extended} runs are tried with one deviation more"),
    };
    format!(
        "{}: {} that deviate at {}{how_much}{unchanged}; {about}{}, {about}{}{extended}",
        deviations(level.deviations),
        counted(level.runs, "run"),
        counted(level.points, "point"),
        match level.histories {
            1 => "1 different history".to_owned(),
            histories => format!("{histories} different histories"),
        },
        match level.orders {
            1 => "1 different order of decisions".to_owned(),
            orders => format!("{orders} different orders of decisions"),
        },
    )
}

fn witness_line(witness: &BreachWitness) -> String {
    let steps =
        if witness.steps.is_empty() { "nothing goes wrong".to_owned() } else { witness.steps.join(" + ") };
    format!("{} when {steps}: {}", witness.law, witness.because)
}

/// Everything held fixed, once for all scopes.
pub fn held_fixed(result: &ProveResult) -> String {
    let mut facts: Vec<&str> = Vec::new();
    for fact in result.statements.iter().flat_map(|statement| &statement.held_fixed) {
        if !facts.contains(fact) {
            facts.push(fact);
        }
    }
    let mut text = String::from("held fixed:\n");
    for fact in facts {
        let _ = writeln!(text, "  {fact}");
    }
    text
}

/// The last lines.
pub fn verdict(report: &ProofReport<'_>) -> String {
    let result = report.result;
    let runs: u64 = result.statements.iter().map(Statement::runs).sum();
    let digest = whole_digest(result);
    let kept = match result.kept_runs {
        0 => String::new(),
        kept => format!(" ({kept} of them kept from an earlier proof)"),
    };
    let laws: BTreeSet<&str> = result
        .statements
        .iter()
        .flat_map(|found| &found.broken)
        .map(|witness| witness.law.as_str())
        .collect();
    let broken = broken_laws(laws.len());
    let mut text = format!(
        "{}{kept} of {} of `{}`, shard {}, {}.{:02} s of CPU; digest {digest:016x}\n",
        counted(runs, "run"),
        counted(result.statements.len(), "scope"),
        report.subject,
        report.shard,
        result.cpu_us / 1_000_000,
        result.cpu_us / 10_000 % 100
    );
    if let Some((scope, said)) = &result.panicked {
        let _ = writeln!(text, "the harness itself panicked in {scope}, which is a bug in it: {said}");
    }
    let _ = writeln!(
        text,
        "{}",
        match result.conclusion {
            Conclusion::Holds => "HOLDS: no run of these scopes breaks a law",
            Conclusion::Broken => broken.as_str(),
            Conclusion::Inconclusive => "INCONCLUSIVE: no law is broken, and not every run was run",
            Conclusion::NotDeterministic => "NOT DETERMINISTIC: a run did not repeat itself",
            Conclusion::Failed => "NO VERDICT: the harness itself failed",
        }
    );
    text
}

/// The sum of the digests of all scopes.
pub fn whole_digest(result: &ProveResult) -> u64 {
    result.statements.iter().fold(0, |digest, statement| digest.wrapping_add(statement.sum.digest))
}

/// The proof as one JSON document. It has no times: two of the same code are equal.
pub fn json(report: &ProofReport<'_>) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        format: u32,
        subject: &'a str,
        shard: &'a str,
        verdict: Conclusion,
        exit_code: u8,
        digest: String,
        scopes: &'a [Statement],
        panicked: Option<&'a str>,
    }
    let result = report.result;
    pretty(&Document {
        format: PROOF,
        subject: report.subject,
        shard: &report.shard,
        verdict: result.conclusion,
        exit_code: result.conclusion.exit_code(),
        digest: format!("{:016x}", whole_digest(result)),
        scopes: &result.statements,
        panicked: result.panicked.as_ref().map(|(_, said)| said.as_str()),
    })
}

/// A suite with a case for each scope.
pub fn junit(report: &ProofReport<'_>) -> Suite {
    let case = |found: &Statement| {
        let result = match found.verdict {
            Conclusion::Holds => CaseResult::Held,
            Conclusion::Broken => {
                let because = found.broken.first().map_or_else(String::new, witness_line);
                CaseResult::Failed(because, whole_report(report, found))
            }
            Conclusion::Inconclusive | Conclusion::NotDeterministic | Conclusion::Failed => {
                CaseResult::Failed(found.verdict.to_string(), statement(found))
            }
        };
        JunitCase { name: found.scope.clone(), result }
    };
    let mut cases: Vec<JunitCase> = report.result.statements.iter().map(case).collect();
    if let Some((scope, said)) = &report.result.panicked {
        let said = format!("{scope}: {said}");
        cases.push(JunitCase { name: "the harness".to_owned(), result: CaseResult::Errored(said) });
    }
    let name = format!("fencepost prove of {}", report.subject);
    Suite { name, cases, wall_us: report.result.wall_us }
}

fn whole_report(report: &ProofReport<'_>, found: &Statement) -> String {
    let of_scope = |law: &str| found.broken.iter().any(|witness| witness.law == law);
    let failures = report.failures.iter().filter(|(law, _)| of_scope(law)).map(|(_, told)| told.as_str());
    std::iter::once(statement(found).as_str()).chain(failures).collect::<Vec<_>>().join("\n")
}

/// The annotations for GitHub.
pub fn annotations(report: &ProofReport<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for found in &report.result.statements {
        match found.verdict {
            Conclusion::Holds => {}
            Conclusion::Broken => {
                for witness in &found.broken {
                    let told = report.failures.iter().find(|(law, _)| *law == witness.law);
                    let message = told.map_or_else(|| witness_line(witness), |(_, told)| told.clone());
                    let title = format!("{} is broken in {}", witness.law, found.scope);
                    lines.push(annotation(Level::Error, &title, &message));
                }
            }
            Conclusion::Inconclusive | Conclusion::NotDeterministic | Conclusion::Failed => {
                let title = format!("{}: {}", found.scope, found.verdict);
                lines.push(annotation(Level::Warning, &title, &statement(found)));
            }
        }
    }
    if let Some((scope, said)) = &report.result.panicked {
        lines.push(annotation(Level::Error, "the harness itself failed", &format!("{scope}: {said}")));
    }
    lines
}

/// The page that GitHub shows for the job.
pub fn job_summary(report: &ProofReport<'_>) -> String {
    let mut page = format!("## fencepost prove: {} {}\n\n", report.subject, report.result.conclusion);
    for (_, told) in report.failures {
        let _ = writeln!(page, "{}", crate::report::github::fenced(told));
    }
    let _ = writeln!(page, "| scope | deviations | runs | histories | complete | digest |");
    let _ = writeln!(page, "|---|--:|--:|--:|---|---|");
    for found in &report.result.statements {
        let histories: u64 = found.levels.iter().map(|level| level.histories).sum();
        let Statement { scope, deviations, digest, is_complete, .. } = found;
        let complete = if *is_complete { "yes" } else { "no" };
        let runs = found.runs();
        let _ = writeln!(page, "| {scope} | {deviations} | {runs} | {histories} | {complete} | {digest} |");
    }
    let _ = writeln!(page, "\n{}", held_fixed(report.result).replace("\n  ", "\n- "));
    page
}
