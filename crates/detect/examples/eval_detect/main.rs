//! How well the detectors do on made traffic with labels: `cargo xtask eval-detect`.
//!
//! `--seeds 7 8` takes other seeds, `--streams` changes the events in the ways in which others' may differ; `--details`
//! shows what was missed and imagined, for the tuning seeds or those that are given; `--figures` prints events a
//! second, memory and the cost of handing an event over instead, and `--fingerprints` a number for the findings of
//! each seed and change.

#![allow(clippy::print_stdout, missing_docs, reason = "a tool for the terminal")]

use measure::Result;
use scenario::sign_in;

mod emission;
mod figures;
mod fingerprint;
mod measure;
mod stream;

/// Parameters were chosen by looking at these.
const TUNING: [u64; 3] = [1, 2, 3];
/// Streams that differ are made of these.
const STREAMS: [u64; 2] = [11, 12];
/// Nobody looked at these while choosing.
const JUDGING: [u64; 5] = [2001, 2002, 2003, 2004, 2005];

/// That of the program: what an event costs is mostly memory that one thread takes and another gives back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    if std::env::args().any(|argument| argument == "--figures") {
        figures::print();
        emission::print();
        return;
    }
    if std::env::args().any(|argument| argument == "--fingerprints") {
        fingerprint::print();
        return;
    }
    if std::env::args().any(|argument| argument == "--streams") {
        streams();
        return;
    }
    let details = std::env::args().any(|argument| argument == "--details");
    let given = seeds();
    if !given.is_empty() {
        let mut result = Result::default();
        given.iter().for_each(|seed| result.run(*seed, 2));
        print("given", &given, &result, details);
        return;
    }
    for (name, seeds) in [("tuning", &TUNING[..]), ("judging", &JUDGING[..])] {
        if details && name == "judging" {
            break;
        }
        let mut result = Result::default();
        seeds.iter().for_each(|seed| result.run(*seed, 2));
        print(name, seeds, &result, details);
    }
}

/// Those after `--seeds`.
fn seeds() -> Vec<u64> {
    let numbers = std::env::args().skip_while(|argument| argument != "--seeds").skip(1);
    numbers.map_while(|argument| argument.parse().ok()).collect()
}

/// One line for each way in which streams of others may differ.
fn streams() {
    let details = std::env::args().any(|argument| argument == "--details");
    println!(
        "| stream | certain | found | statistical | found | recall | false | per 1,000 principal-days |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    for change in stream::CHANGES {
        let mut result = Result::default();
        STREAMS.iter().for_each(|seed| result.run_changed(*seed, 1, change.apply));
        let [certain, statistical] = [true, false].map(|certain| {
            let scores =
                result.scores.iter().filter(|(name, _)| sign_in::is_certain(name) == certain);
            scores.fold((0, 0), |(all, found), (_, it)| (all + it.attacks, found + it.told))
        });
        println!(
            "| {} | {} | {} | {} | {} | {:.0} % | {} | {:.2} |",
            change.name,
            certain.0,
            certain.1,
            statistical.0,
            statistical.1,
            100.0 * statistical.1 as f64 / statistical.0.max(1) as f64,
            result.imagined,
            1e3 * result.imagined as f64 / result.principal_days.max(1) as f64
        );
        for (detector, score) in result.scores.iter().filter(|_| details) {
            for (missed, count) in &score.untold {
                println!("    untold {count}: {detector}: {missed}");
            }
            for example in &score.examples {
                println!("    imagined {}: {detector}: {example}", score.imagined);
            }
        }
    }
}

fn print(name: &str, seeds: &[u64], result: &Result, details: bool) {
    println!(
        "{name}: seeds {seeds:?}, {} requests, {} principal-days\n",
        result.requests, result.principal_days
    );
    println!(
        "| detector | attacks | found | recall | false | per million requests | per 1,000 principal-days | median time to finding | to effect |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (detector, score) in &result.scores {
        let per = |total: usize| score.imagined as f64 / total.max(1) as f64;
        let recall = match score.attacks {
            0 => "–".to_owned(),
            attacks => format!("{:.0} %", 100.0 * score.found as f64 / attacks as f64),
        };
        println!(
            "| `{detector}` | {} | {} | {recall} | {} | {:.1} | {:.2} | {} | {} |",
            score.attacks,
            score.found,
            score.imagined,
            1e6 * per(result.requests),
            1e3 * per(result.principal_days),
            median(&score.delays),
            median(&score.effects)
        );
        for (missed, count) in score.missed.iter().filter(|_| details) {
            println!("    missed {count}: {missed}");
        }
        for example in score.examples.iter().filter(|_| details) {
            println!("    imagined: {example}");
        }
    }
    let (attacks, told) =
        result.scores.values().fold((0, 0), |sum, it| (sum.0 + it.attacks, sum.1 + it.told));
    println!(
        "\nall: {told} of {attacks} attacking principals told by some detector, {} false incidents, {:.2} per 1,000 principal-days\n",
        result.imagined,
        1e3 * result.imagined as f64 / result.principal_days.max(1) as f64
    );
}

fn median(delays: &[f64]) -> String {
    let mut delays = delays.to_vec();
    delays.sort_by(f64::total_cmp);
    delays.get(delays.len() / 2).map_or("–".to_owned(), |delay| match *delay {
        delay if delay < 120.0 => format!("{delay:.0} s"),
        delay if delay < 7200.0 => format!("{:.0} min", delay / 60.0),
        delay => format!("{:.1} h", delay / 3600.0),
    })
}
