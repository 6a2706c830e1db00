//! How well the detectors do on made traffic with labels: `cargo xtask eval-detect`.
//!
//! `--details` shows, for the tuning seeds alone, what was missed and imagined; `--figures` prints
//! events a second and memory instead.

#![allow(clippy::print_stdout, missing_docs, reason = "a tool for the terminal")]

use measure::{Result, Score};

mod actor;
mod attack;
mod figures;
mod measure;
mod population;
mod random;

/// Parameters were chosen by looking at these.
const TUNING: [u64; 3] = [1, 2, 3];
/// Nobody looked at these while choosing.
const JUDGING: [u64; 5] = [2001, 2002, 2003, 2004, 2005];

fn main() {
    if std::env::args().any(|argument| argument == "--figures") {
        figures::print();
        return;
    }
    let details = std::env::args().any(|argument| argument == "--details");
    for (name, seeds) in [("tuning", &TUNING[..]), ("judging", &JUDGING[..])] {
        if details && name == "judging" {
            break;
        }
        let mut result = Result::default();
        seeds.iter().for_each(|seed| result.run(*seed, 2));
        print(name, seeds, &result, details);
    }
}

fn print(name: &str, seeds: &[u64], result: &Result, details: bool) {
    println!(
        "{name}: seeds {seeds:?}, {} requests, {} principal-days\n",
        result.requests, result.principal_days
    );
    println!(
        "| detector | attacks | found | recall | false | per million requests | per 1,000 principal-days | median time to finding |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    for (detector, score) in &result.scores {
        let per = |total: usize| score.imagined as f64 / total.max(1) as f64;
        let recall = match score.attacks {
            0 => "–".to_owned(),
            attacks => format!("{:.0} %", 100.0 * score.found as f64 / attacks as f64),
        };
        println!(
            "| `{detector}` | {} | {} | {recall} | {} | {:.1} | {:.2} | {} |",
            score.attacks,
            score.found,
            score.imagined,
            1e6 * per(result.requests),
            1e3 * per(result.principal_days),
            median(score)
        );
        for (missed, count) in score.missed.iter().filter(|_| details) {
            println!("    missed {count}: {missed}");
        }
        if let Some(example) = score.example.as_ref().filter(|_| details) {
            println!("    imagined: {example}");
        }
    }
    println!(
        "\nall: {} false incidents, {:.2} per 1,000 principal-days\n",
        result.imagined,
        1e3 * result.imagined as f64 / result.principal_days.max(1) as f64
    );
}

fn median(score: &Score) -> String {
    let mut delays = score.delays.clone();
    delays.sort_by(f64::total_cmp);
    delays.get(delays.len() / 2).map_or("–".to_owned(), |delay| match *delay {
        delay if delay < 120.0 => format!("{delay:.0} s"),
        delay if delay < 7200.0 => format!("{:.0} min", delay / 60.0),
        delay => format!("{:.1} h", delay / 3600.0),
    })
}
