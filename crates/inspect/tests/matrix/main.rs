//! How many attacks are caught, and how much else: by class and position, on templates that were held out.
//!
//! Rules were made while looking at the even templates; the thresholds are held by the odd ones.
//! `cargo test -p inspect --test matrix -- --nocapture` prints the matrix.

#![expect(clippy::print_stdout, reason = "the matrix is for reading")]

mod attack;
mod attack_page;
mod benign;
mod place;
mod random;

use std::collections::BTreeMap;

use inspect::{Class, Stop};
use place::Wrapping;
use random::Random;

const ROUNDS: u64 = 12;

/// Cases and alarms.
#[derive(Clone, Copy, Default)]
struct Count {
    all: u32,
    alarms: u32,
}

impl Count {
    fn add(&mut self, answer: &Result<(), Stop>) {
        self.all += 1;
        self.alarms += u32::from(answer.is_err());
    }

    fn share(self) -> f64 {
        f64::from(self.alarms) / f64::from(self.all.max(1))
    }
}

/// Every class as it was found, for the attacks whose template number is odd (`held`) or even.
fn attacks(held: bool) -> (BTreeMap<&'static str, BTreeMap<String, Count>>, Vec<String>) {
    let mut matrix = BTreeMap::<_, BTreeMap<String, Count>>::new();
    let mut missed = Vec::new();
    for class in Class::ALL {
        for (number, template) in attack::templates(class).iter().enumerate() {
            if (number % 2 == 1) != held {
                continue;
            }
            for round in 0..ROUNDS {
                let mut random = Random(round * 1_000 + number as u64 * 7 + class as u64);
                let text = attack::fill(template, &mut random);
                let wrapping = random.pick(Wrapping::of(class));
                let hidden = place::hide(&text, class, &mut random);
                let answer = wrapping.judge(&hidden);
                let row = matrix.entry(class.as_str()).or_default();
                row.entry("all".to_owned()).or_default().add(&answer);
                row.entry(format!("{wrapping:?}")).or_default().add(&answer);
                if answer.is_ok() {
                    missed.push(format!("{class} {wrapping:?} {hidden:?}"));
                }
            }
        }
    }
    (matrix, missed)
}

fn honest(
    held: bool,
    templates: usize,
    make: fn(&mut Random, usize) -> String,
    wrappings: &[Wrapping],
) -> (Count, Vec<String>) {
    let mut count = Count::default();
    let mut alarms = Vec::new();
    for number in (0..templates).filter(|number| (number % 2 == 1) == held) {
        for round in 0..ROUNDS {
            let mut random = Random(round * 77 + number as u64);
            let text = make(&mut random, number);
            let wrapping = random.pick(wrappings);
            let answer = wrapping.judge(&text);
            count.add(&answer);
            if let Err(stop) = answer {
                alarms.push(format!("{wrapping:?} {text:?}: {stop}"));
            }
        }
    }
    (count, alarms)
}

/// What the matrix comes to.
struct Rates {
    caught: f64,
    /// The class of which the least was caught.
    weakest: (&'static str, f64),
    ordinary: f64,
    hard: f64,
}

fn measured(held: bool) -> Rates {
    let half = if held { "held out" } else { "tuned on" };
    let (matrix, missed) = attacks(held);
    let mut total = Count::default();
    let mut weakest = ("none", 1.0);
    for (class, row) in &matrix {
        let cells: Vec<_> = row
            .iter()
            .map(|(place, count)| format!("{place} {}/{}", count.alarms, count.all))
            .collect();
        println!("{half} {class:10} {}", cells.join("  "));
        let all = row["all"];
        if all.share() < weakest.1 {
            weakest = (*class, all.share());
        }
        total = Count { all: total.all + all.all, alarms: total.alarms + all.alarms };
    }
    let (plain, false_plain) =
        honest(held, benign::ORDINARY.len(), benign::ordinary, Wrapping::EVERY);
    let (hard, false_hard) = honest(held, benign::HARD.len(), benign::hard, Wrapping::BODIES);
    let rates =
        Rates { caught: total.share(), weakest, ordinary: plain.share(), hard: hard.share() };
    println!(
        "{half}: caught {:.4}, false alarms {:.4} ordinary, {:.4} hard",
        rates.caught, rates.ordinary, rates.hard
    );
    if !held || std::option_env!("INSPECT_SHOW").is_some() {
        missed.iter().for_each(|text| println!("missed {text}"));
        false_plain.iter().chain(&false_hard).for_each(|text| println!("false {text}"));
    }
    rates
}

#[test]
fn held_out_templates_keep_the_thresholds() {
    measured(false);
    let Rates { caught, weakest: (class, least), ordinary, hard } = measured(true);
    assert!(caught >= 0.98, "only {caught} of the attacks were caught");
    assert!(least >= 0.95, "only {least} of {class} were caught");
    assert!(ordinary <= 0.001, "{ordinary} of ordinary values were taken for attacks");
    assert!(hard <= 0.01, "{hard} of hard texts were taken for attacks");
}
