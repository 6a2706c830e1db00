//! How a number is spread among many: a histogram with two buckets an octave.

const BUCKETS: usize = 64;

/// Old values fade: when a bucket is full, all are halved.
#[derive(Clone, Debug)]
pub(crate) struct Spread {
    buckets: [u16; BUCKETS],
}

impl Default for Spread {
    fn default() -> Self {
        Self { buckets: [0; BUCKETS] }
    }
}

// === impl Spread ===

impl Spread {
    pub(crate) fn add(&mut self, value: f32) {
        let bucket = ((value.max(0.0) + 1.0).log2() * 2.0) as usize;
        let Some(held) = self.buckets.get_mut(bucket.min(BUCKETS - 1)) else { return };
        *held += 1;
        if *held == u16::MAX {
            self.buckets.iter_mut().for_each(|bucket| *bucket /= 2);
        }
    }

    /// How many values it knows.
    pub(crate) fn count(&self) -> u32 {
        self.buckets.iter().map(|held| u32::from(*held)).sum()
    }

    /// What 99 of 100 do not exceed, to a fifth: the middle of its bucket.
    pub(crate) fn p99(&self) -> f32 {
        let mut above = self.count() / 100;
        for (bucket, held) in self.buckets.iter().enumerate().rev() {
            let held = u32::from(*held);
            if held > above {
                return ((bucket as f32 + 0.5) / 2.0).exp2() - 1.0;
            }
            above -= held;
        }
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn one_of_a_hundred_does_not_move_the_limit() {
        let mut spread = Spread::default();
        (0..300).for_each(|_| spread.add(10.0));
        spread.add(1e6);
        assert!((8.0..13.0).contains(&spread.p99()), "{}", spread.p99());
        (0..10).for_each(|_| spread.add(1e6));
        assert!(spread.p99() >= 8e5);
    }
}
