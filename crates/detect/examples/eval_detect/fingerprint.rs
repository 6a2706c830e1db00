//! One line for each world of the evaluation: how many findings, and a number made of every byte of them.
//! What only makes the detectors cheaper leaves all lines as they were.

use detect::engine::{AHEAD, Engine};
use token::event::Event;

use scenario::attack;
use scenario::population::World;
use scenario::random::Random;

use crate::{JUDGING, STREAMS, TUNING, stream};

/// FNV-1a, 64 bits.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// All seeds as they are, and the seeds of changed streams with every change.
pub(crate) fn print() {
    for seed in TUNING.into_iter().chain(JUDGING) {
        line("as it was made", seed, 2, |_, _| {});
    }
    for change in stream::CHANGES {
        STREAMS.iter().for_each(|seed| line(change.name, *seed, 1, change.apply));
    }
}

fn line(name: &str, seed: u64, times: usize, change: fn(&mut Vec<Event>, &mut Random)) {
    let mut world = World::new(seed);
    attack::stage_all(&mut world, times);
    change(&mut world.events, &mut world.random);
    world.events.sort_by_key(|event| event.ts);
    let (mut count, mut number) = (0, BASIS);
    let mut engine = Engine::default();
    for next in world.events.chunks(AHEAD) {
        let ahead = engine.expect(next.iter());
        let found = next.iter().zip(&ahead);
        for finding in found.flat_map(|(event, names)| engine.observe_expected(event, names)) {
            count += 1;
            let text = serde_json::to_string(&finding).unwrap_or_default();
            number = text
                .bytes()
                .fold(number, |held, byte| (held ^ u64::from(byte)).wrapping_mul(PRIME));
        }
    }
    println!(
        "{number:016x} {count:>5} findings of {} events: seed {seed}, {name}",
        world.events.len()
    );
}
