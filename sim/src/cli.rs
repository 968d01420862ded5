//! The command line. Exit codes: 0 all laws hold, 1 a law is broken, 2 inconclusive, 3 not deterministic, 4 bad input or
//! the harness itself. Bad input is one sentence that says what to do.

use std::io::Write;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::corpus::{self, Origin, Regression};
use crate::determinism;
use crate::generate::generate;
use crate::history::History;
use crate::judge::{Broken, judge, record};
use crate::marks::Mark;
use crate::plan::{Plan, Store};
use crate::report::{self, Tally};
use crate::sabotage;
use crate::search::{Search, search};
use crate::seed::Seed;
use crate::shrink::shrink;
use crate::subject::Subject;
use crate::timeline::{html, text};

/// Says a line; a reader that went away has heard enough.
macro_rules! say {
    ($($said:tt)*) => { heard(writeln!(std::io::stdout().lock(), $($said)*)) };
}

macro_rules! say_raw {
    ($($said:tt)*) => { heard(write!(std::io::stdout().lock(), $($said)*)) };
}

fn heard(said: std::io::Result<()>) {
    if said.is_err() {
        std::process::exit(0);
    }
}

#[derive(Parser)]
#[command(name = "fencepost", version, about = "Proves that leases are fenced, or shows where they are not")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Where the registry keeps its rows: memory, sqlite or both
    #[arg(long, global = true)]
    store: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Search seeds for a broken law
    Run {
        /// A range such as 0..10000; the standard search, unless you say
        #[arg(long)]
        seeds: Option<String>,
        /// Threads; as many as the machine has processors, unless you say
        #[arg(long)]
        jobs: Option<usize>,
        /// The system under test: this program's own, or the name of a sabotage
        #[arg(long, default_value = OWN)]
        subject: String,
        /// Go on after a broken law
        #[arg(long)]
        keep_going: bool,
    },
    /// Run one seed or plan again
    Replay {
        /// A seed, or the file of a plan or regression
        what: String,
        #[arg(long)]
        subject: Option<String>,
        /// Draw what happened: text or html
        #[arg(long)]
        timeline: Option<String>,
        /// Write the drawing here
        #[arg(long, requires = "timeline")]
        out: Option<PathBuf>,
    },
    /// Make a breaking plan smaller
    Shrink {
        /// A seed, or the file of a plan or regression
        what: String,
        #[arg(long)]
        subject: Option<String>,
        /// The law it must go on breaking; the first it breaks, unless you say
        #[arg(long)]
        law: Option<String>,
        /// Runs to spend
        #[arg(long, default_value_t = 5_000)]
        budget: u64,
        /// Write it here, as a regression
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Check that a run is a function of its plan
    Determinism {
        #[arg(long, default_value = "0..1000")]
        seeds: String,
        #[arg(long, default_value = OWN)]
        subject: String,
        /// Another build of this program, to compare with
        #[arg(long)]
        against: Option<PathBuf>,
    },
    /// Plant every bug and see which law catches it
    Sabotage {
        /// Seeds to try for each
        #[arg(long, default_value_t = 2_000)]
        most: u64,
    },
    /// The hash of each seed's run, a line each
    #[command(hide = true)]
    Hashes {
        #[arg(long)]
        seeds: String,
        #[arg(long, default_value_t = 1)]
        jobs: usize,
        #[arg(long, default_value = OWN)]
        subject: String,
    },
    /// Every event of a run, a line each
    #[command(hide = true)]
    Events {
        what: String,
        #[arg(long)]
        subject: Option<String>,
    },
}

/// Stands for the subject that this command line is for.
const OWN: &str = "own";

/// The standard search: so many seeds on each store. One that is at least as large must reach every mark.
const STANDARD: [(u64, Store); 2] = [(10_000, Store::Memory), (500, Store::Sqlite)];

fn standard_seeds(store: Store) -> u64 {
    STANDARD.iter().find(|(_, of)| *of == store).map_or(0, |(seeds, _)| *seeds)
}

/// How a command ended.
enum End {
    Holds,
    Broken,
    Inconclusive,
    NotDeterministic,
}

/// What a user did wrong, or the machine.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Complaint(String);

type Ended = Result<End, Complaint>;

/// Runs the command line that the process was started with, for the true system.
pub fn main() -> ExitCode {
    main_for(&Subject::fencepost())
}

