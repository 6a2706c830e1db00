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
        let Some(held) = self.buckets.get_mut(bucket(value)) else { return };
        *held += 1;
        if *held == u16::MAX {
            self.buckets.iter_mut().for_each(|bucket| *bucket /= 2);
        }
    }

    /// A value that was added has grown.
    pub(crate) fn grow(&mut self, before: f32, value: f32) {
        if before <= 0.0 {
            self.add(value);
        } else if bucket(before) != bucket(value) {
            self.take(before);
            self.add(value);
        }
    }

    /// A value that was added was none.
    pub(crate) fn take(&mut self, value: f32) {
        if let Some(held) = self.buckets.get_mut(bucket(value)) {
            *held = held.saturating_sub(1);
        }
    }

    /// How many values it knows.
    pub(crate) fn count(&self) -> u32 {
        self.buckets.iter().map(|held| u32::from(*held)).sum()
    }

    /// What 99 of 100 do not exceed, to a fifth: the middle of its bucket. Of so many values, if it knows fewer: the
    /// others are nothing.
    pub(crate) fn p99(&self, count: u32) -> f32 {
        self.above(count.max(self.count()) / 100)
    }

    /// What 90 of 100 do not exceed, in the same way.
    pub(crate) fn p90(&self, count: u32) -> f32 {
        self.above(count.max(self.count()) / 10)
    }

    /// How far the tail goes by itself: so many times the 99th of a hundred is what one in three thousand reaches,
    /// if it goes on as between the 90th and the 99th (a power law). At most eight times; once where that is not known.
    pub(crate) fn tail(&self, count: u32) -> f32 {
        let (p90, p99) = (self.p90(count), self.p99(count));
        if p90 <= 0.0 { 1.0 } else { (p99 / p90).powf(1.5).clamp(1.0, 8.0) }
    }

    /// What all but so many do not exceed.
    fn above(&self, count: u32) -> f32 {
        let mut above = count;
        for (bucket, held) in self.buckets.iter().enumerate().rev() {
            let held = u32::from(*held);
            if held > above {
                return middle(bucket);
            }
            above -= held;
        }
        0.0
    }
}

/// Exponent and first digit of the number as it is held: exact, and cheaper than a logarithm.
fn bucket(value: f32) -> usize {
    let place = ((value.max(0.0) + 1.0).to_bits() >> 22).saturating_sub(127 << 1);
    (place as usize).min(BUCKETS - 1)
}

fn middle(bucket: usize) -> f32 {
    let half = if bucket.is_multiple_of(2) { 1.25 } else { 1.75 };
    half * (bucket as f32 / 2.0).floor().exp2() - 1.0
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn what_grows_is_counted_once_where_it_is() {
        let mut spread = Spread::default();
        for step in 1..100u8 {
            spread.grow(f32::from(step) - 1.0, f32::from(step));
        }
        assert_eq!(spread.count(), 1);
        assert!((90.0..130.0).contains(&spread.p99(0)), "{}", spread.p99(0));
        spread.take(99.0);
        assert_eq!(spread.count(), 0);
    }

    #[test]
    fn those_who_have_nothing_count_as_well() {
        let mut spread = Spread::default();
        (0..30).for_each(|_| spread.add(50.0));
        assert!(spread.p99(2900) > 30.0);
        assert!(spread.p99(3000).abs() < f32::EPSILON);
        assert!((spread.p99(7) - spread.p99(0)).abs() < f32::EPSILON);
    }

    #[test]
    fn a_long_tail_goes_on_and_a_short_one_does_not() {
        let of = |last: f32| {
            let mut spread = Spread::default();
            (0..85).for_each(|_| spread.add(10.0));
            (0..12).for_each(|_| spread.add(20.0));
            (0..3).for_each(|_| spread.add(last));
            spread.tail(0)
        };
        assert!((of(20.0) - 1.0).abs() < f32::EPSILON);
        assert!((4.0..6.0).contains(&of(60.0)), "{}", of(60.0));
        assert!((of(4000.0) - 8.0).abs() < f32::EPSILON);
        assert!((Spread::default().tail(0) - 1.0).abs() < f32::EPSILON);
    }

    #[test]
    fn one_of_a_hundred_does_not_move_the_limit() {
        let mut spread = Spread::default();
        (0..300).for_each(|_| spread.add(10.0));
        spread.add(1e6);
        assert!((8.0..13.0).contains(&spread.p99(0)), "{}", spread.p99(0));
        (0..10).for_each(|_| spread.add(1e6));
        assert!(spread.p99(0) >= 8e5);
    }
}