/// The same for a subject of one's own: what a user's own binary calls.
pub fn main_for(own: &Subject) -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { 4 } else { 0 };
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    let command = arguments.command.unwrap_or(Command::Run {
        seeds: None,
        jobs: None,
        subject: OWN.to_owned(),
        keep_going: false,
    });
    let carried_out = match arguments.store.as_deref().map(parse_stores).transpose() {
        Ok(None) => carry_out(command, own, None),
        Ok(Some(stores)) => {
            let own = Subject { store_needed: stores[0], ..own.clone() };
            carry_out(command, &own, Some(stores))
        }
        Err(complaint) => Err(complaint),
    };
    match carried_out {
        Ok(End::Holds) => ExitCode::SUCCESS,
        Ok(End::Broken) => ExitCode::from(1),
        Ok(End::Inconclusive) => ExitCode::from(2),
        Ok(End::NotDeterministic) => ExitCode::from(3),
        Err(complaint) => {
            eprintln!("fencepost: {complaint}");
            ExitCode::from(4)
        }
    }
}

fn carry_out(command: Command, own: &Subject, stores: Option<&[Store]>) -> Ended {
    match command {
        Command::Run { seeds, jobs, subject, keep_going } => {
            let subject = subject_named(&subject, own)?;
            let searches = searches(seeds.as_deref(), stores, &subject)?;
            run(&searches, jobs.unwrap_or_else(processors), &subject, keep_going, own.name)
        }
        Command::Replay { what, subject, timeline, out } => {
            replay(&what, subject.as_deref(), timeline.as_deref(), out.as_deref(), own)
        }
        Command::Shrink { what, subject, law, budget, out } => {
            shrink_to(&what, subject.as_deref(), law, budget, out.as_deref(), own)
        }
        Command::Determinism { seeds, subject, against } => {
            check_determinism(&parse_seeds(&seeds)?, &subject_named(&subject, own)?, against.as_deref())
        }
        Command::Sabotage { most } => Ok(kill(most)),
        Command::Hashes { seeds, jobs, subject } => {
            for hash in determinism::hashes(parse_seeds(&seeds)?, jobs, &subject_named(&subject, own)?) {
                say!("{hash:016x}");
            }
            Ok(End::Holds)
        }
        Command::Events { what, subject } => {
            let (plan, subject, _) = found(&what, subject.as_deref(), own)?;
            let history = record(&plan, &subject);
            for place in 0..history.events.len() {
                say!("{}", history.line(place));
            }
            Ok(End::Holds)
        }
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn parse_stores(text: &str) -> Result<&'static [Store], Complaint> {
    match text {
        "memory" => Ok(&[Store::Memory]),
        "sqlite" => Ok(&[Store::Sqlite]),
        "both" => Ok(&[Store::Memory, Store::Sqlite]),
        _ => Err(Complaint(format!("`{text}` is no store: say memory, sqlite or both"))),
    }
}

fn parse_seeds(text: &str) -> Result<Range<u64>, Complaint> {
    let parsed = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    parsed
        .filter(|range: &Range<u64>| !range.is_empty())
        .ok_or_else(|| Complaint(format!("`{text}` is no range of seeds: say 0..10000")))
}

fn subject_named(name: &str, own: &Subject) -> Result<Subject, Complaint> {
    if name == OWN || name == own.name {
        return Ok(own.clone());
    }
    sabotage::by_name(name).map(sabotage::Sabotage::subject).ok_or_else(|| {
        let known: Vec<&str> = sabotage::all().map(|sabotage| sabotage.name).collect();
        Complaint(format!("there is no subject `{name}`: say {}, or one of {}", own.name, known.join(", ")))
    })
}

/// The plan of a seed or file, and whom it is for.
fn found(
    what: &str,
    subject: Option<&str>,
    own: &Subject,
) -> Result<(Arc<Plan>, Subject, Option<Regression>), Complaint> {
    let asked = subject.map(|name| subject_named(name, own)).transpose()?;
    if let Ok(seed) = what.parse() {
        let subject = asked.unwrap_or_else(|| own.clone());
        let plan = generate(Seed(seed), subject.store_needed);
        return Ok((Arc::new(plan), subject, None));
    }
    let path = Path::new(what);
    let (plan, regression) = corpus::load(path).map_err(|error| Complaint(error.to_string()))?;
    let subject = match (asked, &regression) {
        (Some(asked), _) => asked,
        (None, Some(regression)) if regression.origin.sabotage.is_some() => {
            regression.subject(path).map_err(|error| Complaint(error.to_string()))?
        }
        (None, _) => own.clone(),
    };
    Ok((Arc::new(plan), subject, regression))
}

/// CPU time of this process and true time, in microseconds: inside a run the machine's clocks are simulated.
fn clocks_us() -> (u64, u64) {
    let us = |id| {
        let now = rustix::time::clock_gettime(id);
        u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000
    };
    (us(rustix::time::ClockId::ProcessCPUTime), us(rustix::time::ClockId::Monotonic))
}

/// Which seeds to run on which stores: those that were named, or the standard search.
fn searches(
    seeds: Option<&str>,
    stores: Option<&[Store]>,
    subject: &Subject,
) -> Result<Vec<(Range<u64>, Store)>, Complaint> {
    let named = seeds.map(parse_seeds).transpose()?;
    Ok(match (named, stores) {
        (Some(seeds), None) => vec![(seeds, subject.store_needed)],
        (Some(seeds), Some(stores)) => stores.iter().map(|store| (seeds.clone(), *store)).collect(),
        (None, stores) => STANDARD
            .iter()
            .filter(|(_, store)| match stores {
                Some(stores) => stores.contains(store),
                // Another's registry keeps its rows where it does.
                None => subject.is_ours() || *store == Store::Memory,
            })
            .map(|(seeds, store)| (0..*seeds, *store))
            .collect(),
    })
}

fn run(
    searches: &[(Range<u64>, Store)],
    jobs: usize,
    subject: &Subject,
    keep_going: bool,
    own: &str,
) -> Ended {
    let mut tally = Tally::default();
    let mut first_broken = None;
    let (cpu_us, wall_us) = clocks_us();
    for (seeds, store) in searches {
        let wanted = Search { seeds: seeds.clone(), jobs, store: *store, subject: subject.clone() };
        search(&wanted, |seed, verdict| {
            tally.add(&verdict, *store);
            if let Some(broken) = verdict.broken() {
                if keep_going {
                    say!("seed {seed}: {} is broken: {}", broken.law, broken.because);
                }
                first_broken.get_or_insert((seed, *store, broken));
                if !keep_going {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        });
        if first_broken.is_some() && !keep_going {
            break;
        }
    }
    let (cpu_end_us, wall_end_us) = clocks_us();
    if let Some((seed, store, broken)) = &first_broken {
        let plan = generate(Seed(*seed), *store);
        let original = plan.steps.len();
        let shrunk = shrink(&plan, subject, broken.law, 5_000, &mut |_| {});
        let small = Arc::new(shrunk.plan);
        let broken = judge(&small, subject).breach_of(broken.law).unwrap_or_else(|| broken.clone());
        let Some(history) = recorded(&small, subject) else { return Ok(End::NotDeterministic) };
        let with = if subject.name == own { String::new() } else { format!(" --subject {}", subject.name) };
        say!("{}", report::breach(&broken, &history, &with, *seed, shrunk.runs, original));
    }
    say_raw!("{}", tally.table(cpu_end_us - cpu_us, wall_end_us - wall_us));
    if first_broken.is_some() {
        return Ok(End::Broken);
    }
    if tally.undecided() > 0 {
        say!("INCONCLUSIVE: no law is broken, but of some it could not be told whether they hold");
        return Ok(End::Inconclusive);
    }
    let stores: Vec<Store> = searches.iter().map(|(_, store)| *store).collect();
    let missed: Vec<&str> = tally.hits.missed(&stores).into_iter().map(Mark::name).collect();
    if missed.is_empty() {
        return Ok(End::Holds);
    }
    say!("never reached: {}", missed.join("; "));
    if searches.iter().any(|(seeds, store)| seeds.end - seeds.start < standard_seeds(*store)) {
        say!("(a search smaller than the standard one is judged by its laws alone)");
        return Ok(End::Holds);
    }
    say!("INCONCLUSIVE: no law is broken, but a search that never came there has not shown that none is");
    Ok(End::Inconclusive)
}

/// The run again, with a recorder; none, if it was not the run that was judged.
fn recorded(plan: &Arc<Plan>, subject: &Subject) -> Option<History> {
    let history = record(plan, subject);
    if history.hash() == judge(plan, subject).hash {
        return Some(history);
    }
    say!("this plan does not give the same events twice: `fencepost determinism` shows where they part");
    None
}

fn replay(
    what: &str,
    subject: Option<&str>,
    timeline: Option<&str>,
    out: Option<&Path>,
    own: &Subject,
) -> Ended {
    let (plan, subject, regression) = found(what, subject, own)?;
    let draw = match timeline {
        None => None,
        Some("text") => Some(text::draw as Drawer),
        Some("html") => Some(html::draw as Drawer),
        Some(other) => {
            return Err(Complaint(format!("there is no timeline of kind `{other}`: say text or html")));
        }
    };
    // A page on standard output is all there is on it.
    let is_page = timeline == Some("html") && out.is_none();
    if let (Some(regression), false) = (&regression, is_page) {
        say!("{}\n", regression.story.trim());
    }
    let verdict = judge(&plan, &subject);
    let broken = verdict.broken();
    if let Some(draw) = draw {
        let Some(history) = recorded(&plan, &subject) else { return Ok(End::NotDeterministic) };
        let drawn = draw(&history, broken.as_ref());
        match out {
            None => say_raw!("{drawn}"),
            Some(path) => {
                corpus::write(path, &drawn)
                    .map_err(|cause| Complaint(format!("`{}` cannot be written: {cause}", path.display())))?;
                say!("the timeline is in {}", path.display());
            }
        }
    }
    match broken {
        Some(broken) => {
            if !is_page {
                say!("{} is broken at event {}: {}", broken.law, broken.at, broken.because);
            }
            Ok(End::Broken)
        }
        None => {
            if !is_page {
                say!("every law holds, over {} events (hash {:016x})", verdict.events, verdict.hash);
            }
            Ok(End::Holds)
        }
    }
}

type Drawer = fn(&History, Option<&Broken>) -> String;

fn shrink_to(
    what: &str,
    subject: Option<&str>,
    law: Option<String>,
    budget: u64,
    out: Option<&Path>,
    own: &Subject,
) -> Ended {
    let (plan, subject, regression) = found(what, subject, own)?;
    let verdict = judge(&plan, &subject);
    let law = match law.or_else(|| verdict.broken().map(|broken| broken.law.to_owned())) {
        Some(law) if verdict.breaks(&law) => law,
        Some(law) => {
            return Err(Complaint(format!("this plan does not break `{law}`: there is nothing to shrink")));
        }
        None => return Err(Complaint("this plan breaks no law: there is nothing to shrink".to_owned())),
    };
    let shrunk = shrink(&plan, &subject, &law, budget, &mut |success| eprintln!("  {success}"));
    say!("{} steps to {} in {} runs\n", plan.steps.len(), shrunk.plan.steps.len(), shrunk.runs);
    match out {
        None => say_raw!("{}", shrunk.plan),
        Some(path) => {
            let is_planted = sabotage::by_name(subject.name).is_some();
            let (story, origin) = match regression {
                Some(regression) => (regression.story, regression.origin),
                None => ("Not told yet.".to_owned(), Origin::default()),
            };
            let kept = Regression {
                law,
                story,
                origin: Origin {
                    seed: what.parse().ok().or(origin.seed),
                    commit: origin.commit,
                    sabotage: is_planted.then(|| subject.name.to_owned()),
                },
                finding: None,
                plan: shrunk.plan,
            };
            corpus::keep(path, &kept, &subject).map_err(|error| Complaint(error.to_string()))?;
            say!("written to {}", path.display());
        }
    }
    Ok(End::Broken)
}

fn check_determinism(seeds: &Range<u64>, subject: &Subject, against: Option<&Path>) -> Ended {
    let complain = |error: determinism::CheckError| Complaint(error.to_string());
    let own = std::env::current_exe()
        .map_err(|cause| Complaint(format!("this program cannot find itself: {cause}")))?;
    let (ours, mut differences) = determinism::within_a_process(seeds.clone(), 1, subject);
    say!("{} seeds run twice in this process", ours.len());
    differences
        .extend(determinism::between_processes(&own, seeds.clone(), 2, subject, &ours).map_err(complain)?);
    say!("{} seeds run in another process, with two threads", ours.len());
    if let Some(other) = against {
        differences.extend(
            determinism::between_processes(other, seeds.clone(), 2, subject, &ours).map_err(complain)?,
        );
        say!("{} seeds run by {}", ours.len(), other.display());
    }
    for difference in differences.iter().take(3) {
        say!("seed {} differs between {}", difference.seed, difference.between);
        match &difference.first {
            Some((place, one, other)) => say!("  first at event {place}:\n    {one}\n    {other}"),
            None => say!("  the difference did not show again when both were recorded"),
        }
    }
    if differences.is_empty() {
        say!("no run differs");
        return Ok(End::Holds);
    }
    say!("{} differences", differences.len());
    Ok(End::NotDeterministic)
}

/// Where the searches for each planted bug start.
const STARTS: [u64; 5] = [0, 1_000_000, 2_000_000, 3_000_000, 4_000_000];

fn kill(most: u64) -> End {
    let mut survivors = 0;
    say!("{:<34} {:<34} {:>8} {:>8}   seeds needed", "sabotage", "killed by", "median", "worst");
    for sabotage in sabotage::all() {
        let subject = sabotage.subject();
        let mut needed: Vec<u64> = STARTS
            .iter()
            .map(|start| {
                let seeds = *start..*start + most;
                let killed = seeds.into_iter().position(|seed| {
                    judge(&Arc::new(generate(Seed(seed), subject.store_needed)), &subject)
                        .breaks(sabotage.law)
                });
                killed.map_or(most + 1, |place| place as u64 + 1)
            })
            .collect();
        needed.sort_unstable();
        let shown = |seeds: u64| if seeds > most { format!("> {most}") } else { seeds.to_string() };
        let (median, worst) = (needed[needed.len() / 2], needed[needed.len() - 1]);
        let verdict = if median > most { "SURVIVED" } else { sabotage.law };
        survivors += u64::from(worst > most);
        say!("{:<34} {verdict:<34} {:>8} {:>8}", sabotage.name, shown(median), shown(worst));
    }
    if survivors == 0 { End::Holds } else { End::Broken }
}
